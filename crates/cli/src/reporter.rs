//! Progress and instructions on standard error, while a command works.

use crate::output::{QUIET, STRONG, paint};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write as _;
use std::time::Duration;

/// Writes to standard error; with `--quiet`, only what a person must do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reporter {
    pub(crate) quiet: bool,
}

impl Reporter {
    /// Reports progress.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            write_line(&paint(QUIET, text));
        }
    }

    /// Tells the person what to do, even if quiet: without it the command would hang.
    pub(crate) fn instruct(self, text: &str) {
        write_line(text);
    }

    /// Shows an address or a code, on a line of its own for copying.
    pub(crate) fn show(self, text: &str) {
        write_line(&format!("\n    {}\n", paint(STRONG, text)));
    }

    /// A spinner with this text. It draws nothing if standard error is no terminal.
    pub(crate) fn spinner(self, text: &str) -> ProgressBar {
        let target = if self.quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let spinner = ProgressBar::with_draw_target(None, target);
        spinner.set_style(ProgressStyle::default_spinner());
        spinner.set_message(text.to_owned());
        // Waiting for a person brings no event to redraw on.
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }
}

fn write_line(text: &str) {
    // A reader of standard error that went away does not stop the command.
    _ = writeln!(anstream::stderr(), "{text}");
}
