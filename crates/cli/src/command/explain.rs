//! `portcullis explain`: every check of a token against the settings in force, with what was
//! expected, what was found, and the help.

use crate::args::ExplainArguments;
use crate::exit::{CommandError, Exit};
use crate::files;
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, paint, print, wrap};
use portcullis_core::jose::Jwks;
use portcullis_core::verify::{Outcome, Step};
use portcullis_core::{ConfigErrors, Limits};
use portcullis_resource_server::{Config, Explanation, ResourceServer, Settings};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;

pub(crate) async fn run(arguments: ExplainArguments) -> Result<Exit, CommandError> {
    let settings = settings(&arguments)?;
    let token = read_token(arguments.token, arguments.file.as_deref())?;
    let server = ResourceServer::with_settings(settings);
    let explanation = server.explain(&token).await;
    let text = if arguments.json {
        format!("{:#}\n", as_json(&explanation))
    } else {
        page(&explanation)
    };
    print(&text)?;
    Ok(match explanation.first_obstacle() {
        None => Exit::Fine,
        Some(step) if step.outcome == Outcome::Unknown => Exit::Outage,
        Some(_) => Exit::Rejected,
    })
}

/// The settings of the arguments, the environment and `.env`. With a key set from a file, nothing
/// leaves the machine.
fn settings(arguments: &ExplainArguments) -> Result<Settings, CommandError> {
    let mut config = config(arguments)?;
    let Some(file) = &arguments.jwks else {
        return Ok(Settings::try_from(config)?);
    };
    // The revocation store and introspection would be asked over the network.
    config.revocation.store = None;
    let settings = Settings::try_from(config)?.without_questions();
    Ok(settings.with_fixed_keys(&key_set(file)?))
}

fn config(arguments: &ExplainArguments) -> Result<Config, ConfigErrors> {
    let config = Config::from_variables(|name| {
        let argument = match name {
            "OAUTH2_ISSUER" => arguments.issuer.clone(),
            "OAUTH2_AUDIENCE" => arguments.audience.clone(),
            "OAUTH2_PROFILE" => arguments.profile.clone(),
            _ => None,
        };
        match argument {
            Some(value) => Some(value),
            None => Config::variable(name).ok().flatten(),
        }
    });
    // A `.env` that cannot be read is the cause of the faults above, so it is reported first.
    Config::variable("OAUTH2_ISSUER")?;
    config
}

fn key_set(file: &Path) -> Result<Jwks, CommandError> {
    let document = files::read_bytes(file)?;
    Jwks::parse(&document, &Limits::default())
        .map_err(|problem| CommandError::in_file(file, problem))
}

/// The token, without the white space and the `Bearer` that come along when it is pasted.
///
/// # Errors
///
/// A file or a standard input that cannot be read.
pub(crate) fn read_token(
    argument: Option<String>,
    file: Option<&Path>,
) -> Result<String, CommandError> {
    let text = match (argument, file) {
        (Some(text), _) if text != "-" => text,
        (_, Some(file)) => files::read_text(file)?,
        _ => {
            let mut text = String::new();
            // Bounded: a wrong pipe must not fill the memory.
            std::io::stdin().take(1_000_000).read_to_string(&mut text)?;
            text
        }
    };
    let text = text.trim();
    // A whole header line is what developer tools copy.
    let text = text.strip_prefix("Authorization:").unwrap_or(text).trim();
    Ok(strip_scheme(text).trim().to_owned())
}

/// RFC 9110, section 11.1: the scheme is case-insensitive.
fn strip_scheme(text: &str) -> &str {
    match text.split_at_checked("Bearer ".len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer ") => token,
        _ => text,
    }
}

fn page(explanation: &Explanation) -> String {
    let obstacle = explanation.first_obstacle();
    let verdict = match obstacle {
        None => paint(GOOD, "accepted"),
        Some(step) if step.outcome == Outcome::Unknown => {
            paint(WARNING, &format!("undecided: {}", step.code))
        }
        Some(step) => paint(BAD, &format!("refused: {}", step.code)),
    };
    let mut page = format!("\n  {} {verdict}\n\n", paint(STRONG, "This token is"));
    for step in &explanation.steps {
        // Compared by address: two steps may be equal in all they say.
        let is_obstacle = matches!(obstacle, Some(obstacle) if std::ptr::eq(obstacle, step));
        page.push_str(&line(step, is_obstacle));
    }
    if let Some(profile) = explanation.profile {
        let label = paint(QUIET, "profile");
        page.push_str(&format!("\n  {label}  {profile}\n"));
    }
    if let Some(hint) = &explanation.hint {
        let (label, hint) = (paint(STRONG, "hint   "), wrap(hint, 11));
        page.push_str(&format!("\n  {label}  {hint}\n"));
    }
    page.push('\n');
    page
}

fn line(step: &Step, is_obstacle: bool) -> String {
    let (mark, style) = match step.outcome {
        Outcome::Pass => ("ok", GOOD),
        Outcome::Fail => ("no", BAD),
        Outcome::Skipped => ("--", QUIET),
        _ => ("??", WARNING),
    };
    let text = match step.outcome {
        Outcome::Pass => wrap(&step.found, INDENT),
        Outcome::Skipped => paint(QUIET, &step.found),
        _ => details(step, is_obstacle),
    };
    let mark = paint(style, mark);
    format!("  {mark}  {:<NAME_WIDTH$} {text}\n", step.name)
}

/// What was expected and found. Only the first obstacle has help: its remedy may change the rest.
fn details(step: &Step, is_obstacle: bool) -> String {
    let mut lines = vec![
        detail("expected", &step.expected),
        detail("found", &step.found),
    ];
    if is_obstacle {
        lines.push(paint(STRONG, &detail("help", step.cure)));
    }
    lines.join(&format!("\n{:INDENT$}", ""))
}

fn detail(label: &str, text: &str) -> String {
    const WIDTH: usize = 9;
    format!("{label:<WIDTH$}{}", wrap(text, INDENT + WIDTH))
}

const NAME_WIDTH: usize = 31;

/// Two columns of margin, the mark, two of space, the name, and one of space.
const INDENT: usize = 2 + 2 + 2 + NAME_WIDTH + 1;

fn as_json(explanation: &Explanation) -> Value {
    // Documented in docs/explain.md: members are added, and never removed.
    let steps: Vec<Value> = explanation.steps.iter().map(step_as_json).collect();
    json!({
        "accepted": explanation.is_accepted(),
        "code": explanation.first_obstacle().map(|step| step.code),
        "profile": explanation.profile,
        "hint": explanation.hint,
        "steps": steps,
    })
}

fn step_as_json(step: &Step) -> Value {
    let outcome = match step.outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Skipped => "skipped",
        _ => "unknown",
    };
    json!({
        "name": step.name,
        "outcome": outcome,
        "code": step.code,
        "expected": step.expected,
        "found": step.found,
        "cure": step.cure,
    })
}
