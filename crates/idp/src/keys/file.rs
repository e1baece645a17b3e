//! A signing key in a file, so that the key set is the same after a restart.
//!
//! The file holds one private key as PKCS #8 in PEM. Where it is missing, a key is made and
//! written, for its owner's eyes only. Keys that rotation makes are not written.

use crate::keys::pair::{SigningKeyPair, pair};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::signature;
use aws_lc_rs::signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::jose::Algorithm;
use portcullis_core::{ConfigError, ConfigErrors};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs::OpenOptions;
use std::io;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The key of the file, for this algorithm.
pub(crate) fn key_pair(file: &Path, algorithm: Algorithm) -> Result<SigningKeyPair, ConfigErrors> {
    let fault = |problem: String, cure: &str| {
        let problem = format!("{}: {problem}", file.display());
        ConfigError::wrong("key_file", problem)
            .help(cure)
            .into()
    };
    match std::fs::read(file) {
        Ok(pem) => read(&pem, algorithm).ok_or_else(|| {
            let cure =
                "write one private key as PKCS #8 in PEM, of the kind that `algorithm` needs";
            fault(format!("no private key for {algorithm}"), cure)
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let pair = pair(algorithm);
            write(file, &pair)
                .map_err(|error| fault(error.to_string(), "name a file that can be written"))?;
            Ok(pair)
        }
        Err(error) => Err(fault(error.to_string(), "name a file that can be read")),
    }
}

fn read(pem: &[u8], algorithm: Algorithm) -> Option<SigningKeyPair> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem).ok()?;
    let der = key.secret_pkcs8_der();
    let ec = |known: &'static EcdsaSigningAlgorithm| {
        EcdsaKeyPair::from_pkcs8(known, der)
            .ok()
            .map(SigningKeyPair::Ec)
    };
    match algorithm {
        Algorithm::ES256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ES384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::ES512 => ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8(der)
            .ok()
            .map(SigningKeyPair::Ed),
        _ => RsaKeyPair::from_pkcs8(der)
            .ok()
            .map(SigningKeyPair::Rsa),
    }
}

fn write(file: &Path, pair: &SigningKeyPair) -> io::Result<()> {
    let der = pkcs8(pair).ok_or_else(|| io::Error::other("the key cannot be written down"))?;
    let mut options = OpenOptions::new();
    // Never over an existing file: it may be somebody's key in another format.
    options.write(true).create_new(true);
    #[cfg(unix)]
    // The key signs tokens for everybody: only its owner may read it.
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(pem(&der).as_bytes())
}

fn pkcs8(pair: &SigningKeyPair) -> Option<Vec<u8>> {
    Some(match pair {
        SigningKeyPair::Rsa(pair) => {
            let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
            der.as_ref().to_vec()
        }
        SigningKeyPair::Ec(pair) => pair.to_pkcs8v1().ok()?.as_ref().to_vec(),
        SigningKeyPair::Ed(pair) => pair.to_pkcs8v1().ok()?.as_ref().to_vec(),
    })
}

fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines: Vec<&str> = encoded
        .as_bytes()
        // RFC 7468, section 2: lines of 64 characters.
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}
