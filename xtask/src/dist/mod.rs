//! `cargo xtask dist`: what a release publishes, into `target/dist`.
//!
//! Everything is packed twice, and refused if the two differ. The program is compiled once: whether
//! the compiler gives the same twice is not checked here. Nothing is uploaded.

mod archive;
mod check;
mod components;
mod contents;
mod deb;
mod image;
mod libraries;
mod notices;
mod options;
mod program;
mod release;
mod sbom;
mod scripts;
mod sums;
mod tree;
mod wheels;

use crate::cargo::{cargo, root};
use crate::report::{Outcome, ran, say};
pub(crate) use check::check;
use components::Components;
use contents::Contents;
use options::Options;
use release::Release;
use std::path::{Path, PathBuf};
use tree::Effort;

/// Builds and packs everything; says what there is, with its size and digest.
pub(crate) fn run(arguments: &[String]) -> Result<String, String> {
    let options = Options::parse(arguments)?;
    if options.wheels {
        return wheels::build(&options.out);
    }
    let binary = match options.binary {
        Some(binary) => binary,
        None => build()?,
    };
    pack_program(&binary, &options.out, Effort::Best)
}

/// Packs a program twice, and keeps the packages if the two are the same.
fn pack_program(binary: &Path, folder: &Path, effort: Effort) -> Result<String, String> {
    let release = Release::of_checkout(binary, effort)?;
    let work = root().join("target/dist-work");
    let (first, second) = (work.join("first"), work.join("second"));
    let components = Components::read(&release)?;
    let sums = pack(&release, &components, &first)?;
    let again = pack(&release, &components, &second)?;
    let kept: Vec<&str> = again.lines().collect();
    if let Some(line) = sums.lines().find(|line| !kept.contains(line)) {
        return Err(format!(
            "two packings differ in {line}: compare {} and {}, and see whether the checkout changed",
            first.display(),
            second.display()
        ));
    }
    publish(&first.join("out"), folder)?;
    _ = std::fs::remove_dir_all(&work);
    say(&sums);
    Ok(format!(
        "{} has all of it, packed twice and the same both times",
        folder.display()
    ))
}

/// The program as it is shipped: minutes of compiling.
fn build() -> Result<PathBuf, String> {
    let command = cargo(&[
        "build",
        "--profile",
        "dist",
        "--locked",
        "-p",
        "portcullis-cli",
        "--features",
        "full",
    ]);
    match ran(command) {
        Outcome::Passed(_) => Ok(root().join("target/dist/portcullis")),
        _ => Err("the program cannot be built".to_owned()),
    }
}

/// Packs everything in a folder; returns the text of `SHA256SUMS`.
fn pack(release: &Release, components: &Components, work: &Path) -> Result<String, String> {
    _ = std::fs::remove_dir_all(work);
    let out = work.join("out");
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let contents = Contents::write(release, components, &work.join("contents"))?;
    archive::pack(release, &contents, work, &out)?;
    deb::pack(release, &contents, work, &out)?;
    image::pack(release, &contents, work, &out)?;
    sbom::write(release, components, &out)?;
    sums::write(&out)
}

/// Moves the files to where they are looked for; those of an earlier run go.
fn publish(from: &Path, to: &Path) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", to.display());
    std::fs::create_dir_all(to).map_err(fault)?;
    for entry in std::fs::read_dir(to).map_err(fault)?.flatten() {
        if release::is_published(&entry.file_name().to_string_lossy()) {
            std::fs::remove_file(entry.path()).map_err(fault)?;
        }
    }
    for entry in std::fs::read_dir(from).map_err(fault)?.flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).map_err(fault)?;
    }
    Ok(())
}
