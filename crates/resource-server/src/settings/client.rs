//! The client under whose name questions go out: its secret, key or certificate, read at the start.

use crate::config::{ClientConfig, variables};
use portcullis_core::Faults;
use portcullis_core::config::{DECRYPT, is_encrypted_key};
use portcullis_core::jose::Algorithm;
use portcullis_provider::client_auth::{Assertion, AssertionFile, ClientAuth, Proof, Secret};
use portcullis_provider::fetch::OwnCertificate;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The client as meant. No fault shows a secret.
pub(crate) fn client(written: &ClientConfig, faults: &Faults) -> Option<Arc<ClientAuth>> {
    let proof = proof(written, faults);
    let id = written.id.as_deref().unwrap_or_default();
    // Only a client that proves nothing can do without a name.
    if id.trim().is_empty() && !matches!(proof, Some(Proof::None)) {
        faults
            .expected("client_id", "a client's id")
            .found_nothing()
            .given(&["auth"])
            .help("write the id of a client that this API has at the issuer");
        return None;
    }
    Some(Arc::new(ClientAuth {
        id: id.into(),
        proof: proof?,
    }))
}

fn proof(written: &ClientConfig, faults: &Faults) -> Option<Proof> {
    // A ready assertion implies its method (RFC 7523, section 2.2), so `auth` may be left out
    // beside it.
    if let Some(file) = &written.assertion_file {
        return assertion_file(written, file, faults).map(Proof::AssertionFile);
    }
    // RFC 7591, section 2: a client that names no method uses `client_secret_basic`.
    match written
        .auth
        .as_deref()
        .unwrap_or("client_secret_basic")
    {
        "client_secret_basic" => secret(written, faults).map(Proof::Basic),
        "client_secret_post" => secret(written, faults).map(Proof::Post),
        "private_key_jwt" => assertion(written, faults).map(Proof::Assertion),
        "tls_client_auth" | "self_signed_tls_client_auth" => {
            certificate(written, faults).map(Proof::Certificate)
        }
        "none" => Some(Proof::None),
        other => {
            let help = "write `client_secret_basic`, `client_secret_post`, `private_key_jwt`, \
                `tls_client_auth` or `none`";
            faults
                .expected("auth", "a way for a client to prove itself")
                .found(other)
                .help(help);
            None
        }
    }
}

/// The secret, from the one place that is written.
fn secret(written: &ClientConfig, faults: &Faults) -> Option<Secret> {
    let (member, text) = match (&written.secret, &written.secret_file, &written.secret_env) {
        (Some(secret), None, None) => return Some(secret.clone()),
        (None, Some(file), None) => ("client_secret_file", secret_of_file(file, faults)?),
        (None, None, Some(name)) => ("client_secret_env", secret_of_variable(name, faults)?),
        (secret, file, variable) => {
            let is_missing = secret.is_none() && file.is_none() && variable.is_none();
            faults
                .expected("client_secret_file", "one place for the client's secret")
                .found_as(if is_missing { "none" } else { "several" })
                .given(&["client_secret_env", "client_secret", "auth"])
                .given(&["client_assertion_file"])
                .help("write either `client_secret_file` or `client_secret_env`");
            return None;
        }
    };
    // Some editors put a byte order mark first, and most put a newline last.
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        faults
            .expected(member, "the client's secret")
            .found_as("an empty text")
            .help("write the secret that the issuer gave to the client");
        return None;
    }
    Some(Secret::new(text))
}

fn secret_of_file(file: &Path, faults: &Faults) -> Option<Zeroizing<String>> {
    let bytes = read("client_secret_file", file, faults)?;
    // Borrowed: an error of `String::from_utf8` would carry the secret in bytes that nothing wipes.
    match std::str::from_utf8(&bytes) {
        Ok(text) => Some(Zeroizing::new(text.to_owned())),
        Err(_) => {
            faults
                .expected("client_secret_file", "a secret as text")
                .found_as(format!("{}: other bytes", file.display()))
                .help("write the secret into the file as it is, in UTF-8");
            None
        }
    }
}

fn secret_of_variable(name: &str, faults: &Faults) -> Option<Zeroizing<String>> {
    let value = variables::one(name).ok().flatten();
    if value.is_none() {
        faults
            .expected("client_secret_env", "the name of a variable that is set")
            .found(name)
            .help(format!("set `{name}` in the environment or in `.env`"));
    }
    value.map(Zeroizing::new)
}

/// The file of a ready assertion; nothing else may say how the client proves itself.
fn assertion_file(written: &ClientConfig, file: &Path, faults: &Faults) -> Option<AssertionFile> {
    const MEMBER: &str = "client_assertion_file";
    let has_secret =
        written.secret.is_some() || written.secret_file.is_some() || written.secret_env.is_some();
    let auth = written.auth.as_deref().unwrap_or("private_key_jwt");
    if has_secret || auth != "private_key_jwt" || written.private_key_file.is_some() {
        faults
            .expected(MEMBER, "one way for the client to prove itself")
            .found_as("several")
            .help("leave out the secret, the key and `auth`, or leave out `client_assertion_file`");
        return None;
    }
    match AssertionFile::open(file) {
        Ok(file) => Some(file),
        Err(problem) => {
            let help =
                "write the path of the file that the platform keeps the client's assertion in";
            faults.wrong(MEMBER, problem).help(help);
            None
        }
    }
}

fn assertion(written: &ClientConfig, faults: &Faults) -> Option<Assertion> {
    let key = required_file(
        "private_key_file",
        written.private_key_file.as_ref(),
        faults,
    )?;
    let certificate = match &written.certificate_file {
        Some(file) => Some(read("certificate_file", file, faults)?),
        None => None,
    };
    let algorithm = match &written.signing_algorithm {
        Some(name) => Some(signing_algorithm(name, faults)?),
        None => None,
    };
    let certificate = certificate.as_ref().map(|pem| pem.as_slice());
    match Assertion::read(&key, algorithm, written.key_id.as_deref(), certificate) {
        Ok(assertion) => Some(assertion),
        Err(expected) => {
            let help = "convert the key with `openssl pkcs8 -topk8 -nocrypt`, and see that key, \
                algorithm and certificate fit";
            // The file holds a secret, so its kind is not described any further.
            let (found, help) = match is_encrypted_key(&key) {
                true => ("an encrypted key", DECRYPT),
                false => ("something else", help),
            };
            faults
                .expected("private_key_file", expected)
                .found_as(found)
                .given(&["signing_algorithm", "certificate_file"])
                .help(help);
            None
        }
    }
}

fn signing_algorithm(name: &str, faults: &Faults) -> Option<Algorithm> {
    let algorithm = Algorithm::from_name(name);
    if algorithm.is_none() {
        faults
            .expected("signing_algorithm", "a signature algorithm")
            .found(name)
            .help("write `RS256` or `PS256`, or leave it to the key");
    }
    algorithm
}

fn certificate(written: &ClientConfig, faults: &Faults) -> Option<OwnCertificate> {
    let mut pem = required_file(
        "certificate_file",
        written.certificate_file.as_ref(),
        faults,
    )?;
    if let Some(file) = &written.private_key_file {
        // Without it, a file that lacks a final newline would run two PEM markers together.
        pem.push(b'\n');
        pem.extend_from_slice(&read("private_key_file", file, faults)?);
    }
    let certificate = OwnCertificate::parse(&pem);
    if certificate.is_none() {
        let help = "write the client's certificate, the ones above it, and its key, all in PEM";
        let (found, help) = match is_encrypted_key(&pem) {
            true => ("an encrypted key", DECRYPT),
            false => ("something else", help),
        };
        faults
            .expected("certificate_file", "a certificate and the key that fits it")
            .found_as(found)
            .given(&["private_key_file"])
            .help(help);
    }
    certificate
}

fn required_file(
    member: &str,
    file: Option<&PathBuf>,
    faults: &Faults,
) -> Option<Zeroizing<Vec<u8>>> {
    let Some(file) = file else {
        faults
            .expected(member, "the path of a file in PEM")
            .found_nothing()
            .help(format!("write `{member}`, or choose another `auth`"));
        return None;
    };
    read(member, file, faults)
}

fn read(member: &str, file: &Path, faults: &Faults) -> Option<Zeroizing<Vec<u8>>> {
    let found = match std::fs::read(file).map(Zeroizing::new) {
        Ok(bytes) if !bytes.trim_ascii().is_empty() => return Some(bytes),
        Ok(_) => "an empty file".to_owned(),
        Err(error) => error.to_string(),
    };
    faults
        .expected(member, "a file with a secret, a key or a certificate")
        .found_as(format!("{}: {found}", file.display()))
        .help("write the path of a file that this service can read, and that holds it");
    None
}
