//! By which claims a logout or an event would end the token.

use super::Explanation;
use crate::ResourceServer;
use crate::issuers::TrustedIssuer;
use crate::receiver::{END_SUBJECT, has_session, matching_claims};
use portcullis_core::dialect::SessionClaim;
use portcullis_core::rejection::Code;
use portcullis_core::token::Claims;
use portcullis_core::verify::{Outcome, Step};

impl ResourceServer {
    /// Adds which claims of the token a logout or an event can name, where the settings receive any
    /// for its issuer; and a hint where a logout passes the token by.
    pub(super) fn explain_ending(
        &self,
        issuer: &TrustedIssuer,
        claims: &Claims,
        explanation: &mut Explanation,
    ) {
        let verifier = &issuer.verifier;
        if issuer.logout.is_none() && !self.receivers().end_tokens_of(verifier.issuer()) {
            return;
        }
        let found = matching_claims(verifier.profile(), claims);
        let step = match found.is_empty() {
            // A token of an application: nobody signed in, so nobody signs out.
            true => Step::new(ENDING, Outcome::Skipped, Code::TokenRevoked)
                .with_texts(EXPECTED, "neither a session nor a subject"),
            false => Step::new(ENDING, Outcome::Pass, Code::TokenRevoked)
                .with_texts(EXPECTED, format!("ended by {}", found.join(" or "))),
        };
        explanation.steps.push(step);
        let ends_session = issuer
            .logout
            .as_ref()
            .is_some_and(|logout| !logout.ends_subject);
        let is_missed = ends_session && !has_session(claims) && !found.is_empty();
        // Why a token is refused matters more.
        if is_missed && explanation.hint.is_none() && explanation.is_accepted() {
            let cure = match verifier.profile().dialect.session_claim {
                SessionClaim::OptIn(cure) => format!("{cure}, or {END_SUBJECT}"),
                _ => END_SUBJECT.to_owned(),
            };
            explanation.hint = Some(format!(
                "the token has no `sid`, so a logout that names a session does not end it. For \
                 `[issuer.logout]`, {cure}"
            ));
        }
    }
}

const ENDING: &str = "logout";
const EXPECTED: &str = "a claim that a logout or an event can name";
