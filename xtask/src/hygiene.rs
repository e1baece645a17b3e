//! What the dependencies are, and that every feature of ours stands alone.
//!
//! `deny.toml` says which licences, sources and crates may be among them; cargo-deny judges. Known
//! vulnerabilities are looked up where their database can be fetched.

use crate::cargo::{build_once, cargo, root};
use crate::report::Outcome::{self, Excused, Skipped};
use crate::report::ran;
use crate::tools::{self, CARGO_DENY, CARGO_HACK};
use std::process::Command;

/// Crates with features, and the ones that users take as libraries.
const EACH_FEATURE: &[&str] = &[
    "portcullis",
    "portcullis-core",
    "portcullis-resource-server",
    "portcullis-client",
    "portcullis-audit",
    "portcullis-gateway",
    "portcullis-cli",
];

/// Licences, bans and sources.
pub(crate) fn supply() -> Outcome {
    match deny() {
        Ok(mut command) => ran(command.args([
            "check",
            "--hide-inclusion-graph",
            "licenses",
            "bans",
            "sources",
        ])),
        Err(missing) => Skipped(missing),
    }
}

/// Known vulnerabilities of the locked versions. Their database is a repository of its own that not
/// every machine reaches; an old copy of it would be a false comfort.
pub(crate) fn advisories() -> Outcome {
    let Ok(mut fetch) = deny() else {
        return Skipped("cargo-deny is not there".to_owned());
    };
    let fetched = fetch
        .args(["--log-level", "off", "fetch", "db"])
        .status();
    if !fetched.is_ok_and(|status| status.success()) {
        return Excused("the advisory database cannot be fetched from here".to_owned());
    }
    match deny() {
        Ok(mut command) => ran(command.args(["check", "--disable-fetch", "advisories"])),
        Err(missing) => Skipped(missing),
    }
}

fn deny() -> Result<Command, String> {
    let mut command = Command::new(tools::installed(&CARGO_DENY)?);
    command
        .args(["--workspace", "--locked"])
        .current_dir(root());
    Ok(command)
}

/// Each crate as it would be published. A dependency on an unpublished crate shows here.
pub(crate) fn packages() -> Outcome {
    // Built again from its package, each crate would cost minutes: the other steps build them.
    let mut command = cargo(&["package", "--workspace", "--no-verify", "--locked"]);
    ran(command.args(["--allow-dirty", "--quiet"]))
}

/// Each feature of a crate by itself, none, and the default ones, with warnings denied.
pub(crate) fn each_feature() -> Outcome {
    let hack = match tools::installed(&CARGO_HACK) {
        Ok(hack) => hack,
        Err(missing) => return Skipped(missing),
    };
    let mut command = Command::new(&hack);
    command
        .args(["hack", "clippy", "--each-feature", "--locked", "--quiet"])
        .current_dir(root());
    // All of them together is what the other steps build; fuzzing has its own.
    command.args(["--exclude-features", "full,fuzzing"]);
    command.args(
        EACH_FEATURE
            .iter()
            .flat_map(|name| ["--package", name]),
    );
    build_once(&mut command);
    // Crates that one of these is built upon have turns of their own, with each of their features.
    ran(command.args(["--", "--no-deps", "-D", "warnings"]))
}
