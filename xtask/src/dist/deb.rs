//! `portcullis_<version>_<architecture>.deb`, by dpkg-deb.

use crate::cargo::root;
use crate::dist::contents::{Contents, SHELLS};
use crate::dist::program::{output, text};
use crate::dist::release::Release;
use crate::dist::scripts::{AFTER_INSTALLATION, AFTER_REMOVAL, BEFORE_REMOVAL};
use crate::dist::tree::{Effort, Tree, compress};
use std::path::Path;
use std::process::Command;

const MAINTAINER: &str = "Portcullis maintainers <maintainers@portcullis.invalid>";
const SETTINGS: &str = "etc/portcullis/portcullis.toml";
const DOCUMENTS: &str = "usr/share/doc/portcullis";

/// Where Debian looks for the completions of each shell.
const COMPLETIONS: [&str; 3] = [
    "usr/share/bash-completion/completions/portcullis",
    "usr/share/zsh/vendor-completions/_portcullis",
    "usr/share/fish/vendor_completions.d/portcullis.fish",
];

/// What lintian would say, and why it is so.
const OVERRIDES: &str = "\
# Secrets can stand in the settings.
portcullis: non-standard-file-perm 0640 != 0644 [etc/portcullis/portcullis.toml]
# It disables what an administrator enabled: nothing is enabled by installation.
portcullis: maintainer-script-calls-systemctl [prerm:*]
";

pub(crate) fn pack(
    release: &Release,
    contents: &Contents,
    work: &Path,
    out: &Path,
) -> Result<(), String> {
    let tree = Tree::create(&work.join("deb"))?;
    fill(contents, &tree)?;
    document(release, contents, &tree)?;
    control(release, &tree, work)?;
    let version = version(release.version);
    let name = format!("portcullis_{version}_{}.deb", release.architecture);
    let mut command = Command::new("dpkg-deb");
    if matches!(release.effort, Effort::Quick) {
        command.arg("-z1");
    }
    command
        .args(["--root-owner-group", "--build"])
        .arg(tree.root())
        .arg(out.join(name))
        .env("SOURCE_DATE_EPOCH", release.epoch.to_string());
    output(&mut command).map(drop)
}

/// A version of Debian's: one before a release sorts before it.
fn version(version: &str) -> String {
    version.replacen('-', "~", 1)
}

fn fill(contents: &Contents, tree: &Tree) -> Result<(), String> {
    let copy = |to: &str, name: &str| tree.copy(to, &contents.path(name), 0o644);
    tree.copy("usr/bin/portcullis", &contents.path("portcullis"), 0o755)?;
    tree.copy(SETTINGS, &contents.path("portcullis.toml"), 0o640)?;
    for unit in ["portcullis.service", "portcullis.socket"] {
        copy(
            &format!("usr/lib/systemd/system/{unit}"),
            &format!("systemd/{unit}"),
        )?;
    }
    copy(
        "usr/lib/sysusers.d/portcullis.conf",
        "systemd/portcullis.sysusers",
    )?;
    for (to, (_, name)) in COMPLETIONS.iter().zip(SHELLS) {
        copy(to, &format!("completions/{name}"))?;
    }
    for page in contents.manual() {
        let name = page.trim_start_matches("man/");
        copy_compressed(contents, tree, &page, &format!("usr/share/man/man1/{name}"))?;
    }
    Ok(())
}

fn document(release: &Release, contents: &Contents, tree: &Tree) -> Result<(), String> {
    for name in ["CHANGELOG.md", "README.md", "NOTICES.txt"] {
        copy_compressed(contents, tree, name, &format!("{DOCUMENTS}/{name}"))?;
    }
    let copyright = format!("{DOCUMENTS}/copyright");
    tree.copy(&copyright, &root().join("deploy/debian/copyright"), 0o644)?;
    let changelog = format!(
        "portcullis ({}) stable; urgency=medium\n\n  * A release. CHANGELOG.md.gz tells what changed.\n\n \
         -- {MAINTAINER}  {}\n",
        version(release.version),
        release.time("+%a, %d %b %Y %H:%M:%S +0000")?
    );
    let path = format!("{DOCUMENTS}/changelog");
    tree.write(&path, changelog.as_bytes(), 0o644)?;
    compress(&tree.root().join(path), Effort::Best)?;
    let overrides = "usr/share/lintian/overrides/portcullis";
    tree.write(overrides, OVERRIDES.as_bytes(), 0o644)
}

fn copy_compressed(contents: &Contents, tree: &Tree, name: &str, to: &str) -> Result<(), String> {
    tree.copy(to, &contents.path(name), 0o644)?;
    // Debian wants documents as small as they get, and lintian says so.
    compress(&tree.root().join(to), Effort::Best).map(drop)
}

/// What dpkg itself reads: the folder DEBIAN.
fn control(release: &Release, tree: &Tree, work: &Path) -> Result<(), String> {
    let files = tree.files();
    let mut bytes = 0;
    for file in &files {
        let found = std::fs::metadata(tree.root().join(file));
        bytes += found
            .map_err(|error| format!("{file}: {error}"))?
            .len();
    }
    let mut sums = Command::new("md5sum");
    let sums = output(sums.arg("--").args(&files).current_dir(tree.root()))?;
    let control = describe(release, &depend(tree, work)?, bytes.div_ceil(1024));
    tree.write("DEBIAN/control", control.as_bytes(), 0o644)?;
    tree.write("DEBIAN/md5sums", &sums, 0o644)?;
    tree.write(
        "DEBIAN/conffiles",
        format!("/{SETTINGS}\n").as_bytes(),
        0o644,
    )?;
    tree.write("DEBIAN/postinst", AFTER_INSTALLATION.as_bytes(), 0o755)?;
    tree.write("DEBIAN/prerm", BEFORE_REMOVAL.as_bytes(), 0o755)?;
    tree.write("DEBIAN/postrm", AFTER_REMOVAL.as_bytes(), 0o755)
}

fn describe(release: &Release, libraries: &str, kilobytes: u64) -> String {
    format!(
        "\
Package: portcullis
Version: {}
Architecture: {}
Maintainer: {MAINTAINER}
Installed-Size: {kilobytes}
Depends: {libraries}, systemd | systemd-standalone-sysusers | systemd-sysusers
Recommends: ca-certificates
Section: net
Priority: optional
Description: OAuth 2.0 and OpenID Connect protection for HTTP APIs
 Portcullis is a gateway in front of an API in any language. It lets a request
 through if it has a valid access token of a trusted identity provider, with
 the scopes and roles that its route requires.
 .
 The package also has a client for tokens, an explanation of why a token is
 refused, an audit of identity providers, and an identity provider for
 development.
",
        version(release.version),
        release.architecture
    )
}

/// The packages with the libraries of the system, by dpkg-shlibdeps. It wants to be in a source
/// package.
fn depend(tree: &Tree, work: &Path) -> Result<String, String> {
    let source = Tree::create(&work.join("source"))?;
    let control = "Source: portcullis\n\nPackage: portcullis\nArchitecture: any\n";
    source.write("debian/control", control.as_bytes(), 0o644)?;
    let mut command = Command::new("dpkg-shlibdeps");
    command
        .arg("-O")
        .arg("-e")
        .arg(tree.root().join("usr/bin/portcullis"));
    let told = text(command.current_dir(source.root()))?;
    told.strip_prefix("shlibs:Depends=")
        .map(str::to_owned)
        .ok_or_else(|| format!("dpkg-shlibdeps says `{told}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_a_release_sorts_before_it() {
        assert_eq!(version("1.0.0"), "1.0.0");
        assert_eq!(version("1.0.0-rc.1"), "1.0.0~rc.1");
    }
}
