//! `portcullis serve`.

use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct ServeArguments {
    /// The settings; they are read again when they change, and on SIGHUP
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    pub(crate) config: PathBuf,
}
