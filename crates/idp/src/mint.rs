//! Tokens, good ones and deliberately bad ones.

use crate::config::{Client, User};
use crate::keys::{SigningKey, encoded, random_text};
use crate::state::State;
use aws_lc_rs::{digest, hmac};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// An access token (RFC 9068) in the making: valid as it is, and any part can be broken on purpose.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let idp = portcullis_idp::Idp::start(Default::default()).await?;
/// let good = idp.token("alice").scope("orders:read").sign();
/// let expired = idp.token("alice").expired().sign();
/// # Ok(())
/// # }
/// ```
#[must_use = "a token that is not signed is no token"]
pub struct TokenBuilder {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    key: Arc<SigningKey>,
    signer: Signer,
    now: u64,
}

enum Signer {
    /// The key it should be.
    Key,
    /// Nobody.
    None,
    /// The public key, taken for an HMAC secret.
    HmacWithPublicKey,
    /// The right key, but one bit of the signature is wrong.
    Flipped,
}

impl TokenBuilder {
    pub(crate) fn for_user(state: &State, user: &User, client: &str) -> Self {
        let id = user_id(user);
        Self::new(state, client)
            .claim("sub", id.clone())
            .claim("oid", id)
            .claim("name", user.name.clone())
            .claim("preferred_username", user.username.clone())
            .claim_if("email", user.email.clone().map(Value::from))
            .claim_if("tid", user.tenant.clone().map(Value::from))
            .claim("roles", user.roles.clone())
    }

    pub(crate) fn for_client(state: &State, client: &Client) -> Self {
        let roles = (!client.roles.is_empty()).then(|| Value::from(client.roles.clone()));
        Self::new(state, &client.id).claim("sub", client.id.clone()).claim_if("roles", roles)
    }

    fn new(state: &State, client: &str) -> Self {
        let key = state.keys.signing();
        let now = state.now();
        let header = object(json!({ "alg": key.algorithm.name(), "typ": "at+jwt", "kid": key.kid }));
        let claims = object(json!({
            "iss": state.issuer.as_str(),
            "aud": state.config.audience,
            "client_id": client,
            "iat": now,
            "exp": now + u64::from(state.config.access_token_lifetime),
            "jti": random_text(16),
        }));
        Self { header, claims, key, signer: Signer::Key, now }
    }

    /// For this audience.
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// With these scopes, a space between.
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// With this role besides the others.
    pub fn role(mut self, role: &str) -> Self {
        let mut roles =
            self.claims.remove("roles").and_then(|roles| roles.as_array().cloned()).unwrap_or_default();
        roles.push(role.into());
        self.claim("roles", roles)
    }

    /// With this claim, whatever it was before.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    fn claim_if(self, name: &str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.claim(name, value),
            None => self,
        }
    }

    /// With this header member, whatever it was before.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Without this claim.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// With another `typ`, or without one.
    pub fn typ(mut self, typ: Option<&str>) -> Self {
        self.header.remove("typ");
        match typ {
            Some(typ) => self.header("typ", typ),
            None => self,
        }
    }

    /// Bad: it expired an hour ago.
    pub fn expired(self) -> Self {
        let (iat, exp) = (self.now.saturating_sub(7_200), self.now.saturating_sub(3_600));
        self.claim("iat", iat).claim("exp", exp)
    }

    /// Bad: it is valid in an hour.
    pub fn not_yet_valid(self) -> Self {
        let nbf = self.now + 3_600;
        self.claim("nbf", nbf).claim("exp", nbf + 3_600)
    }

    /// Bad: somebody else issued it.
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// Bad: it names a key that is not there.
    pub fn kid(self, kid: &str) -> Self {
        self.header("kid", kid)
    }

    /// Bad: another key signed it, under the right name.
    pub async fn wrong_key(mut self) -> Self {
        self.key = SigningKey::made(self.key.algorithm).await;
        self
    }

    /// Bad: it is not signed at all, and says so (`alg` `none`).
    pub fn alg_none(mut self) -> Self {
        self.signer = Signer::None;
        self.header("alg", "none")
    }

    /// Bad: the public key was taken for an HMAC secret.
    pub fn hmac_with_public_key(mut self) -> Self {
        self.signer = Signer::HmacWithPublicKey;
        self.header("alg", "HS256")
    }

    /// Bad: one bit of the signature is wrong.
    pub fn signature_flipped(mut self) -> Self {
        self.signer = Signer::Flipped;
        self
    }

    /// Bad as an access token: an ID token for the same caller and audience.
    pub fn id_token(self) -> Self {
        self.typ(Some("JWT"))
            .claim("nonce", random_text(8))
            .claim("at_hash", random_text(16))
            .without("scope")
    }

    /// The token, in compact form.
    pub fn sign(self) -> String {
        let segment = |object: Map<String, Value>| encoded(Value::Object(object).to_string().as_bytes());
        let input = format!("{}.{}", segment(self.header), segment(self.claims));
        let signature = match self.signer {
            Signer::Key => self.key.sign(input.as_bytes()),
            Signer::None => Vec::new(),
            Signer::HmacWithPublicKey => {
                let secret = self.key.jwk().to_string();
                let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                hmac::sign(&secret, input.as_bytes()).as_ref().to_vec()
            }
            Signer::Flipped => {
                let mut signature = self.key.sign(input.as_bytes());
                signature.iter_mut().take(1).for_each(|byte| *byte ^= 1);
                signature
            }
        };
        format!("{input}.{}", encoded(&signature))
    }

    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

/// An ID token (OpenID Connect Core, section 2) that goes with an access token.
pub(crate) fn id_token(
    state: &State,
    user: &User,
    client: &str,
    nonce: Option<&str>,
    auth_time: u64,
    access_token: &str,
) -> String {
    let hash = digest::digest(&digest::SHA256, access_token.as_bytes());
    let left_half = hash.as_ref().get(..16).unwrap_or_default();
    TokenBuilder::for_user(state, user, client)
        .typ(Some("JWT"))
        .without("client_id")
        .audience(client)
        .claim("azp", client)
        .claim("auth_time", auth_time)
        .claim("at_hash", encoded(left_half))
        .claim_if("nonce", nonce.map(Value::from))
        .sign()
}

/// The configured identifier, or one that is always the same for the same username.
pub(crate) fn user_id(user: &User) -> String {
    user.id.clone().unwrap_or_else(|| {
        let hash = digest::digest(&digest::SHA256, user.username.as_bytes());
        let hex: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let mut parts = [8, 4, 4, 4, 12].into_iter();
        let mut rest = hex.as_str();
        let mut id = Vec::new();
        while let Some((part, after)) = parts.next().and_then(|length| rest.split_at_checked(length)) {
            id.push(part);
            rest = after;
        }
        id.join("-")
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

impl std::fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a token in the making")
    }
}
