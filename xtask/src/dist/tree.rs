//! A folder that becomes an archive: every mode is given, and owners, times and order are fixed when
//! it is packed.

use crate::dist::program::output;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// An empty folder, whatever was there.
    pub(crate) fn create(root: &Path) -> Result<Self, String> {
        _ = std::fs::remove_dir_all(root);
        std::fs::create_dir_all(root).map_err(|error| fault(root, &error))?;
        allow(root, 0o755)?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, path: &str, contents: &[u8], mode: u32) -> Result<(), String> {
        let file = self.place(path)?;
        std::fs::write(&file, contents).map_err(|error| fault(&file, &error))?;
        allow(&file, mode)
    }

    /// Copies a file, following links.
    pub(crate) fn copy(&self, path: &str, from: &Path, mode: u32) -> Result<(), String> {
        let file = self.place(path)?;
        std::fs::copy(from, &file).map_err(|error| fault(from, &error))?;
        allow(&file, mode)
    }

    /// Makes a folder and those above it, for everybody to read.
    pub(crate) fn open(&self, path: &str) -> Result<PathBuf, String> {
        let mut folder = self.root.clone();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            folder.push(part);
            if !folder.is_dir() {
                std::fs::create_dir(&folder).map_err(|error| fault(&folder, &error))?;
                allow(&folder, 0o755)?;
            }
        }
        Ok(folder)
    }

    /// The paths of all files below the root, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        collect(&self.root, "", &mut files);
        files.sort();
        files
    }

    /// Packs everything below the root: sorted by name, owned by root, all at one time.
    pub(crate) fn pack(&self, epoch: u64, archive: &Path) -> Result<(), String> {
        let mut names = Vec::new();
        let entries = std::fs::read_dir(&self.root).map_err(|error| fault(&self.root, &error))?;
        for entry in entries.flatten() {
            names.push(entry.file_name());
        }
        names.sort();
        let mut tar = Command::new("tar");
        // The oldest format that has what is needed says the least about this machine.
        tar.args(["--create", "--format=ustar", "--sort=name"])
            .args(["--owner=0", "--group=0", "--numeric-owner"])
            .arg(format!("--mtime=@{epoch}"));
        tar.arg("--file").arg(archive);
        tar.arg("--directory")
            .arg(&self.root)
            .arg("--")
            .args(names);
        output(tar.env("LC_ALL", "C")).map(drop)
    }

    fn place(&self, path: &str) -> Result<PathBuf, String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok(self.open(folder)?.join(name))
    }
}

/// How much work compression is worth.
#[derive(Clone, Copy)]
pub(crate) enum Effort {
    /// What is published is fetched many times.
    Best,
    /// What is only checked, and thrown away.
    Quick,
}

/// Replaces a file by its compressed form, without its name and time. Returns the path of that.
pub(crate) fn compress(file: &Path, effort: Effort) -> Result<PathBuf, String> {
    let level = match effort {
        Effort::Best => "--best",
        Effort::Quick => "--fast",
    };
    let mut command = Command::new("gzip");
    output(
        command
            .args([level, "--no-name", "--force", "--"])
            .arg(file),
    )?;
    let mut name = file.as_os_str().to_owned();
    name.push(".gz");
    Ok(PathBuf::from(name))
}

fn collect(folder: &Path, above: &str, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = format!("{above}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else {
            files.push(path);
        }
    }
}

fn allow(path: &Path, mode: u32) -> Result<(), String> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| fault(path, &error))
}

fn fault(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(folder: &Path, names: [&str; 3]) -> Vec<u8> {
        let tree = Tree::create(&folder.join("tree")).unwrap();
        for name in names {
            tree.write(name, name.as_bytes(), 0o640).unwrap();
        }
        let archive = folder.join("archive.tar");
        tree.pack(1_000, &archive).unwrap();
        std::fs::read(archive).unwrap()
    }

    #[test]
    fn an_archive_does_not_depend_on_the_order_of_writing() {
        let folder = std::env::temp_dir().join(format!("xtask-tree-{}", std::process::id()));
        let first = packed(&folder, ["b/z", "a", "b/y"]);
        let second = packed(&folder, ["b/y", "b/z", "a"]);
        let mut list = Command::new("tar");
        list.args(["--list", "--verbose", "--numeric-owner", "--file"]);
        let listed = output(list.arg(folder.join("archive.tar")).env("TZ", "UTC")).unwrap();
        _ = std::fs::remove_dir_all(&folder);
        assert_eq!(first, second);
        let listed = String::from_utf8(listed).unwrap();
        let names: Vec<&str> = listed
            .lines()
            .filter_map(|it| it.split(' ').next_back())
            .collect();
        assert_eq!(names, ["a", "b/", "b/y", "b/z"]);
        let first = listed.lines().next().unwrap();
        assert!(first.starts_with("-rw-r----- 0/0"), "{first}");
        assert!(first.contains("1970-01-01 00:16"), "{first}");
    }
}
