//! The chart for Kubernetes: rendered, and held against Kubernetes' own schemas.

use crate::cargo::root;
use crate::report::Outcome::{self, Skipped};
use crate::report::ran;
use crate::tools;
use std::process::Command;

/// Checks the chart, with the command that the suites have built.
pub(crate) fn check() -> Outcome {
    let lock = "conformance/kubernetes/requirements.txt";
    match tools::python_environment("target/kubernetes", &[lock]) {
        Ok(bin) => {
            let mut command = Command::new(bin.join("python"));
            command.args(["-B", "conformance/kubernetes/check.py"]);
            let program = root().join("target/debug/portcullis");
            ran(command
                .current_dir(root())
                .env("PORTCULLIS_COMMAND", program))
        }
        Err(missing) => Skipped(missing),
    }
}
