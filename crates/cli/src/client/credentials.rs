//! What proves the client: its secret, key, certificate or assertion.

use super::variables::{ClientVariables, SECRET};
use crate::args::ClientArguments;
use crate::exit::CommandError;
use crate::files;
use portcullis_client::{Authentication, PrivateKey, Secret};
use portcullis_core::ConfigError;
use std::path::Path;
use zeroize::Zeroizing;

/// The client's authentication. Arguments take precedence over variables.
///
/// # Errors
///
/// Files that cannot be read or hold nothing, and two variables at once.
pub(super) fn authentication(
    arguments: &ClientArguments,
    variables: &ClientVariables,
) -> Result<Authentication, CommandError> {
    let certificate = read_optional_pem(arguments.client_certificate_file.as_deref())?;
    if let Some(path) = &arguments.client_key_file {
        files::warn_if_shared(path);
        let key = PrivateKey::read(
            &read_pem(path)?,
            None,
            arguments.client_key_id.as_deref(),
            // Entra ID finds the key by the thumbprint of its certificate.
            certificate.as_deref(),
        );
        return key
            .map(Authentication::private_key)
            .map_err(config_error);
    }
    // After the key: beside one, the certificate only says which key it is.
    if let Some(pem) = certificate {
        return Authentication::certificate(&pem).map_err(config_error);
    }
    if let Some(path) = &arguments.client_assertion_file {
        return Authentication::assertion_file(path).map_err(config_error);
    }
    if let Some(path) = &arguments.client_secret_file {
        return Ok(by_secret(
            arguments,
            read_secret_file(path, "the client secret")?,
        ));
    }
    match (&variables.secret, &variables.assertion_file) {
        (Some(_), Some(_)) => Err(CommandError::could_not_run(format!(
            "expected one kind of client credentials, found both {SECRET} and \
                OAUTH2_CLIENT_ASSERTION_FILE"
        ))
        .help("unset the one that the client does not use")),
        (None, Some(path)) => Authentication::assertion_file(path).map_err(config_error),
        (Some(secret), None) => Ok(by_secret(arguments, trim_secret(secret)?)),
        (None, None) => Ok(Authentication::public()),
    }
}

/// A file with certificates or a key in PEM, if one is named.
///
/// # Errors
///
/// As [`read_pem`].
pub(super) fn read_optional_pem(path: Option<&Path>) -> Result<Option<Vec<u8>>, CommandError> {
    path.map(read_pem).transpose()
}

/// A fault in the settings, as the error of a command.
#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
pub(super) fn config_error(error: ConfigError) -> CommandError {
    // One fault of an argument or a file needs no list.
    CommandError::could_not_run(format!("{}: {}", error.place(), error.message()))
        .help(error.help())
}

/// The largest file with a secret or a token, in bytes.
const LARGEST_SECRET: u64 = 65_536;

/// A secret in a file, without the white space that editors leave around it.
///
/// # Errors
///
/// A file that cannot be read, and an empty one: it is a mistake, not an empty secret.
pub(crate) fn read_secret_file(path: &Path, expected: &str) -> Result<Secret, CommandError> {
    files::warn_if_shared(path);
    // The buffer is a copy of the secret, so it is wiped too.
    let size = std::fs::metadata(path).map(|found| found.len());
    if size.is_ok_and(|size| size > LARGEST_SECRET) {
        let problem = format!("expected {expected}, found more than {LARGEST_SECRET} bytes");
        return Err(CommandError::in_file(path, problem).help("name the file with the secret"));
    }
    let text = Zeroizing::new(files::read_text(path)?);
    let text = trim(&text);
    if text.is_empty() {
        return Err(empty_file(path, expected));
    }
    if text.contains(['\n', '\r']) {
        let problem = format!("expected {expected} in one line, found several lines");
        return Err(CommandError::in_file(path, problem).help("leave the secret alone in the file"));
    }
    Ok(Secret::new(text))
}

/// RFC 6749, section 2.3.1: HTTP Basic is what every provider must take.
fn by_secret(arguments: &ClientArguments, secret: Secret) -> Authentication {
    if arguments.client_secret_post {
        Authentication::secret_post(secret)
    } else {
        Authentication::secret_basic(secret)
    }
}

/// The secret of the environment, without white space around it.
fn trim_secret(secret: &Secret) -> Result<Secret, CommandError> {
    let text = trim(secret.expose());
    if text.is_empty() {
        // More often a script's unset variable than a public client.
        let message = format!("{SECRET}: expected the client secret, found an empty value");
        return Err(CommandError::could_not_run(message)
            .help("set it to the secret; if the client has none, unset it"));
    }
    Ok(Secret::new(text))
}

/// Editors on Windows put a byte order mark in front.
fn trim(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn read_pem(path: &Path) -> Result<Vec<u8>, CommandError> {
    let bytes = files::read_bytes(path)?;
    if bytes.trim_ascii().is_empty() {
        return Err(empty_file(path, "PEM"));
    }
    Ok(bytes)
}

fn empty_file(path: &Path, expected: &str) -> CommandError {
    CommandError::in_file(path, format!("expected {expected}, found an empty file"))
        .help("write it into the file, or name another file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_of_bounded_length() {
        let name = format!("portcullis-secret-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let read = read_secret_file(&file, "the client secret");
            read.map(|secret| secret.expose().to_owned())
                .map_err(|error| error.message())
        };
        assert_eq!(read("hunter2\r\n").as_deref(), Ok("hunter2"));
        for (text, told) in [
            ("", "an empty file"),
            ("hunter2\nhunter3\n", "several lines"),
            (&*"x".repeat(65_537), "more than 65536 bytes"),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.contains(told) && !fault.contains("hunter"), "{fault}");
        }
        std::fs::remove_file(file).unwrap();
    }
}
