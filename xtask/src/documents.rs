//! What is made from the code: documents of the project, and rustdoc's reference.

use crate::cargo::{cargo, root};
use crate::report::Outcome::{Failed, Passed};
use crate::report::ran;
use crate::test::FULL;
use std::process::Command;

/// Writes the documents that are made from the code; the test suite compares them.
pub(crate) fn write() -> Result<String, String> {
    let mut tests = cargo(&["test", "--workspace", "--quiet", "--locked"]);
    tests
        .args(FULL)
        .args(["--", "documents", "every_provider_has_its_row"])
        .env("PORTCULLIS_WRITE_DOCUMENTS", "1");
    let mut programs = cargo(&["build", "--workspace", "--bins", "--quiet", "--locked"]);
    programs.args(FULL);
    // The pages of settings and commands are made from what the command says.
    let mut pages = Command::new("python3");
    pages
        .args(["-B", "conformance/pages/reference.py"])
        .current_dir(root())
        .env("PORTCULLIS_COMMAND", root().join("target/debug/portcullis"));
    for step in [tests, programs, pages] {
        match ran(step) {
            Passed(_) => {}
            Failed(told) => return Err(told),
            _ => return Err("see above".to_owned()),
        }
    }
    Ok("the documents that are made from the code are written".to_owned())
}

/// Makes the reference, from which the public names are read.
pub(crate) fn make_reference() -> Result<(), String> {
    match reference().status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the documentation cannot be made".to_owned()),
    }
}

/// The command that makes it.
pub(crate) fn reference() -> Command {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}
