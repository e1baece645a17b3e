//! A logout token or a security event before it is signed, and what can be wrong with it.

use crate::fault::flaw::Flaw;
use crate::issue::signer::Signer;
use crate::keys::signing_key::IssuerKey;
use crate::state::IdpState;
use crate::token::claims::JsonObject;
use crate::token::jws::compact;
use crate::token::kind::FlowToken;
use serde_json::{Value, json};
use std::sync::Arc;

const AN_HOUR: u64 = 3_600;

/// How many characters an oversized one has more.
const OVERSIZE: usize = 1_000_000;

/// An event that is sent for nothing else, for a token with two of them.
const SECOND_EVENT: &str = "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked";

/// A logout token or a security event in the making.
pub(crate) struct SentDraft {
    pub(crate) kind: FlowToken,
    pub(crate) header: JsonObject,
    pub(crate) claims: JsonObject,
    pub(crate) key: Arc<IssuerKey>,
    signer: Signer,
}

impl SentDraft {
    pub(crate) fn new(kind: FlowToken, typ: &str, key: Arc<IssuerKey>, claims: JsonObject) -> Self {
        // The type keeps it from being taken for an access token (RFC 8417, section 2.3).
        let header = json!({ "typ": typ, "alg": key.algorithm.name(), "kid": key.kid });
        Self {
            kind,
            header: crate::token::claims::claims(header),
            claims,
            key,
            signer: Signer::Key,
        }
    }

    pub(crate) fn spoil(mut self, state: &IdpState, flaws: &[Flaw]) -> Self {
        for flaw in flaws {
            self.add_flaw(state, flaw);
        }
        self
    }

    /// Its `jti`, if it has one.
    pub(crate) fn jti(&self) -> Option<&str> {
        self.claims.get("jti").and_then(Value::as_str)
    }

    pub(crate) fn sign(&self, state: &IdpState) -> String {
        if let Some(jti) = self.jti() {
            let jti = jti.to_owned();
            state.store().last_jti.insert(self.kind, jti);
        }
        compact(&self.header, &self.claims, |input| {
            self.signer.sign(&self.key, input)
        })
    }

    fn add_flaw(&mut self, state: &IdpState, flaw: &Flaw) {
        let now = state.now();
        match flaw {
            Flaw::Claim(name, value) => self.set(name, value.clone()),
            Flaw::NoClaim(name) => self.remove(name),
            Flaw::Header(name, value) => self.set_header(name, value.clone()),
            Flaw::NoHeader(name) => _ = self.header.remove(name),
            Flaw::Expired => {
                // Issued before it expired, so that nothing but `exp` is wrong.
                self.set("iat", now.saturating_sub(2 * AN_HOUR));
                self.set("exp", now.saturating_sub(AN_HOUR));
            }
            Flaw::NotYetValid => self.set("nbf", now + AN_HOUR),
            Flaw::WrongKey => {
                let algorithm = self.key.algorithm;
                self.key = Arc::new(IssuerKey::generate_now(algorithm, String::new()));
            }
            Flaw::Unsigned => self.sign_as(Signer::None, "none"),
            Flaw::HmacWithPublicKey => self.sign_as(Signer::HmacWithPublicKey, "HS256"),
            Flaw::SignatureFlipped => self.signer = Signer::Flipped,
            Flaw::WrongAudience => self.set("aud", "somebody-else"),
            Flaw::WrongIssuer => self.set("iss", "https://somebody-else.example"),
            Flaw::UnknownKey => self.set_header("kid", "unknown"),
            Flaw::WrongType => self.set_header("typ", "at+jwt"),
            Flaw::Replayed => self.replay(state),
            Flaw::NoIdentifier => self.remove("jti"),
            Flaw::NoEvents => self.remove("events"),
            Flaw::TwoEvents => self.events(|events| {
                events.insert(SECOND_EVENT.to_owned(), json!({}));
            }),
            Flaw::NoSubject => ["sub_id", "sub", "sid"]
                .iter()
                .for_each(|name| self.remove(name)),
            Flaw::Oversized => self.set("padding", "x".repeat(OVERSIZE)),
            Flaw::Nonce => self.set("nonce", "n-0S6_WzA2Mj"),
            Flaw::Expiry => self.set("exp", now + AN_HOUR),
            Flaw::TopLevelSubject => self.set("sub", "somebody"),
            Flaw::FutureEvent => self.happen_at(now + AN_HOUR),
        }
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.claims.insert(name.to_owned(), value.into());
    }

    fn remove(&mut self, name: &str) {
        self.claims.remove(name);
    }

    fn set_header(&mut self, name: &str, value: impl Into<Value>) {
        self.header.insert(name.to_owned(), value.into());
    }

    fn sign_as(&mut self, signer: Signer, algorithm: &str) {
        self.signer = signer;
        self.set_header("alg", algorithm);
    }

    /// The first one of all has none before it, and stays as it is.
    fn replay(&mut self, state: &IdpState) {
        let last = state.store().last_jti.get(&self.kind).cloned();
        if let Some(jti) = last {
            self.set("jti", jti);
        }
    }

    fn happen_at(&mut self, time: u64) {
        self.events(|events| {
            for event in events.values_mut().filter_map(Value::as_object_mut) {
                event.insert("event_timestamp".to_owned(), time.into());
            }
        });
    }

    fn events(&mut self, edit: impl FnOnce(&mut JsonObject)) {
        if let Some(Value::Object(events)) = self.claims.get_mut("events") {
            edit(events);
        }
    }
}
