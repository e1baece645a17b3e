//! The files that policies are in, read with bounds.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// No file of policies is larger.
const MOST_BYTES: u64 = 1024 * 1024;
/// No more files are read.
const MOST_FILES: usize = 1_000;

/// A file, and its text or why it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyFile {
    pub(crate) path: PathBuf,
    pub(crate) text: Result<String, String>,
}

/// The files that the settings name: themselves, or in a folder all that end in `.cedar`, by name.
pub(crate) fn policy_files(written: &[PathBuf]) -> Vec<PolicyFile> {
    let mut files: Vec<PolicyFile> = Vec::new();
    for path in written {
        match folder(path) {
            Ok(Some(folder)) => files.extend(folder.into_iter().map(PolicyFile::read)),
            Ok(None) => files.push(PolicyFile::read(path.clone())),
            Err(error) => files.push(PolicyFile {
                path: path.clone(),
                text: Err(error.to_string()),
            }),
        }
    }
    files
}

/// The policy files of a folder; `None` if the path is no folder.
fn folder(path: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    if !path.is_dir() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.extension() == Some(OsStr::new("cedar")) {
            files.push(file);
        }
        if files.len() > MOST_FILES {
            let fault = format!("it has more than {MOST_FILES} files");
            return Err(io::Error::other(fault));
        }
    }
    if files.is_empty() {
        return Err(io::Error::other("no file in it ends in `.cedar`"));
    }
    // The order of a folder differs between file systems; the order of faults should not.
    files.sort();
    Ok(Some(files))
}

impl PolicyFile {
    fn read(path: PathBuf) -> Self {
        // Looked at first, so that a wrong file is not read into memory.
        let text = match std::fs::metadata(&path) {
            Ok(found) if found.len() > MOST_BYTES => {
                Err(io::Error::other("it is larger than 1 MiB"))
            }
            Ok(_) => std::fs::read_to_string(&path),
            Err(error) => Err(error),
        };
        let text = text.map_err(|error| error.to_string());
        Self { path, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test, gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let own = format!("portcullis-policies-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(own);
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_has_at_most_one_mebibyte() {
        let folder = Folder::new("size");
        let file = folder.0.join("a.cedar");
        for (size, is_read) in [(0, true), (1_048_576, true), (1_048_577, false)] {
            std::fs::write(&file, " ".repeat(size)).unwrap();
            let found = policy_files(std::slice::from_ref(&file));
            assert_eq!(found.len(), 1, "{size}");
            assert_eq!(found[0].text.is_ok(), is_read, "{size}");
        }
    }

    #[test]
    fn a_folder_has_at_most_a_thousand_files() {
        let folder = Folder::new("count");
        std::fs::write(folder.0.join("notes.txt"), "not a policy").unwrap();
        for index in 0..1_000 {
            std::fs::write(folder.0.join(format!("{index}.cedar")), "").unwrap();
        }
        let found = policy_files(std::slice::from_ref(&folder.0));
        assert_eq!(found.len(), 1_000);
        assert!(found.iter().all(|file| file.text.is_ok()));
        std::fs::write(folder.0.join("last.cedar"), "").unwrap();
        let found = policy_files(std::slice::from_ref(&folder.0));
        assert_eq!(found.len(), 1);
        assert!(found[0].text.is_err());
    }
}
