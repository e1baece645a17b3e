//! The files of Swagger UI, which `build.rs` took out of the archive that a crate of the project
//! utoipa carries.

use axum::body::Bytes;
use flate2::read::DeflateDecoder;
use std::io::Read as _;

/// A file, and what it is.
pub(super) struct PageFile {
    /// The end of its path, with a slash before it.
    pub(super) name: &'static str,
    pub(super) media_type: &'static str,
    pub(super) content: Bytes,
}

/// A file as it is in this binary: one of the two is empty.
struct PackedFile {
    name: &'static str,
    media_type: &'static str,
    plain: &'static [u8],
    deflated: &'static [u8],
}

macro_rules! packed {
    ($name:literal, $media_type:literal) => {
        PackedFile {
            name: concat!("/", $name),
            media_type: $media_type,
            plain: include_bytes!(concat!(env!("OUT_DIR"), "/", $name)),
            deflated: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".deflate")),
        }
    };
}

/// The files that the page needs; the archive has more.
const FILES: [PackedFile; 5] = [
    packed!("swagger-ui.css", "text/css"),
    packed!("swagger-ui-bundle.js", "text/javascript"),
    packed!("favicon-32x32.png", "image/png"),
    packed!("oauth2-redirect.html", "text/html"),
    packed!("oauth2-redirect.js", "text/javascript"),
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
        for file in FILES {
            let mut content = file.plain.to_vec();
            // What is part of this binary can be unpacked: a test tells.
            if file.deflated.is_empty()
                || DeflateDecoder::new(file.deflated)
                    .read_to_end(&mut content)
                    .is_ok()
            {
                files.push(Self {
                    name: file.name,
                    media_type: file.media_type,
                    content: content.into(),
                });
            }
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_there_and_whole() {
        let files = PageFile::of_swagger_ui();
        let found: Vec<_> = files
            .iter()
            .map(|file| (file.name, file.content.len() > 100))
            .collect();
        let all = FILES.map(|file| (file.name, true));
        assert_eq!(found, all);
        let ends = |name: &str, end: &[u8]| {
            let file = files.iter().find(|file| file.name == name).unwrap();
            file.content.trim_ascii_end().ends_with(end)
        };
        assert!(ends("/favicon-32x32.png", b"IEND\xaeB`\x82"));
        assert!(ends("/oauth2-redirect.html", b"</html>"));
    }
}
