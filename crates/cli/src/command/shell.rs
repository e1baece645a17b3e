//! `portcullis completions` and `portcullis man`: what a shell and a reader need, generated from
//! the arguments themselves.

use crate::args::{CompletionsArguments, ManArguments, command};
use crate::exit::{CommandError, Exit};
use crate::output::print;
use clap::Command;
use clap_mangen::Man;
use std::path::Path;

pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    let mut command = command();
    clap_complete::generate(arguments.shell, &mut command, NAME, &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}

pub(crate) fn man(arguments: &ManArguments) -> Result<Exit, CommandError> {
    let mut command = command();
    // Gives the subcommands their full names.
    command.build();
    let Some(folder) = &arguments.out else {
        print(&page(command)?)?;
        return Ok(Exit::Fine);
    };
    std::fs::create_dir_all(folder).map_err(|error| CommandError::in_file(folder, error))?;
    let count = write_pages(&command, folder)?;
    let first = folder.join("portcullis.1");
    print(&format!(
        "Wrote {count} pages. To read one: man -l {}\n",
        first.display()
    ))?;
    Ok(Exit::Fine)
}

/// Writes the page of this command and of all below it, and returns how many there are.
fn write_pages(command: &Command, folder: &Path) -> Result<usize, CommandError> {
    let path = folder.join(format!("{}.1", full_name(command)));
    let text = page(command.clone())?;
    std::fs::write(&path, text).map_err(|error| CommandError::in_file(&path, error))?;
    let mut count = 1;
    for subcommand in command.get_subcommands() {
        count += write_pages(subcommand, folder)?;
    }
    Ok(count)
}

/// `portcullis-token-list` for `portcullis token list`.
fn full_name(command: &Command) -> String {
    command
        .get_bin_name()
        .unwrap_or(NAME)
        .replace(' ', "-")
}

fn page(command: Command) -> Result<String, CommandError> {
    let mut page = Vec::new();
    Man::new(command)
        .manual("Portcullis")
        .render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

const NAME: &str = "portcullis";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;
    use clap_complete::Shell;

    /// Every command with its path, and the long flags of each.
    fn commands(command: &Command) -> Vec<(String, Vec<String>)> {
        let flags = command
            .get_arguments()
            .filter(|argument| !argument.is_hide_set());
        let own = (
            full_name(command),
            flags
                .filter_map(|flag| flag.get_long().map(str::to_owned))
                .collect(),
        );
        std::iter::once(own)
            .chain(command.get_subcommands().flat_map(commands))
            .collect()
    }

    fn built() -> Command {
        let mut command = command();
        command.build();
        command
    }

    #[test]
    fn completions_name_every_command_and_flag() {
        let all = commands(&built());
        assert!(all.len() > 12, "{all:?}");
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command(), NAME, &mut script);
            let script = String::from_utf8(script).unwrap();
            for (command, flags) in &all {
                let last = command.rsplit('-').next().unwrap();
                assert!(script.contains(last), "{shell}: {command}");
                for flag in flags {
                    // fish writes flags without their dashes.
                    let written = if *shell == Shell::Fish {
                        format!("-l {flag}")
                    } else {
                        format!("--{flag}")
                    };
                    assert!(script.contains(&written), "{shell}: {command} {flag}");
                }
            }
        }
    }

    #[test]
    fn each_command_has_a_page_with_its_flags_and_examples() {
        let folder = std::env::temp_dir().join(format!("portcullis-man-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let all = commands(&built());
        assert_eq!(write_pages(&built(), &folder).unwrap(), all.len());
        for (command, flags) in all {
            let page = std::fs::read_to_string(folder.join(format!("{command}.1"))).unwrap();
            for flag in flags {
                let escaped = flag.replace('-', "\\-");
                assert!(
                    page.contains(&format!("\\-\\-{escaped}")),
                    "{command}: {flag}\n{page}"
                );
            }
            assert!(page.contains("Examples:"), "{command}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
