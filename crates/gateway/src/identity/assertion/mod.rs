//! One signed assertion for the upstream in place of plain headers: a short JWT about the caller.
//!
//! The upstream verifies it with the keys that the gateway publishes, so it need not trust
//! everybody who reaches it. The assertion is for one audience, lives for a minute and never longer
//! than the token, and names its own type. The first key signs; all are published, so that
//! upstreams know a key before it signs. What the upstream does with an assertion is not checked.

mod key;

use super::names::fits;
use crate::config::AssertionConfig;
use crate::refusal::Refusal;
use crate::transport::key_file;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Response};
use key::SigningKey;
use portcullis_core::config::{DECRYPT, is_encrypted_key};
use portcullis_core::jose::base64url;
use portcullis_core::token::{AccessToken, Membership, NumericDate};
use portcullis_core::{ConfigError, ConfigErrors, Faults};
use serde_json::{Map, Value, json};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The path of the published keys: on the admin listener, and on the proxy if the settings say so.
pub(crate) const KEYS_PATH: &str = "/.well-known/portcullis/jwks.json";

/// The header that carries an assertion, unless the settings name another.
const HEADER: &str = "portcullis-assertion";
const LIFETIME: u64 = 60;
const LONGEST_LIFETIME: u64 = 300;
/// A file of a key is no larger.
const MOST_BYTES: u64 = 16 * 1_024;

/// Issuer, audience, lifetime and keys of the assertions.
#[derive(Clone)]
pub(crate) struct Assertions {
    issuer: Box<str>,
    audience: Box<str>,
    lifetime: i64,
    publish: bool,
    keys: Arc<Keys>,
}

struct Keys {
    signer: SigningKey,
    /// All public keys, as a key set (RFC 7517).
    published: Bytes,
    /// Whether the key was generated here, and lives no longer than this process.
    generated: bool,
}

/// The audience of an assertion, and the time it is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AssertionContext<'r> {
    /// The audience of the route; `None` for the one of the settings.
    pub(crate) audience: Option<&'r str>,
    pub(crate) now: NumericDate,
}

impl Assertions {
    /// Reads the settings. Returns the header that carries the assertion, too.
    pub(crate) fn read(written: AssertionConfig) -> Result<(HeaderName, Self), ConfigErrors> {
        let faults = Faults::default().at("gateway.identity.assertion");
        if !is_plain(&written.issuer) {
            faults
                .expected("issuer", "a name in ASCII without spaces")
                .found(&written.issuer)
                .help("write the gateway's own name, such as `https://api.example.com`");
        }
        if !is_plain(&written.audience) {
            let help = "write what the upstream expects in `aud`, such as \
                `https://orders.internal`";
            faults
                .expected("audience", "a name in ASCII without spaces")
                .found(&written.audience)
                .help(help);
        }
        let lifetime = written.lifetime.unwrap_or(LIFETIME);
        if !(1..=LONGEST_LIFETIME).contains(&lifetime) {
            faults
                .expected("lifetime", format!("1 to {LONGEST_LIFETIME} seconds"))
                .found(lifetime)
                .help("leave it out for 60: every request gets a new one");
        }
        let name = written.header.as_deref().unwrap_or(HEADER);
        let header = HeaderName::try_from(name).ok().filter(fits);
        if header.is_none() {
            faults
                .expected("header", "a header name that has no other meaning")
                .found(name)
                .help("write a name such as `portcullis-assertion`, with dashes");
        }
        let keys = match Keys::read(&written.keys) {
            Ok(keys) => Some(keys),
            Err((index, problem)) => {
                let help = "make one by `openssl genpkey -algorithm EC -pkeyopt \
                    ec_paramgen_curve:P-256`, or leave `keys` out for one that is made at the \
                    start";
                faults
                    .wrong(&format!("keys[{index}]"), problem)
                    .help(help);
                None
            }
        };
        faults.check()?;
        let (Some(header), Some(keys)) = (header, keys) else {
            let fault = ConfigError::wrong("gateway.identity.assertion", "a value is missing");
            return Err(fault
                .help("report this as a fault of Portcullis")
                .into());
        };
        let assertions = Self {
            issuer: written.issuer.into(),
            audience: written.audience.into(),
            lifetime: i64::try_from(lifetime).unwrap_or_default(),
            publish: written.publish,
            keys: Arc::new(keys),
        };
        Ok((header, assertions))
    }

    /// Takes over the key that was generated before a reload, if both generate their own. A new key
    /// would be unknown to upstreams that cache the old set.
    pub(crate) fn succeed(&mut self, before: Option<&Self>) {
        if !self.keys.generated {
            return;
        }
        match before {
            Some(before) if before.keys.generated => self.keys = Arc::clone(&before.keys),
            _ => tracing::warn!(
                cure = "name the files of keys in `gateway.identity.assertion.keys`",
                "assertions are signed with a key that was made at this start: it is another one \
                    after the next, and in every replica"
            ),
        }
    }

    /// A signed assertion about the caller.
    pub(crate) fn sign(
        &self,
        token: &AccessToken,
        to: AssertionContext<'_>,
    ) -> Result<String, Refusal> {
        let unsigned = Refusal::Unsigned("the assertion could not be signed");
        let mut unique = [0; 16];
        if SystemRandom::new().fill(&mut unique).is_err() {
            return Err(unsigned);
        }
        let mut claims = caller_claims(token);
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("aud", json!(to.audience.unwrap_or(&self.audience))),
            ("iat", json!(to.now.seconds())),
            ("exp", json!(self.expiry(token, to.now).seconds())),
            ("jti", json!(base64url::encode(&unique))),
        ] {
            claims.insert(name.to_owned(), value);
        }
        let signed = self.keys.signer.sign(&Value::Object(claims));
        signed.ok_or(unsigned)
    }

    fn expiry(&self, token: &AccessToken, now: NumericDate) -> NumericDate {
        let end = now.plus(self.lifetime);
        let Some(expires) = token.expires() else {
            return end;
        };
        // A token is good for the leeway behind its end, so an assertion made then must be too.
        let leeway = token.verifier().profile().leeway.as_secs();
        end.min(expires.plus(i64::try_from(leeway).unwrap_or_default()))
    }

    /// The public keys, if this is where they are published on the front.
    pub(crate) fn published_keys(&self, method: &Method, path: &str) -> Option<Response<Bytes>> {
        let is_asked =
            self.publish && path == KEYS_PATH && matches!(*method, Method::GET | Method::HEAD);
        is_asked.then(|| self.key_set())
    }

    /// The public keys (RFC 7517, section 8.5.2).
    pub(crate) fn key_set(&self) -> Response<Bytes> {
        let mut response = Response::new(self.keys.published.clone());
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/jwk-set+json"),
        );
        // Short enough for upstreams to learn of a new key before it signs.
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        );
        response
    }
}

/// The claims about the caller, by their names of RFC 9068 where it has one. Claims that the token
/// lacks are left out.
fn caller_claims(token: &AccessToken) -> Map<String, Value> {
    let identity = token.identity();
    let scopes = identity.scopes();
    let scope = (!scopes.is_empty()).then(|| scopes.to_string());
    // Who acts for the caller (RFC 8693, section 4.1).
    let act = token
        .claim("act")
        .filter(|act| act.as_object().is_some());
    let members = [
        ("sub", identity.subject().map(Value::from)),
        ("client_id", identity.client().map(Value::from)),
        ("kind", Some(identity.kind().name().into())),
        ("tenant", identity.tenant().map(Value::from)),
        // A subject is unique only together with its issuer (RFC 7519, section 4.1.2).
        ("token_issuer", Some(token.issuer().as_str().into())),
        ("scope", scope.map(Value::from)),
        ("roles", names(identity.roles())),
        ("groups", names(identity.groups())),
        ("acr", acr(token)),
        (
            "auth_time",
            token.auth_time().map(|time| time.seconds().into()),
        ),
        ("act", act.map(|act| json!(act))),
    ];
    let mut claims = Map::new();
    for (name, value) in members {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value);
        }
    }
    claims
}

/// The names of a membership; `None` if the token does not hold them all.
fn names(membership: &Membership) -> Option<Value> {
    if membership.is_unknown() {
        return None;
    }
    Some(json!(membership.iter().collect::<Vec<_>>()))
}

/// The authentication context class: a text as RFC 9068 has it, a list if there are several.
fn acr(token: &AccessToken) -> Option<Value> {
    let values: Vec<&str> = token.acr()?.collect();
    match *values {
        [one] => Some(json!(one)),
        _ => Some(json!(values)),
    }
}

impl Keys {
    /// Reads the files, or generates a key if there is none. A fault has the index of its file.
    fn read(files: &[PathBuf]) -> Result<Self, (usize, String)> {
        let mut keys = Vec::new();
        for (index, file) in files.iter().enumerate() {
            match read_key(file) {
                Ok(key) => keys.push(key),
                Err(problem) => return Err((index, problem)),
            }
        }
        let generated = keys.is_empty();
        if generated {
            match SigningKey::generate() {
                Ok(key) => keys.push(key),
                Err(problem) => return Err((0, problem.to_owned())),
            }
        }
        let set: Vec<&Value> = keys.iter().map(SigningKey::jwk).collect();
        let published = Bytes::from(json!({ "keys": set }).to_string());
        let signer = keys
            .into_iter()
            .next()
            .ok_or((0, "the list holds no key".to_owned()))?;
        Ok(Self {
            signer,
            published,
            generated,
        })
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn read_key(file: &Path) -> Result<SigningKey, String> {
    key_file::warn_if_open(file);
    let pem = contents(file)?;
    match SigningKey::read(&pem) {
        Ok(key) => Ok(key),
        // The file is never shown: it may hold a key of another kind.
        Err(expected) if is_encrypted_key(&pem) => Err(format!(
            "expected {expected}, found an encrypted key: {DECRYPT}"
        )),
        Err(expected) => Err(format!("expected {expected}, found another text")),
    }
}

fn contents(file: &Path) -> Result<Vec<u8>, String> {
    let read = match std::fs::metadata(file) {
        // A device or another wrong file would otherwise fill the memory.
        Ok(found) if found.len() > MOST_BYTES => Err(io::Error::other("it is larger than 16 KiB")),
        Ok(_) => std::fs::read(file),
        Err(error) => Err(error),
    };
    read.map_err(|error| format!("{}: {error}", file.display()))
}

/// Shows no key.
impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "assertions of {}", self.issuer)
    }
}
