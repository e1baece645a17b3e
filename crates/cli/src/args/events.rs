//! `portcullis events`.

use super::token::ClientArguments;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = EVENTS)]
pub(crate) struct EventsArguments {
    #[command(subcommand)]
    pub(crate) action: EventsAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventsAction {
    /// Show the streams of the client: how events come, which ones, and whether they are enabled
    #[command(after_long_help = STATUS)]
    Status {
        #[command(flatten)]
        transmitter: TransmitterArguments,
        /// Only this stream
        #[arg(long, value_name = "ID", allow_hyphen_values = true)]
        stream: Option<String>,
        /// Enable, pause or disable the stream first
        #[arg(long, value_enum, value_name = "STATE", requires = "stream")]
        set: Option<NewState>,
        /// Why, for the people of the transmitter
        #[arg(long, value_name = "TEXT", requires = "set")]
        reason: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Create a stream, and print the settings of its receiver
    #[command(
        after_long_help = CREATE,
        group = clap::ArgGroup::new("delivery").required(true).args(["push", "poll"]),
    )]
    Create(Box<CreateArguments>),
    /// Ask for a verification event, which shows that events arrive
    #[command(after_long_help = VERIFY)]
    Verify {
        #[command(flatten)]
        transmitter: TransmitterArguments,
        /// The stream [default: the only one of the client]
        #[arg(long, value_name = "ID", allow_hyphen_values = true)]
        stream: Option<String>,
        /// The settings of the receiver: waits until the event has come there. It needs the store
        /// that the replicas share
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// How many seconds to wait for it
        #[arg(
            long,
            value_name = "SECONDS",
            default_value_t = 60,
            requires = "config",
            value_parser = clap::value_parser!(u16).range(1..=3_600),
        )]
        wait: u16,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a stream, with the events that wait in it
    #[command(after_long_help = DELETE)]
    Delete {
        #[command(flatten)]
        transmitter: TransmitterArguments,
        /// The stream
        // Never guessed: its events are lost.
        #[arg(long, value_name = "ID", allow_hyphen_values = true)]
        stream: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    #[command(flatten)]
    pub(crate) transmitter: TransmitterArguments,
    /// Have events sent to this address of the receiver (RFC 8935), such as
    /// https://api.example/.portcullis/events/idp
    #[arg(long, value_name = "URL", help_heading = STREAM)]
    pub(crate) push: Option<String>,
    /// A file with the header `Authorization` that the transmitter has to send along
    // It would go nowhere with a poll.
    #[arg(long, value_name = "FILE", help_heading = STREAM, requires = "push")]
    pub(crate) authorization_header_file: Option<PathBuf>,
    /// Fetch events from the transmitter (RFC 8936)
    #[arg(long, help_heading = STREAM)]
    pub(crate) poll: bool,
    /// A type of event, such as session-revoked, or its whole URI; can be repeated
    /// [default: those that a receiver of Portcullis acts on]
    #[arg(long, value_name = "EVENT", help_heading = STREAM)]
    pub(crate) event: Vec<String>,
    /// A text for people that tells the stream from others
    #[arg(long, value_name = "TEXT", help_heading = STREAM)]
    pub(crate) description: Option<String>,
    /// The audience that the receiver expects; another one is an error
    #[arg(long, value_name = "AUD", help_heading = STREAM)]
    pub(crate) audience: Option<String>,
    /// The name of the stream in the settings [default: the end of --push, or `events`]
    #[arg(long, value_name = "NAME", help_heading = STREAM)]
    pub(crate) name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The transmitter, and how it is asked.
#[derive(Args, Clone, Debug)]
#[command(
    mut_arg("issuer", |arg| arg.help(ISSUER_HELP).help_heading(TRANSMITTER)),
    mut_arg("metadata_url", |arg| arg.help(METADATA_HELP).help_heading(TRANSMITTER)),
)]
pub(crate) struct TransmitterArguments {
    #[command(flatten)]
    pub(crate) client: ClientArguments,
    /// The provider that issues the access token for the transmitter
    /// [default: the one that the transmitter's API names (RFC 9728), else --issuer]
    #[arg(long, value_name = "URL", help_heading = TRANSMITTER)]
    pub(crate) token_issuer: Option<String>,
    /// The scopes of that token [default: those that the transmitter's API names, else
    /// `ssf.manage`, or `ssf.read` to show streams]
    #[arg(long, value_name = "SCOPES", help_heading = TRANSMITTER)]
    pub(crate) scope: Option<String>,
    /// A file with an access token, or the whole header `Authorization`, for the transmitter,
    /// instead of a client's credentials
    #[arg(
        long,
        value_name = "FILE",
        help_heading = TRANSMITTER,
        conflicts_with_all = [
            "token_issuer", "scope", "client_id", "client_secret_file", "client_key_file",
            "client_certificate_file", "client_assertion_file",
        ],
    )]
    pub(crate) authorization_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NewState {
    /// Events come
    Enabled,
    /// Events do not come; the transmitter should hold them
    Paused,
    /// Events do not come, and are lost
    Disabled,
}

const ISSUER_HELP: &str =
    "The transmitter: the `iss` of its events [env: OAUTH2_ISSUER, also from .env]";

const METADATA_HELP: &str = "The URL of the transmitter's metadata, if it is not at the well-known \
    address of the issuer";

const TRANSMITTER: &str = "Transmitter";

const STREAM: &str = "Stream";

const EVENTS: &str = "\
Examples:
  $ export OAUTH2_ISSUER=https://idp.example
  $ export OAUTH2_CLIENT_ID=events OAUTH2_CLIENT_SECRET=...
  $ portcullis events create --poll
  $ portcullis events status
  $ portcullis events verify

The client asks for a token by its credentials (client credentials), with the scope `ssf.manage`. If
the transmitter wants another kind of token, write it into a file for --authorization-file.

Exit codes: 0 done, 1 could not run, 2 the transmitter refused, 4 the transmitter or the provider of
the token could not be reached.";

const STATUS: &str = "\
Examples:
  $ portcullis events status --issuer https://idp.example --client-id events
  $ portcullis events status --stream f67e39a0 --json
  $ portcullis events status --stream f67e39a0 --set paused --reason maintenance

Exit codes: 0 done, 1 could not run, 2 the transmitter refused, 4 the transmitter or the provider of
the token could not be reached.";

const CREATE: &str = "\
Examples:
  $ portcullis events create --poll --issuer https://idp.example --client-id events
  $ portcullis events create --push https://api.example/.portcullis/events/idp \
    --authorization-header-file events-authorization
  $ portcullis events create --poll --event session-revoked --event credential-change

A type is known by the last part of its URI: session-revoked and credential-change of CAEP,
account-disabled and credential-compromise of RISC, and so on. A whole URI is taken as it is.

Exit codes: 0 done, 1 could not run, 2 the transmitter refused, or the stream is not as asked, 4 the
transmitter or the provider of the token could not be reached.";

const VERIFY: &str = "\
Examples:
  $ portcullis events verify --issuer https://idp.example --client-id events
  $ portcullis events verify --stream f67e39a0
  $ portcullis events verify --issuer https://idp.example --config portcullis.toml

The event comes over the stream, at once or minutes later. With `--config`, the command waits until
a replica of the receiver has it, and they take no other one meanwhile. Else look for it there.

Exit codes: 0 done, 1 could not run, 2 the transmitter refused, 4 the transmitter, the provider of
the token or the store could not be reached, or the event did not come in time.";

const DELETE: &str = "\
Examples:
  $ portcullis events delete --stream f67e39a0 --issuer https://idp.example --client-id events

Exit codes: 0 done, 1 could not run, 2 the transmitter refused, 4 the transmitter or the provider of
the token could not be reached.";
