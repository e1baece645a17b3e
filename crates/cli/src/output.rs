//! Text for people: at most 80 columns, and coloured only on a terminal.

use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

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

/// Breaks a text at spaces, so that no line with this indent exceeds 80 columns. Longer words, such
/// as URLs, stay whole: broken ones could not be copied.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    let width = 80 - indent;
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

    #[test]
    fn no_line_passes_eighty_columns() {
        let text = wrap(&"word ".repeat(60), 30);
        assert!(
            text.lines()
                .enumerate()
                .all(|(index, line)| line.len() <= if index == 0 { 50 } else { 80 })
        );
        assert_eq!(text.split_whitespace().count(), 60);
    }
}
