//! What a release publishes, made of a program of the suites and checked as its users get it.

use crate::cargo::root;
use crate::dist::tree::Effort;
use crate::report::Outcome::{self, Failed, Skipped};
use crate::report::ran;
use crate::tools;
use std::path::Path;
use std::process::Command;

/// Packs the program that the suites have built: compiling what is shipped takes minutes.
pub(crate) fn check() -> Outcome {
    let mut checks = match install() {
        Ok(checks) => checks,
        Err(missing) => return Skipped(missing),
    };
    let out = root().join("target/dist-check");
    if let Err(told) = pack(&out) {
        return Failed(told);
    }
    ran(checks.arg(out))
}

/// The checks, once the programs that they ask and the schema of bills of materials are there.
fn install() -> Result<Command, String> {
    tools::packaging()?;
    let lock = "conformance/dist/requirements.txt";
    tools::python_script("target/dist-tools", lock, "conformance/dist/check.py")
}

fn pack(out: &Path) -> Result<String, String> {
    let program = root().join("target/dist-program");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&program);
    let stripped = ran(strip.arg(root().join("target/debug/portcullis")));
    if !matches!(stripped, Outcome::Passed(_)) {
        return Err("`strip` failed".to_owned());
    }
    super::pack_program(&program, out, Effort::Quick)
}
