use super::*;
use clap::CommandFactory as _;
use clap::builder::Command as Built;

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}

/// Every command, with the text that stands below its long help.
fn taught(command: &Built) -> Vec<(String, String)> {
    let text = command
        .get_after_long_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let own = (command.get_bin_name().unwrap_or_default().to_owned(), text);
    std::iter::once(own)
        .chain(command.get_subcommands().flat_map(taught))
        .collect()
}

/// The words of a line as a shell would part them; what follows a pipe or a redirection is left
/// out.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | ')') => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.into_iter().chain(word).collect()
}

#[test]
fn every_command_shows_examples_that_can_be_typed() {
    let mut command = Arguments::command();
    command.build();
    for (name, text) in taught(&command) {
        let examples: Vec<&str> = text
            .lines()
            .filter(|line| line.trim_start().starts_with("$ "))
            .collect();
        assert!(
            text.contains("Examples:") && !examples.is_empty(),
            "`{name}` has no example"
        );
        for line in text.lines() {
            assert!(line.chars().count() <= 120, "{name}: {line}");
        }
        // Also those that stand in the middle of another program's line.
        for start in examples.iter().flat_map(|line| {
            line.match_indices("portcullis ")
                .map(|(at, _)| line.split_at(at).1)
        }) {
            let typed = Arguments::try_parse_from(words(start))
                .err()
                .map(|error| error.to_string());
            assert_eq!(typed, None, "{name}: `{start}`");
        }
    }
}

#[test]
fn secrets_are_taken_from_no_command_line() {
    fn flags(command: &Built) -> Vec<String> {
        let own = command
            .get_arguments()
            .filter_map(|flag| flag.get_long().map(str::to_owned));
        own.chain(command.get_subcommands().flat_map(flags))
            .collect()
    }
    for flag in flags(&Arguments::command()) {
        let secret = ["secret", "passphrase", "password", "key"]
            .iter()
            .any(|word| flag.ends_with(word));
        assert!(
            !secret,
            "--{flag} would show a secret to whoever lists the processes"
        );
    }
}
