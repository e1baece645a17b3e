//! The receiver's store, in a program that was built without Redis.

use crate::exit::CommandError;
use portcullis_provider::shared_signals::StreamConfiguration;
use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

/// Never there.
pub(super) struct Receiver(Infallible);

impl Receiver {
    pub(super) fn read(_: &Path, _: Duration) -> Result<Self, CommandError> {
        let error = CommandError::could_not_run("this program was built without Redis");
        Err(error.help("take a build with the feature `redis` or `full`, or leave `--config` out"))
    }

    pub(super) async fn announce(
        &self,
        _: &str,
        _: &StreamConfiguration,
        _: &str,
    ) -> Result<(), CommandError> {
        match self.0 {}
    }

    pub(super) async fn wait_for(&self, (): &()) -> Result<Duration, CommandError> {
        match self.0 {}
    }
}
