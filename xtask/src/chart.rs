//! The chart for Kubernetes: rendered, and held against Kubernetes' own schemas.

use crate::cargo::root;
use crate::report::Outcome::{self, Skipped};
use crate::report::ran;
use crate::tools::python_script;

const LOCK: &str = "conformance/kubernetes/requirements.txt";

/// Checks the chart, with the command that the suites have built.
pub(crate) fn check() -> Outcome {
    let program = root().join("target/debug/portcullis");
    match python_script("target/kubernetes", LOCK, "conformance/kubernetes/check.py") {
        Ok(mut command) => ran(command.env("PORTCULLIS_COMMAND", program)),
        Err(missing) => Skipped(missing),
    }
}
