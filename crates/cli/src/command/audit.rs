//! `portcullis audit`: an identity provider, or our own settings, by the table of rules.

mod list;
mod page;
mod transmitter;

use crate::args::{AuditAction, AuditArguments, Format, ReportArguments};
use crate::command::config::failure;
use crate::command::explain;
use crate::exit::{CommandError, Exit};
use crate::output::print;
use portcullis_audit::report::{AuditSubject, Report, json, sarif};
use portcullis_audit::{
    Finding, SettingPlace, SettingsFile, examine_issuer, examine_resource, examine_settings,
    gather, gather_resource,
};
use portcullis_core::Limits;
use portcullis_core::jose::compact;
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::Fetch;
use portcullis_resource_server::clock::SystemClock;
use portcullis_resource_server::{Config, IssuerConfig};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

pub(crate) async fn run(mut arguments: AuditArguments) -> Result<Exit, CommandError> {
    if let Some(AuditAction::Ssf {
        issuer: named,
        metadata_url,
        ca_file,
        report,
    }) = arguments.action
    {
        let subject = transmitter::examine(issuer(named)?, metadata_url, ca_file).await?;
        return finish(vec![subject], report);
    }
    if arguments.list {
        print(&list::list(&arguments.report.rule, arguments.report.format))?;
        return Ok(Exit::Fine);
    }
    // Read first, so that a file that is missing costs no requests to the provider.
    let sample = arguments
        .token_file
        .as_deref()
        .map(sample)
        .transpose()?;
    let subjects = match (&arguments.config, &arguments.resource_url) {
        (_, Some(url)) => vec![of_resource(url).await?],
        (Some(file), None) => of_file(file, arguments.offline, sample.as_deref()).await?,
        (None, None) => {
            let issuer = IssuerConfig {
                url: issuer(
                    arguments
                        .issuer
                        .take()
                        .or(arguments.issuer_option.take()),
                )?,
                profile: arguments.profile.take(),
                ca_file: arguments.ca_file.take(),
                metadata_url: arguments.metadata_url.take(),
                danger_plain_http: plain_http()?,
                ..IssuerConfig::default()
            };
            vec![of_provider(&issuer, Limits::default(), sample.as_deref(), None).await?]
        }
    };
    finish(subjects, arguments.report)
}

/// Prints the report.
fn finish(subjects: Vec<AuditSubject>, arguments: ReportArguments) -> Result<Exit, CommandError> {
    let chosen = |finding: &Finding| {
        let rules = &arguments.rule;
        rules.is_empty() || rules.iter().any(|rule| rule.id == finding.rule.id)
    };
    let subjects = subjects.into_iter().map(|subject| subject.keep(chosen));
    let report = Report::new(
        subjects.collect(),
        arguments.fail_on.severity(),
        arguments.ignore,
    );
    print(&match arguments.format {
        Format::Text => page::page(&report, arguments.verbose),
        Format::Json => format!("{:#}\n", json::document(&report)),
        Format::Sarif => format!("{:#}\n", sarif::document(&report)),
    })?;
    // Findings have a code of their own: scripts tell them from an audit that did not run.
    Ok(if report.fails() {
        Exit::Rejected
    } else {
        Exit::Fine
    })
}

/// The issuer of the argument, else of the environment and `.env`.
pub(crate) fn issuer(given: Option<String>) -> Result<String, CommandError> {
    let issuer = match given {
        Some(issuer) => Some(issuer),
        None => Config::variable("OAUTH2_ISSUER")?,
    };
    issuer
        .ok_or_else(|| CommandError::could_not_run("no issuer: pass its URL, or set OAUTH2_ISSUER"))
}

/// Whether the environment or `.env` says that the issuer is asked over plain http.
pub(crate) fn plain_http() -> Result<bool, CommandError> {
    let written = Config::variable("OAUTH2_DANGER_PLAIN_HTTP")?;
    Ok(written.as_deref().map(str::trim) == Some("true"))
}

fn sample(file: &Path) -> Result<String, CommandError> {
    let file = Some(file).filter(|file| *file != Path::new("-"));
    explain::read_token(None, file)
}

/// An API, and the issuers that it names.
async fn of_resource(url: &str) -> Result<AuditSubject, CommandError> {
    let limits = Limits::default();
    let egress = Egress {
        fetch: Fetch::new(limits.document_bytes),
        limits,
        clock: Arc::new(SystemClock::new()),
    };
    match gather_resource(&egress, url).await {
        Ok(observation) => {
            let findings = examine_resource(&observation);
            Ok(AuditSubject::resource(&observation, findings))
        }
        Err(reason) => Err(CommandError::new(Exit::Outage, reason)),
    }
}

async fn of_provider(
    issuer: &IssuerConfig,
    limits: Limits,
    sample: Option<&str>,
    place: Option<&SettingPlace>,
) -> Result<AuditSubject, CommandError> {
    let inspector = issuer.inspector(limits, Arc::new(SystemClock::new()))?;
    let gathering = gather(&inspector, issuer.ca_file.as_deref(), sample);
    let observation = match gathering.await {
        Ok(observation) => observation,
        Err(reason) => return Err(CommandError::new(Exit::Outage, reason)),
    };
    let findings = examine_issuer(&observation, place);
    Ok(AuditSubject::issuer(&observation, place, findings))
}

/// The settings of a file, and its issuers. One that does not answer ends it: half an audit is
/// none.
async fn of_file(
    file: &Path,
    offline: bool,
    sample: Option<&str>,
) -> Result<Vec<AuditSubject>, CommandError> {
    let text = portcullis_gateway::text(file)?;
    let read = SettingsFile::read(file, text.clone(), |path| {
        // Links are followed: the mode of their target decides which users can read the file.
        Some(std::fs::metadata(path).ok()?.permissions().mode())
    });
    let written = read.map_err(|errors| failure(file, &text, &errors))?;
    let mut subjects = vec![AuditSubject::settings(&written, examine_settings(&written))];
    if offline {
        return Ok(subjects);
    }
    let rules = &written.config().resource_server;
    for (index, issuer) in rules.issuer.iter().enumerate() {
        let place = written.place(&format!("issuer[{index}].url"));
        // With a single issuer, a token that names another one is a finding of its own.
        let own = sample.filter(|token| rules.issuer.len() == 1 || names(token, &issuer.url));
        let subject = of_provider(issuer, rules.limits, own, Some(&place)).await;
        subjects.push(
            subject.map_err(|failure| failure.with("    `--offline` audits the settings alone"))?,
        );
    }
    Ok(subjects)
}

/// Whether a token says that it is of this issuer.
fn names(token: &str, issuer: &str) -> bool {
    // Nothing is verified yet: the claim only selects the issuer whose keys judge the token.
    compact::parse(token, &Limits::default())
        .is_ok_and(|token| token.unverified_claims().issuer() == Some(issuer))
}
