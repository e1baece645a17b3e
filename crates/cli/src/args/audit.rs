//! `portcullis audit`.

use clap::{Args, Subcommand, ValueEnum};
use portcullis_audit::report::Waiver;
use portcullis_audit::{Rule, Severity, all, find};
use std::path::PathBuf;

#[derive(Args, Debug)]
// `audit https://idp.example ssf ...` would otherwise ignore the issuer.
#[command(args_conflicts_with_subcommands = true, after_long_help = AUDIT)]
pub(crate) struct AuditArguments {
    #[command(subcommand)]
    pub(crate) action: Option<AuditAction>,
    /// The identity provider [env: OAUTH2_ISSUER, also from .env]
    pub(crate) issuer: Option<String>,
    /// The same as the argument, as other commands have it
    #[arg(
        long = "issuer",
        id = "issuer_option",
        value_name = "URL",
        conflicts_with = "issuer"
    )]
    pub(crate) issuer_option: Option<String>,
    /// An API instead: what it says about itself (RFC 9728), and the issuers that it names
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = [
            "issuer", "issuer_option", "config", "profile", "metadata_url", "ca_file",
        ],
    )]
    pub(crate) resource_url: Option<String>,
    /// Send GET requests to the API as well: without a token, with forged ones, and with that of
    /// `--token-file`
    #[arg(long, requires = "resource_url")]
    pub(crate) probe: bool,
    /// Our own settings instead, and every issuer in them
    #[arg(
        long,
        value_name = "FILE",
        // Each issuer in the file has its own of these, so one for all would be ambiguous.
        conflicts_with_all = ["issuer", "issuer_option", "ca_file", "profile", "metadata_url"],
    )]
    pub(crate) config: Option<PathBuf>,
    /// Ask nobody: the settings alone
    // A token is judged by the documents of its issuer, which are not fetched offline.
    #[arg(
        long,
        requires = "config",
        conflicts_with_all = ["issuer", "issuer_option", "resource_url", "token_file"],
    )]
    pub(crate) offline: bool,
    /// A file with an access token to judge too; `-` reads standard input. It is never shown, and
    /// sent nowhere but to the API of `--probe`
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
    /// List the rules, each with its severity, what it looks at and its cure; asks nobody
    #[arg(
        long,
        conflicts_with_all = ["issuer", "issuer_option", "config", "token_file"],
    )]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) report: ReportArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditAction {
    /// A transmitter of security events: what it says about itself (Shared Signals)
    #[command(after_long_help = SSF)]
    Ssf {
        /// The transmitter: the `iss` of its events [env: OAUTH2_ISSUER, also from .env]
        issuer: Option<String>,
        /// Where its metadata is, if not at the well-known address of the issuer
        #[arg(long, value_name = "URL")]
        metadata_url: Option<String>,
        /// A file with the certificates, in PEM, of a private authority to trust besides the usual
        /// ones
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
        #[command(flatten)]
        report: ReportArguments,
    },
}

/// What is reported, and how.
#[derive(Args, Debug)]
pub(crate) struct ReportArguments {
    /// How to print: for people, for programs, or for code scanning
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// The least severity that makes it fail
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Error)]
    pub(crate) fail_on: FailOn,
    /// A rule that does not count, and why: `audit.pkce_missing=our clients use it all the same`;
    /// or for one setting: `audit.ours_danger:issuer[0].danger_plain_http=a laboratory`
    #[arg(long, value_name = "RULE[:SETTING]=REASON", value_parser = Waiver::parse)]
    pub(crate) ignore: Vec<Waiver>,
    /// Only this rule, such as `audit.pkce_missing`; can be repeated. With
    /// `audit --list`, shows it
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(crate) rule: Vec<&'static Rule>,
    /// Show notes with their cures as well, and the causes of an error
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// A rule by its name; `audit.` in front may be left out.
fn rule(name: &str) -> Result<&'static Rule, String> {
    let full = format!("audit.{}", name.trim_start_matches("audit."));
    find(&full).ok_or_else(|| match nearest(&full) {
        Some(id) => format!("expected the name of a rule, such as the similar {id}"),
        None => "expected the name of a rule; `portcullis audit --list` shows all".to_owned(),
    })
}

/// The rule whose name shares the longest beginning with this one, if it shares a word.
fn nearest(name: &str) -> Option<&'static str> {
    let shared = |id: &str| {
        id.bytes()
            .zip(name.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let nearest = all().map(|rule| rule.id).max_by_key(|id| shared(id))?;
    (shared(nearest) > "audit.key".len()).then_some(nearest)
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
  $ portcullis audit --resource-url https://api.example/orders
  $ portcullis audit ssf https://idp.example
  $ portcullis audit --config portcullis.toml --offline
  $ portcullis audit --list
  $ portcullis audit --list --rule audit.pkce_missing
  $ portcullis audit https://idp.example --rule audit.pkce_missing

Exit codes: 0 nothing at or above --fail-on, 1 could not run, 2 findings, 4 no answer from the
provider.";

const SSF: &str = "\
Examples:
  $ portcullis audit ssf https://idp.example
  $ portcullis audit ssf https://idp.example --fail-on warning --format sarif > audit.sarif
  $ portcullis audit ssf https://idp.example --metadata-url https://idp.example/risc.json

Nothing is created, and no token is needed: only its metadata and its keys are read. `portcullis
events create` tries more.

Exit codes: 0 nothing at or above --fail-on, 1 could not run, 2 findings, 4 no answer from the
transmitter.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_named_with_or_without_its_prefix() {
        for name in ["audit.pkce_missing", "pkce_missing"] {
            assert_eq!(rule(name).map(|rule| rule.id), Ok("audit.pkce_missing"));
        }
        assert!(
            rule("pkce_mising")
                .unwrap_err()
                .contains("audit.pkce_missing")
        );
        for name in ["", "audit.", "nothing"] {
            assert!(rule(name).unwrap_err().contains("--list"), "{name}");
        }
    }
}
