//! The site of the documents, made and checked: every link, every page.

use crate::report::Outcome::{self, Skipped};
use crate::report::ran;
use crate::tools::python_script;

const LOCK: &str = "docs-site/requirements.txt";

/// Makes `target/site`, and checks the links of all documents.
pub(crate) fn build() -> Outcome {
    match python_script("target/site-tools", LOCK, "docs-site/build.py") {
        Ok(command) => ran(command),
        Err(missing) => Skipped(missing),
    }
}
