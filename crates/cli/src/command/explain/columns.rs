//! Text in columns that hold at any width, and text from outside that cannot steer a terminal.

use crate::output::{QUIET, STRONG, escape_text, paint};
use anstyle::Style;
use portcullis_core::jose::json::Json;

/// A page of rows: labels in one column, values in the next, neither wider than the terminal.
#[derive(Debug)]
pub(super) struct ColumnPage {
    text: String,
    width: usize,
    margin: usize,
    labels: usize,
}

impl ColumnPage {
    /// An empty page for a terminal of this width, with labels of up to `labels` characters.
    pub(super) fn new(width: usize, labels: usize) -> Self {
        Self {
            text: String::new(),
            width,
            margin: MARGIN,
            labels,
        }
    }

    /// Adds a part under a heading of its own, with labels of up to `labels` characters.
    pub(super) fn part(&mut self, heading: &str, labels: usize, add: impl FnOnce(&mut Self)) {
        self.heading(STRONG, heading);
        // Indented below its heading, so that a reader sees where the part ends.
        let mut part = Self {
            margin: 2 * MARGIN,
            ..Self::new(self.width, labels)
        };
        add(&mut part);
        self.text.push_str(&part.text);
    }

    /// Adds a line as it is.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds an empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Adds a line of its own, after an empty one.
    pub(super) fn heading(&mut self, style: Style, text: &str) {
        let text = fit(text, MARGIN, self.width);
        self.text
            .push_str(&format!("\n{:MARGIN$}{}\n", "", paint(style, &text)));
    }

    /// Adds a row.
    pub(super) fn row(&mut self, label: &str, value: &str) {
        self.styled_row(QUIET, label, value);
    }

    /// Adds a row whose label has this style.
    pub(super) fn styled_row(&mut self, style: Style, label: &str, value: &str) {
        let (width, margin) = (self.labels, self.margin);
        let indent = margin + width + SPACE;
        let value = fit(value, indent, self.width);
        // A claim can have any name: a long one must not push its value over the edge.
        if label.chars().count() > width {
            let label = paint(style, &fit(label, margin, self.width));
            self.text
                .push_str(&format!("{:margin$}{label}\n{:indent$}{value}\n", "", ""));
            return;
        }
        // Padded before it is styled: escape sequences would count as columns.
        let label = paint(style, &format!("{label:<width$}"));
        self.text
            .push_str(&format!("{:margin$}{label}{:SPACE$}{value}\n", "", ""));
    }

    /// Adds a command to copy. A shell joins its lines where they are too long for one.
    pub(super) fn code(&mut self, command: &str) {
        let is_long = CODE + command.chars().count() > self.width;
        // Before the options only: an address in two lines is not one argument any more.
        let command = match is_long {
            true => command.replace(" --", &format!(" \\\n{:CODE$}  --", "")),
            false => command.to_owned(),
        };
        self.text.push_str(&format!("{:CODE$}{command}\n", ""));
    }

    /// The width of the page, for a table of its own.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

const MARGIN: usize = 2;
const SPACE: usize = 2;
const CODE: usize = 4;

/// Breaks a text at spaces, and words that are too long for a line anywhere, so that no line with
/// this indent is wider than `width`.
pub(super) fn fit(text: &str, indent: usize, width: usize) -> String {
    // Beside a deep indent, a word stands in pieces rather than nowhere.
    let room = width.saturating_sub(indent).max(8);
    let mut lines = vec![String::new()];
    // Only spaces: other white space in a text from outside is escaped by `plain`.
    for word in text.split(' ') {
        let needed = word.chars().count();
        let last = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(line) if last == 0 && needed <= room => line.push_str(word),
            Some(line) if last > 0 && last + 1 + needed <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => add_word(&mut lines, word, room),
        }
    }
    lines.join(&format!("\n{:indent$}", ""))
}

/// Adds a word on lines of its own, as many as it needs; of an address, each ends behind a slash
/// where there is one.
fn add_word(lines: &mut Vec<String>, word: &str, room: usize) {
    let mut rest: Vec<char> = word.chars().collect();
    while !rest.is_empty() {
        let most = room.min(rest.len());
        // A URL is read by its segments.
        let slash = rest.iter().take(most).rposition(|it| *it == '/');
        let end = match slash {
            Some(at) if rest.len() > room && at > 0 => at + 1,
            _ => most,
        };
        let piece: String = rest.drain(..end).collect();
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = piece,
            _ => lines.push(piece),
        }
    }
}

/// A text from outside on one line: cut, and without anything that a terminal acts on.
pub(super) fn plain(text: &str) -> String {
    // Cut before it is escaped, so that no escape sequence is cut in half.
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => escape_text(text.get(..end).unwrap_or_default()) + "...",
        None => escape_text(text),
    }
}

/// Most characters of one value.
const LONGEST: usize = 240;

/// Names from outside, with commas between; `none` if there are none.
pub(super) fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut shown = Vec::new();
    let mut rest = 0;
    for name in names {
        if shown.len() < MOST_NAMES {
            shown.push(plain(name));
        } else {
            rest += 1;
        }
    }
    match (shown.is_empty(), rest) {
        (true, _) => "none".to_owned(),
        (false, 0) => shown.join(", "),
        (false, rest) => format!("{}, and {rest} more", shown.join(", ")),
    }
}

/// Most names of one list.
// A token may name thousands of groups.
const MOST_NAMES: usize = 20;

/// A value of the token on one line.
pub(super) fn value(value: &Json) -> String {
    match value {
        Json::String(text) => plain(text),
        Json::Array(elements)
            if elements
                .iter()
                .all(|element| element.as_str().is_some()) =>
        {
            list(elements.iter().filter_map(Json::as_str))
        }
        // Numbers and objects as JSON has them: a reader compares them with the token's own text.
        other => plain(&serde_json::to_string(other).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let long = format!("{} {} end", "word ".repeat(60), "x".repeat(300));
        for width in [40, 60, 80] {
            let mut page = ColumnPage::new(width, 10);
            page.heading(Style::new(), &long);
            page.row("label", &long);
            page.row(&"l".repeat(100), "value");
            let text = anstream::adapter::strip_str(&page.into_text()).to_string();
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
            let kept = |text: &str| text.matches('x').count();
            assert_eq!(kept(&text), 600, "{text}");
            assert!(
                text.lines()
                    .any(|line| line.chars().count() > width - 5)
            );
        }
    }

    #[test]
    fn text_from_outside_cannot_steer_a_terminal() {
        let hostile = "a\u{1b}[2J\r\n\u{202e}b\u{2066}\u{9b}\u{7}\u{200b}O'Brien";
        let text = plain(hostile);
        assert_eq!(
            text,
            r"a\u{1b}[2J\r\n\u{202e}b\u{2066}\u{9b}\u{7}\u{200b}O'Brien"
        );
        assert_eq!(plain(&"x".repeat(5_000)).len(), 243);
        let issuer = "https://login.example/0123456789";
        assert_eq!(fit(issuer, 2, 26), "https://login.example/\n  0123456789");
        let many = vec!["n"; 30];
        assert!(list(many).ends_with("n, and 10 more"));
        let object = Json::Object(portcullis_core::jose::json::Object::default());
        assert_eq!(value(&object), "{}");
    }
}
