//! The oldest compiler that we claim to build with: `rust-version` of the workspace.
//!
//! No dependency may ask for a newer one, and clippy's `incompatible_msrv` finds names of the
//! standard library that are younger. Only that compiler itself can say the rest; where it is
//! installed, it is asked.

use crate::cargo::{array, metadata, root, text};
use crate::report::Outcome::{self, Excused};
use crate::report::{ran, told};
use serde_json::Value;
use std::process::{Command, Stdio};

pub(crate) fn check() -> Outcome {
    let stated = match metadata().and_then(|metadata| stated(&metadata)) {
        Ok(stated) => stated,
        Err(fault) => return told(Err(fault)),
    };
    let with_it = |arguments: &[&str]| {
        let mut command = Command::new("rustup");
        command
            .args(["run", &stated, "cargo"])
            .args(arguments)
            .current_dir(root());
        command
    };
    let asked = with_it(&["--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !asked.is_ok_and(|status| status.success()) {
        return Excused(format!(
            "{stated} is said, and no dependency asks for more; not compiled: it is not installed"
        ));
    }
    // `CARGO` and its kin are those of the compiler that runs us.
    let mut command = with_it(&[
        "check",
        "--workspace",
        "--locked",
        "--target-dir",
        "target/msrv",
    ]);
    ran(command
        .env_remove("CARGO")
        .env_remove("RUSTC")
        .env_remove("RUSTUP_TOOLCHAIN"))
}

/// The version that every crate of the workspace states, if no dependency asks for a newer one.
fn stated(metadata: &Value) -> Result<String, String> {
    let (ours, theirs): (Vec<&Value>, Vec<&Value>) = array(metadata, "packages")
        .iter()
        .partition(|package| package.get("source").is_none_or(Value::is_null));
    let stated = ours
        .first()
        .map_or("", |package| text(package, "rust_version"));
    let mut faults = Vec::new();
    for package in ours
        .iter()
        .filter(|package| text(package, "rust_version") != stated)
    {
        faults.push(format!(
            "`{}` states another `rust-version` than {stated}",
            text(package, "name")
        ));
    }
    for package in theirs
        .iter()
        .filter(|package| numbers(text(package, "rust_version")) > numbers(stated))
    {
        let (name, asked) = (text(package, "name"), text(package, "rust_version"));
        faults.push(format!(
            "`{name}` asks for Rust {asked}, and we say {stated}"
        ));
    }
    if faults.is_empty() {
        Ok(stated.to_owned())
    } else {
        Err(faults.join("\n"))
    }
}

/// `1.89` as numbers that can be compared, `1.89.0` as the same ones; nothing said is less than
/// all.
fn numbers(version: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = version
        .split('.')
        .filter_map(|number| number.parse().ok())
        .collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_dependency_may_ask_for_a_newer_compiler() {
        let graph = |ours: &str, theirs: Value| {
            json!({ "packages": [
                { "name": "a", "source": null, "rust_version": "1.89" },
                { "name": "b", "source": null, "rust_version": ours },
                { "name": "c", "source": "registry+x", "rust_version": theirs },
            ] })
        };
        assert_eq!(stated(&graph("1.89", json!("1.9.5"))).unwrap(), "1.89");
        assert_eq!(stated(&graph("1.89", Value::Null)).unwrap(), "1.89");
        assert_eq!(stated(&graph("1.89", json!("1.89.0"))).unwrap(), "1.89");
        assert_eq!(
            stated(&graph("1.89", json!("1.89.1"))).unwrap_err(),
            "`c` asks for Rust 1.89.1, and we say 1.89"
        );
        assert!(
            stated(&graph("1.90", Value::Null))
                .unwrap_err()
                .starts_with("`b` states another")
        );
    }
}
