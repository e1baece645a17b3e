//! Text for people: no wider than the terminal and [`WIDTH`], and coloured only on a terminal.

use anstyle::{AnsiColor, Style};
use std::io::{self, Write};
use std::sync::OnceLock;

/// The width of every page, help and error, in columns: longer lines are hard to read, however wide
/// the terminal is.
pub(crate) const WIDTH: usize = 80;

/// The least width: below it, labels leave no space for values.
const LEAST_WIDTH: usize = 40;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const QUIET: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();

/// Writes to standard output at once. A reader that went away, such as `head`, is no error.
///
/// # Errors
///
/// A standard output that cannot be written to, such as a full disk.
pub(crate) fn print(text: &str) -> io::Result<()> {
    // Takes the colours out if standard output is no terminal, or NO_COLOR is set.
    let mut stdout = anstream::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes to standard error, beside a result or a log.
///
/// # Errors
///
/// A standard error that cannot be written to.
pub(crate) fn print_beside(text: &str) -> io::Result<()> {
    anstream::stderr().lock().write_all(text.as_bytes())
}

/// The width of the pages here: that of the terminal, or of COLUMNS, and [`WIDTH`] at most.
pub(crate) fn width() -> usize {
    static KNOWN: OnceLock<usize> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let terminal = terminal_size::terminal_size().map(|(width, _)| width.0.into());
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
        let width: Option<usize> = terminal.or_else(columns);
        width.unwrap_or(WIDTH).clamp(LEAST_WIDTH, WIDTH)
    })
}

/// A page for people, built line by line, with labels in a column of their own.
pub(crate) struct Page {
    text: String,
    indent: usize,
    label_width: usize,
}

impl Page {
    /// An empty page whose rows have this indent and labels of this width.
    pub(crate) fn new(indent: usize, label_width: usize) -> Self {
        Self {
            text: String::new(),
            indent,
            label_width,
        }
    }

    /// Adds a line of its own, after an empty one.
    pub(crate) fn heading(&mut self, style: Style, text: &str) {
        self.line(&format!("\n  {}", paint(style, &wrap(text, 2))));
    }

    /// Adds a row: a label, and a value that may take several lines.
    pub(crate) fn row(&mut self, label: &str, value: &str) {
        self.styled_row(QUIET, label, value);
    }

    /// Adds a row whose label has this style.
    pub(crate) fn styled_row(&mut self, style: Style, label: &str, value: &str) {
        let (indent, width) = (self.indent, self.label_width);
        // Padded before it is styled: escape sequences would count as columns.
        let label = paint(style, &format!("{label:<width$}"));
        let value = wrap(value, indent + width + 2);
        self.line(&format!("{:indent$}{label}  {value}", ""));
    }

    /// Adds a line to copy.
    #[cfg(feature = "dev")]
    pub(crate) fn code(&mut self, line: &str) {
        self.line(&format!("      {line}"));
    }

    /// Adds a line as it is.
    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The text of the page.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// A text in a style.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A text from outside, with everything escaped that a terminal acts on or that turns text around.
pub(crate) fn escape_text(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            // Escaped for Rust, and harmless in a terminal.
            '"' | '\'' => escaped.push(character),
            // Also U+009B, which some terminals take for ESC [, and the marks of direction.
            other => escaped.extend(other.escape_debug()),
        }
    }
    escaped
}

/// Breaks a text at spaces, so that no line with this indent exceeds the width. Longer words, such
/// as URLs, stay whole: broken ones could not be copied.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    wrap_to(text, indent, width())
}

/// The same for this width.
pub(crate) fn wrap_to(text: &str, indent: usize, width: usize) -> String {
    // Beside a long label, words stand one below the other rather than nowhere.
    let width = width.saturating_sub(indent).max(LEAST_WIDTH / 4);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the JSON of a command would depend on the features that it was built with.
    #[test]
    fn members_of_json_stay_in_their_order() {
        let written = serde_json::json!({ "b": 1, "a": { "d": 2, "c": 3 } });
        assert_eq!(written.to_string(), r#"{"b":1,"a":{"d":2,"c":3}}"#);
    }

    #[test]
    fn no_line_passes_the_width() {
        for width in [40, 60, 80] {
            let text = wrap_to(&"word ".repeat(60), 30, width);
            for (index, line) in text.lines().enumerate() {
                let most = if index == 0 { width - 30 } else { width };
                assert!(line.len() <= most, "{width}: {line}");
            }
            assert_eq!(text.split_whitespace().count(), 60);
        }
    }
}
