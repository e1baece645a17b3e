//! Why a token is accepted or refused: the same line as [`ResourceServer::authenticate`], run to
//! the end.

mod hint;
mod opaque;

use crate::ResourceServer;
use crate::issuers::TrustedIssuer;
use crate::revocation::{Revocable, Standing};
use portcullis_core::Denial;
use portcullis_core::jose::{Header, UnverifiedToken, VerifyingKey, compact, signature};
use portcullis_core::rejection::{Code, Rejection};
use portcullis_core::token::{Claims, NumericDate};
use portcullis_core::verify::{Outcome, Step, Verifier};
use portcullis_provider::keys::{FoundKeys, KeyFault};
use std::sync::Arc;

/// Every step on the way of one token, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The steps.
    pub steps: Vec<Step>,
    /// The profile by which the token was judged; none where its issuer is not trusted.
    pub profile: Option<&'static str>,
    /// The usual mistake that this looks like, and the provider's own setting that cures it.
    pub hint: Option<String>,
}

impl Explanation {
    /// The step at which the token was refused, or at which an outage left it open.
    pub fn first_obstacle(&self) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| matches!(step.outcome, Outcome::Fail | Outcome::Unknown))
    }

    /// Whether every step passed or did not apply.
    pub fn is_accepted(&self) -> bool {
        self.first_obstacle().is_none()
    }
}

impl ResourceServer {
    /// Explains what becomes of a token. Steps after the signature are shown even where it failed;
    /// they prove nothing then.
    pub async fn explain(&self, token: &str) -> Explanation {
        // A text that is not fit to be asked about is told below, as unreadable.
        if let Ok(Some((opaque, introspector))) = self.issuers().asked_about(token, self.limits()) {
            let (mut explanation, claims) = introspector.explain(opaque, self.clock()).await;
            if let Some(claims) = claims.filter(|_| self.revocations().is_in_use()) {
                explanation.steps.push(
                    self.explain_revocation(introspector.verifier(), &claims)
                        .await,
                );
            }
            return explanation;
        }
        let parsed = match compact::parse(token, self.limits()) {
            Ok(parsed) => parsed,
            Err(rejection) => {
                let seen = hint::of_unreadable(token);
                return unreadable(
                    &rejection,
                    self.with_only_dialect(seen, rejection.code().as_str()),
                );
            }
        };
        let steps = vec![
            Step::new(FORM, Outcome::Pass, Code::TokenMalformed)
                .with_texts("a signed JWT", "a signed JWT"),
        ];
        match self.issuers().trusted(parsed.unverified_claims().issuer()) {
            Ok(issuer) => self.explain_trusted(issuer, token, parsed, steps).await,
            Err(rejection) => self.explain_stranger(&rejection, &parsed, steps),
        }
    }
}

impl ResourceServer {
    /// A token of an issuer that is trusted.
    async fn explain_trusted(
        &self,
        issuer: Arc<TrustedIssuer>,
        token: &str,
        parsed: UnverifiedToken<'_>,
        steps: Vec<Step>,
    ) -> Explanation {
        let now = self.clock().now();
        let claims = self
            .revocations()
            .is_in_use()
            .then(|| parsed.unverified_claims().clone());
        let mut explanation = issuer.explain(parsed, now, steps).await;
        let obstacle = explanation.first_obstacle().map(|step| step.code);
        if obstacle == Some(Code::TokenSignature.as_str()) {
            // A signature that was cut may still be base64url: its length tells.
            explanation.hint = hint::of_unreadable(token).or(explanation.hint);
        }
        if let Some(claims) = claims {
            explanation
                .steps
                .push(self.explain_revocation(&issuer.verifier, &claims).await);
        }
        if let Some(introspector) = &issuer.introspector {
            explanation
                .steps
                .extend(introspector.explain_confirmation(token, now).await);
        }
        explanation
    }

    /// A token of an issuer that is not.
    fn explain_stranger(
        &self,
        rejection: &Rejection,
        parsed: &UnverifiedToken<'_>,
        mut steps: Vec<Step>,
    ) -> Explanation {
        let verifiers = || self.issuers().verifiers();
        let mut configured: Vec<String> = verifiers()
            .take(5)
            .map(|verifier| format!("`{}`", verifier.issuer()))
            .collect();
        configured.dedup();
        let found = rejection.facts().found().to_owned();
        steps.push(Step::failure(ISSUER, rejection).with_texts(configured.join(" or "), found));
        steps.extend(skipped_from_issuer());
        let seen = hint::of_issuer(parsed.unverified_claims(), verifiers());
        let hint = self.with_only_dialect(seen, rejection.code().as_str());
        Explanation {
            profile: None,
            steps,
            hint,
        }
    }

    /// The provider's own cure, where only one kind of provider can be meant.
    fn with_only_dialect(&self, seen: Option<String>, code: &str) -> Option<String> {
        let mut dialects = self
            .issuers()
            .verifiers()
            .map(|verifier| verifier.profile().dialect);
        match (dialects.next(), dialects.next()) {
            (Some(only), None) => hint::with_cure(seen, only, code),
            _ => seen,
        }
    }

    async fn explain_revocation(&self, verifier: &Verifier, claims: &Claims) -> Step {
        let token = Revocable::Unverified(verifier, claims);
        let checked = self.revocations().check(&Standing::default(), token).await;
        match checked {
            Ok(()) => {
                let step = Step::new(REVOCATION, Outcome::Pass, Code::TokenRevoked);
                step.with_texts("a token that nobody revoked", "nothing that refuses it")
            }
            Err(Denial::Rejection(rejection)) => Step::failure(REVOCATION, &rejection),
            Err(Denial::Outage(outage)) => {
                Step::open(REVOCATION, "a revocation store that is heard from", &outage)
            }
        }
    }
}

/// The claim paths of the settings that find nothing in a token: no obstacle here, but roles and
/// the like are then none.
fn paths(verifier: &Verifier, claims: &Claims) -> Option<String> {
    let silent: Vec<String> = verifier
        .own_paths(claims)
        .into_iter()
        .filter(|(_, _, found)| !found)
        .map(|(member, path, _)| format!("`{member}`, at `{path}`"))
        .collect();
    (!silent.is_empty()).then(|| {
        let silent = silent.join("; ");
        format!(
            "the settings look for what this token does not have: {silent}. Compare the claim \
            path with the token"
        )
    })
}

impl TrustedIssuer {
    async fn explain(
        &self,
        token: UnverifiedToken<'_>,
        now: NumericDate,
        mut steps: Vec<Step>,
    ) -> Explanation {
        let issuer = format!("`{}`", self.verifier.issuer());
        steps.push(
            Step::new(ISSUER, Outcome::Pass, Code::TokenIssuer).with_texts(issuer.clone(), issuer),
        );
        steps.extend(self.verifier.explain_screening(&token, now));
        let (step, found) = self.explain_key(token.header()).await;
        steps.push(step);
        let (step, signer) = self.explain_signature(&token, found).await;
        steps.push(step);
        steps.extend(self.verifier.explain_rest(&token, signer.as_ref(), now));
        let paths = paths(&self.verifier, token.unverified_claims());
        let profile = Some(self.verifier.profile().name());
        let mut explanation = Explanation {
            steps,
            profile,
            hint: paths,
        };
        let obstacle = explanation.first_obstacle().map(|step| step.code);
        if let Some(code) = obstacle {
            let seen = hint::of_step(code, &token, &self.verifier, now);
            explanation.hint = hint::with_cure(seen, self.verifier.profile().dialect, code);
        }
        explanation
    }

    async fn explain_key(&self, header: &Header) -> (Step, Option<FoundKeys>) {
        self.keys.start();
        let kid = header.kid.as_deref();
        match self.keys.key(kid, header.algorithm).await {
            Ok(keys) => {
                let shown = kid.map_or_else(
                    || "no `kid`, but keys that fit".to_owned(),
                    portcullis_core::rejection::quote,
                );
                let step = Step::new(KEY, Outcome::Pass, Code::TokenKeyUnknown);
                (
                    step.with_texts("a key that the issuer publishes", shown),
                    Some(keys),
                )
            }
            Err(KeyFault::UnknownKey) => {
                (Step::failure(KEY, &Rejection::of_unknown_key(kid)), None)
            }
            Err(KeyFault::WrongAlgorithm) => (
                Step::failure(KEY, &Rejection::of_key_algorithm(header.algorithm)),
                None,
            ),
            Err(KeyFault::Outage(outage)) => (Step::open(KEY, "the issuer's keys", &outage), None),
        }
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
        let mut checked = signature::check_jws(token.jws(), &found.keys);
        if checked.is_err() {
            match self.keys.replacements(token.header(), &found).await {
                Ok(None) => {}
                Ok(Some(keys)) => checked = signature::check_jws(token.jws(), &keys),
                Err(outage) => {
                    return (Step::open(SIGNATURE, "the issuer's keys", &outage), None);
                }
            }
        }
        match checked {
            Ok(signer) => {
                let step = Step::new(SIGNATURE, Outcome::Pass, Code::TokenSignature);
                (step.with_texts("a valid one", "a valid one"), Some(signer))
            }
            Err(rejection) => (
                Step::failure(SIGNATURE, &rejection).with_texts("a valid one", "an invalid one"),
                None,
            ),
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
    let mut steps = Verifier::explain_skipped(false);
    steps.push(Step::not_reached(KEY, Code::TokenKeyUnknown));
    steps.push(Step::not_reached(SIGNATURE, Code::TokenSignature));
    steps.extend(Verifier::explain_skipped(true));
    steps
}

const FORM: &str = "form";
const ISSUER: &str = "trusted issuer";
const KEY: &str = "signing key";
const SIGNATURE: &str = "signature";
const REVOCATION: &str = "revocation";
