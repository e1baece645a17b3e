//! Whether a verification event came to the receiver, as the store of its replicas tells.

use crate::exit::{CommandError, Exit};
use crate::files;
use portcullis_core::Outage;
use portcullis_provider::shared_signals::StreamConfiguration;
use portcullis_resource_server::{Config, ExpectedVerification, Settings};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often the store is asked.
const LOOK: Duration = Duration::from_millis(100);

/// The settings of a receiver.
pub(super) struct Receiver {
    file: PathBuf,
    settings: Settings,
    wait: Duration,
}

impl Receiver {
    pub(super) fn read(file: &Path, wait: Duration) -> Result<Self, CommandError> {
        let text = files::read_text(file)?;
        let config = Config::from_toml(&text);
        let config = config.map_err(|errors| CommandError::in_file(file, errors))?;
        let settings = Settings::try_from(config);
        Ok(Self {
            file: file.to_owned(),
            settings: settings.map_err(|errors| CommandError::in_file(file, errors))?,
            wait,
        })
    }

    /// Tells the receivers that a verification with this state comes.
    ///
    /// # Errors
    ///
    /// The settings have no such stream or no store, or it cannot be reached.
    pub(super) async fn announce(
        &self,
        transmitter: &str,
        stream: &StreamConfiguration,
        state: &str,
    ) -> Result<ExpectedVerification, CommandError> {
        let (settings, id) = (&self.settings, stream.id.as_str());
        if let Some(fault) = settings.find_receiver_fault(transmitter, id, &stream.audience) {
            let problem = format!("{}: {}", fault.place(), fault.message());
            return Err(CommandError::in_file(&self.file, problem).help(fault.help()));
        }
        let expected = settings.expected_verification(transmitter, id, state);
        let Some(expected) = expected else {
            // Whatever it may lack is a fault above.
            let problem = "these settings receive no events of the stream";
            return Err(CommandError::in_file(&self.file, problem));
        };
        let announced = expected.announce().await;
        announced.map_err(|it| outage(&expected, &it))?;
        Ok(expected)
    }

    /// Waits until the event has come; answers how long that took.
    ///
    /// # Errors
    ///
    /// It did not come in time, or the store cannot be reached.
    pub(super) async fn wait_for(
        &self,
        expected: &ExpectedVerification,
    ) -> Result<Duration, CommandError> {
        let began = Instant::now();
        // The store remembers it, whichever replica the event came to.
        loop {
            if expected
                .has_come()
                .await
                .map_err(|it| outage(expected, &it))?
            {
                return Ok(began.elapsed());
            }
            if began.elapsed() >= self.wait {
                let wait = humantime::format_duration(self.wait);
                let message = format!("the verification event did not come within {wait}");
                return Err(CommandError::new(Exit::Outage, message).help(
                    "see `portcullis events status`, and whether the receiver is reached or \
                     fetches; some transmitters take minutes: `--wait 600`",
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn outage(expected: &ExpectedVerification, outage: &Outage) -> CommandError {
    let message = format!("{}: {}", expected.store(), outage.facts());
    CommandError::new(Exit::Outage, message).help(
        "see whether this machine reaches the store of `[revocation]`; without it, leave \
         `--config` out, and look at the receiver's audit records or its log",
    )
}
