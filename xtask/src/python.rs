//! The Python package, as its users get it: a wheel that is built, installed into an environment of
//! its own, and used.

use crate::cargo::{cargo, root};
use crate::report::Outcome::{self, Failed, Passed, Skipped};
use crate::report::ran;
use crate::tools;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "bindings/python";
const ENVIRONMENT: &str = "target/python";
const LOCK: &str = "bindings/python/requirements-test.txt";

/// Builds the wheel, and runs lints, the type checker and the tests over it.
pub(crate) fn check() -> Outcome {
    let bin = match tools::python_environment(ENVIRONMENT, &[LOCK]) {
        Ok(bin) => bin,
        Err(missing) => return Skipped(missing),
    };
    let wheel = match build(&bin) {
        Ok(wheel) => wheel,
        Err(fault) => return Failed(fault),
    };
    // The tests ask a provider, which is a program of ours.
    let program = cargo(&[
        "build",
        "--package",
        "portcullis-cli",
        "--locked",
        "--quiet",
    ]);
    let mut installation = inside(&bin, "python", "-m pip install --quiet --no-deps");
    installation.args(["--force-reinstall", "--disable-pip-version-check"]);
    installation.arg(wheel);
    let mut tests = inside(&bin, "python", "-m pytest -q");
    tests.env("PORTCULLIS_COMMAND", root().join("target/debug/portcullis"));
    let steps = [
        program,
        installation,
        inside(&bin, "ruff", "check --quiet"),
        inside(&bin, "ruff", "format --check --quiet"),
        inside(&bin, "mypy", "--no-error-summary"),
        // Whether the stubs say what the module has.
        inside(&bin, "stubtest", "--concise portcullis_auth"),
        tests,
    ];
    for step in steps {
        let outcome = ran(step);
        if !matches!(outcome, Passed(_)) {
            return outcome;
        }
    }
    Passed("the wheel, its types and its tests".to_owned())
}

/// The wheel, as quickly as it can be built: what is tested here is not how fast it is.
fn build(bin: &Path) -> Result<PathBuf, String> {
    let wheels = root().join(ENVIRONMENT).join("wheels");
    // An older wheel must not be taken for the new one.
    _ = std::fs::remove_dir_all(&wheels);
    let mut command = inside(bin, "maturin", "build --quiet --locked --profile dev");
    // For this machine only, so its libraries need no check.
    command.args(["--compatibility", "linux", "--out"]);
    command.arg(&wheels);
    command.arg("--interpreter").arg(bin.join("python"));
    match ran(command) {
        Passed(_) => {}
        _ => return Err("the wheel cannot be built".to_owned()),
    }
    let mut built = std::fs::read_dir(&wheels).into_iter().flatten().flatten();
    match built.next() {
        Some(entry) => Ok(entry.path()),
        None => Err(format!("there is no wheel in {}", wheels.display())),
    }
}

/// A program of the environment, in the folder of the package.
fn inside(bin: &Path, program: &str, arguments: &str) -> Command {
    let mut command = Command::new(bin.join(program));
    command
        .args(arguments.split_whitespace())
        .current_dir(root().join(PACKAGE));
    command
}
