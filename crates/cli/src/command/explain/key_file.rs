//! A key set from a file, in place of the issuer's own.

use crate::exit::CommandError;
use crate::files;
use portcullis_core::Limits;
use portcullis_core::jose::Jwks;
use std::path::Path;

pub(super) fn read_keys(file: &Path) -> Result<Jwks, CommandError> {
    let document = files::read_bytes(file)?;
    Jwks::parse(&document, &Limits::default()).map_err(|problem| {
        CommandError::in_file(file, problem).help(
            "`--jwks` takes a key set: a JSON object with `keys` (RFC 7517, section 5), as the \
             `jwks_uri` of the provider answers it",
        )
    })
}
