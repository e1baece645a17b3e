//! What a release publishes, made of a program of the suites and checked as its users get it.

use crate::cargo::root;
use crate::report::Outcome::{self, Failed, Skipped};
use crate::report::ran;
use crate::tools;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Packs the program that the suites have built: compiling what is shipped takes minutes.
pub(crate) fn check() -> Outcome {
    let bin = match install() {
        Ok(bin) => bin,
        Err(missing) => return Skipped(missing),
    };
    let out = root().join("target/dist-check");
    if let Err(told) = pack(&out) {
        return Failed(told);
    }
    let mut checks = Command::new(bin.join("python"));
    checks.args(["-B", "conformance/dist/check.py"]).arg(out);
    ran(checks.current_dir(root()))
}

/// The programs that the checks ask, and the folder of a Python with the schema of bills of
/// materials.
fn install() -> Result<PathBuf, String> {
    tools::packaging()?;
    tools::python_environment("target/dist-tools", &["conformance/dist/requirements.txt"])
}

fn pack(out: &Path) -> Result<String, String> {
    let program = root().join("target/dist-program");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&program);
    let stripped = ran(strip.arg(root().join("target/debug/portcullis")));
    if !matches!(stripped, Outcome::Passed(_)) {
        return Err("`strip` failed".to_owned());
    }
    super::pack_program(&program, out)
}
