//! The files that policies are in, read with bounds.

use std::path::{Path, PathBuf};

/// No file of policies is larger.
const MOST_BYTES: u64 = 1024 * 1024;
/// No more files are read.
const MOST_FILES: usize = 1_000;

/// A file, and its text, or why that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: Result<String, String>,
}

/// The files that the settings name: themselves, or in a folder all that end in `.cedar`, by name.
pub(crate) fn sources(written: &[PathBuf]) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for path in written {
        match folder(path) {
            Ok(Some(files)) => sources.extend(files.into_iter().map(Source::read)),
            Ok(None) => sources.push(Source::read(path.clone())),
            Err(why) => sources.push(Source {
                path: path.clone(),
                text: Err(why),
            }),
        }
    }
    sources
}

/// The policy files of a folder; `None` where it is none.
fn folder(path: &Path) -> Result<Option<Vec<PathBuf>>, String> {
    if !path.is_dir() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| error.to_string())? {
        let file = entry.map_err(|error| error.to_string())?.path();
        if file
            .extension()
            .is_some_and(|extension| extension == "cedar")
        {
            files.push(file);
        }
        if files.len() > MOST_FILES {
            return Err(format!("it has more than {MOST_FILES} files"));
        }
    }
    if files.is_empty() {
        return Err("no file in it ends in `.cedar`".to_owned());
    }
    files.sort();
    Ok(Some(files))
}

impl Source {
    fn read(path: PathBuf) -> Self {
        let text = match std::fs::metadata(&path) {
            Ok(found) if found.len() > MOST_BYTES => Err("it is larger than 1 MiB".to_owned()),
            Ok(_) => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Self { path, text }
    }
}
