//! `portcullis config check`: the settings, and how they stand beside a document of the API.

use super::comparison::{Verdict, compare};
use super::openapi::Document;
use super::{comparison_page, settings};
use crate::exit::{CommandError, Exit};
use crate::output::{GOOD, paint, print};
use portcullis_audit::SettingsFile;
use portcullis_gateway::Settings;
use portcullis_provider::fetch::Proxies;
use std::path::Path;

pub(super) fn run(
    path: &Path,
    openapi: Option<&Path>,
    host: Option<&str>,
) -> Result<Exit, CommandError> {
    let settings = settings(path)?;
    print(&format!(
        "{} {} is in order.\n\n{settings}",
        paint(GOOD, "ok"),
        path.display()
    ))?;
    for danger in dangers(path)? {
        print(&format!("  DANGER     {danger}\n"))?;
    }
    for warning in settings.warnings() {
        print(&format!("  WARNING    {warning}\n"))?;
    }
    let proxies = Proxies::of_environment();
    // Proxies come from the environment, so no line of the file explains why a fetch goes there.
    if !proxies.is_empty() {
        print(&format!("\noutside hosts through a proxy: {proxies}\n"))?;
    }
    match openapi {
        Some(source) => beside(&settings, source, host),
        None => Ok(Exit::Fine),
    }
}

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
