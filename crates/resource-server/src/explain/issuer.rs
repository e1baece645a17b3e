//! The same for a token that names a trusted issuer: its screening, its key and its signature.

use super::content::TokenContent;
use super::hint::{self, KeyChoice, Mistake};
use super::{Explanation, ISSUER, KEY, SIGNATURE};
use crate::issuers::TrustedIssuer;
use crate::signed::of_unknown_key;
use portcullis_core::jose::{Algorithm, Header, UnverifiedToken, VerifyingKey, signature};
use portcullis_core::rejection::{Code, Rejection, quote};
use portcullis_core::token::{Claims, NumericDate};
use portcullis_core::verify::{Outcome, Step, Verifier};
use portcullis_provider::keys::{FoundKeys, KeyFault};

/// The claim paths of the settings that find nothing in a token: no obstacle here, but the token
/// has no roles and the like then.
fn silent_paths(verifier: &Verifier, claims: &Claims) -> Option<String> {
    let mut silent = Vec::new();
    for (member, path, found) in verifier.own_paths(claims) {
        if !found {
            silent.push(format!("`{member}`, at `{path}`"));
        }
    }
    if silent.is_empty() {
        return None;
    }
    let silent = silent.join("; ");
    Some(format!(
        "the token lacks claims that the settings name: {silent}. Compare the claim path with the \
            token"
    ))
}

impl TrustedIssuer {
    /// Every step on the way of a token that names this issuer. `keys_tried` is the limit.
    pub(super) async fn explain(
        &self,
        token: UnverifiedToken<'_>,
        content: TokenContent,
        now: NumericDate,
        keys_tried: usize,
        mut steps: Vec<Step>,
    ) -> Explanation {
        let issuer = format!("`{}`", self.verifier.issuer());
        let step = Step::new(ISSUER, Outcome::Pass, Code::TokenIssuer);
        steps.push(step.with_texts(issuer.clone(), issuer));
        steps.extend(self.verifier.explain_screening(&token, now));
        let (step, found) = self.explain_key(token.header(), keys_tried).await;
        steps.push(step);
        let choice = self.key_choice(token.header(), keys_tried);
        let (step, signer) = self.explain_signature(&token, found, choice).await;
        steps.push(step);
        steps.extend(
            self.verifier
                .explain_rest(&token, signer.as_ref(), now),
        );
        let mut explanation = Explanation {
            content,
            steps,
            profile: Some(self.verifier.profile().name()),
            hint: silent_paths(&self.verifier, token.unverified_claims()),
        };
        // Why the token is refused matters more than a claim that it lacks.
        if let Some(code) = explanation.first_code() {
            let seen = self.mistake(code, &explanation.content, &token, now, choice);
            let dialect = self.verifier.profile().dialect;
            explanation.hint = hint::with_cure(seen, Some(dialect), code);
        }
        explanation
    }

    /// Whether the issuer's key set has a key of this name.
    pub(super) async fn publishes(&self, kid: &str) -> bool {
        self.keys.start();
        // Waits for the keys; a key for another algorithm is there as well.
        _ = self.keys.key(Some(kid), Algorithm::RS256).await;
        let set = self.keys.current();
        set.is_some_and(|set| {
            set.jwks
                .keys()
                .iter()
                .any(|key| key.kid() == Some(kid))
        })
    }

    /// The probable mistake at the step of this code.
    fn mistake(
        &self,
        code: &str,
        content: &TokenContent,
        token: &UnverifiedToken<'_>,
        now: NumericDate,
        choice: Option<KeyChoice>,
    ) -> Option<Mistake> {
        // Time mends nothing about such a token, but another one ends as well.
        let is_late = code == Code::TokenExpired.as_str();
        let dialect = self.verifier.profile().dialect;
        if !is_late && let Some(mistake) = hint::of_provider_api(content, dialect) {
            return Some(mistake);
        }
        if code == Code::TokenSignature.as_str() {
            let kid = token.header().kid.as_deref();
            return choice?.mistake(kid);
        }
        let claims = token.unverified_claims();
        hint::of_step(code, content, claims, &self.verifier, now)
    }

    /// The keys among which the signature is sought, if there are several.
    fn key_choice(&self, header: &Header, keys_tried: usize) -> Option<KeyChoice> {
        let set = self.keys.current()?;
        KeyChoice::of(header, &set.jwks, keys_tried)
    }

    async fn explain_key(&self, header: &Header, keys_tried: usize) -> (Step, Option<FoundKeys>) {
        self.keys.start();
        let kid = header.kid.as_deref();
        let fault = match self.keys.key(kid, header.algorithm).await {
            Ok(keys) => {
                let choice = self.key_choice(header, keys_tried);
                let found = KeyChoice::found(choice, kid);
                let step = Step::new(KEY, Outcome::Pass, Code::TokenKeyUnknown);
                let step = step.with_texts("a key that the issuer publishes", found);
                return (step, Some(keys));
            }
            Err(fault) => fault,
        };
        let step = match fault {
            KeyFault::UnknownKey { unasked_for } => {
                Step::failure(KEY, &of_unknown_key(kid, unasked_for))
            }
            KeyFault::WrongAlgorithm => {
                Step::failure(KEY, &Rejection::of_key_algorithm(header.algorithm))
            }
            KeyFault::Outage(outage) => Step::open(KEY, "the issuer's keys", &outage),
        };
        (step, None)
    }

    /// The signature, and the key that made it: under the key of that name, or under the one that
    /// took its place.
    async fn explain_signature(
        &self,
        token: &UnverifiedToken<'_>,
        found: Option<FoundKeys>,
        choice: Option<KeyChoice>,
    ) -> (Step, Option<VerifyingKey>) {
        let Some(found) = found else {
            return (Step::not_reached(SIGNATURE, Code::TokenSignature), None);
        };
        let mut signer = signature::check_jws(token.jws(), &found.keys);
        if signer.is_err() {
            match self.keys.replacements(token.header(), &found).await {
                Ok(None) => {}
                Ok(Some(keys)) => signer = signature::check_jws(token.jws(), &keys),
                Err(outage) => {
                    return (Step::open(SIGNATURE, "the issuer's keys", &outage), None);
                }
            }
        }
        match signer {
            Ok(signer) => {
                let algorithm = token.header().algorithm.name();
                // A key set may name its keys where the token does not.
                let found = match signer.kid() {
                    Some(kid) => format!("valid, {algorithm}, key {}", name(kid)),
                    None => format!("valid, {algorithm}"),
                };
                let step = Step::new(SIGNATURE, Outcome::Pass, Code::TokenSignature);
                (step.with_texts(VALID, found), Some(signer))
            }
            Err(rejection) => {
                let step = Step::failure(SIGNATURE, &rejection);
                (step.with_texts(VALID, KeyChoice::failure(choice)), None)
            }
        }
    }
}

/// A name of a key: as it is if it is one word, else quoted.
fn name(kid: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=:".contains(&byte);
    match kid {
        "" => quote(kid),
        _ if kid.len() <= 80 && kid.bytes().all(is_plain) => kid.to_owned(),
        _ => quote(kid),
    }
}

const VALID: &str = "a valid signature";
