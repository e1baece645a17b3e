//! The client under whose name questions go out: its secret, key or certificate, read at the start.

use super::noted;
use crate::config::{Config, WrittenClient};
use portcullis_core::ConfigError;
use portcullis_core::jose::Algorithm;
use portcullis_provider::client_auth::{Assertion, AssertionFile, ClientAuth, Proof, Secret};
use portcullis_provider::fetch::OwnCertificate;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The client as meant; faults are added to the list, and none of them shows a secret.
pub(super) fn client(
    place: &str,
    written: &WrittenClient,
    faults: &mut Vec<ConfigError>,
) -> Option<Arc<ClientAuth>> {
    let proof = noted(faults, proof(place, written));
    let named = written.id.as_deref().filter(|id| !id.trim().is_empty());
    let needs_name = !matches!(proof, Some(Proof::None));
    if named.is_none() && needs_name {
        let cure = "write the id of a client that this API has at the issuer";
        faults.push(ConfigError::new(
            format!("{place}.client_id"),
            "a client's id",
            cure,
        ));
        return None;
    }
    Some(Arc::new(ClientAuth {
        id: named.unwrap_or_default().into(),
        proof: proof?,
    }))
}

fn proof(place: &str, written: &WrittenClient) -> Result<Proof, ConfigError> {
    if let Some(file) = &written.assertion_file {
        return assertion_file(place, written, file).map(Proof::AssertionFile);
    }
    match written.auth.as_deref().unwrap_or("client_secret_basic") {
        "client_secret_basic" => secret(place, written).map(Proof::Basic),
        "client_secret_post" => secret(place, written).map(Proof::Post),
        "private_key_jwt" => assertion(place, written).map(Proof::Assertion),
        "tls_client_auth" | "self_signed_tls_client_auth" => {
            certificate(place, written).map(Proof::Certificate)
        }
        "none" => Ok(Proof::None),
        _ => {
            let expected = "a way for a client to prove itself";
            let cure = "write `client_secret_basic`, `client_secret_post`, `private_key_jwt`, \
                `tls_client_auth` or `none`";
            Err(ConfigError::new(format!("{place}.auth"), expected, cure))
        }
    }
}

/// The secret, from the one place that is written.
fn secret(place: &str, written: &WrittenClient) -> Result<Secret, ConfigError> {
    let cure = "write either `client_secret_file` or `client_secret_env`";
    let at = |member: &str, expected: String| {
        ConfigError::new(format!("{place}.{member}"), expected, cure)
    };
    let text = match (&written.secret, &written.secret_file, &written.secret_env) {
        (Some(secret), None, None) => return Ok(secret.clone()),
        (None, Some(file), None) => {
            let bytes = read(place, "client_secret_file", file)?;
            let text = std::str::from_utf8(&bytes).map(str::to_owned);
            text.map_err(|_| {
                at(
                    "client_secret_file",
                    format!("{}: a secret as text", file.display()),
                )
            })
        }
        (None, None, Some(name)) => variable(name).ok_or_else(|| {
            at(
                "client_secret_env",
                format!("the variable `{}` to be set", name.escape_debug()),
            )
        }),
        (None, None, None) => Err(at("client_secret_file", "the client's secret".to_owned())),
        _ => Err(at(
            "client_secret_file",
            "one place for the client's secret".to_owned(),
        )),
    };
    let text = Zeroizing::new(text?);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        let member = if written.secret_env.is_some() {
            "client_secret_env"
        } else {
            "client_secret_file"
        };
        return Err(at(
            member,
            "expected the client's secret, found an empty text".to_owned(),
        ));
    }
    Ok(Secret::new(text))
}

fn variable(name: &str) -> Option<String> {
    Config::variable(name).ok().flatten()
}

/// The file of a ready assertion; nothing else may say how the client proves itself.
fn assertion_file(
    place: &str,
    written: &WrittenClient,
    file: &Path,
) -> Result<AssertionFile, ConfigError> {
    let at = |expected: String, cure: &str| {
        Err(ConfigError::new(
            format!("{place}.client_assertion_file"),
            expected,
            cure,
        ))
    };
    let secret =
        written.secret.is_some() || written.secret_file.is_some() || written.secret_env.is_some();
    let another = written
        .auth
        .as_deref()
        .is_some_and(|auth| auth != "private_key_jwt");
    if secret || another || written.private_key_file.is_some() {
        let expected = "one way for the client to prove itself".to_owned();
        return at(
            expected,
            "leave out the secret, the key and `auth`, or leave out `client_assertion_file`",
        );
    }
    let cure = "write the path of the file that the platform keeps the client's assertion in";
    AssertionFile::open(file).or_else(|problem| at(problem, cure))
}

fn assertion(place: &str, written: &WrittenClient) -> Result<Assertion, ConfigError> {
    let key = needed(place, "private_key_file", written.private_key_file.as_ref())?;
    let certificate = match &written.certificate_file {
        Some(file) => Some(read(place, "certificate_file", file)?),
        None => None,
    };
    let algorithm = match &written.signing_algorithm {
        None => None,
        Some(name) => Some(Algorithm::from_name(name).ok_or_else(|| {
            let cure = "write `RS256` or `PS256`, or leave it to the key";
            ConfigError::new(
                format!("{place}.signing_algorithm"),
                "a signature algorithm",
                cure,
            )
        })?),
    };
    let certificate = certificate.as_ref().map(|pem| pem.as_slice());
    Assertion::read(&key, algorithm, written.key_id.as_deref(), certificate).map_err(|expected| {
        let cure = "convert the key with `openssl pkcs8 -topk8 -nocrypt`, and see that key, \
            algorithm and certificate fit";
        ConfigError::new(format!("{place}.private_key_file"), expected, cure)
    })
}

fn certificate(place: &str, written: &WrittenClient) -> Result<OwnCertificate, ConfigError> {
    let mut pem = needed(place, "certificate_file", written.certificate_file.as_ref())?;
    if let Some(file) = &written.private_key_file {
        pem.push(b'\n');
        pem.extend_from_slice(&read(place, "private_key_file", file)?);
    }
    OwnCertificate::parse(&pem).ok_or_else(|| {
        let cure = "write the client's certificate, the ones above it, and its key, all in PEM";
        ConfigError::new(
            format!("{place}.certificate_file"),
            "a certificate and the key that fits it",
            cure,
        )
    })
}

fn needed(
    place: &str,
    member: &str,
    file: Option<&PathBuf>,
) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let missing = || {
        let cure = format!("write `{member}`, or choose another `auth`");
        ConfigError::new(
            format!("{place}.{member}"),
            "the path of a file in PEM",
            cure,
        )
    };
    read(place, member, file.ok_or_else(missing)?)
}

fn read(place: &str, member: &str, file: &Path) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let fault = |found: &dyn Display| {
        let cure = "write the path of a file that this service can read, and that holds it";
        ConfigError::new(
            format!("{place}.{member}"),
            format!("{}: {found}", file.display()),
            cure,
        )
    };
    let bytes = std::fs::read(file)
        .map(Zeroizing::new)
        .map_err(|error| fault(&error))?;
    if bytes.trim_ascii().is_empty() {
        return Err(fault(
            &"expected a secret, a key or a certificate, found an empty file",
        ));
    }
    Ok(bytes)
}
