//! Proofs of a key (RFC 9449), checked by code of our own, so that the resource server's checks
//! meet another's.
//!
//! A proof must be for this address and method, a minute old at most, and used once; with
//! `dpop_nonce` it must hold a nonce from here. Which key it is decides what the tokens are bound
//! to.

use crate::config::client::Client;
use crate::endpoint::http::caller::{Caller, Form};
use crate::endpoint::http::error::OAuthError;
use crate::state::State;
use crate::token::claims::claims;
use crate::token::encoding::sha256;
use crate::token::jws::{Jws, thumbprint};
use axum::http::HeaderValue;
use axum::response::Response;
use serde_json::{Value, json};
use url::Url;

/// How far a proof's time may be from ours, in seconds.
const WINDOW: u64 = 60;

/// How long a nonce is the newest, in seconds; the one before it is good too.
const NONCE_LIFE: u64 = 120;

const NONCE: &str = "dpop-nonce";

/// What tokens are bound to.
pub(crate) struct Binding {
    /// The thumbprint of a proven key.
    pub(crate) jkt: Option<String>,
    /// The thumbprint of a certificate.
    pub(crate) x5t: Option<String>,
}

impl Binding {
    /// The claim `cnf` (RFC 7800), if there is a binding.
    pub(crate) fn cnf(&self) -> Option<Value> {
        let members = claims(json!({ "jkt": self.jkt, "x5t#S256": self.x5t }));
        (!members.is_empty()).then(|| members.into())
    }

    pub(crate) fn token_type(&self) -> &'static str {
        if self.jkt.is_some() { "DPoP" } else { "Bearer" }
    }
}

impl Form {
    /// What the tokens for this request are bound to; the client may have to prove something.
    pub(crate) fn binding(&self, state: &State, client: &Client) -> Result<Binding, OAuthError> {
        let jkt = proven_key(state, &self.caller, None)?;
        if jkt.is_none() && client.dpop_bound_access_tokens {
            return Err(OAuthError::invalid_request(
                "the client must prove a key: the header `DPoP` is missing",
            ));
        }
        let x5t = match client.tls_client_certificate_bound_access_tokens {
            false => None,
            true => {
                let missing = OAuthError::invalid_request(
                    "the client must show a certificate: see `mtls_endpoint_aliases`",
                );
                Some(self.caller.x5t().ok_or(missing)?)
            }
        };
        Ok(Binding { jkt, x5t })
    }
}

fn wrong(why: &str) -> OAuthError {
    OAuthError::new("invalid_dpop_proof", why)
}

/// The thumbprint of the key that the request proves; none where it has no proof. With an access
/// token, the proof must be for that.
pub(crate) fn proven_key(
    state: &State,
    caller: &Caller,
    access_token: Option<&str>,
) -> Result<Option<String>, OAuthError> {
    let mut proofs = caller.headers.get_all("dpop").iter();
    let Some(proof) = proofs.next() else {
        return Ok(None);
    };
    if proofs.next().is_some() {
        return Err(wrong("there is more than one proof"));
    }
    let proof = proof
        .to_str()
        .ok()
        .and_then(Jws::read)
        .ok_or(wrong("the proof is no signed JWT"))?;
    let key = proof
        .header
        .get("jwk")
        .filter(|jwk| is_public(jwk))
        .ok_or(wrong("`jwk` is no public key"))?;
    let jkt = thumbprint(key).ok_or(wrong("`jwk` is no public key"))?;
    if proof.header.get("typ").and_then(Value::as_str) != Some("dpop+jwt") {
        return Err(wrong("`typ` is not `dpop+jwt`"));
    }
    if !proof.is_signed_by(key) {
        let why = "the signature is not by `jwk`, or by no algorithm that is supported";
        return Err(wrong(why));
    }
    if proof.text("htm") != Some(caller.method.as_str()) {
        return Err(wrong("`htm` is another method"));
    }
    let urls = state.urls(&caller.path);
    let is_ours = |htu| urls.iter().any(|ours| is_address(htu, ours));
    if !proof.text("htu").is_some_and(is_ours) {
        return Err(wrong("`htu` is another address"));
    }
    let now = state.now();
    let issued = proof.time("iat").ok_or(wrong("`iat` is missing"))?;
    if now.abs_diff(issued) > WINDOW {
        return Err(wrong("`iat` is too far from now"));
    }
    if access_token.is_some_and(|token| proof.text("ath") != Some(&sha256(token.as_bytes()))) {
        return Err(wrong("`ath` is not for this access token"));
    }
    let is_ours = |nonce| is_nonce(state, nonce);
    if state.config.dpop_nonce && !proof.text("nonce").is_some_and(is_ours) {
        let why = "the proof must hold the nonce of the header `DPoP-Nonce`";
        return Err(OAuthError::new("use_dpop_nonce", why));
    }
    let jti = proof.text("jti").ok_or(wrong("`jti` is missing"))?;
    let (name, until) = (format!("proof {jkt} {jti}"), now + 2 * WINDOW + 1);
    if !state.store().is_first_use(&name, until, now) {
        return Err(wrong("the proof was used before"));
    }
    Ok(Some(jkt))
}

/// Tells the nonce for the next proof, where one is wanted.
pub(crate) fn with_nonce(state: &State, mut response: Response) -> Response {
    if state.config.dpop_nonce
        && let Ok(nonce) = HeaderValue::from_str(&nonce(state, 0))
    {
        response.headers_mut().insert(NONCE, nonce);
    }
    response
}

fn is_nonce(state: &State, shown: &str) -> bool {
    [0, 1].into_iter().any(|age| nonce(state, age) == shown)
}

fn nonce(state: &State, age: u64) -> String {
    let period = (state.now() / NONCE_LIFE).saturating_sub(age);
    sha256(format!("{} {period}", state.nonce_secret).as_bytes())
}

fn is_public(jwk: &Value) -> bool {
    jwk.is_object()
        && ["d", "k", "p", "q"]
            .iter()
            .all(|name| jwk.get(name).is_none())
}

/// Query and fragment do not count (RFC 9449, section 4.3).
fn is_address(htu: &str, ours: &str) -> bool {
    let bare = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    bare(htu).is_some_and(|htu| bare(ours) == Some(htu))
}
