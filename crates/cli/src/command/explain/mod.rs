//! `portcullis explain`: what a token says, and every check of it against the settings in force,
//! with what was expected, what was found, and the help. It also tells what a code means, and what
//! became of a request that the audit recorded.

mod columns;
mod gateway;
mod input;
mod json;
mod key_file;
mod page;
mod record;
mod reference;
mod report;
mod request;
mod request_json;
mod request_page;
mod settings;
mod shown_proof;
mod verification;

pub(crate) use input::read_token;

use crate::args::ExplainArguments;
use crate::clock::now;
use crate::exit::{CommandError, Exit};
use crate::output::{print, width};
use crate::reporter::Reporter;
use gateway::{GatewayFile, with_settings_nearby};
use input::TokenInput;
use portcullis_core::Code;
use portcullis_core::token::NumericDate;
use portcullis_core::verify::Profile;
use portcullis_resource_server::{Explanation, ResourceServer, TokenContent};
use record::AuditRecords;
use reference::CodeReference;
use report::{Conclusion, TokenReport, TokenSource};
use settings::{PATIENCE, SettingsOrGap};
use shown_proof::ShownProof;
use std::time::Duration;

pub(crate) async fn run(arguments: ExplainArguments) -> Result<Exit, CommandError> {
    if let Some(code) = &arguments.code {
        return explain_code(code, arguments.json);
    }
    if let (Some(id), Some(file)) = (&arguments.request_id, &arguments.audit) {
        let records = AuditRecords::find(file, id)?;
        show(arguments.json.then(|| records.document()), || {
            records.page(width(), now())
        })?;
        return Ok(records.exit());
    }
    if arguments.gateway.request.is_some() {
        return request::run(&arguments).await;
    }
    // The file first, as below: its faults should show before a person pastes a token.
    if let Some(file) = &arguments.gateway.config {
        let gateway = GatewayFile::read(file, arguments.jwks.as_deref())?;
        let input = TokenInput::read(arguments.token.clone(), arguments.file.as_deref())?;
        let shown = ShownProof::read(&arguments.proof, &input.beside)?;
        let server = gateway.explainer.resource_server();
        let explanation = explain(server, &input.token, &shown).await;
        return show_explanation(&arguments, &input, explanation, &shown);
    }
    // First the settings: a person should not paste a token in vain.
    let settings = settings::of(&arguments).map_err(with_settings_nearby)?;
    let input = TokenInput::read(arguments.token.clone(), arguments.file.as_deref())?;
    let shown = ShownProof::read(&arguments.proof, &input.beside)?;
    match settings {
        SettingsOrGap::Settings(settings) => {
            let server = ResourceServer::with_settings(settings.with_patience(PATIENCE));
            let explanation = explain(&server, &input.token, &shown).await;
            show_explanation(&arguments, &input, explanation, &shown)
        }
        SettingsOrGap::Gap(gap) => show_content(&arguments, &input, gap, &shown),
    }
}

fn explain_code(code: &str, as_json: bool) -> Result<Exit, CommandError> {
    let reference = CodeReference::find(code)?;
    show(as_json.then(|| reference.document()), || {
        reference.page(width())
    })?;
    Ok(Exit::Fine)
}

/// Every check. A wait is told: the provider may be slow.
async fn explain(server: &ResourceServer, token: &str, shown: &ShownProof) -> Explanation {
    let mut explanation = std::pin::pin!(shown.explain(server, token));
    tokio::select! {
        explanation = &mut explanation => return explanation,
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    // On standard error: standard output may be read as JSON.
    Reporter { quiet: false }.note(&waiting(server));
    explanation.await
}

/// What a server waits for.
fn waiting(server: &ResourceServer) -> String {
    for (issuer, status) in server.status().keys {
        if status.keys == 0 {
            return format!("Waiting for the keys of {issuer} ...");
        }
    }
    "Waiting for the answer of the issuer or of the revocation store ...".to_owned()
}

fn show_explanation(
    arguments: &ExplainArguments,
    input: &TokenInput,
    mut explanation: Explanation,
    shown: &ShownProof,
) -> Result<Exit, CommandError> {
    // Only where nothing else is wrong: the first thing to cure is the one to tell.
    let missing = Code::ProofMissing.as_str();
    if matches!(explanation.first_obstacle(), Some(step) if step.code == missing) {
        let hint = shown.hint(&explanation.content);
        explanation.hint = explanation.hint.or(hint);
    }
    let report = TokenReport {
        source: source(input),
        content: &explanation.content,
        checks: Some(&explanation),
        proof: &[],
        hint: explanation.hint.as_deref(),
        gap: None,
        command: None,
        now: NumericDate::from_seconds(now()),
    };
    show_report(&report, arguments)?;
    Ok(match report.conclusion() {
        Conclusion::Accepted => Exit::Fine,
        Conclusion::Refused(_) => Exit::Rejected,
        // A script must be able to tell an outage, which ends by itself, from a refusal.
        _ => Exit::Outage,
    })
}

/// What the token says, without any check.
fn show_content(
    arguments: &ExplainArguments,
    input: &TokenInput,
    gap: Option<&str>,
    shown: &ShownProof,
) -> Result<Exit, CommandError> {
    let profile = match &arguments.profile {
        // A misspelled profile would show a caller by the claims of another provider.
        Some(name) => Some(Profile::by_name(name).ok_or_else(|| settings::no_profile(name))?),
        None => None,
    };
    let content = TokenContent::read(&input.token, profile);
    let hint = content.hint(&input.token);
    // With a hint, another token is needed first.
    let command = match hint {
        None => verification::command(&content, &input.place),
        Some(_) => None,
    };
    let hint = hint.or_else(|| shown.hint(&content));
    let steps = shown.steps(&input.token, &content, now());
    let nearby = gateway::settings_nearby();
    let gap = gap.map(|gap| match &nearby {
        Some(argument) => format!("{gap}, or the file in this folder ({argument})"),
        None => gap.to_owned(),
    });
    let report = TokenReport {
        source: source(input),
        content: &content,
        checks: None,
        proof: &steps,
        hint: hint.as_deref(),
        gap: gap.as_deref(),
        command: command.as_deref(),
        now: NumericDate::from_seconds(now()),
    };
    show_report(&report, arguments)?;
    // A script that asks for a verification must not take the lack of settings for a yes.
    Ok(if arguments.decode {
        Exit::Fine
    } else {
        Exit::Outage
    })
}

fn source(input: &TokenInput) -> TokenSource<'_> {
    TokenSource {
        place: &input.place,
        form: input.form,
        notes: &input.notes,
    }
}

fn show_report(report: &TokenReport<'_>, arguments: &ExplainArguments) -> std::io::Result<()> {
    let document = arguments.json.then(|| json::document(report));
    show(document, || page::page(report, width(), arguments.all))
}

/// Prints the document, if there is one, else the page.
fn show(document: Option<serde_json::Value>, page: impl FnOnce() -> String) -> std::io::Result<()> {
    match document {
        Some(document) => print(&json::text(&document)),
        None => print(&page()),
    }
}
