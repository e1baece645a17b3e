//! One signed assertion for the upstream in place of plain headers: a short JWT that says who
//! calls.
//!
//! The upstream verifies it with the keys that the gateway publishes, so it need not believe
//! whoever reaches it. It is for one audience, lives for a minute and never longer than the token,
//! and names its own type. The first key signs; all are published, so that upstreams know a key
//! before it signs. Not checked is what the upstream does with it.

mod key;

use crate::config::AssertionConfig;
use crate::identity::kind;
use crate::refusal::Refusal;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Response};
use key::SigningKey;
use portcullis_core::jose::base64url;
use portcullis_core::token::{AccessToken, Membership, NumericDate};
use portcullis_core::{ConfigError, ConfigErrors, Faults};
use serde_json::{Map, Value, json};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the keys are published: on the admin listener, and on the front where the settings say so.
pub(crate) const KEYS: &str = "/.well-known/portcullis/jwks.json";

/// The header that carries an assertion, unless the settings name another.
const HEADER: &str = "portcullis-assertion";
const LIFETIME: u64 = 60;
const LONGEST_LIFETIME: u64 = 300;
/// No key is larger.
const MOST_BYTES: u64 = 16 * 1_024;

/// Who signs, for whom, and by which keys.
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
    /// Whether they were made here, and live no longer than this process.
    made_here: bool,
}

/// For whom an assertion is, and when it is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AssertionContext<'r> {
    /// The audience of the route; `None` for the usual one.
    pub(crate) audience: Option<&'r str>,
    pub(crate) now: NumericDate,
}

impl Assertions {
    /// What is written, as meant; and the header that carries it.
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
        let header = HeaderName::try_from(name)
            .ok()
            .filter(crate::identity::fits);
        if header.is_none() {
            faults
                .expected("header", "a header name that has no other meaning")
                .found(name)
                .help("write a name such as `portcullis-assertion`, with dashes");
        }
        let keys = Keys::read(&written.keys).map_err(|(index, problem)| {
            let help = "make one by `openssl genpkey -algorithm EC -pkeyopt \
                ec_paramgen_curve:P-256`, or leave `keys` out for one that is made at the start";
            faults.wrong(&format!("keys[{index}]"), problem).help(help);
        });
        match (header, keys) {
            (Some(header), Ok(keys)) if faults.count() == 0 => {
                let assertions = Self {
                    issuer: written.issuer.into(),
                    audience: written.audience.into(),
                    lifetime: i64::try_from(lifetime).unwrap_or_default(),
                    publish: written.publish,
                    keys: Arc::new(keys),
                };
                Ok((header, assertions))
            }
            _ => Err(faults.check().err().unwrap_or_else(|| {
                ConfigError::wrong("gateway.identity.assertion", "a value is missing")
                    .help("report this as a fault of Portcullis")
                    .into()
            })),
        }
    }

    /// The same, with the key that was made for the generation before, if both make their own.
    pub(crate) fn succeeding(&mut self, before: Option<&Self>) {
        if !self.keys.made_here {
            return;
        }
        match before.filter(|before| before.keys.made_here) {
            Some(before) => self.keys = Arc::clone(&before.keys),
            None => tracing::warn!(
                cure = "name the files of keys in `gateway.identity.assertion.keys`",
                "assertions are signed with a key that was made at this start: it is another one \
                    after the next, and in every replica"
            ),
        }
    }

    /// Says who calls, signed.
    pub(crate) fn sign(
        &self,
        token: &AccessToken,
        to: AssertionContext<'_>,
    ) -> Result<String, Refusal> {
        let mut unique = [0; 16];
        let unsigned = Refusal::Unsigned("the assertion could not be signed");
        SystemRandom::new()
            .fill(&mut unique)
            .map_err(|_| unsigned.clone())?;
        let mut claims = caller(token);
        let end = to.now.plus(self.lifetime);
        let leeway = i64::try_from(token.verifier().profile().leeway.as_secs()).unwrap_or_default();
        // Who came within the leeway behind the token's end may still be told of.
        let end = token
            .expires()
            .map_or(end, |expires| end.min(expires.plus(leeway)));
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("aud", json!(to.audience.unwrap_or(&self.audience))),
            ("iat", json!(to.now.seconds())),
            ("exp", json!(end.seconds())),
            ("jti", json!(base64url::encode(&unique))),
        ] {
            claims.insert(name.to_owned(), value);
        }
        self.keys
            .signer
            .sign(&Value::Object(claims))
            .ok_or(unsigned)
    }

    /// The public keys, if this is where they are published on the front.
    pub(crate) fn published(&self, method: &Method, path: &str) -> Option<Response<Bytes>> {
        let asked = self.publish && path == KEYS && matches!(*method, Method::GET | Method::HEAD);
        asked.then(|| self.key_set())
    }

    /// The public keys (RFC 7517, section 8.5.2).
    pub(crate) fn key_set(&self) -> Response<Bytes> {
        let mut response = Response::new(self.keys.published.clone());
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/jwk-set+json"),
        );
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        );
        response
    }
}

/// What is told of the caller, in the words of RFC 9068 where it has one. What the token does not
/// tell is left out.
fn caller(token: &AccessToken) -> Map<String, Value> {
    let identity = token.identity();
    let names = |membership: &Membership| {
        (!membership.is_unknown()).then(|| json!(membership.iter().collect::<Vec<_>>()))
    };
    let acr: Option<Vec<&str>> = token.acr().map(Iterator::collect);
    let acr = acr.map(|values| match *values {
        [one] => json!(one),
        _ => json!(values),
    });
    let scopes = identity.scopes();
    let members = [
        ("sub", identity.subject().map(Value::from)),
        ("client_id", identity.client().map(Value::from)),
        ("kind", Some(kind(identity.kind()).into())),
        ("tenant", identity.tenant().map(Value::from)),
        // A subject means something together with who issued the token only.
        ("token_issuer", Some(token.issuer().as_str().into())),
        (
            "scope",
            (!scopes.is_empty()).then(|| scopes.to_string().into()),
        ),
        ("roles", names(identity.roles())),
        ("groups", names(identity.groups())),
        ("acr", acr),
        (
            "auth_time",
            token.auth_time().map(|time| time.seconds().into()),
        ),
        // Who acts for the caller (RFC 8693, section 4.1).
        (
            "act",
            token
                .claim("act")
                .filter(|act| act.as_object().is_some())
                .map(|act| json!(act)),
        ),
    ];
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

impl Keys {
    /// Reads the files, or makes a key where there is none. The fault comes with the index of its
    /// file.
    fn read(files: &[PathBuf]) -> Result<Self, (usize, String)> {
        let mut keys = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let pem = contents(file).map_err(|problem| (index, problem))?;
            let key = SigningKey::read(&pem);
            // What is in the file is never shown: it may be a key of another kind.
            let problem = |expected| format!("expected {expected}, found another text");
            keys.push(key.map_err(|expected| (index, problem(expected)))?);
        }
        let made_here = keys.is_empty();
        if made_here {
            keys.push(SigningKey::make().map_err(|problem| (0, problem.to_owned()))?);
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
            made_here,
        })
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn contents(file: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: &dyn fmt::Display| format!("{}: {error}", file.display());
    match std::fs::metadata(file) {
        Ok(found) if found.len() > MOST_BYTES => Err(unreadable(&"it is larger than 16 KiB")),
        Ok(_) => std::fs::read(file).map_err(|error| unreadable(&error)),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Shows no key.
impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "assertions of {}", self.issuer)
    }
}
