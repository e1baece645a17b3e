//! How a comparison looks: a line for each operation, and more where its route differs.

use super::comparison::{Comparison, Comparisons, Verdict};
use super::openapi::Document;
use super::starter::{count, list};
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, paint, wrap};
use anstyle::Style;
use std::fmt::Display;
use std::path::Path;

/// The columns before the details of a line.
const INDENT: usize = 12;
/// The widest that a column becomes; longer texts push the rest of their line aside.
const WIDEST: usize = 40;

/// The whole page.
pub(super) fn page(
    source: &Path,
    host: Option<&str>,
    document: &Document,
    comparisons: &Comparisons<'_>,
) -> String {
    let title = paint(STRONG, &source.display().to_string());
    let called = match host {
        Some(host) => format!(", called at {host}"),
        None => String::new(),
    };
    let mut page = format!("\n{title}{called}\n\n");
    let columns = Columns::of(comparisons);
    for line in &comparisons.lines {
        page.push_str(&columns.line(line));
    }
    for operation in &comparisons.refused {
        let path = operation.path.escape_debug();
        page.push_str(&columns.row(QUIET, "refused", &operation.method, path, "", ""));
    }
    for rule in &comparisons.unused {
        let (label, name) = (paint(WARNING, "unused    "), rule.name);
        page.push_str(&format!("  {label}{name}: {}\n", rule.access));
    }
    if document.notes.iter().len() > 0 {
        page.push_str("\nWhat no route can demand as the document does:\n\n");
        page.push_str(&list(&document.notes, "  "));
    }
    page.push_str(&format!("\n{}\n", summary(document, comparisons)));
    page
}

/// The widths of the columns.
struct Columns {
    path: usize,
    route: usize,
}

impl Columns {
    fn of(comparisons: &Comparisons<'_>) -> Self {
        let (mut path, mut route) = (0, 0);
        for line in &comparisons.lines {
            path = path.max(path_of(line).chars().count());
            route = route.max(short(line.rule.name).chars().count());
        }
        Self {
            path: path.min(WIDEST),
            route: route.min(WIDEST),
        }
    }

    fn line(&self, line: &Comparison<'_>) -> String {
        let (style, label) = label(line.verdict);
        let (method, path) = (&line.operation.method, path_of(line));
        let (route, access) = (short(line.rule.name), line.rule.access.to_string());
        if line.verdict == Verdict::Same {
            return self.row(style, label, method, path, route, &access);
        }
        let mut text = self.row(style, label, method, path, route, "");
        let gateway = format!("{access}, by {}", line.rule.name);
        let document = line.operation.demand.to_string();
        for (who, what) in [("gateway", gateway), ("document", document)] {
            let what = wrap(&what, INDENT + 10);
            text.push_str(&format!(
                "{:INDENT$}{}{what}\n",
                "",
                paint(QUIET, &format!("{who:<10}"))
            ));
        }
        text
    }

    fn row(
        &self,
        style: Style,
        label: &str,
        method: &http::Method,
        path: impl Display,
        route: &str,
        demand: &str,
    ) -> String {
        // Padded before it is styled: escape sequences would count as columns.
        let label = paint(style, &format!("{label:<10}"));
        let (path, method) = (path.to_string(), method.as_str());
        let (width, routes) = (self.path, self.route);
        let row = format!("{method:<9}{path:<width$}  {route:<routes$}  {demand}");
        format!("  {label}{}\n", row.trim_end())
    }
}

/// The path of a line: that of the operation, or a part of it.
fn path_of(line: &Comparison<'_>) -> String {
    let path = match &line.part {
        Some(part) => part,
        None => &line.operation.path,
    };
    path.escape_debug().to_string()
}

/// The place of a route that has no name of its own, without its path.
fn short(name: &str) -> &str {
    match name.split_once(' ') {
        Some((place, _)) if place.starts_with("route[") => place,
        _ => name,
    }
}

fn label(verdict: Verdict) -> (Style, &'static str) {
    match verdict {
        Verdict::Same => (GOOD, "same"),
        Verdict::Stricter => (WARNING, "stricter"),
        Verdict::Unsaid => (WARNING, "unsaid"),
        Verdict::Looser => (BAD, "LOOSER"),
    }
}

/// One line for those who read nothing else.
fn summary(document: &Document, comparisons: &Comparisons<'_>) -> String {
    let mut counts = Vec::new();
    for (verdict, word) in [
        (Verdict::Same, "the same"),
        (Verdict::Looser, "looser"),
        (Verdict::Stricter, "stricter"),
        (Verdict::Unsaid, "unsaid by the document"),
    ] {
        match comparisons.count(verdict) {
            0 => {}
            count => counts.push(format!("{count} {word}")),
        }
    }
    let lines = comparisons.lines.iter();
    let by_default = lines
        .filter(|line| line.rule.name == "default")
        .count();
    for (count, word) in [
        (comparisons.refused.len(), "refused for its path"),
        (by_default, "by the default"),
        (comparisons.unused.len(), "unused"),
    ] {
        match count {
            0 => {}
            count => counts.push(format!("{count} {word}")),
        }
    }
    format!(
        "{}: {}",
        count(document.operations.len(), "operation"),
        counts.join(", ")
    )
}
