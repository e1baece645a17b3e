//! What goes into every package: the program, and what the program itself writes.

use crate::cargo::root;
use crate::dist::components::Components;
use crate::dist::notices;
use crate::dist::program::{output, text};
use crate::dist::release::Release;
use crate::dist::tree::Tree;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with these files, from which the packages are filled.
pub(crate) struct Contents {
    tree: Tree,
}

/// Each shell, and the name that its completions have.
pub(crate) const SHELLS: [(&str, &str); 3] = [
    ("bash", "portcullis.bash"),
    ("zsh", "_portcullis"),
    ("fish", "portcullis.fish"),
];

/// The units, and the user that they run as.
pub(crate) const UNITS: [&str; 3] = [
    "portcullis.service",
    "portcullis.socket",
    "portcullis.sysusers",
];

impl Contents {
    pub(crate) fn write(
        release: &Release,
        components: &Components,
        folder: &Path,
    ) -> Result<Self, String> {
        let says = text(&mut ask(release, &["--version"]))?;
        if says != format!("portcullis {}", release.version) {
            let version = release.version;
            return Err(format!("the program is `{says}`, not version {version}"));
        }
        let tree = Tree::create(folder)?;
        tree.copy("portcullis", &release.binary, 0o755)?;
        for name in ["LICENSE", "README.md", "CHANGELOG.md"] {
            tree.copy(name, &root().join(name), 0o644)?;
        }
        tree.write("NOTICES.txt", notices::of(components)?.as_bytes(), 0o644)?;
        let settings = output(&mut ask(release, &["config", "init", "--config", "-"]))?;
        tree.write("portcullis.toml", &settings, 0o644)?;
        for (shell, name) in SHELLS {
            let script = output(&mut ask(release, &["completions", shell]))?;
            tree.write(&format!("completions/{name}"), &script, 0o644)?;
        }
        write_manual(release, &tree)?;
        for unit in UNITS {
            let from = root().join("deploy/systemd").join(unit);
            tree.copy(&format!("systemd/{unit}"), &from, 0o644)?;
        }
        Ok(Self { tree })
    }

    /// Where a file is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.tree.root().join(name)
    }

    /// The paths of all files, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        self.tree.files()
    }

    /// The pages of the manual, by their paths.
    pub(crate) fn manual(&self) -> Vec<String> {
        let mut pages = self.tree.files();
        pages.retain(|path| path.starts_with("man/"));
        pages
    }
}

fn write_manual(release: &Release, tree: &Tree) -> Result<(), String> {
    let folder = tree.root().join("man-unsorted");
    let mut command = ask(release, &["man", "--out"]);
    output(command.arg(&folder))?;
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("the manual: {error}"))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        tree.copy(&format!("man/{name}"), &entry.path(), 0o644)?;
    }
    std::fs::remove_dir_all(&folder).map_err(|error| format!("the manual: {error}"))
}

/// The program, without anything of this machine's that could change what it writes.
fn ask(release: &Release, arguments: &[&str]) -> Command {
    let mut command = Command::new(&release.binary);
    command.args(arguments).env_clear().current_dir("/");
    command
}
