//! The site of the documents, made and checked: every link, every page.

use crate::cargo::root;
use crate::report::Outcome::{self, Skipped};
use crate::report::ran;
use crate::tools;
use std::process::Command;

/// Makes `target/site`, and checks the links of all documents.
pub(crate) fn build() -> Outcome {
    let lock = "docs-site/requirements.txt";
    match tools::python_environment("target/site-tools", &[lock]) {
        Ok(bin) => {
            let mut command = Command::new(bin.join("python"));
            command.args(["-B", "docs-site/build.py"]);
            ran(command.current_dir(root()))
        }
        Err(missing) => Skipped(missing),
    }
}
