//! The wheels of the Python packages, as PyPI takes them: built by maturin, which also checks which
//! systems they run on.

use crate::cargo::root;
use crate::report::{Outcome, ran};
use crate::tools;
use std::path::Path;
use std::process::Command;

/// The package for applications, and the one with the command, which has all its features.
const PACKAGES: [(&str, &[&str]); 2] = [
    ("bindings/python", &[]),
    ("bindings/cli", &["--features", "full"]),
];
const LOCK: &str = "bindings/python/requirements-test.txt";

pub(crate) fn build(out: &Path) -> Result<String, String> {
    let bin = tools::python_environment("target/python", &[LOCK])?;
    for (package, features) in PACKAGES {
        let mut command = Command::new(bin.join("maturin"));
        command.args([
            "build",
            "--locked",
            "--profile",
            "dist",
            "--compatibility",
            "pypi",
        ]);
        command.args(features);
        command.arg("--interpreter").arg(bin.join("python"));
        command
            .arg("--out")
            .arg(out)
            .current_dir(root().join(package));
        match ran(command) {
            Outcome::Passed(_) => {}
            _ => return Err(format!("the wheel of {package} cannot be built")),
        }
    }
    Ok(format!("{} has the wheels", out.display()))
}
