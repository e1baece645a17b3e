//! The last good key set in a file, for a start while the issuer is down.
//!
//! The file holds public keys only, but whoever can write it can choose them: it is made with mode
//! 0600, and it belongs in a directory that only this service can write.

use portcullis_core::jose::json::{self, Json};
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_core::{Limits, jose::Jwks};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// A key set from a file, and when it was fetched.
pub(super) struct Snapshot {
    pub(super) jwks: Jwks,
    pub(super) fetched: NumericDate,
}

/// Reads the snapshot of this issuer; says why, if there is none.
pub(super) fn read(path: &Path, issuer: &Issuer, limits: &Limits) -> Result<Snapshot, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    // The key set stands in it as a string: its quotes are escaped, so it is longer than the
    // document was.
    let limits = &Limits {
        document_bytes: limits.document_bytes * 2,
        ..*limits
    };
    let document = match json::parse(&bytes, limits) {
        Ok(Json::Object(object)) => object,
        // Another kind of document names no issuer.
        Ok(_) => return Err(OF_ANOTHER.to_owned()),
        Err(fault) => return Err(fault.to_string()),
    };
    // One file shared by two issuers would give the keys of one to the other.
    if document.get("issuer").and_then(Json::as_str) != Some(issuer.as_str()) {
        return Err(OF_ANOTHER.to_owned());
    }
    let fetched = document
        .get("fetched")
        .and_then(NumericDate::from_json);
    let fetched = fetched.ok_or("it does not say when it was fetched")?;
    let keys = document.get("key_set").and_then(Json::as_str);
    let keys = keys.ok_or("it holds no key set")?;
    match Jwks::parse(keys.as_bytes(), limits) {
        Ok(jwks) => Ok(Snapshot { jwks, fetched }),
        Err(error) => Err(error.to_string()),
    }
}

const OF_ANOTHER: &str = "it is the snapshot of another issuer";

/// Writes the snapshot beside the old one and moves it into place, so that a crash leaves one of
/// the two whole.
pub(super) fn write(
    path: &Path,
    issuer: &Issuer,
    fetched: NumericDate,
    key_set: &[u8],
) -> io::Result<()> {
    let document = serde_json::json!({
        "issuer": issuer.as_str(),
        "fetched": fetched.seconds(),
        "key_set": String::from_utf8_lossy(key_set),
    });
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(document.to_string().as_bytes())?;
    // Before the rename: otherwise a power loss could leave an empty file under the good name.
    file.sync_all()?;
    fs::rename(beside, path)
}
