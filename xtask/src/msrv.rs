//! The oldest compiler that we claim to build with: `rust-version` of the workspace.
//!
//! No dependency may ask for a newer one, and clippy's `incompatible_msrv` finds names of the
//! standard library that are younger. Only that compiler itself can say the rest; where it is
//! installed, it is asked.

use crate::cargo::{array, metadata, root, text};
use crate::report::Outcome::{self, Excused};
use crate::report::{ran, told};
use serde_json::Value;
use std::collections::BTreeSet;
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
        "--exclude",
        "orders-api",
        "--locked",
        "--target-dir",
        "target/msrv",
    ]);
    ran(command
        .env_remove("CARGO")
        .env_remove("RUSTC")
        .env_remove("RUSTUP_TOOLCHAIN"))
}

/// The version that every published crate of the workspace states, if nothing that is built with
/// them asks for a newer one. An example that is not published may state its own.
fn stated(metadata: &Value) -> Result<String, String> {
    let published: Vec<&Value> = array(metadata, "packages")
        .iter()
        .filter(|package| is_published(package))
        .collect();
    let stated = published
        .first()
        .map_or("", |package| text(package, "rust_version"));
    let mut faults = Vec::new();
    for package in &published {
        if text(package, "rust_version") != stated {
            let name = text(package, "name");
            faults.push(format!(
                "`{name}` states another `rust-version` than {stated}"
            ));
        }
    }
    let built = built_with(metadata, &published);
    for package in array(metadata, "packages") {
        let (name, asked) = (text(package, "name"), text(package, "rust_version"));
        if built.contains(text(package, "id")) && numbers(asked) > numbers(stated) {
            faults.push(format!(
                "`{name}` asks for Rust {asked}, and we say {stated}"
            ));
        }
    }
    if faults.is_empty() {
        Ok(stated.to_owned())
    } else {
        Err(faults.join("\n"))
    }
}

/// Whether it is a crate of the workspace that goes to a registry.
fn is_published(package: &Value) -> bool {
    let is_ours = package.get("source").is_none_or(Value::is_null);
    // `publish = false` is an empty list of registries here.
    let registries = package.get("publish").and_then(Value::as_array);
    is_ours && registries.is_none_or(|registries| !registries.is_empty())
}

/// What is built from elsewhere for these packages, by its id: not what only their tests need.
fn built_with<'m>(metadata: &'m Value, packages: &[&'m Value]) -> BTreeSet<&'m str> {
    let nodes = metadata
        .get("resolve")
        .map_or(&[][..], |it| array(it, "nodes"));
    let own: Vec<&str> = packages
        .iter()
        .map(|package| text(package, "id"))
        .collect();
    let (mut waiting, mut built) = (own.clone(), BTreeSet::new());
    while let Some(id) = waiting.pop() {
        if !built.insert(id) {
            continue;
        }
        for node in nodes.iter().filter(|node| text(node, "id") == id) {
            let dependencies = array(node, "deps").iter();
            waiting.extend(
                dependencies
                    .filter(|it| is_built(it))
                    .map(|it| text(it, "pkg")),
            );
        }
    }
    built.retain(|id| !own.contains(id));
    built
}

fn is_built(dependency: &Value) -> bool {
    let mut kinds = array(dependency, "dep_kinds").iter();
    kinds.any(|kind| text(kind, "kind") != "dev")
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
            let needs = |package: &str, kind: Value| json!({ "pkg": package, "dep_kinds": [{ "kind": kind }] });
            json!({
                "packages": [
                    { "id": "a", "name": "a", "source": null, "rust_version": "1.89" },
                    { "id": "b", "name": "b", "source": null, "rust_version": ours },
                    { "id": "c", "name": "c", "source": "registry+x", "rust_version": theirs },
                    { "id": "d", "name": "d", "source": null, "publish": [], "rust_version": "2.0" },
                    { "id": "e", "name": "e", "source": "registry+x", "rust_version": "2.0" },
                ],
                "resolve": { "nodes": [
                    { "id": "a", "deps": [needs("b", Value::Null), needs("e", json!("dev"))] },
                    { "id": "b", "deps": [needs("c", json!("build"))] },
                    { "id": "d", "deps": [needs("e", Value::Null)] },
                ] },
            })
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
