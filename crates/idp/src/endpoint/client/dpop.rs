//! DPoP proofs (RFC 9449), checked by separate code, so that the resource server's checks are
//! tested against another implementation.
//!
//! A proof must be for this address and method, at most a minute old, and used once; with
//! `dpop_nonce` it must contain a nonce from here. Its key is the one that tokens are bound to.

use crate::config::client::RegisteredClient;
use crate::endpoint::http::caller::{PostedForm, RequestHead};
use crate::endpoint::http::error::OAuthError;
use crate::state::IdpState;
use crate::token::claims::claims;
use crate::token::encoding::sha256;
use crate::token::jws::{Jws, thumbprint};
use axum::http::HeaderValue;
use axum::response::Response;
use serde_json::{Value, json};
use url::Url;

/// How far the time of a proof may be from ours, in seconds.
const WINDOW: u64 = 60;

/// How long a nonce is current, in seconds; the previous one is good too.
const NONCE_LIFE: u64 = 120;

const NONCE: &str = "dpop-nonce";

/// The key and the certificate that tokens are bound to.
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

impl PostedForm {
    /// The binding of the tokens for this request. A client may be registered to need one.
    pub(crate) fn binding(
        &self,
        state: &IdpState,
        client: &RegisteredClient,
    ) -> Result<Binding, OAuthError> {
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
                // Behind the usual address no certificate is asked for, so none can be shown.
                Some(self.caller.x5t().ok_or(missing)?)
            }
        };
        Ok(Binding { jkt, x5t })
    }
}

fn wrong(why: &str) -> OAuthError {
    OAuthError::new("invalid_dpop_proof", why)
}

/// The thumbprint of the key that the request proves; none without a proof. The proof must be for
/// the access token, if there is one.
pub(crate) fn proven_key(
    state: &IdpState,
    caller: &RequestHead,
    access_token: Option<&str>,
) -> Result<Option<String>, OAuthError> {
    let mut proofs = caller.headers.get_all("dpop").iter();
    let Some(header) = proofs.next() else {
        return Ok(None);
    };
    // Two readers of one request could pick different proofs (RFC 9449, section 4.3).
    if proofs.next().is_some() {
        return Err(wrong("there is more than one proof"));
    }
    let Some(proof) = header.to_str().ok().and_then(Jws::read) else {
        return Err(wrong("the proof is not a signed JWT"));
    };
    let jkt = signing_key(&proof)?;
    check_request(state, caller, &proof)?;
    if let Some(token) = access_token
        && proof.text("ath") != Some(&sha256(token.as_bytes()))
    {
        return Err(wrong("`ath` is not for this access token"));
    }
    if state.config.dpop_nonce && !has_our_nonce(state, &proof) {
        let why = "the proof must contain the nonce of the header `DPoP-Nonce`";
        return Err(OAuthError::new("use_dpop_nonce", why));
    }
    // Last, so that a proof that fails another check is not used up.
    let Some(jti) = proof.text("jti") else {
        return Err(wrong("`jti` is missing"));
    };
    let now = state.now();
    // A proof from a clock that is ahead stays good for two windows, and must be known as long.
    let (name, until) = (format!("proof {jkt} {jti}"), now + 2 * WINDOW + 1);
    if !state.store().is_first_use(&name, until, now) {
        return Err(wrong("the proof was used before"));
    }
    Ok(Some(jkt))
}

/// The thumbprint of the key in the header, which must have signed the proof.
fn signing_key(proof: &Jws<'_>) -> Result<String, OAuthError> {
    let not_public = "`jwk` is not a public key";
    let Some(key) = proof.header.get("jwk").filter(|jwk| is_public(jwk)) else {
        return Err(wrong(not_public));
    };
    let Some(jkt) = thumbprint(key) else {
        return Err(wrong(not_public));
    };
    // The type keeps other JWTs that the same key signed from being taken for proofs.
    if proof.header.get("typ").and_then(Value::as_str) != Some("dpop+jwt") {
        return Err(wrong("`typ` is not `dpop+jwt`"));
    }
    if !proof.is_signed_by(key) {
        let why = "the signature does not verify with `jwk`, or its algorithm is not supported";
        return Err(wrong(why));
    }
    Ok(jkt)
}

/// Whether the proof is for this method and address, and new (RFC 9449, section 4.3).
fn check_request(
    state: &IdpState,
    caller: &RequestHead,
    proof: &Jws<'_>,
) -> Result<(), OAuthError> {
    if proof.text("htm") != Some(caller.method.as_str()) {
        return Err(wrong("`htm` is another method"));
    }
    let htu = proof.text("htu").unwrap_or_default();
    let urls = state.urls(&caller.path);
    if !urls.iter().any(|url| is_address(htu, url)) {
        return Err(wrong("`htu` is another address"));
    }
    let Some(issued) = proof.time("iat") else {
        return Err(wrong("`iat` is missing"));
    };
    if state.now().abs_diff(issued) > WINDOW {
        return Err(wrong("`iat` is too far from now"));
    }
    Ok(())
}

/// Adds the nonce for the next proof, if the settings demand nonces.
pub(crate) fn with_nonce(state: &IdpState, mut response: Response) -> Response {
    if state.config.dpop_nonce
        && let Ok(nonce) = HeaderValue::from_str(&nonce(state, 0))
    {
        response.headers_mut().insert(NONCE, nonce);
    }
    response
}

fn has_our_nonce(state: &IdpState, proof: &Jws<'_>) -> bool {
    let Some(shown) = proof.text("nonce") else {
        return false;
    };
    // The previous nonce is good too: a client may have read it just before the change.
    shown == nonce(state, 0) || shown == nonce(state, 1)
}

fn nonce(state: &IdpState, age: u64) -> String {
    // Derived from the time, so that nonces need no memory.
    let period = (state.now() / NONCE_LIFE).saturating_sub(age);
    sha256(format!("{} {period}", state.nonce_secret).as_bytes())
}

fn is_public(jwk: &Value) -> bool {
    jwk.is_object()
        // A proof must not carry a private key or a shared secret (RFC 9449, section 4.3).
        && ["d", "k", "p", "q"]
            .iter()
            .all(|name| jwk.get(name).is_none())
}

/// Query and fragment do not count (RFC 9449, section 4.3).
fn is_address(htu: &str, ours: &str) -> bool {
    let htu = without_query(htu);
    htu.is_some() && htu == without_query(ours)
}

fn without_query(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}
