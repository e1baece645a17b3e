//! The same for tokens that their issuer is asked about: it is asked anew, whatever is remembered.

use super::{Explanation, FORM, hint};
use crate::introspection::Introspector;
use portcullis_core::Denial;
use portcullis_core::rejection::Code;
use portcullis_core::token::{Claims, NumericDate, OpaqueToken};
use portcullis_core::verify::{Outcome, Step, Verifier};
use portcullis_provider::clock::Clock;

const INTROSPECTION: &str = "introspection";

impl Introspector {
    /// Every step on the way of an opaque token, and what it says if it is active.
    pub(super) async fn explain(
        &self,
        token: OpaqueToken<'_>,
        clock: &dyn Clock,
    ) -> (Explanation, Option<Claims>) {
        let form = Step::new(FORM, Outcome::Pass, Code::TokenMalformed);
        let mut steps = vec![form.with_texts("a bearer token", "an opaque token")];
        let verifier = self.verifier();
        let claims = self.active(token.as_str()).await;
        steps.push(step(&claims));
        let claims = claims.ok();
        match &claims {
            Some(claims) => steps.extend(verifier.explain_answer(claims, clock.now())),
            None => {
                steps.extend(Verifier::explain_skipped(false));
                steps.extend(Verifier::explain_skipped(true));
            }
        }
        let mut explanation = Explanation {
            steps,
            profile: Some(verifier.profile().name()),
            hint: None,
        };
        let obstacle = explanation.first_obstacle().map(|step| step.code);
        explanation.hint = obstacle.and_then(|code| {
            let seen = hint::of_answer(code, claims.as_ref());
            hint::with_cure(seen, verifier.profile().dialect, code)
        });
        (explanation, claims)
    }

    /// What the issuer says about a token that it signed; none where such tokens are not asked
    /// about.
    pub(super) async fn explain_confirmation(&self, token: &str, now: NumericDate) -> Option<Step> {
        if !self.confirms_jwts() {
            return None;
        }
        let claims = self.active(token).await;
        let confirmed = claims.and_then(|claims| {
            self.verifier().confirm(&claims, now)?;
            Ok(claims)
        });
        Some(step(&confirmed))
    }

    async fn active(&self, token: &str) -> Result<Claims, Denial> {
        Ok(self.answer(token).await?.into_claims()?)
    }
}

fn step(claims: &Result<Claims, Denial>) -> Step {
    match claims {
        Ok(_) => {
            let step = Step::new(INTROSPECTION, Outcome::Pass, Code::TokenInactive);
            step.with_texts("`active` to be true", "true")
        }
        Err(Denial::Rejection(rejection)) => Step::failure(INTROSPECTION, rejection),
        Err(Denial::Outage(outage)) => Step::open(INTROSPECTION, "the issuer's answer", outage),
    }
}
