//! What is said on standard error while a token is got.

use crate::output::{QUIET, STRONG, styled};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write as _;
use std::time::Duration;

/// How much is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub(crate) quiet: bool,
}

impl Voice {
    /// What is good to know.
    pub(crate) fn say(self, text: &str) {
        if !self.quiet {
            self.line(&styled(QUIET, text));
        }
    }

    /// What somebody has to do: it is said in any case.
    pub(crate) fn demand(self, text: &str) {
        self.line(text);
    }

    /// Something to open or to type, on a line of its own.
    pub(crate) fn show(self, text: &str) {
        self.line(&format!("\n    {}\n", styled(STRONG, text)));
    }

    /// Something that turns while one waits; nothing where nobody looks.
    pub(crate) fn waiting(self, text: &str) -> ProgressBar {
        let target = if self.quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::default_spinner());
        bar.set_message(text.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn line(self, text: &str) {
        // Nobody is left to tell if standard error is gone.
        _ = writeln!(anstream::stderr(), "{text}");
    }
}
