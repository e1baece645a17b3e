//! `portcullis completions` and `portcullis man`.

use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_long_help = COMPLETIONS)]
pub(crate) struct CompletionsArguments {
    /// The shell to complete for
    pub(crate) shell: Shell,
}

#[derive(Args, Debug)]
#[command(after_long_help = MAN)]
pub(crate) struct ManArguments {
    /// Write one page for each command into this folder
    /// [default: the page of `portcullis` on standard output]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

const COMPLETIONS: &str = "\
Examples:
  $ eval \"$(portcullis completions bash)\"
  $ portcullis completions zsh > ~/.zfunc/_portcullis
  $ portcullis completions fish > ~/.config/fish/completions/portcullis.fish

For zsh, ~/.zfunc must be in $fpath before compinit runs. PowerShell: add the script to your
profile.";

const MAN: &str = "\
Examples:
  $ portcullis man | man -l -
  $ portcullis man --out ~/.local/share/man/man1";
