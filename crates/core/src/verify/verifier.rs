//! Runs the table against one token.

use super::Profile;
use super::checks::{CHECKS, Stage};
use super::examination::{CheckResult, Evidence, Examination};
use super::expectations::Expectations;
use crate::dialect::TENANT;
use crate::jose::{SignedToken, UnverifiedToken};
use crate::rejection::Rejection;
use crate::token::issuer::IssuerError;
use crate::token::{
    AccessToken, Audiences, ClaimPath, Claims, Identity, Issuer, NumericDate, Origin,
};
use std::sync::Arc;

/// Verifies the tokens of one issuer for one resource server. Clones share one set of expectations.
///
/// ```
/// use portcullis_core::Limits;
/// use portcullis_core::jose::compact;
/// use portcullis_core::token::{Audiences, Issuer, NumericDate};
/// use portcullis_core::verify::{Profile, Verifier};
///
/// let issuer = Issuer::parse("https://idp.example")?;
/// let audiences = Audiences::new(["https://api.example"])?;
/// let verifier = Verifier::new(issuer, audiences, Profile::generic());
///
/// // {"alg":"ES256"} . {"iss":"https://other.example","aud":"https://api.example","exp":2000}
/// let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUiLCJhdWQiOiJodHRwczov\
///              L2FwaS5leGFtcGxlIiwiZXhwIjoyMDAwfQ.AAAA";
/// let token = compact::parse(token, &Limits::default())?;
/// let refusal = verifier.screen(&token, NumericDate::from_seconds(1_000)).unwrap_err();
/// assert_eq!(refusal.code().as_str(), "token.issuer");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Expectations>);

impl Verifier {
    /// A verifier for the tokens of `issuer` that are meant for one of `audiences`.
    pub fn new(issuer: Issuer, audiences: Audiences, mut profile: Profile) -> Self {
        // Filled in once: the paths would else be built for each token.
        profile.mapping = profile.mapping.with_audiences(&audiences);
        let aliases = (profile.dialect.aliases)(issuer.as_str());
        Self(Arc::new(Expectations {
            issuer,
            aliases,
            audiences,
            profile: Arc::new(profile),
            tenant: None,
        }))
    }

    /// The same expectations for one tenant. It replaces `{tenantid}` in the issuer, and the tokens
    /// must name it if their dialect has a claim for it.
    ///
    /// # Errors
    ///
    /// A tenant that does not make the template an issuer.
    pub fn for_tenant(&self, tenant: &str) -> Result<Self, IssuerError> {
        let Expectations {
            issuer,
            audiences,
            profile,
            ..
        } = &*self.0;
        let filled = issuer.as_str().replace(TENANT, tenant);
        // A template that is only compared makes issuers that are only compared.
        let address = Issuer::parse(issuer.as_str()).is_ok();
        let issuer = if address {
            Issuer::parse(filled)?
        } else {
            Issuer::identifier(filled)?
        };
        Ok(Self(Arc::new(Expectations {
            aliases: (profile.dialect.aliases)(issuer.as_str()),
            issuer,
            audiences: audiences.clone(),
            profile: Arc::clone(profile),
            tenant: Some(tenant.into()),
        })))
    }

    /// The issuer of the tokens.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// Other spellings of the issuer that its tokens may have in `iss`.
    pub fn aliases(&self) -> &[String] {
        &self.0.aliases
    }

    /// Our own audiences.
    pub fn audiences(&self) -> &Audiences {
        &self.0.audiences
    }

    /// The profile of the tokens.
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// The tenant that the tokens must name, if there is one.
    pub fn tenant(&self) -> Option<&str> {
        self.0.tenant.as_deref()
    }

    /// The caller's identity if the claims were true. It proves nothing: for explaining.
    pub fn unverified_identity(&self, claims: &Claims) -> Identity {
        Identity::of(claims, self.profile().dialect, &self.profile().mapping)
    }

    /// The claim paths that the operator set for these tokens, each with the setting and whether it
    /// finds anything in these claims. A path with a slip in it finds nothing, and refuses nobody
    /// but by policies.
    pub fn own_paths(&self, claims: &Claims) -> Vec<(&'static str, String, bool)> {
        let mapping = &self.0.profile.mapping;
        let mut own = Vec::new();
        for (member, places, found) in
            mapping.own_places(self.0.profile.dialect, &self.0.audiences, claims)
        {
            let paths: Vec<String> = places.iter().map(ClaimPath::to_string).collect();
            own.push((member, paths.join(", "), found));
        }
        own
    }

    /// The checks that need no key, so that junk never causes a fetch. It proves nothing.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn screen(&self, token: &UnverifiedToken<'_>, now: NumericDate) -> Result<(), Rejection> {
        let evidence = Evidence::Token {
            header: token.header(),
            key_issuer: None,
        };
        let examination = self.examine(evidence, token.unverified_claims(), now);
        run(&examination, Stage::BEFORE_SIGNATURE)
    }

    /// All checks of a token whose signature was proven.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn verify(&self, token: SignedToken, now: NumericDate) -> Result<AccessToken, Rejection> {
        let evidence = Evidence::Token {
            header: token.header(),
            key_issuer: token.key().issuer(),
        };
        // The screened rows run again: fetching a key takes time, and callers may skip `screen`.
        run(&self.examine(evidence, token.claims(), now), Stage::ALL)?;
        let (header, claims, key) = token.into_parts();
        let origin = Origin::Signed {
            header,
            key: *key.fingerprint(),
        };
        Ok(AccessToken::new(claims, origin, self.clone()))
    }

    /// The checks that time can undo, for a token that was verified before.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn recheck(token: &AccessToken, now: NumericDate) -> Result<(), Rejection> {
        // Nothing but time can change: the token was signed, and its verifier is the same.
        let examination = token
            .verifier()
            .examine(evidence_of(token), token.claims(), now);
        run(&examination, &[Stage::EveryTime])
    }

    /// All checks of a token that was verified before, perhaps by another verifier of its issuer.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn verify_again(&self, token: &AccessToken, now: NumericDate) -> Result<(), Rejection> {
        let examination = self.examine(evidence_of(token), token.claims(), now);
        run(&examination, Stage::ALL)
    }

    /// All checks of what an issuer says about a token that is not a JWT.
    pub(crate) fn check_answer(&self, claims: &Claims, now: NumericDate) -> Result<(), Rejection> {
        run(&self.examine(Evidence::Answer, claims, now), Stage::ALL)
    }

    /// The checks of what an issuer says about a token that it also signed: the rest was in the
    /// token itself.
    pub(crate) fn check_confirmation(
        &self,
        claims: &Claims,
        now: NumericDate,
    ) -> Result<(), Rejection> {
        let examination = self.examine(Evidence::Confirmation, claims, now);
        run(&examination, Stage::BEFORE_SIGNATURE)
    }

    pub(super) fn examine<'x>(
        &'x self,
        evidence: Evidence<'x>,
        claims: &'x Claims,
        now: NumericDate,
    ) -> Examination<'x> {
        Examination {
            expectations: &self.0,
            evidence,
            claims,
            now,
            explains: false,
        }
    }
}

/// The evidence for a token that was verified before. Its key was checked then, and is not kept.
fn evidence_of(token: &AccessToken) -> Evidence<'_> {
    match token.header() {
        Some(header) => Evidence::Token {
            header,
            key_issuer: None,
        },
        None => Evidence::Answer,
    }
}

/// Runs the rows of these stages, up to the first that fails.
fn run(examination: &Examination<'_>, stages: &[Stage]) -> Result<(), Rejection> {
    for check in CHECKS {
        if !stages.contains(&check.stage) {
            continue;
        }
        // A refused token is not worth the time of the remaining rows.
        if let CheckResult::Fails(facts) = (check.run)(examination) {
            return Err(Rejection::with(check.code, facts));
        }
    }
    Ok(())
}
