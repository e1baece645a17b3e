//! `portcullis-<version>-<target>.tar.gz`: the program and its files, for any Linux.

use crate::dist::contents::Contents;
use crate::dist::release::Release;
use crate::dist::tree::{Tree, compress};
use std::path::Path;

pub(crate) fn pack(
    release: &Release,
    contents: &Contents,
    work: &Path,
    out: &Path,
) -> Result<(), String> {
    let name = format!("portcullis-{}-{}", release.version, release.target);
    let tree = Tree::create(&work.join("archive"))?;
    for path in contents.files() {
        let mode = if path == "portcullis" { 0o755 } else { 0o644 };
        tree.copy(&format!("{name}/{path}"), &contents.path(&path), mode)?;
    }
    let archive = out.join(format!("{name}.tar"));
    tree.pack(release.epoch, &archive)?;
    compress(&archive, release.effort).map(drop)
}
