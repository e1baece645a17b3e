use super::*;
use clap::builder::Command as Built;

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}

/// Every command, with its long help at this width.
fn pages(width: usize) -> Vec<(String, String)> {
    fn add(command: &mut Built, pages: &mut Vec<(String, String)>) {
        let page = command.render_long_help().to_string();
        pages.push((command.get_bin_name().unwrap_or_default().to_owned(), page));
        for inner in command.get_subcommands_mut() {
            add(inner, pages);
        }
    }
    let mut command = help::prepare(Arguments::command(), width).term_width(width);
    command.build();
    let mut pages = Vec::new();
    add(&mut command, &mut pages);
    pages
}

/// The examples of a page, each as the one line that a shell makes of it.
fn examples(page: &str) -> Vec<String> {
    let block = page.split("\nExamples:\n").nth(1).unwrap_or_default();
    let indented = |line: &&str| line.is_empty() || line.starts_with("  ");
    let block: Vec<&str> = block.lines().take_while(indented).collect();
    let block = block.join("\n").replace("\\\n", "");
    let typed = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let lines = block.lines().map(str::trim).filter(typed);
    lines.map(str::to_owned).collect()
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
fn every_command_shows_examples_that_can_be_pasted() {
    for (name, page) in [pages(60), pages(80)].concat() {
        let examples = examples(&page);
        assert!(!examples.is_empty(), "`{name}` has no example\n{page}");
        for line in &examples {
            // A line that was broken without a backslash begins with the rest of a command.
            let is_command = line.starts_with(|c: char| c.is_ascii_lowercase());
            assert!(is_command && !line.starts_with("http"), "{name}: {line}");
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
fn no_help_is_wider_than_the_page() {
    for width in [60, 80] {
        for (name, page) in pages(width) {
            for line in page.lines() {
                // A word that is longer by itself stays whole, and so does a usage.
                let is_whole = line.trim().split(' ').count() == 1 || line.contains("Usage: ");
                let fits = line.chars().count() <= width || is_whole;
                assert!(fits, "{name} at {width}: {line}");
            }
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
