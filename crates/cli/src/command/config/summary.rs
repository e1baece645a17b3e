//! The settings as they will be used, for people.

use crate::output::{BAD, Page, STRONG, WARNING};
use anstyle::Style;
use portcullis_gateway::{Settings, SummarySection};

/// A longer label stands in a line of its own.
const LONGEST_LABEL: usize = 34;

/// What loosens security and what is hardly meant: before everything else, where no list of routes
/// hides it.
pub(super) fn alarms(dangers: &[String], warnings: &[String]) -> String {
    if dangers.is_empty() && warnings.is_empty() {
        return String::new();
    }
    let mut page = Page::new(2, 7);
    page.line("");
    for danger in dangers {
        page.styled_row(BAD, "DANGER", danger);
    }
    for warning in warnings {
        page.styled_row(WARNING, "WARNING", warning);
    }
    page.into_text()
}

/// All sections of the summary.
pub(crate) fn page(settings: &Settings) -> String {
    let mut text = String::new();
    for section in settings.summary() {
        text.push_str(&section_page(&section));
    }
    text
}

fn section_page(section: &SummarySection) -> String {
    // One long label, such as a host with its path, must not move all values.
    let lengths = section
        .rows
        .iter()
        .map(|row| row.label.chars().count());
    let width = lengths.filter(|length| *length <= LONGEST_LABEL).max();
    let mut page = Page::new(4, width.unwrap_or_default());
    page.heading(STRONG, section.title);
    for row in &section.rows {
        if row.label.chars().count() <= LONGEST_LABEL {
            page.styled_row(Style::new(), &row.label, &row.value);
        } else {
            page.line(&format!("    {}", row.label));
            page.styled_row(Style::new(), "", &row.value);
        }
    }
    page.into_text()
}
