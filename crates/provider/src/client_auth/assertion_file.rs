//! A client's assertion that somebody else signs and keeps in a file (RFC 7523, section 2.2): the
//! projected token of a Kubernetes pod, or the file that `AZURE_FEDERATED_TOKEN_FILE` names.
//!
//! It is read each time it is sent, because its writer replaces it before it ends. Refuses: a file
//! that is empty, larger than 64 KiB, or no compact JWT. Does not check the signature, the audience
//! or the end: the issuer does.

use super::Secret;
use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A file with an assertion.
#[derive(Clone, Debug)]
pub struct AssertionFile {
    path: PathBuf,
}

const LARGEST: u64 = 64 * 1024;

impl AssertionFile {
    /// The file, read once to see that it can be.
    ///
    /// # Errors
    ///
    /// What was expected of the file, and what was found; nothing of what it holds.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = Self {
            path: path.to_owned(),
        };
        file.read()?;
        Ok(file)
    }

    /// The assertion that the file holds now.
    pub(super) fn read(&self) -> Result<Secret, String> {
        let mut text = Zeroizing::new(String::new());
        let length = self
            .read_into(&mut text)
            .map_err(|error| self.fault(error))?;
        // Editors and shells leave a byte order mark or a line break behind.
        let text = text.trim_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(self.fault("expected a signed JWT, found an empty file"));
        }
        if length > LARGEST {
            return Err(self.fault("expected a signed JWT, found more than 64 KiB"));
        }
        if !is_compact(text) {
            return Err(self.fault("expected a signed JWT, found another text"));
        }
        Ok(Secret::new(text))
    }

    /// Reads one byte more than is allowed, so that a larger file shows.
    fn read_into(&self, text: &mut String) -> std::io::Result<u64> {
        let mut file = File::open(&self.path)?.take(LARGEST + 1);
        file.read_to_string(text)?;
        Ok(LARGEST + 1 - file.limit())
    }

    /// Names the file and nothing that it holds: whoever reads a log must not find a credential.
    fn fault(&self, found: impl Display) -> String {
        format!("{}: {found}", self.path.display())
    }
}

/// Three parts of base64url, each with something in it.
fn is_compact(text: &str) -> bool {
    text.split('.').count() == 3 && text.split('.').all(is_segment)
}

fn is_segment(part: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !part.is_empty() && part.bytes().all(is_base64url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_each_time_and_nothing_of_it_is_told() {
        let path =
            std::env::temp_dir().join(format!("portcullis-assertion-{}", std::process::id()));
        std::fs::write(&path, "a.b.c\n").unwrap();
        let file = AssertionFile::open(&path).unwrap();
        assert_eq!(file.read().unwrap().expose(), "a.b.c");
        std::fs::write(&path, "  d.e.f\r\n").unwrap();
        assert_eq!(file.read().unwrap().expose(), "d.e.f");
        for (text, found) in [
            ("", "an empty file"),
            (" \n", "an empty file"),
            ("marked", "another text"),
            ("marked.b", "another text"),
            ("marked.b.", "another text"),
            ("marked.b c.d", "another text"),
            ("<marked/>", "another text"),
            (&"x".repeat(70_000), "more than 64 KiB"),
        ] {
            std::fs::write(&path, text).unwrap();
            let problem = file.read().unwrap_err();
            assert!(
                problem.contains(found) && !problem.contains("marked"),
                "{problem}"
            );
        }
        std::fs::remove_file(&path).unwrap();
        assert!(file.read().is_err() && AssertionFile::open(&path).is_err());
    }
}
