//! `portcullis config check --online`: everything outside that the settings depend on, tried once.

use crate::exit::Exit;
use crate::output::{BAD, GOOD, Page, QUIET, STRONG, WARNING, escape_text};
use portcullis_gateway::Settings;
use portcullis_resource_server::{ServiceTrial, TrialResult};

/// What was found, and the exit code that says so.
pub(super) struct OnlineReport {
    pub(super) page: String,
    pub(super) exit: Exit,
}

/// Tries all of it.
pub(super) async fn report(settings: &Settings) -> OnlineReport {
    let trials = settings.to_resource_server().try_services().await;
    OnlineReport {
        page: page(&trials),
        exit: exit(&trials),
    }
}

/// Nobody who can be reached is worse than somebody who says no: nothing works then.
fn exit(trials: &[ServiceTrial]) -> Exit {
    let mut exit = Exit::Fine;
    for trial in trials {
        match trial.result {
            TrialResult::Failed { refused: false, .. } => return Exit::Outage,
            TrialResult::Failed { refused: true, .. } => exit = Exit::Rejected,
            _ => {}
        }
    }
    exit
}

fn page(trials: &[ServiceTrial]) -> String {
    let mut page = Page::new(4, 7);
    let mut before = None;
    for trial in trials {
        let subject = match &trial.issuer {
            Some(issuer) => issuer.to_string(),
            None => "Revocation".to_owned(),
        };
        if before.as_ref() != Some(&subject) {
            page.heading(STRONG, &subject);
            before = Some(subject);
        }
        // Findings repeat words of the provider, hence the escapes.
        let service = trial.service;
        match &trial.result {
            TrialResult::Working(finding) => {
                let finding = escape_text(finding);
                page.styled_row(GOOD, "ok", &format!("{service}: {finding}"));
            }
            TrialResult::Doubtful { finding, help } => {
                let finding = format!("{service}: {}", escape_text(finding));
                page.styled_row(WARNING, "warning", &finding);
                page.styled_row(QUIET, "", &format!("help: {help}"));
            }
            TrialResult::Failed { reason, help, .. } => {
                let reason = escape_text(reason);
                page.styled_row(BAD, "failed", &format!("{service}: {reason}"));
                page.styled_row(QUIET, "", &format!("help: {help}"));
            }
            _ => {}
        }
    }
    page.into_text()
}
