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
    gather, gather_resource, probe_resource,
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
    if arguments.list {
        print(&list::list(&arguments.report.rule, arguments.report.format))?;
        return Ok(Exit::Fine);
    }
    // The report's form is kept apart: it is needed even if the audit ends early.
    let (subjects, report) = match arguments.action.take() {
        Some(AuditAction::Ssf {
            issuer: named,
            metadata_url,
            ca_file,
            report,
        }) => {
            let issuer = issuer(named)?;
            let examined = transmitter::examine(issuer, metadata_url, ca_file).await;
            (examined.map(|subject| vec![subject]), report)
        }
        None => (examine(&arguments).await, arguments.report),
    };
    match subjects {
        Ok(subjects) => finish(subjects, report),
        Err(error) => {
            // Whoever reads the report later must not take an empty file for a good one.
            print(&describe_interruption(&error, report.format))?;
            Err(error)
        }
    }
}

async fn examine(arguments: &AuditArguments) -> Result<Vec<AuditSubject>, CommandError> {
    // Read first, so that a file that is missing costs no requests to the provider.
    let sample = arguments.token_file.as_deref();
    let sample = sample.map(read_sample).transpose()?;
    let sample = sample.as_deref();
    match (&arguments.config, &arguments.resource_url) {
        (_, Some(_)) if sample.is_some() && !arguments.probe => {
            let message = "--token-file is not used: nothing is sent to the API";
            let error = CommandError::could_not_run(message);
            Err(error.help("add --probe, which sends the token to the API"))
        }
        (_, Some(url)) => Ok(vec![of_resource(url, arguments.probe, sample).await?]),
        (Some(file), None) => of_file(file, arguments.offline, sample).await,
        (None, None) => {
            // The option is for those who know it from other commands.
            let named = arguments.issuer.as_ref();
            let named = named.or(arguments.issuer_option.as_ref());
            let issuer = IssuerConfig {
                url: issuer(named.cloned())?,
                profile: arguments.profile.clone(),
                ca_file: arguments.ca_file.clone(),
                metadata_url: arguments.metadata_url.clone(),
                danger_plain_http: plain_http()?,
                ..IssuerConfig::default()
            };
            Ok(vec![
                of_provider(&issuer, Limits::default(), sample, None).await?,
            ])
        }
    }
}

/// The report of an audit that did not come to its end; people read the error.
fn describe_interruption(error: &CommandError, format: Format) -> String {
    let reason = error.first_line();
    match format {
        Format::Text => String::new(),
        Format::Json => format!("{:#}\n", json::describe_interruption(reason)),
        Format::Sarif => format!("{:#}\n", sarif::describe_interruption(reason)),
    }
}

/// Prints the report.
fn finish(subjects: Vec<AuditSubject>, arguments: ReportArguments) -> Result<Exit, CommandError> {
    let chosen = |finding: &Finding| {
        let rules = &arguments.rule;
        rules.is_empty() || rules.iter().any(|rule| rule.id == finding.rule.id)
    };
    let subjects = subjects
        .into_iter()
        .map(|subject| subject.keep(chosen));
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

fn read_sample(file: &Path) -> Result<String, CommandError> {
    let file = Some(file).filter(|file| *file != Path::new("-"));
    explain::read_token(None, file)
}

/// An API, the issuers that it names, and how it answers requests if it is sent any.
async fn of_resource(
    url: &str,
    probe: bool,
    token: Option<&str>,
) -> Result<AuditSubject, CommandError> {
    let limits = Limits::default();
    let egress = Egress {
        fetch: Fetch::new(limits.document_bytes),
        limits,
        clock: Arc::new(SystemClock::new()),
    };
    let outage = |reason| CommandError::new(Exit::Outage, reason);
    let mut observation = gather_resource(&egress, url).await.map_err(outage)?;
    if probe {
        let probing = probe_resource(&egress, &mut observation, token);
        probing.await.map_err(outage)?;
    }
    let findings = examine_resource(&observation);
    Ok(AuditSubject::resource(&observation, findings))
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
