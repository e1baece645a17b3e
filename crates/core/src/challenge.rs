//! From a refusal to the answer: the status, `WWW-Authenticate` and the problem document.
//!
//! All of it comes from the [catalog](crate::rejection): nothing from a token, and no facts.
//!
//! ```
//! use portcullis_core::Rejection;
//! use portcullis_core::challenge::{Problem, challenge};
//!
//! let rejection = Rejection::of_unknown_key(Some("key-7"));
//! let challenge = challenge(&rejection, "orders");
//! assert_eq!(challenge.status, 401);
//! assert_eq!(
//!     challenge.www_authenticate,
//!     "Bearer realm=\"orders\", error=\"invalid_token\", \
//!      error_description=\"the access token is signed with an unknown key\""
//! );
//! let problem = Problem::of_rejection(&rejection, "request-1");
//! assert_eq!((problem.status, problem.code), (401, "token.key_unknown"));
//! ```

use crate::code_links::CodeLinks;
use crate::credential::Scheme;
use crate::outage::Outage;
use crate::rejection::{DpopOffer, Rejection, StepUp};
use serde::Serialize;

/// The answer to a refused request (RFC 6750, section 3; RFC 9449, section 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// The HTTP status: 400, 401 or 403.
    pub status: u16,
    /// The value of `WWW-Authenticate`. Two challenges are one value: not every proxy passes two
    /// fields on.
    pub www_authenticate: String,
    /// The value of `DPoP-Nonce`, if proofs need a nonce (RFC 9449, section 9).
    pub dpop_nonce: Option<String>,
}

/// What every challenge of a resource says, whatever was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a new parameter is a decision of every door"
)]
pub struct ChallengeTerms<'c> {
    /// `realm`: the operator's name for the API.
    pub realm: &'c str,
    /// `resource_metadata`: where the resource describes itself (RFC 9728, section 5.1).
    pub resource_metadata: Option<&'c str>,
}

/// Challenges the caller. What comes from the settings loses the characters that need an escape.
pub fn challenge<'c>(rejection: &Rejection, terms: impl Into<ChallengeTerms<'c>>) -> Challenge {
    let mut terms = terms.into();
    // The refusal knows the resource of its request; the terms are those of the whole server.
    terms.resource_metadata = rejection
        .resource_metadata()
        .or(terms.resource_metadata);
    let www_authenticate = match rejection.dpop() {
        None => with_error(Scheme::Bearer, rejection, &terms),
        Some(offer) => with_offer(offer, rejection, &terms),
    };
    Challenge {
        status: rejection.code().entry().status,
        www_authenticate,
        dpop_nonce: rejection.dpop().and_then(|offer| offer.nonce.clone()),
    }
}

/// One challenge, or two: the error stands in the one of the scheme that was tried (RFC 9449,
/// section 7.2).
fn with_offer(offer: &DpopOffer, rejection: &Rejection, terms: &ChallengeTerms<'_>) -> String {
    let mut own = with_error(offer.scheme, rejection, terms);
    let algorithms = format!(", algs=\"{}\"", plain(&offer.algorithms));
    match offer.scheme {
        Scheme::Dpop => {
            own.push_str(&algorithms);
            if offer.allows_bearer {
                own.push_str(", ");
                own.push_str(&opening(Scheme::Bearer, terms));
            }
        }
        Scheme::Bearer => {
            let other = opening(Scheme::Dpop, terms);
            own.push_str(&format!(", {other}{algorithms}"));
        }
    }
    own
}

fn with_error(scheme: Scheme, rejection: &Rejection, terms: &ChallengeTerms<'_>) -> String {
    let entry = rejection.code().entry();
    let mut value = opening(scheme, terms);
    if let Some(error) = entry.error {
        value.push_str(&format!(", error=\"{error}\""));
    }
    // A request without a token learns no more than that it needs one (RFC 6750, section 3.1).
    if entry.error.is_some() || entry.status == 403 {
        value.push_str(&format!(", error_description=\"{}\"", entry.phrase));
    }
    if let Some(scopes) = rejection.scopes() {
        value.push_str(&format!(", scope=\"{}\"", plain(&scopes.to_string())));
    }
    if let Some(step_up) = rejection.step_up() {
        add_step_up(&mut value, step_up);
    }
    value
}

/// The scheme with the parameters that every challenge has. Operators' texts are cut to what needs
/// no escape: a quote in one of them must not start another parameter.
fn opening(scheme: Scheme, terms: &ChallengeTerms<'_>) -> String {
    let mut value = format!("{} realm=\"{}\"", scheme.name(), plain(terms.realm));
    if let Some(address) = terms.resource_metadata {
        value.push_str(&format!(", resource_metadata=\"{}\"", plain(address)));
    }
    value
}

impl<'c> From<&'c str> for ChallengeTerms<'c> {
    fn from(realm: &'c str) -> Self {
        Self {
            realm,
            resource_metadata: None,
        }
    }
}

impl<'c> From<&'c String> for ChallengeTerms<'c> {
    fn from(realm: &'c String) -> Self {
        realm.as_str().into()
    }
}

/// The parameters of RFC 9470, section 3.
fn add_step_up(value: &mut String, step_up: &StepUp) {
    let acr_values: Vec<&str> = step_up.acr_values().collect();
    if !acr_values.is_empty() {
        value.push_str(&format!(
            ", acr_values=\"{}\"",
            plain(&acr_values.join(" "))
        ));
    }
    if let Some(age) = step_up.max_age() {
        value.push_str(&format!(", max_age=\"{}\"", age.as_secs()));
    }
}

/// The characters of a text that need no escape between quotes.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ' '..='~') && !matches!(character, '"' | '\\') {
            plain.push(character);
        }
    }
    plain
}

/// A problem document (RFC 9457): the body of every refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem<'r> {
    /// The address of the code's page; without one a URN, which leads nowhere.
    #[serde(rename = "type")]
    pub kind: String,
    /// The reason phrase of the status.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The fixed phrase of the code.
    pub detail: &'static str,
    /// The stable code.
    pub code: &'static str,
    /// The name of this request in the operator's log.
    pub request_id: &'r str,
}

impl<'r> Problem<'r> {
    /// The document for a refusal.
    pub fn of_rejection(rejection: &Rejection, request_id: &'r str) -> Self {
        let entry = rejection.code().entry();
        Self::new(entry.code, entry.status, entry.phrase, request_id)
    }

    /// The document for an outage.
    pub fn of_outage(outage: &Outage, request_id: &'r str) -> Self {
        Self::new(
            outage.code().as_str(),
            503,
            outage.code().phrase(),
            request_id,
        )
    }

    /// The same document with the address of the code's page as its type, if there is one.
    #[must_use]
    pub fn with_links(mut self, links: &CodeLinks) -> Self {
        self.kind = links.problem_type(self.code);
        self
    }

    fn new(code: &'static str, status: u16, detail: &'static str, request_id: &'r str) -> Self {
        let title = match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            _ => "Service Unavailable",
        };
        Self {
            kind: CodeLinks::default().problem_type(code),
            title,
            status,
            detail,
            code,
            request_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::{Code, Facts};
    use crate::{Decision, Denial, OutageCode};
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn every_code_has_its_challenge_and_echoes_no_facts() {
        for code in Code::ALL {
            let rejection = Rejection::with(*code, Facts::new("SECRET", "SECRET"));
            let Challenge {
                status,
                www_authenticate,
                ..
            } = challenge(&rejection, "a\"p\\i\n");
            assert!(
                www_authenticate.starts_with("Bearer realm=\"api\""),
                "{www_authenticate}"
            );
            assert!(!www_authenticate.contains("SECRET"));
            assert_eq!(
                www_authenticate.contains("error="),
                code.entry().error.is_some()
            );
            let body = serde_json::to_string(&Problem::of_rejection(&rejection, "r-1")).unwrap();
            assert!(
                !body.contains("SECRET") && body.contains(code.as_str()),
                "{body}"
            );
            assert_eq!(status, code.entry().status);
        }
    }

    /// A client throws a good token away on a 401, so an outage is none; and whatever the code,
    /// nobody gets in.
    #[test]
    fn no_code_is_ever_an_allow_and_no_outage_a_401() {
        for code in OutageCode::ALL {
            let outage = Outage::new(*code, "SECRET", Duration::ZERO);
            let problem = Problem::of_outage(&outage, "r-1");
            assert_eq!(
                (problem.status, problem.title),
                (503, "Service Unavailable"),
                "{code}"
            );
            let body = serde_json::to_string(&problem).unwrap();
            assert!(
                !body.contains("SECRET") && body.contains(code.as_str()),
                "{body}"
            );
            let decision = Decision::from(Err(Denial::from(outage.clone())));
            assert!(
                matches!(&decision, Decision::Fail(kept) if *kept == outage),
                "{code}"
            );
            assert_eq!(
                decision.into_result().err(),
                Some(Denial::Outage(outage)),
                "{code}"
            );
        }
        for code in Code::ALL {
            let rejection = Rejection::new(*code);
            let decision = Decision::from(Err(Denial::from(rejection.clone())));
            assert!(
                matches!(&decision, Decision::Deny(kept) if *kept == rejection),
                "{code}"
            );
            assert_eq!(
                decision.into_result().err(),
                Some(Denial::Rejection(rejection)),
                "{code}"
            );
        }
    }

    #[test]
    fn missing_scopes_are_named() {
        let rejection =
            Rejection::new(Code::PolicyScope).needing(["a:b", "c"].into_iter().collect());
        let expected = "Bearer realm=\"api\", error=\"insufficient_scope\", \
                        error_description=\"the access token lacks a scope\", scope=\"a:b c\"";
        assert_eq!(challenge(&rejection, "api").www_authenticate, expected);
    }

    #[test]
    fn a_bound_token_is_challenged_by_its_scheme() {
        let offer = |scheme, allows_bearer| DpopOffer {
            algorithms: "ES256 EdDSA".to_owned(),
            scheme,
            allows_bearer,
            nonce: Some("n".to_owned()),
        };
        let told = |offer| {
            let rejection = Rejection::new(Code::ProofNonce).offering(offer);
            let told = challenge(&rejection, "api");
            assert_eq!(told.dpop_nonce.as_deref(), Some("n"));
            told.www_authenticate
        };
        let error = "realm=\"api\", error=\"use_dpop_nonce\", \
                     error_description=\"the DPoP proof needs a nonce of this server\"";
        let algorithms = "algs=\"ES256 EdDSA\"";
        assert_eq!(
            told(offer(Scheme::Dpop, false)),
            format!("DPoP {error}, {algorithms}")
        );
        assert_eq!(
            told(offer(Scheme::Dpop, true)),
            format!("DPoP {error}, {algorithms}, Bearer realm=\"api\"")
        );
        assert_eq!(
            told(offer(Scheme::Bearer, true)),
            format!("Bearer {error}, DPoP realm=\"api\", {algorithms}")
        );
    }

    #[test]
    fn a_resource_says_where_it_describes_itself() {
        let terms = ChallengeTerms {
            realm: "api",
            resource_metadata: Some("https://api.example/.well-known/oauth-protected-resource"),
        };
        assert_eq!(
            challenge(&Rejection::new(Code::CredentialMissing), terms).www_authenticate,
            "Bearer realm=\"api\", resource_metadata=\
             \"https://api.example/.well-known/oauth-protected-resource\""
        );
    }

    /// Without this, clients with a role missing would ask for more scopes again and again.
    #[test]
    fn only_a_missing_scope_says_so() {
        for code in Code::ALL {
            let told = challenge(&Rejection::new(*code), "api").www_authenticate;
            let says_scope = told.contains("insufficient_scope");
            assert_eq!(says_scope, *code == Code::PolicyScope, "{told}");
        }
        assert_eq!(
            challenge(&Rejection::new(Code::PolicyRole), "api").www_authenticate,
            "Bearer realm=\"api\", error_description=\"the caller lacks a role\""
        );
    }

    #[test]
    fn metadata_is_for_clients_that_another_token_helps() {
        let metadata: Arc<str> = "https://a.example/.well-known/oauth-protected-resource".into();
        let mut named = Vec::new();
        for code in Code::ALL {
            let needed = ["a", "b"].into_iter().collect();
            let rejection = Rejection::new(*code).at_resource(&metadata, needed);
            let told = challenge(&rejection, "api").www_authenticate;
            let status = code.entry().status;
            let has_metadata = status == 401 || *code == Code::PolicyScope;
            assert_eq!(told.contains(&*metadata), has_metadata, "{told}");
            if told.contains("scope=\"a b\"") {
                named.push(code.as_str());
            }
        }
        assert!(named.contains(&"credential.missing") && named.contains(&"token.audience"));
        assert!(
            !named.iter().any(|code| code.starts_with("policy.")),
            "{named:?}"
        );
        // What was found to be missing stays.
        let own = Rejection::new(Code::PolicyScope).needing(["c"].into_iter().collect());
        let own = own.at_resource(&metadata, ["a"].into_iter().collect());
        assert!(
            challenge(&own, "api")
                .www_authenticate
                .contains("scope=\"c\"")
        );
    }

    #[test]
    fn characters_that_would_need_an_escape_are_left_out() {
        let rejection = Rejection::new(Code::PolicyScope)
            .needing(["a\"b\\c\u{e9}\u{1}", "d"].into_iter().collect());
        let value = challenge(&rejection, "r\"e\\a\u{7f}l").www_authenticate;
        assert!(
            value.starts_with("Bearer realm=\"real\", ") && value.ends_with("scope=\"d\""),
            "{value}"
        );
    }
}
