//! Why a token is accepted or refused: the same line as [`ResourceServer::authenticate`], run to
//! the end.

mod caller;
mod content;
mod ending;
mod hint;
mod issuer;
mod opaque;
mod possession;

pub use content::{TokenContent, TokenForm};

use crate::ResourceServer;
use crate::issuers::TrustedIssuer;
use crate::resource_request::ResourceRequest;
use crate::revocation::{Revocable, Standing};
use hint::Mistake;
use http::HeaderMap;
use portcullis_core::credential::Credential;
use portcullis_core::jose::{UnverifiedToken, compact};
use portcullis_core::rejection::{Code, Rejection};
use portcullis_core::token::Claims;
use portcullis_core::verify::{Outcome, Step, Verifier};
use portcullis_core::{Denial, Dialect};
use std::sync::Arc;

/// Every step on the way of one token, in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// What the token says: proven only if [`is_authentic`](Self::is_authentic).
    pub content: TokenContent,
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

    /// Whether the issuer vouches for the claims: by its signature, or by its answer about an
    /// opaque token. The token may be refused all the same, such as one that expired.
    pub fn is_authentic(&self) -> bool {
        // An answer counts only about a token without a signature of its own.
        let named = |name| self.steps.iter().find(|step| step.name == name);
        let proof = named(SIGNATURE).or_else(|| named(opaque::INTROSPECTION));
        proof.is_some_and(|step| step.outcome == Outcome::Pass)
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
        let headers = HeaderMap::new();
        let request = ResourceRequest::of_headers(&headers, None);
        self.explain_request(Credential::bearer(token), &request)
            .await
    }

    /// The checks of a token alone.
    async fn explain_alone(&self, token: &str) -> Explanation {
        // A text that is not fit to be asked about is explained below, as unreadable.
        if let Ok(Some((opaque, introspector))) =
            self.issuers().find_introspector(token, self.limits())
        {
            let (mut explanation, claims) = introspector.explain(opaque, self.clock()).await;
            let Some(claims) = claims else {
                return explanation;
            };
            if self.revocations().is_in_use() {
                let verifier = introspector.verifier();
                let step = self.explain_revocation(verifier, &claims).await;
                explanation.steps.push(step);
            }
            return explanation;
        }
        let parsed = match compact::parse(token, self.limits()) {
            Ok(parsed) => parsed,
            Err(rejection) => {
                return self.explain_unreadable(&rejection, token).await;
            }
        };
        let form = Step::new(FORM, Outcome::Pass, Code::TokenMalformed);
        let steps = vec![form.with_texts("a signed JWT", "a signed JWT")];
        match self
            .issuers()
            .find(parsed.unverified_claims().issuer())
        {
            Ok(issuer) => {
                self.explain_trusted(issuer, token, parsed, steps)
                    .await
            }
            Err(rejection) => self.explain_stranger(&rejection, &parsed, token, steps),
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
        let claims = parsed.unverified_claims().clone();
        let content = TokenContent::of_trusted(token, &claims, &issuer.verifier);
        let keys_tried = self.limits().keys_tried;
        let mut explanation = issuer
            .explain(parsed, content, now, keys_tried, steps)
            .await;
        if explanation.first_code() == Some(Code::TokenSignature.as_str()) {
            // A signature that was cut may still be base64url: its length tells.
            let dialect = Some(issuer.verifier.profile().dialect);
            let code = Code::TokenSignature.as_str();
            if let Some(cut) = hint::of_unreadable(token) {
                explanation.hint = hint::with_cure(Some(cut), dialect, code);
            }
        }
        if self.revocations().is_in_use() {
            let step = self
                .explain_revocation(&issuer.verifier, &claims)
                .await;
            explanation.steps.push(step);
        }
        self.explain_ending(&issuer, &claims, &mut explanation);
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
        token: &str,
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
        let content = TokenContent::read(token, None);
        let claims = parsed.unverified_claims();
        let own = Dialect::of_issuer(claims.issuer().unwrap_or_default());
        // A token for an API of the provider is no token of another version or spelling.
        let seen = hint::of_provider_api(&content, own)
            .or_else(|| hint::of_issuer(claims, self.issuers().verifiers()));
        let hint = self.with_only_dialect(seen, rejection.code());
        Explanation {
            content,
            profile: None,
            steps,
            hint,
        }
    }

    /// A token that cannot be read as a JWT.
    async fn explain_unreadable(&self, rejection: &Rejection, token: &str) -> Explanation {
        let content = TokenContent::read(token, None);
        let seen = match rejection.code() {
            Code::TokenTooLarge => hint::of_size(&content),
            Code::TokenAlgorithm if self.publishes_key_of(&content).await => {
                Some(hint::forgery_with_public_key())
            }
            _ => hint::of_unreadable(token),
        };
        let hint = self.with_only_dialect(seen, rejection.code());
        let mut steps = vec![
            Step::failure(FORM, rejection),
            Step::not_reached(ISSUER, Code::TokenIssuer),
        ];
        steps.extend(skipped_from_issuer());
        Explanation {
            content,
            steps,
            profile: None,
            hint,
        }
    }

    /// Whether a token with HMAC names a key that its issuer publishes for signatures.
    async fn publishes_key_of(&self, content: &TokenContent) -> bool {
        let header = |name| content.header.as_ref()?.get(name)?.as_str();
        let claims = content.claims.as_ref();
        let issuer = claims.and_then(|claims| claims.get("iss")?.as_str());
        let (Some(alg), Some(kid)) = (header("alg"), header("kid")) else {
            return false;
        };
        match self.issuers().find(issuer) {
            Ok(issuer) if alg.starts_with("HS") => issuer.publishes(kid).await,
            _ => false,
        }
    }

    /// The provider's own cure, where only one kind of provider can be meant.
    fn with_only_dialect(&self, seen: Option<Mistake>, code: Code) -> Option<String> {
        // With several issuers a foreign token says nothing about which of them was meant.
        let mut verifiers = self.issuers().verifiers();
        let dialect = match (verifiers.next(), verifiers.next()) {
            (Some(only), None) => Some(only.profile().dialect),
            _ => None,
        };
        hint::with_cure(seen, dialect, code.as_str())
    }

    async fn explain_revocation(&self, verifier: &Verifier, claims: &Claims) -> Step {
        let token = Revocable::Unverified(verifier, claims);
        // A fresh standing: a remembered one could skip the lookup that is to be shown.
        match self
            .revocations()
            .check(&Standing::default(), token)
            .await
        {
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

fn skipped_from_issuer() -> Vec<Step> {
    // Listed all the same, so that a reader sees how much of the way is left.
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
