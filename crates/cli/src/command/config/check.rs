//! `portcullis config check`: the settings, and how they stand beside a document of the API.

use super::comparison::{Verdict, compare};
use super::openapi::Document;
use super::{SettingsSource, comparison_page, online, summary};
use crate::exit::{CommandError, Exit};
use crate::output::{GOOD, paint, print};
use portcullis_audit::SettingsFile;
use portcullis_gateway::{Overrides, Settings};
use portcullis_provider::fetch::Proxies;
use std::path::Path;

/// What is checked besides the text.
pub(super) struct Checks<'a> {
    pub(super) online: bool,
    /// Whether this is the machine that the settings are for.
    pub(super) files: bool,
    pub(super) openapi: Option<&'a Path>,
    pub(super) host: Option<&'a str>,
}

pub(super) async fn run(path: &Path, checks: &Checks<'_>) -> Result<Exit, CommandError> {
    let source = SettingsSource::File(path.to_owned());
    let settings = source.read(&Overrides::default())?;
    let mut warnings = settings.warnings();
    if checks.files {
        let checked = source.check_files(&settings);
        checked.map_err(|error| error.help(ELSEWHERE))?;
        for warning in settings.file_warnings() {
            let (place, help) = (warning.place(), warning.help());
            warnings.push(format!("{place}: {}; {help}", warning.message()));
        }
    }
    warnings.extend(source.ignored_variables());
    print(&format!(
        "{} {} is in order.\n{}{}",
        paint(GOOD, "ok"),
        path.display(),
        summary::alarms(&dangers(path)?, &warnings),
        summary::page(&settings),
    ))?;
    let proxies = Proxies::of_environment();
    // Proxies come from the environment, so no line of the file explains why a fetch goes there.
    if !proxies.is_empty() {
        print(&format!("\noutside hosts through a proxy: {proxies}\n"))?;
    }
    let mut exit = Exit::Fine;
    if checks.online {
        let report = online::report(&settings).await;
        print(&report.page)?;
        exit = report.exit;
    }
    match checks.openapi {
        Some(source) if exit == Exit::Fine => beside(&settings, source, checks.host),
        _ => Ok(exit),
    }
}

const ELSEWHERE: &str = "on a machine that lacks the files of the gateway's, such as in CI, add \
    `--without-files`";

/// The settings that loosen security, wherever they stand in the file.
fn dangers(path: &Path) -> Result<Vec<String>, CommandError> {
    let text = portcullis_gateway::text(path)?;
    let file = SettingsFile::read(path, text, |_| None);
    let file = file.map_err(|errors| CommandError::in_file(path, errors))?;
    Ok(file.dangers().to_vec())
}

/// The routes beside the operations of a document.
fn beside(settings: &Settings, source: &Path, host: Option<&str>) -> Result<Exit, CommandError> {
    let document = Document::read(source)?;
    let host = host.or(document.host.as_deref());
    let comparisons = compare(settings, &document, host)?;
    print(&comparison_page::page(
        source,
        host,
        &document,
        &comparisons,
    ))?;
    match comparisons.count(Verdict::Looser) {
        0 => Ok(Exit::Fine),
        count => Err(CommandError::could_not_run(format!(
            "expected routes as strict as {}, found {count} looser",
            source.display()
        ))
        .help("demand more in these routes, or correct `security` in the document")),
    }
}
