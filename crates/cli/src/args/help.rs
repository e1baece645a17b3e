//! Help that a person can use as it stands: examples without a prompt, and no wider than the page;
//! `help` as a word.

use crate::output::wrap_to;
use clap::Command;
use std::ffi::OsString;

/// The definition with its examples made ready for pasting, in it and in all commands below.
pub(super) fn prepare(command: Command, width: usize) -> Command {
    let text = command.get_after_long_help().map(ToString::to_string);
    let mut command = match text {
        Some(text) => command.after_long_help(ready(&text, width)),
        None => command,
    };
    // Names first: the subcommands cannot be changed while they are walked through.
    let names: Vec<String> = command
        .get_subcommands()
        .map(|inner| inner.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(name, |inner| prepare(inner, width));
    }
    command
}

/// `help token`, `token help` and `help` mean what `--help` means.
pub(super) fn rewrite(mut line: Vec<OsString>, command: &Command) -> Vec<OsString> {
    // The first word or the last: anywhere between, it is an argument of its neighbour.
    let is_help = |word: Option<&OsString>| word.is_some_and(|word| word == "help");
    if is_help(line.get(1)) {
        line.remove(1);
    } else if is_help(line.last()) && names_commands(&line, command) {
        line.pop();
    } else {
        return line;
    }
    line.push("--help".into());
    line
}

/// Whether nothing but names of commands stands between the first word and the last one. Beside
/// anything else, `help` may be a value.
fn names_commands(line: &[OsString], command: &Command) -> bool {
    let (mut command, count) = (command, line.len().saturating_sub(2));
    for word in line.iter().skip(1).take(count) {
        match command.find_subcommand(word) {
            Some(inner) => command = inner,
            None => return false,
        }
    }
    true
}

/// The text with its examples as they are typed: without the prompt that marks them in the source,
/// and a long one over several lines, as a shell reads it.
fn ready(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut in_prose = false;
    for line in text.lines() {
        // A line with a colon at its end heads a list, and takes no text behind it.
        let is_prose = !line.starts_with(' ') && !line.is_empty() && !line.ends_with(':');
        match (
            line.strip_prefix(PROMPT),
            line.strip_prefix(COMMENT),
            lines.last_mut(),
        ) {
            (Some(example), ..) => lines.push(fold(example, width)),
            (None, Some(comment), _) => {
                let indent = COMMENT.len();
                let comment = wrap_to(comment, indent, width);
                // A shell takes a wrapped comment for a command unless each line has its mark.
                let next = format!("\n{}", " ".repeat(indent));
                lines.push(format!("{COMMENT}{}", comment.replace(&next, "\n  # ")));
            }
            // The source breaks a paragraph at its own width.
            (None, None, Some(paragraph)) if is_prose && in_prose => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            (None, None, _) => lines.push(line.to_owned()),
        }
        in_prose = is_prose;
    }
    lines.join("\n")
}

/// A line of a shell within the width. It is broken before an option or a pipe, outside quotes.
fn fold(example: &str, width: usize) -> String {
    let (mut folded, mut column) = (INDENT.to_owned(), INDENT.len());
    for part in parts(example) {
        let length = part.chars().count();
        // Two columns for the space and the backslash of the next break.
        if column > INDENT.len() && column + length + 2 > width {
            folded.push_str(" \\\n      ");
            column = INDENT.len() + 4;
        } else if column > INDENT.len() {
            folded.push(' ');
            column += 1;
        }
        folded.push_str(part);
        column += length;
    }
    folded
}

/// The line in the pieces that stay together: a command with its arguments, an option with its
/// value.
fn parts(example: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quote) = (Vec::new(), 0, None);
    for (at, character) in example.char_indices() {
        match (quote, character) {
            // A backslash before a quote would need more than this: no example has one.
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, ' ') => {
                let (part, rest) = (example.get(begin..at), example.get(at + 1..));
                // Elsewhere a break would part an option from its value.
                let starts = ["-", "|", ">", "https://", "http://"];
                if let (Some(part), Some(rest)) = (part, rest)
                    && starts.iter().any(|start| rest.starts_with(start))
                    // A URL may be the value of an option, if it has none yet.
                    && !(part.starts_with('-') && !part.contains(' ') && rest.starts_with("http"))
                {
                    parts.push(part);
                    begin = at + 1;
                }
            }
            _ => {}
        }
    }
    parts.extend(example.get(begin..));
    parts
}

/// Says what an example is for, to people and to shells.
const COMMENT: &str = "  # ";

/// Marks an example in the source.
const PROMPT: &str = "  $ ";

const INDENT: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(line: &str) -> String {
        let line = line.split(' ').map(OsString::from).collect();
        let words = rewrite(line, &crate::args::command());
        let words: Vec<String> = words
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect();
        words.join(" ")
    }

    #[test]
    fn help_is_a_word() {
        for (typed, meant) in [
            ("portcullis help", "portcullis --help"),
            ("portcullis help token", "portcullis token --help"),
            ("portcullis token help", "portcullis token --help"),
            ("portcullis help token list", "portcullis token list --help"),
            ("portcullis keys help", "portcullis keys --help"),
            ("portcullis help tokn", "portcullis tokn --help"),
            ("portcullis token", "portcullis token"),
            ("portcullis curl x -d help", "portcullis curl x -d help"),
            (
                "portcullis token --scope help",
                "portcullis token --scope help",
            ),
        ] {
            assert_eq!(rewritten(typed), meant, "{typed}");
        }
    }

    #[test]
    fn a_long_example_is_one_command_for_a_shell() {
        let text = "Examples:\n  # Why\n  $ a --bb 'c --d' --ee f | g -q\n\nText.";
        assert_eq!(
            ready(text, 80),
            "Examples:\n  # Why\n  a --bb 'c --d' --ee f | g -q\n\nText."
        );
        assert_eq!(
            ready("One\ntwo:\n  three\nFour\nfive", 80),
            "One\ntwo:\n  three\nFour five"
        );
        assert_eq!(
            ready(text, 22),
            "Examples:\n  # Why\n  a --bb 'c --d' \\\n      --ee f | g -q\n\nText."
        );
    }
}
