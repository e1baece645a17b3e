//! The Python packages, as their users get them: wheels that are built, installed into an environment
//! of their own, and used.

use crate::cargo::{build_once, cargo, root};
use crate::report::Outcome::{self, Failed, Passed, Skipped};
use crate::report::ran;
use crate::test::FULL;
use crate::tools;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package for applications, and the one with the command.
const PACKAGES: [&str; 2] = ["bindings/python", "bindings/cli"];
const ENVIRONMENT: &str = "target/python";
const LOCK: &str = "bindings/python/requirements-test.txt";
/// Where npm installs the type checker that has no wheel.
const PYRIGHT: &str = "bindings/python/pyright";

/// Installs the packages, and runs everything over them.
pub(crate) fn run() -> Outcome {
    match install() {
        Ok(bin) => check(&bin),
        Err(outcome) => outcome,
    }
}

/// The folder of programs of the environment that the package is built and tested in.
pub(crate) fn environment() -> Result<PathBuf, String> {
    tools::python_environment(ENVIRONMENT, &[LOCK])
}

/// Builds the wheels and installs them. Returns the folder of the environment's programs.
pub(crate) fn install() -> Result<PathBuf, Outcome> {
    let bin = environment().map_err(Skipped)?;
    let wheels = build(&bin).map_err(Failed)?;
    let mut installation = inside(&bin, "python", "-m pip install --quiet --no-deps");
    installation.args(["--force-reinstall", "--disable-pip-version-check"]);
    match ran(installation.args(wheels)) {
        Passed(_) => Ok(bin),
        outcome => Err(outcome),
    }
}

/// Runs lints, type checkers and tests over the installed package.
pub(crate) fn check(bin: &Path) -> Outcome {
    // The tests ask a provider, which is a program of ours.
    let mut program = cargo(&["build", "--workspace", "--bins", "--locked", "--quiet"]);
    program.args(FULL);
    let pyright = match tools::npm_ci(PYRIGHT) {
        Ok(folder) => folder.join("node_modules/.bin/pyright"),
        Err(missing) => return Skipped(missing),
    };
    let mut types = Command::new(pyright);
    types
        .args(["--pythonpath".as_ref(), bin.join("python").as_os_str()])
        .current_dir(root().join("bindings/python"));
    let mut reference = inside(bin, "python", "reference.py");
    reference.arg(root().join(ENVIRONMENT).join("reference"));
    let mut tests = inside(bin, "python", "-m pytest -q");
    tests.env("PORTCULLIS_COMMAND", root().join("target/debug/portcullis"));
    let steps = [
        program,
        inside(bin, "ruff", "check --quiet"),
        inside(bin, "ruff", "format --check --quiet"),
        inside(bin, "mypy", "--no-error-summary"),
        types,
        // Whether the stubs say what the module has.
        inside(bin, "stubtest", "--concise portcullis_auth._portcullis"),
        inside(bin, "portcullis", "--version"),
        reference,
        tests,
    ];
    for step in steps {
        let outcome = ran(step);
        if !matches!(outcome, Passed(_)) {
            return outcome;
        }
    }
    Passed("the wheels, their types and their tests".to_owned())
}

/// The wheels, as quickly as they can be built: what is tested here is not how fast they are.
fn build(bin: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = root().join(ENVIRONMENT).join("wheels");
    // An older wheel must not be taken for the new one.
    _ = std::fs::remove_dir_all(&folder);
    for package in PACKAGES {
        let mut command = inside(bin, "maturin", "build --quiet --locked --profile dev");
        // For this machine only, so its libraries need no check.
        command.args(["--compatibility", "linux", "--out"]);
        command
            .arg(&folder)
            .arg("--interpreter")
            .arg(bin.join("python"));
        command.current_dir(root().join(package));
        build_once(&mut command);
        match ran(command) {
            Passed(_) => {}
            _ => return Err(format!("the wheel of {package} cannot be built")),
        }
    }
    let mut wheels = Vec::new();
    for entry in std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
    {
        wheels.push(entry.path());
    }
    if wheels.len() == PACKAGES.len() {
        return Ok(wheels);
    }
    Err(format!(
        "there are {} wheels in {}",
        wheels.len(),
        folder.display()
    ))
}

/// A program of the environment, in the folder of the package.
fn inside(bin: &Path, program: &str, arguments: &str) -> Command {
    let mut command = Command::new(bin.join(program));
    command
        .args(arguments.split_whitespace())
        .current_dir(root().join("bindings/python"));
    command
}
