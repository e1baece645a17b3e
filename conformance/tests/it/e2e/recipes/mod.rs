//! The recipes of `deploy/` and `examples/`, run as they are committed but for ports and issuer:
//! real programs in front, the gateway as a process, an API behind that has no protection of its
//! own.

mod behind_nginx;
mod bound;
mod caddy;
mod calls;
mod corpus;
mod envoy;
mod fastapi;
mod nginx;
mod peers;
pub(super) mod setup;
mod traefik;
mod wire;
mod written;

use std::path::PathBuf;

/// A program that `cargo xtask test` installs, if it did: `variable` names it, or the folder that
/// it is in.
pub(super) fn installed(variable: &str, program: &str) -> Option<PathBuf> {
    let Some(place) = std::env::var_os(variable).map(PathBuf::from) else {
        crate::tally::skipped(&format!(
            "{program} is not installed; `cargo xtask test` does it"
        ));
        return None;
    };
    Some(if place.is_dir() {
        place.join(program)
    } else {
        place
    })
}

/// The text of a committed file.
pub(super) fn committed(path: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    std::fs::read_to_string(format!("{root}/{path}")).unwrap()
}
