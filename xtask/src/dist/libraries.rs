//! What an image needs of the system beside the program: its shared libraries, from the installed
//! packages of Debian, and the certificates of authorities.
//!
//! A file that is not as its package has it is refused: this machine may have been changed, and the
//! image would carry the change to others.

use crate::dist::program::{output, text};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Where the package has them. The bundle in /etc/ssl may have authorities of this machine's owner.
const AUTHORITIES: &str = "/usr/share/ca-certificates/mozilla/";

pub(crate) struct Library {
    /// Where the loader looks for it.
    pub(crate) path: String,
    pub(crate) package: String,
}

/// The libraries that the program loads, and the loader.
pub(crate) fn find(binary: &Path) -> Result<Vec<Library>, String> {
    let told = text(Command::new("ldd").arg(binary).env("LC_ALL", "C"))?;
    if let Some(missing) = told.lines().find(|line| line.contains("not found")) {
        return Err(format!("{}: {missing}", binary.display()));
    }
    let mut libraries = Vec::new();
    for path in paths(&told) {
        let package = owner(&path)?;
        libraries.push(Library { path, package });
    }
    Ok(libraries)
}

/// The certificates of all authorities that Debian has from Mozilla, in one file. Others in the same
/// folder are additions of this machine's.
pub(crate) fn authorities() -> Result<Vec<u8>, String> {
    let listed = text(Command::new("dpkg-query").args(["--listfiles", "ca-certificates"]))?;
    let mut paths: Vec<&str> = listed
        .lines()
        .filter(|path| path.starts_with(AUTHORITIES) && path.ends_with(".crt"))
        .collect();
    paths.sort_unstable();
    let mut bundle = Vec::new();
    for path in paths {
        bundle.extend(std::fs::read(path).map_err(|error| format!("{path}: {error}"))?);
        bundle.push(b'\n');
    }
    Ok(bundle)
}

/// The packages of the libraries and of the certificates, in order.
pub(crate) fn packages(libraries: &[Library]) -> BTreeSet<String> {
    let of_libraries = libraries.iter().map(|it| it.package.clone());
    of_libraries
        .chain(["ca-certificates".to_owned()])
        .collect()
}

/// What dpkg knows of a package: scanners of images read it.
pub(crate) fn status(package: &str) -> Result<Vec<u8>, String> {
    output(Command::new("dpkg-query").args(["--status", package]))
}

/// Refuses a package with changed files. Documents can be left out of small systems.
pub(crate) fn verify(package: &str) -> Result<(), String> {
    let mut command = Command::new("dpkg");
    // It says by its output what it found, and by its status only that it found something.
    let told = command.args(["--verify", package]).output();
    let told = told.map_err(|error| format!("dpkg: {error}"))?.stdout;
    let told = String::from_utf8_lossy(&told);
    match told
        .lines()
        .find(|line| !line.contains("/usr/share/doc/"))
    {
        Some(line) => Err(format!("{package} is not as Debian has it: {line}")),
        None => Ok(()),
    }
}

/// The package that a file is of. Older ones know it by its path before /lib became a link.
fn owner(path: &str) -> Result<String, String> {
    let ask = |path: &str| {
        let told = text(Command::new("dpkg-query").args(["--search", path]))?;
        let name = told.split(':').next().unwrap_or_default();
        Ok::<_, String>(name.to_owned())
    };
    let beside = match path.strip_prefix("/usr") {
        Some(path) => path.to_owned(),
        None => format!("/usr{path}"),
    };
    ask(path).or_else(|_| ask(&beside))
}

/// The paths in what ldd prints, in order.
fn paths(told: &str) -> Vec<String> {
    let mut paths = BTreeSet::new();
    for line in told.lines() {
        let rest = line.split("=>").last().unwrap_or_default().trim();
        if let Some(path) = rest.split_whitespace().next()
            && path.starts_with('/')
        {
            paths.insert(path.to_owned());
        }
    }
    paths.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_ldd_is_read() {
        let told = "\tlinux-vdso.so.1 (0x00007f21e3040000)\n\
                    \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f21df81e000)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f21e3042000)\n";
        let expected = [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(paths(told), expected);
    }
}
