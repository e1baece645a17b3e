//! Why a token is accepted or refused: the same line as [`ResourceServer::authenticate`], run to
//! the end.

mod hint;
mod opaque;

use crate::ResourceServer;
use crate::issuers::TrustedIssuer;
use crate::revocation::{Revocable, Standing};
use portcullis_core::Denial;
use portcullis_core::jose::{Header, UnverifiedToken, VerifyingKey, compact, signature};
use portcullis_core::rejection::{Code, Rejection, quote};
use portcullis_core::token::{Claims, NumericDate};
use portcullis_core::verify::{Outcome, Step, Verifier};
use portcullis_provider::keys::{FoundKeys, KeyFault};
use std::sync::Arc;

/// Every step on the way of one token, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The steps.
    pub steps: Vec<Step>,
    /// The profile by which the token was judged; `None` where its issuer is not trusted.
    pub profile: Option<&'static str>,
    /// The usual mistake that this looks like, and the provider's own setting that cures it.
    pub hint: Option<String>,
}

impl Explanation {
    /// The step at which the token was refused, or at which an outage left it open.
    pub fn first_obstacle(&self) -> Option<&Step> {
        let is_obstacle = |step: &&Step| matches!(step.outcome, Outcome::Fail | Outcome::Unknown);
        self.steps.iter().find(is_obstacle)
    }

    /// The code of the first obstacle.
    fn first_code(&self) -> Option<&'static str> {
        self.first_obstacle().map(|step| step.code)
    }

    /// Whether every step passed or did not apply.
    pub fn is_accepted(&self) -> bool {
        self.first_obstacle().is_none()
    }
}

impl ResourceServer {
    /// Explains a decision about a token. Steps after the signature are shown even where it failed;
    /// they prove nothing then.
    ///
    /// ```no_run
    /// # async fn example(token: &str) -> Result<(), portcullis_core::ConfigErrors> {
    /// use portcullis_resource_server::ResourceServer;
    ///
    /// let server = ResourceServer::new("https://idp.example", "https://api.example")?;
    /// let explanation = server.explain(token).await;
    /// for step in &explanation.steps {
    ///     println!("{step:?}");
    /// }
    /// if let Some(hint) = explanation.hint {
    ///     println!("hint: {hint}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn explain(&self, token: &str) -> Explanation {
        // A text that is not fit to be asked about is explained below, as unreadable.
        if let Ok(Some((opaque, introspector))) =
            self.issuers().find_introspector(token, self.limits())
        {
            let (mut explanation, claims) = introspector.explain(opaque, self.clock()).await;
            if let Some(claims) = claims
                && self.revocations().is_in_use()
            {
                let verifier = introspector.verifier();
                let step = self.explain_revocation(verifier, &claims).await;
                explanation.steps.push(step);
            }
            return explanation;
        }
        let parsed = match compact::parse(token, self.limits()) {
            Ok(parsed) => parsed,
            Err(rejection) => {
                let seen = hint::of_unreadable(token);
                let hint = self.with_only_dialect(seen, rejection.code().as_str());
                return unreadable(&rejection, hint);
            }
        };
        let form = Step::new(FORM, Outcome::Pass, Code::TokenMalformed);
        let steps = vec![form.with_texts("a signed JWT", "a signed JWT")];
        match self.issuers().find(parsed.unverified_claims().issuer()) {
            Ok(issuer) => self.explain_trusted(issuer, token, parsed, steps).await,
            Err(rejection) => self.explain_stranger(&rejection, &parsed, steps),
        }
    }

    /// A token of an issuer that is trusted.
    async fn explain_trusted(
        &self,
        issuer: Arc<TrustedIssuer>,
        token: &str,
        parsed: UnverifiedToken<'_>,
        steps: Vec<Step>,
    ) -> Explanation {
        let now = self.clock().now();
        // Cloned before: explaining consumes the parsed token.
        let claims = if self.revocations().is_in_use() {
            Some(parsed.unverified_claims().clone())
        } else {
            None
        };
        let mut explanation = issuer.explain(parsed, now, steps).await;
        if explanation.first_code() == Some(Code::TokenSignature.as_str()) {
            // A signature that was cut may still be base64url: its length tells.
            explanation.hint = hint::of_unreadable(token).or(explanation.hint);
        }
        if let Some(claims) = claims {
            let step = self.explain_revocation(&issuer.verifier, &claims).await;
            explanation.steps.push(step);
        }
        if let Some(introspector) = &issuer.introspector {
            let step = introspector.explain_confirmation(token, now).await;
            explanation.steps.extend(step);
        }
        explanation
    }

    /// A token of an issuer that is not trusted.
    fn explain_stranger(
        &self,
        rejection: &Rejection,
        parsed: &UnverifiedToken<'_>,
        mut steps: Vec<Step>,
    ) -> Explanation {
        // Some are enough to see the difference: a server may trust hundreds.
        let mut expected = Vec::new();
        for verifier in self.issuers().verifiers().take(5) {
            expected.push(format!("`{}`", verifier.issuer()));
        }
        expected.dedup();
        let found = rejection.facts().found().to_owned();
        steps.push(Step::failure(ISSUER, rejection).with_texts(expected.join(" or "), found));
        steps.extend(skipped_from_issuer());
        let seen = hint::of_issuer(parsed.unverified_claims(), self.issuers().verifiers());
        let hint = self.with_only_dialect(seen, rejection.code().as_str());
        Explanation {
            profile: None,
            steps,
            hint,
        }
    }

    /// The provider's own cure, where only one kind of provider can be meant.
    fn with_only_dialect(&self, seen: Option<String>, code: &str) -> Option<String> {
        // With several issuers a foreign token says nothing about which of them was meant.
        let mut verifiers = self.issuers().verifiers();
        match (verifiers.next(), verifiers.next()) {
            (Some(only), None) => hint::with_cure(seen, only.profile().dialect, code),
            _ => seen,
        }
    }

    async fn explain_revocation(&self, verifier: &Verifier, claims: &Claims) -> Step {
        let token = Revocable::Unverified(verifier, claims);
        // A fresh standing: a remembered one could skip the lookup that is to be shown.
        match self.revocations().check(&Standing::default(), token).await {
            Ok(()) => {
                let step = Step::new(REVOCATION, Outcome::Pass, Code::TokenRevoked);
                step.with_texts("a token that was not revoked", "not revoked")
            }
            Err(Denial::Rejection(rejection)) => Step::failure(REVOCATION, &rejection),
            Err(Denial::Outage(outage)) => {
                Step::open(REVOCATION, "an answer of the revocation store", &outage)
            }
        }
    }
}

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
    async fn explain(
        &self,
        token: UnverifiedToken<'_>,
        now: NumericDate,
        mut steps: Vec<Step>,
    ) -> Explanation {
        let issuer = format!("`{}`", self.verifier.issuer());
        let step = Step::new(ISSUER, Outcome::Pass, Code::TokenIssuer);
        steps.push(step.with_texts(issuer.clone(), issuer));
        steps.extend(self.verifier.explain_screening(&token, now));
        let (step, found) = self.explain_key(token.header()).await;
        steps.push(step);
        let (step, signer) = self.explain_signature(&token, found).await;
        steps.push(step);
        steps.extend(self.verifier.explain_rest(&token, signer.as_ref(), now));
        let mut explanation = Explanation {
            steps,
            profile: Some(self.verifier.profile().name()),
            hint: silent_paths(&self.verifier, token.unverified_claims()),
        };
        // Why the token is refused matters more than a claim that it lacks.
        if let Some(code) = explanation.first_code() {
            let seen = hint::of_step(code, &token, &self.verifier, now);
            explanation.hint = hint::with_cure(seen, self.verifier.profile().dialect, code);
        }
        explanation
    }

    async fn explain_key(&self, header: &Header) -> (Step, Option<FoundKeys>) {
        self.keys.start();
        let kid = header.kid.as_deref();
        let fault = match self.keys.key(kid, header.algorithm).await {
            Ok(keys) => {
                let found = match kid {
                    Some(kid) => quote(kid),
                    None => "no `kid`, but keys that fit".to_owned(),
                };
                let step = Step::new(KEY, Outcome::Pass, Code::TokenKeyUnknown);
                let step = step.with_texts("a key that the issuer publishes", found);
                return (step, Some(keys));
            }
            Err(fault) => fault,
        };
        let step = match fault {
            KeyFault::UnknownKey => Step::failure(KEY, &Rejection::of_unknown_key(kid)),
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
                    Some(kid) => format!("valid, {algorithm}, key {}", quote(kid)),
                    None => format!("valid, {algorithm}"),
                };
                let step = Step::new(SIGNATURE, Outcome::Pass, Code::TokenSignature);
                (step.with_texts(VALID, found), Some(signer))
            }
            Err(rejection) => {
                let step = Step::failure(SIGNATURE, &rejection);
                (step.with_texts(VALID, "an invalid signature"), None)
            }
        }
    }
}

fn unreadable(rejection: &Rejection, hint: Option<String>) -> Explanation {
    let mut steps = vec![
        Step::failure(FORM, rejection),
        Step::not_reached(ISSUER, Code::TokenIssuer),
    ];
    steps.extend(skipped_from_issuer());
    Explanation {
        steps,
        profile: None,
        hint,
    }
}

fn skipped_from_issuer() -> Vec<Step> {
    // Listed all the same, so that a reader sees how much of the way is left.
    let mut steps = Verifier::explain_skipped(false);
    steps.push(Step::not_reached(KEY, Code::TokenKeyUnknown));
    steps.push(Step::not_reached(SIGNATURE, Code::TokenSignature));
    steps.extend(Verifier::explain_skipped(true));
    steps
}

const VALID: &str = "a valid signature";
const FORM: &str = "form";
const ISSUER: &str = "trusted issuer";
const KEY: &str = "signing key";
const SIGNATURE: &str = "signature";
const REVOCATION: &str = "revocation";
