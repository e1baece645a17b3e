//! Takes the files of Swagger UI that the page needs out of the archive that a crate of the project
//! utoipa carries: a quarter of it. They stay compressed as they are there.
#![allow(clippy::print_stdout, reason = "cargo reads what a build script says")]

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "swagger-ui")]
    swagger_ui::unpack()?;
    Ok(())
}

#[cfg(feature = "swagger-ui")]
mod swagger_ui {
    use rawzip::{CompressionMethod, ZipArchive};
    use std::error::Error;
    use std::path::Path;
    use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

    const FILES: [&str; 5] = [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "favicon-32x32.png",
        "oauth2-redirect.html",
        "oauth2-redirect.js",
    ];

    /// Writes each file to `OUT_DIR`: as `NAME`, or deflated as `NAME.deflate`. A picture that was
    /// not worth compressing has an empty `.deflate` beside it, and so the other way.
    pub(super) fn unpack() -> Result<(), Box<dyn Error>> {
        let folder = std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
        let archive = ZipArchive::from_slice(SWAGGER_UI_VENDORED)?;
        let mut found = 0;
        for entry in archive.entries() {
            let entry = entry?;
            let path = entry.file_path();
            let Some(name) = wanted(path.as_ref()) else {
                continue;
            };
            let content = archive.get_entry(entry.wayfinder())?.data();
            let (plain, deflated) = match entry.compression_method() {
                CompressionMethod::STORE => (content, &b""[..]),
                CompressionMethod::DEFLATE => (&b""[..], content),
                other => return Err(format!("{name} is compressed by {other}").into()),
            };
            let folder = Path::new(&folder);
            std::fs::write(folder.join(name), plain)?;
            std::fs::write(folder.join(format!("{name}.deflate")), deflated)?;
            found += 1;
        }
        if found == FILES.len() {
            Ok(())
        } else {
            Err("the archive of Swagger UI lacks a file".into())
        }
    }

    /// The files are built ones, in a folder below that of the version; sources lie beside them.
    fn wanted(path: &[u8]) -> Option<&'static str> {
        let (folder, name) = std::str::from_utf8(path).ok()?.rsplit_once('/')?;
        let is_built = folder.ends_with("/dist") && folder.matches('/').count() == 1;
        FILES
            .into_iter()
            .find(|file| is_built && *file == name)
    }
}
