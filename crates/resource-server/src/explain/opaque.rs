//! The same for tokens that their issuer is asked about: it is asked again, whatever is remembered.

use super::content::TokenContent;
use super::{Explanation, FORM, hint};
use crate::introspection::Introspector;
use portcullis_core::Denial;
use portcullis_core::rejection::Code;
use portcullis_core::token::{Claims, NumericDate, OpaqueToken};
use portcullis_core::verify::{Outcome, Step, Verifier};
use portcullis_provider::clock::Clock;

pub(super) const INTROSPECTION: &str = "introspection";

impl Introspector {
    /// Every step on the way of an opaque token, and its claims if it is active.
    pub(super) async fn explain(
        &self,
        token: OpaqueToken<'_>,
        clock: &dyn Clock,
    ) -> (Explanation, Option<Claims>) {
        let form = Step::new(FORM, Outcome::Pass, Code::TokenMalformed);
        let mut steps = vec![form.with_texts("a bearer token", "an opaque token")];
        let verifier = self.verifier();
        let claims = self.active_claims(token.as_str()).await;
        steps.push(step(&claims));
        let claims = claims.ok();
        match &claims {
            Some(claims) => steps.extend(verifier.explain_answer(claims, clock.now())),
            // Without claims the rest of the table has nothing to look at.
            None => {
                steps.extend(Verifier::explain_skipped(false));
                steps.extend(Verifier::explain_skipped(true));
            }
        }
        let mut content = TokenContent::of_text(token.as_str());
        if let Some(claims) = &claims {
            content = content.with_claims(claims, verifier);
        }
        let mut explanation = Explanation {
            content,
            steps,
            profile: Some(verifier.profile().name()),
            hint: None,
        };
        if let Some(code) = explanation.first_code() {
            let seen = hint::of_answer(code, claims.as_ref());
            explanation.hint = hint::with_cure(seen, Some(verifier.profile().dialect), code);
        }
        (explanation, claims)
    }

    /// The issuer's answer about a token that it signed; `None` where such tokens are not asked
    /// about.
    pub(super) async fn explain_confirmation(&self, token: &str, now: NumericDate) -> Option<Step> {
        if !self.confirms_jwts() {
            return None;
        }
        Some(step(&self.confirmed_claims(token, now).await))
    }

    async fn confirmed_claims(&self, token: &str, now: NumericDate) -> Result<Claims, Denial> {
        let claims = self.active_claims(token).await?;
        // Active is not enough: the type, issuer and times of the answer count as well.
        self.verifier().confirm(&claims, now)?;
        Ok(claims)
    }

    async fn active_claims(&self, token: &str) -> Result<Claims, Denial> {
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
