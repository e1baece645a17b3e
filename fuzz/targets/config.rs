//! Any text as settings: a clear fault, or settings that can be used.

use portcullis_resource_server::{Config, Settings};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Config::from_toml(text).and_then(Settings::try_from) {
        Ok(_) => {}
        Err(errors) => {
            assert!(
                errors
                    .iter()
                    .all(|error| !error.help().is_empty() && !error.place().is_empty())
            )
        }
    }
}
