//! `portcullis audit`.

use clap::{Args, ValueEnum};
use portcullis_audit::Severity;
use portcullis_audit::report::Waiver;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = AUDIT)]
pub(crate) struct AuditArguments {
    /// The identity provider [env: OAUTH2_ISSUER, also from .env]
    pub(crate) issuer: Option<String>,
    /// Our own settings instead, and every issuer in them
    #[arg(
        long,
        value_name = "FILE",
        // Each issuer in the file has its own of these, so one for all would be ambiguous.
        conflicts_with_all = ["issuer", "ca_file", "profile", "metadata_url"],
    )]
    pub(crate) config: Option<PathBuf>,
    /// Ask nobody: the settings alone
    // A token is judged by the documents of its issuer, which are not fetched offline.
    #[arg(long, requires = "config", conflicts_with = "token_file")]
    pub(crate) offline: bool,
    /// A file with an access token to judge too; `-` reads standard input. It is never shown, and
    /// not sent anywhere
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// A file with the certificates, in PEM, of a private authority to trust besides the usual ones
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The kind of provider, such as `cloudflare`, which says where its documents are
    /// [default: what the issuer shows]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Where the metadata is, if not under the issuer
    #[arg(long, value_name = "URL")]
    pub(crate) metadata_url: Option<String>,
    /// How to print: for people, for programs, or for code scanning
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// The least severity that makes it fail
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    pub(crate) fail_on: FailOn,
    /// A rule that does not count, and why: `audit.pkce_missing=our clients use it all the same`
    #[arg(long, value_name = "RULE=REASON", value_parser = Waiver::parse)]
    pub(crate) ignore: Vec<Waiver>,
    /// Tell notes with their cures as well
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl FailOn {
    /// The least severity that makes the audit fail; nothing for "never".
    pub(crate) const fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Note => Some(Severity::Note),
            Self::Never => None,
        }
    }
}

const AUDIT: &str = "\
Examples:
  $ portcullis audit https://idp.example
  $ portcullis audit https://idp.example --fail-on warning --format sarif > audit.sarif
  $ portcullis audit https://idp.example --ignore 'audit.pkce_missing=our clients use it'
  $ portcullis audit --config portcullis.toml --offline

Every rule, its severity and its cure: docs/audit.md.

Exit codes: 0 nothing at or above --fail-on, 1 could not run, 2 findings, 4 no answer from the
provider.";
