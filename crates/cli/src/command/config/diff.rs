//! `portcullis config diff`: which requests two settings files decide otherwise.

use super::SettingsSource;
use crate::exit::{CommandError, Exit};
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, paint, print, wrap};
use anstyle::Style;
use portcullis_gateway::{
    ComparedRequest, DemandChange, Overrides, RequestDemand, SettingsComparison,
};
use std::path::Path;

/// More examples of one difference say no more.
const MOST_EXAMPLES: usize = 3;
const INDENT: usize = 13;

pub(super) fn run(old: &Path, new: &Path) -> Result<Exit, CommandError> {
    let read = |path: &Path| SettingsSource::File(path.to_owned()).read(&Overrides::default());
    // Both in full, with every fault: a comparison with half a file would call routes removed.
    let (old_settings, new_settings) = (read(old)?, read(new)?);
    let comparison = old_settings.compare(&new_settings);
    let comparison = comparison.map_err(|fault| CommandError::could_not_run(fault.to_string()))?;
    let differences = group(&comparison);
    print(&page(old, new, &comparison, &differences))?;
    match differences.is_empty() && comparison.others.is_empty() {
        true => Ok(Exit::Fine),
        // As `diff` does it, for a pipeline that stops at any difference.
        false => Ok(Exit::CouldNotRun),
    }
}

/// Requests that both settings decide by the same two routes.
struct Difference<'c> {
    change: DemandChange,
    old: &'c RequestDemand<'c>,
    new: &'c RequestDemand<'c>,
    requests: Vec<&'c ComparedRequest<'c>>,
}

/// The differences, what is opened first.
fn group<'c>(comparison: &'c SettingsComparison<'c>) -> Vec<Difference<'c>> {
    let mut differences: Vec<Difference<'c>> = Vec::new();
    for request in &comparison.requests {
        if request.change == DemandChange::Same {
            continue;
        }
        // Grouped by what decides, so that one changed line of a route is one difference.
        let same = differences
            .iter_mut()
            .find(|it| *it.old == request.old && *it.new == request.new);
        match same {
            Some(difference) => difference.requests.push(request),
            None => differences.push(Difference {
                change: request.change,
                old: &request.old,
                new: &request.new,
                requests: vec![request],
            }),
        }
    }
    // An opened path is what the operator must not miss.
    differences.sort_by_key(|it| it.change);
    differences
}

fn page(
    old: &Path,
    new: &Path,
    comparison: &SettingsComparison<'_>,
    differences: &[Difference<'_>],
) -> String {
    let title = format!("{} -> {}", old.display(), new.display());
    let mut page = format!("\n{}\n\n", paint(STRONG, &title));
    let served = served_hosts(comparison);
    for difference in differences {
        page.push_str(&entry(difference, &served));
    }
    for (label, names) in [
        ("added", &comparison.added),
        ("removed", &comparison.removed),
    ] {
        for name in names {
            page.push_str(&row(QUIET, label, name));
        }
    }
    // Requests without a token cannot show these, so they are named and not judged.
    for name in &comparison.others {
        let text = format!("{name}: requests may be decided otherwise");
        page.push_str(&row(WARNING, "setting", &text));
    }
    let summary = summary(comparison, differences);
    // Without differences, the title's own empty line is enough.
    match page.ends_with("\n\n") {
        true => page.push_str(&format!("  {summary}\n")),
        false => page.push_str(&format!("\n  {summary}\n")),
    }
    page
}

fn entry(difference: &Difference<'_>, served: &[&str]) -> String {
    let (style, label) = match difference.change {
        DemandChange::Opened => (BAD, "OPENED"),
        DemandChange::Tightened => (GOOD, "tightened"),
        _ => (WARNING, "changed"),
    };
    let mut entry = String::new();
    let mut label = label;
    let examples = examples(difference, served);
    for example in examples.iter().take(MOST_EXAMPLES) {
        entry.push_str(&row(style, label, example));
        label = "";
    }
    if examples.len() > MOST_EXAMPLES {
        let more = format!("and {} more", examples.len() - MOST_EXAMPLES);
        entry.push_str(&row(style, "", &more));
    }
    for (word, demand) in [("old", difference.old), ("new", difference.new)] {
        let demand = wrap(&demand.to_string(), INDENT + 5);
        entry.push_str(&format!("{:INDENT$}{}  {demand}\n", "", paint(QUIET, word)));
    }
    entry
}

fn row(style: Style, label: &str, text: &str) -> String {
    // Padded before it is styled: escape sequences would count as columns.
    let label = paint(style, &format!("{label:<9}"));
    format!("  {label}  {}\n", wrap(text, INDENT))
}

/// The requests as an operator would write them: methods, path, hosts.
fn examples(difference: &Difference<'_>, served: &[&str]) -> Vec<String> {
    let mut examples: Vec<String> = Vec::new();
    for path in each(difference, |it| it.path.clone()) {
        let of_path = difference.requests.iter().filter(|it| it.path == path);
        let (mut methods, mut hosts) = (Vec::new(), Vec::new());
        for request in of_path {
            add(&mut methods, spell_method(request));
            add(&mut hosts, spell(&request.host));
        }
        // A method or host that no route names stands for all others.
        let methods = match methods.iter().any(|it| it == ANY) {
            true => "any method".to_owned(),
            false => methods.join(" "),
        };
        let hosts = match hosts.iter().any(|it| it == ANY) || hosts.len() == served.len() {
            true => "any host".to_owned(),
            false => hosts.join(", "),
        };
        examples.push(format!("{methods} {}, {hosts}", spell(&path)));
    }
    examples
}

const ANY: &str = "*";

/// The hosts that one of the settings serves.
fn served_hosts<'c>(comparison: &'c SettingsComparison<'c>) -> Vec<&'c str> {
    let mut hosts: Vec<&str> = Vec::new();
    for request in &comparison.requests {
        let is_served = |demand: &RequestDemand<'_>| *demand != RequestDemand::Misdirected;
        if (is_served(&request.old) || is_served(&request.new))
            && !hosts.contains(&request.host.as_str())
        {
            hosts.push(&request.host);
        }
    }
    hosts
}

fn each(difference: &Difference<'_>, part: impl Fn(&ComparedRequest<'_>) -> String) -> Vec<String> {
    let mut parts = Vec::new();
    for request in &difference.requests {
        add(&mut parts, part(request));
    }
    parts
}

fn add(texts: &mut Vec<String>, text: String) {
    if !texts.contains(&text) {
        texts.push(text);
    }
}

fn spell_method(request: &ComparedRequest<'_>) -> String {
    spell(request.method.as_str())
}

/// What stands for anything, as a star.
fn spell(text: &str) -> String {
    // The longest name first: the others are parts of it.
    text.replace("portcullis%2Fany", "*%2F*")
        .replace("portcullis-any.invalid", ANY)
        .replace("portcullis-any", ANY)
        .replace("PORTCULLIS-ANY", ANY)
}

fn summary(comparison: &SettingsComparison<'_>, differences: &[Difference<'_>]) -> String {
    let mut counts = Vec::new();
    for (change, word) in [
        (DemandChange::Opened, "opened"),
        (DemandChange::Changed, "changed"),
        (DemandChange::Tightened, "tightened"),
    ] {
        let count = differences
            .iter()
            .filter(|it| it.change == change)
            .count();
        if count > 0 {
            counts.push(format!("{count} {word}"));
        }
    }
    if !comparison.others.is_empty() {
        counts.push(format!("{} in other settings", comparison.others.len()));
    }
    let unchanged = unchanged_routes(comparison).len();
    let ending = if unchanged == 1 { "" } else { "s" };
    counts.push(format!("{unchanged} route{ending} unchanged"));
    counts.join(", ")
}

/// The routes of the new settings by which every request is decided as before.
fn unchanged_routes<'c>(comparison: &'c SettingsComparison<'c>) -> Vec<&'c str> {
    let (mut all, mut changed) = (Vec::new(), Vec::new());
    for request in &comparison.requests {
        if let RequestDemand::Route(name, _) = request.new {
            if !all.contains(&name) {
                all.push(name);
            }
            if request.change != DemandChange::Same && !changed.contains(&name) {
                changed.push(name);
            }
        }
    }
    all.retain(|name| !changed.contains(name));
    all
}
