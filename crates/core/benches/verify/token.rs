//! A token of some 1.4 kB, and three ways to verify it.

use aws_lc_rs::signature::ParsedPublicKey;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};
use portcullis_core::jose::{Algorithm, Jwks, Selection, base64url, compact, signature};
use portcullis_core::token::{AccessToken, Audiences, Issuer, NumericDate};
use portcullis_core::verify::{Profile, Verifier};
use portcullis_core::{Limits, Rejection};
use portcullis_idp::{Idp, IdpConfig};
use serde_json::Value;
use std::hint::black_box;
use std::time::SystemTime;

pub(crate) struct Signed {
    pub(crate) token: String,
    expired: String,
    keys: Jwks,
    verifier: Verifier,
    bare: ParsedPublicKey,
    signature: Vec<u8>,
    decoding: DecodingKey,
    validation: Validation,
    now: NumericDate,
}

/// Who verifies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Contender {
    /// The crypto library alone, with a parsed key and a decoded signature.
    Floor,
    /// Parse, screen, select, check, verify.
    Ours,
    /// The crate `jsonwebtoken`, with its key and its validation made before.
    Theirs,
}

impl Contender {
    pub(crate) const ALL: [Self; 3] = [Self::Floor, Self::Ours, Self::Theirs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "bare signature",
            Self::Ours => "whole line",
            Self::Theirs => "jsonwebtoken",
        }
    }
}

impl Signed {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let config = IdpConfig {
            algorithm: algorithm.to_string(),
            ..IdpConfig::default()
        };
        let idp = runtime.block_on(Idp::start(config)).unwrap();
        let token = || {
            (0..8).fold(
                idp.token("alice")
                    .scope("orders:read orders:write openid profile email"),
                |token, number| {
                    token.claim(
                        &format!("claim_{number}"),
                        "some forty characters of an ordinary value",
                    )
                },
            )
        };
        let (good, expired) = (token().sign(), token().expire().sign());
        let set: Value = serde_json::from_str(&idp.jwks()).unwrap();
        let key = set.pointer("/keys/0").unwrap();
        let jwk: Jwk = serde_json::from_value(key.clone()).unwrap();
        let mut validation = Validation::new(algorithm.name().parse().unwrap());
        validation.set_issuer(&[idp.issuer().as_str()]);
        validation.set_audience(&[idp.audience()]);
        let issuer = Issuer::parse(idp.issuer().as_str()).unwrap();
        Self {
            signature: base64url::decode(good.rsplit('.').next().unwrap()).unwrap(),
            keys: Jwks::parse(idp.jwks().as_bytes(), &Limits::default()).unwrap(),
            verifier: Verifier::new(
                issuer,
                Audiences::new([idp.audience()]).unwrap(),
                Profile::rfc9068(),
            ),
            bare: bare(algorithm, key),
            decoding: DecodingKey::from_jwk(&jwk).unwrap(),
            validation,
            now: SystemTime::now().into(),
            token: good,
            expired,
        }
    }

    pub(crate) fn run(&self, contender: Contender) {
        match contender {
            Contender::Floor => self.floor(),
            Contender::Ours => self.ours(),
            Contender::Theirs => self.theirs(),
        }
    }

    pub(crate) fn floor(&self) {
        let input = self.token.rsplit_once('.').unwrap().0;
        self.bare
            .verify_sig(black_box(input).as_bytes(), black_box(&self.signature))
            .unwrap();
    }

    pub(crate) fn ours(&self) {
        black_box(self.verify(black_box(&self.token)).unwrap());
    }

    pub(crate) fn theirs(&self) {
        let token =
            jsonwebtoken::decode::<Value>(black_box(&self.token), &self.decoding, &self.validation);
        black_box(token.unwrap());
    }

    pub(crate) fn verify(&self, token: &str) -> Result<AccessToken, Rejection> {
        let token = compact::parse(token, &Limits::default())?;
        self.verifier.screen(&token, self.now)?;
        let kid = token.header().kid.as_deref();
        let Selection::Keys(keys) = self.keys.select(kid, token.header().algorithm) else {
            return Err(Rejection::of_unknown_key(kid));
        };
        self.verifier
            .verify(signature::check(token, &keys)?, self.now)?
            .into_bearer()
    }

    /// Tokens that are refused: at the first look, by the table, and by the signature.
    pub(crate) fn refusals(&self) -> [(&'static str, String); 3] {
        let (input, signature) = self.token.rsplit_once('.').unwrap();
        [
            ("malformed", format!("{input}=.{signature}")),
            ("expired", self.expired.clone()),
            ("bad signature", flipped(&self.token)),
        ]
    }
}

/// The same token with one character of its signature changed: not the first, which could make a
/// number too large to be looked at any further.
pub(crate) fn flipped(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (before, rest) = signature.split_at(signature.len() / 4);
    let other = if rest.starts_with('A') { 'B' } else { 'A' };
    format!("{input}.{before}{other}{}", rest.get(1..).unwrap())
}

/// The key as the crypto library takes it, without any of our code.
fn bare(algorithm: Algorithm, jwk: &Value) -> ParsedPublicKey {
    use aws_lc_rs::rsa::PublicKeyComponents;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    };
    let member =
        |name: &str| base64url::decode(jwk.get(name).and_then(Value::as_str).unwrap()).unwrap();
    match algorithm {
        Algorithm::ES256 => {
            let point = [vec![4], member("x"), member("y")].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap()
        }
        Algorithm::EdDSA => ParsedPublicKey::new(&ED25519, member("x")).unwrap(),
        rsa => {
            let parameters = if rsa == Algorithm::PS256 {
                &RSA_PSS_2048_8192_SHA256
            } else {
                &RSA_PKCS1_2048_8192_SHA256
            };
            PublicKeyComponents {
                n: member("n"),
                e: member("e"),
            }
            .to_parsed_public_key(parameters)
            .unwrap()
        }
    }
}
