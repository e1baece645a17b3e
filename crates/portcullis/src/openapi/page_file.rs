//! The files of Swagger UI, out of the archive that a crate of the project utoipa carries.

use axum::body::Bytes;
use std::io::{Cursor, Read as _};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// A file, and what it is.
pub(super) struct PageFile {
    /// The end of its path, with a slash before it.
    pub(super) name: &'static str,
    pub(super) media_type: &'static str,
    pub(super) content: Bytes,
}

/// The files that the page needs; the archive has more.
const FILES: [(&str, &str); 5] = [
    ("/swagger-ui.css", "text/css"),
    ("/swagger-ui-bundle.js", "text/javascript"),
    ("/favicon-32x32.png", "image/png"),
    ("/oauth2-redirect.html", "text/html"),
    ("/oauth2-redirect.js", "text/javascript"),
];

impl PageFile {
    pub(super) fn new(name: &'static str, media_type: &'static str, text: String) -> Self {
        Self {
            name,
            media_type,
            content: text.into(),
        }
    }

    /// The files of Swagger UI. They are unpacked when a router is made, not for each request.
    pub(super) fn of_swagger_ui() -> Vec<Self> {
        let mut files = Vec::new();
        // The archive is part of this binary, so a test tells whether it can be read.
        let Ok(mut archive) = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)) else {
            return files;
        };
        let folder = folder_of(&archive);
        for (name, media_type) in FILES {
            let mut content = Vec::new();
            if let Ok(mut file) = archive.by_name(&format!("{folder}{name}"))
                && file.read_to_end(&mut content).is_ok()
            {
                files.push(Self {
                    name,
                    media_type,
                    content: content.into(),
                });
            }
        }
        files
    }
}

/// The folder of the built files: its parent has the version in its name.
fn folder_of(archive: &ZipArchive<Cursor<&[u8]>>) -> String {
    for name in archive.file_names().flatten() {
        if let Some(folder) = name.strip_suffix("/swagger-ui.css") {
            return folder.to_owned();
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_has_every_file() {
        let files = PageFile::of_swagger_ui();
        assert_eq!(files.len(), FILES.len());
        assert!(files.iter().all(|file| !file.content.is_empty()));
    }
}
