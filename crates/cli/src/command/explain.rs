//! `portcullis explain`: every check of a token against the settings in force, with what was
//! expected, what was found, and the cure.

use crate::args::ExplainArguments;
use crate::exit::{Exit, Failure};
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, print, styled, wrapped};
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use portcullis_core::verify::{Outcome, Step};
use portcullis_resource_server::{Config, Explanation, ResourceServer, Settings};
use serde_json::json;
use std::io::Read as _;
use std::path::Path;

pub(crate) async fn run(arguments: ExplainArguments) -> Result<Exit, Failure> {
    let config = Config::from_variables(|name| {
        let given = match name {
            "OAUTH2_ISSUER" => arguments.issuer.clone(),
            "OAUTH2_AUDIENCE" => arguments.audience.clone(),
            "OAUTH2_PROFILE" => arguments.profile.clone(),
            _ => None,
        };
        // A `.env` that cannot be read is told below, where nothing is hidden by it.
        given.or_else(|| Config::variable(name).ok().flatten())
    });
    Config::variable("OAUTH2_ISSUER")?;
    let mut config = config?;
    let alone = arguments.jwks.is_some();
    if alone {
        config.revocation.store = None; // with a key set from a file nothing leaves the machine
    }
    let settings = Settings::try_from(config)?;
    let settings = if alone {
        settings.without_questions()
    } else {
        settings
    };
    let server = ResourceServer::with_settings(match &arguments.jwks {
        Some(file) => settings.with_fixed_keys(&key_set(file)?),
        None => settings,
    });
    let token = token(arguments.token, arguments.file.as_deref())?;
    let explanation = server.explain(&token).await;
    let text = if arguments.json {
        format!("{:#}\n", as_json(&explanation))
    } else {
        page(&explanation)
    };
    print(&text)?;
    Ok(
        match explanation.first_obstacle().map(|step| step.outcome) {
            None => Exit::Fine,
            Some(Outcome::Unknown) => Exit::Outage,
            Some(_) => Exit::Rejected,
        },
    )
}

/// A key set from a file.
fn key_set(file: &Path) -> Result<Jwks, Failure> {
    let told = |problem: String| Failure::could_not_run(format!("{}: {problem}", file.display()));
    let document = std::fs::read(file).map_err(|error| told(error.to_string()))?;
    Jwks::parse(&document, &Limits::default()).map_err(|error| told(error.to_string()))
}

/// The token, without the white space and the `Bearer` that come along when it is pasted.
pub(crate) fn token(argument: Option<String>, file: Option<&Path>) -> Result<String, Failure> {
    let text = match (argument, file) {
        (Some(text), _) if text != "-" => text,
        (_, Some(file)) => {
            let told = |error: std::io::Error| {
                Failure::could_not_run(format!("{}: {error}", file.display()))
            };
            std::fs::read_to_string(file).map_err(told)?
        }
        _ => {
            let mut text = String::new();
            std::io::stdin().take(1_000_000).read_to_string(&mut text)?;
            text
        }
    };
    let text = text.trim();
    let text = text.strip_prefix("Authorization:").unwrap_or(text).trim();
    let bare = text
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("Bearer "))
        .and_then(|_| text.get(7..));
    Ok(bare.unwrap_or(text).trim().to_owned())
}

fn page(explanation: &Explanation) -> String {
    let verdict = match explanation.first_obstacle() {
        None => styled(GOOD, "accepted"),
        Some(step) if step.outcome == Outcome::Unknown => {
            styled(WARNING, &format!("undecided: {}", step.code))
        }
        Some(step) => styled(BAD, &format!("refused: {}", step.code)),
    };
    let mut page = format!("\n  {} {verdict}\n\n", styled(STRONG, "This token is"));
    let first = explanation.first_obstacle();
    for step in &explanation.steps {
        page.push_str(&line(
            step,
            first.is_some_and(|first| std::ptr::eq(first, step)),
        ));
    }
    if let Some(profile) = explanation.profile {
        page.push_str(&format!("\n  {}  {profile}\n", styled(QUIET, "profile")));
    }
    if let Some(hint) = &explanation.hint {
        page.push_str(&format!(
            "\n  {}  {}\n",
            styled(STRONG, "likely "),
            wrapped(hint, 11)
        ));
    }
    page.push('\n');
    page
}

fn line(step: &Step, is_first_obstacle: bool) -> String {
    const NAME: usize = 28;
    const INDENT: usize = 2 + 2 + 2 + NAME + 1;
    let (mark, style) = match step.outcome {
        Outcome::Pass => ("ok", GOOD),
        Outcome::Fail => ("no", BAD),
        Outcome::Unknown => ("??", WARNING),
        Outcome::Skipped => ("--", QUIET),
    };
    let (mark, name) = (styled(style, mark), format!("{:<NAME$}", step.name));
    let told = |word: &str, text: &str| format!("{word:<9}{}", wrapped(text, INDENT + 9));
    let text = match step.outcome {
        Outcome::Pass => wrapped(&step.found, INDENT),
        Outcome::Skipped => styled(QUIET, &step.found),
        Outcome::Fail | Outcome::Unknown => {
            let mut lines = vec![told("expected", &step.expected), told("found", &step.found)];
            if is_first_obstacle {
                lines.push(styled(STRONG, &told("cure", step.cure)));
            }
            lines.join(&format!("\n{}", " ".repeat(INDENT)))
        }
    };
    format!("  {mark}  {name} {text}\n")
}

fn as_json(explanation: &Explanation) -> serde_json::Value {
    let steps = explanation.steps.iter().map(|step| {
        let outcome = match step.outcome {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Skipped => "skipped",
            Outcome::Unknown => "unknown",
        };
        json!({
            "name": step.name, "outcome": outcome, "code": step.code,
            "expected": step.expected, "found": step.found, "cure": step.cure,
        })
    });
    let code = explanation.first_obstacle().map(|step| step.code);
    json!({
        "accepted": explanation.is_accepted(),
        "code": code,
        "profile": explanation.profile,
        "hint": explanation.hint,
        "steps": steps.collect::<Vec<_>>(),
    })
}
