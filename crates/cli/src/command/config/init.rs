//! `portcullis config init`: a settings file to begin with.

use super::comparison::{Verdict, compare};
use super::openapi::Document;
use super::plan::plan;
use super::starter::{self, StarterValues};
use super::summary;
use crate::exit::{CommandError, Exit};
use crate::files;
use crate::output::print;
use portcullis_gateway::{Config, STARTER, Settings, excerpts};
use std::path::Path;

/// What is written, and what is said about it.
struct Starter {
    text: String,
    report: String,
}

pub(super) fn run(
    path: &Path,
    openapi: Option<&Path>,
    values: &StarterValues,
) -> Result<Exit, CommandError> {
    let starter = match openapi {
        Some(source) => from_openapi(source, values)?,
        None => Starter {
            text: values.fill(STARTER),
            report: String::new(),
        },
    };
    if path == Path::new("-") {
        print(&starter.text)?;
        return Ok(Exit::Fine);
    }
    files::create(path, &starter.text)?;
    let (name, report) = (path.display(), &starter.report);
    let next = match values.is_complete() {
        true => "Next:".to_owned(),
        false => format!("Put {} into it, then:", values.missing().join(" and ")),
    };
    print(&format!("{name} is written{report}. {next}\n\n"))?;
    print(&format!(
        "      portcullis config check --config {name}\n      portcullis serve --config {name}\n"
    ))?;
    if values.is_complete() {
        print(&remaining_faults(path, &starter.text))?;
    }
    Ok(Exit::Fine)
}

/// What no argument can say, such as the claims that a provider for everybody needs.
fn remaining_faults(path: &Path, text: &str) -> String {
    let settings = Config::from_toml(text).and_then(Settings::try_from);
    match settings {
        Ok(settings) => summary::alarms(&[], &settings.warnings()),
        Err(errors) => {
            let excerpts = excerpts(&path.display().to_string(), text, &errors);
            format!("\nIt is not in order yet:\n\n{}\n", excerpts.trim_end())
        }
    }
}

/// The settings for a document.
fn from_openapi(source: &Path, values: &StarterValues) -> Result<Starter, CommandError> {
    let document = Document::read(source)?;
    let mut notes = document.notes.clone();
    let routes = plan(&document.operations, &mut notes)?;
    let name = source
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let text = starter::settings(&document, &name, &routes, &notes);
    let text = values.fill(&text);
    verify(&text, &document)?;
    let mut report = format!(", with {} of {name}", starter::count(routes.len(), "route"));
    if notes.iter().len() > 0 {
        report.push_str(&format!(
            ".\nWhat could not be carried over, or is written in another way:\n\n{}\nThe file has \
             this list too",
            starter::list(&notes, "  ")
        ));
    }
    Ok(Starter { text, report })
}

/// Has the gateway read what was written, and decide every operation. A file that is looser than
/// its document would be worse than none.
fn verify(text: &str, document: &Document) -> Result<(), CommandError> {
    let settings = Config::from_toml(text).and_then(Settings::try_from);
    let settings = settings.map_err(|errors| {
        let excerpts = excerpts("the settings for it", text, &errors);
        CommandError::could_not_run(format!(
            "expected settings in order for this document, found {}:\n\n{}",
            errors.count(),
            excerpts.trim_end()
        ))
    })?;
    let comparisons = compare(&settings, document, None)?;
    let mut lines = comparisons.lines.iter();
    match lines.find(|line| line.verdict == Verdict::Looser) {
        Some(line) => Err(CommandError::could_not_run(format!(
            "expected routes as strict as the document, found {} looser",
            line.operation
        ))
        .help("nothing is written; please report this document as a fault of the command")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::openapi::sample_tests::document;
    use super::*;

    /// The last net: it holds even if the plan is wrong.
    #[test]
    fn settings_looser_than_the_document_are_not_written() {
        let api = "openapi: 3.1.0\nsecurity: [o: [r]]\npaths: {/a: {get: {}}}\ncomponents: \
                   {securitySchemes: {o: {type: oauth2}}}\n";
        let document = document(api);
        let settings = |route: &str| format!("{STARTER}\n[[route]]\npath = \"/a\"\n{route}\n");
        let fine = settings("require = { scope = \"r\" }");
        assert!(verify(&fine, &document).is_ok());
        for (route, expected) in [
            ("access = \"public\"", "found GET /a looser"),
            ("", "found GET /a looser"),
            ("methods = [7]", "found 1 fault:"),
        ] {
            let said = verify(&settings(route), &document)
                .unwrap_err()
                .message();
            assert!(said.contains(expected), "{said}");
        }
    }
}
