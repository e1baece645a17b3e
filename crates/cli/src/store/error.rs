//! The errors of the token store, each with the way out.
//!
//! A store that cannot be read is never overwritten: a good copy of the key may still turn up.

use crate::exit::CommandError;
use std::path::Path;

/// A token file that exists and cannot be read.
pub(super) fn unreadable(path: &Path, problem: &str) -> CommandError {
    let path = path.display();
    let message = format!("cannot read the token store {path}: {problem}; the file is unchanged");
    CommandError::could_not_run(message).help(
        "restore a good copy, or start over with `portcullis token clear --all`, or pass \
            `--store none`",
    )
}

/// A token file that needs a passphrase, where none was given.
pub(super) fn no_passphrase(path: &Path) -> CommandError {
    let path = path.display();
    CommandError::could_not_run(format!("the token store {path} needs its passphrase"))
        .help("set PORTCULLIS_PASSPHRASE, or pass `--store none`")
}

/// A passphrase that does not fit the token file.
pub(super) fn wrong_passphrase(path: &Path) -> CommandError {
    let message = format!(
        "the passphrase does not open the token store {}, or the file was modified; the file is \
            unchanged",
        path.display()
    );
    CommandError::could_not_run(message).help(
        "try again, or start over with `portcullis token clear --all`, or pass `--store none`",
    )
}

/// A key file without a key.
pub(super) fn bad_key_file(path: &Path) -> CommandError {
    CommandError::in_file(path, "expected the key of the token store, found none")
        .help("restore the key file, or start over with `portcullis token clear --all`")
}

/// A system that cannot make keys and nonces.
pub(super) fn no_random_numbers() -> CommandError {
    CommandError::could_not_run("the system's random number generator failed")
}
