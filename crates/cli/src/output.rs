//! Text for people: at most 80 columns, coloured only where somebody looks at a terminal.

use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const QUIET: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();

/// Writes to standard output in one go. A reader that went away is no failure.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Breaks a text at spaces so that, behind `indent` columns, no line passes 80. Long words stay
/// whole.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
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
        let text = wrapped(&"word ".repeat(60), 30);
        assert!(
            text.lines()
                .enumerate()
                .all(|(index, line)| line.len() <= if index == 0 { 50 } else { 80 })
        );
        assert_eq!(text.split_whitespace().count(), 60);
    }
}
