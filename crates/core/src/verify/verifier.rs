//! What one resource server demands of the tokens of one issuer.

use super::Profile;
use crate::dialect::TENANT;
use crate::token::issuer::IssuerError;
use crate::token::{Audiences, ClaimPath, Claims, Identity, Issuer, NumericDate};
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
pub struct Verifier(pub(super) Arc<Expectations>);

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
        self.profile().unverified_identity(claims)
    }

    /// When the subject of these claims signed in, where they say so.
    pub fn auth_time(&self, claims: &Claims) -> Option<NumericDate> {
        let mut places = self.profile().mapping.auth_time.iter();
        NumericDate::from_json(places.find_map(|place| place.find(claims))?)
    }

    /// The email address of the subject of these claims, where the operator says which claim it is
    /// in.
    pub fn email<'c>(&self, claims: &'c Claims) -> Option<&'c str> {
        let mut places = self.profile().mapping.email.iter();
        places.find_map(|place| place.find(claims))?.as_str()
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
}

/// What a token must meet.
#[derive(Debug)]
pub(super) struct Expectations {
    pub(super) issuer: Issuer,
    /// Other spellings of the issuer that its tokens may have.
    pub(super) aliases: Vec<String>,
    pub(super) audiences: Audiences,
    pub(super) profile: Arc<Profile>,
    /// The tenant that the tokens must name, if one entry serves many.
    pub(super) tenant: Option<Box<str>>,
}

impl Expectations {
    /// Whether this is the issuer, in one of its spellings. Issuers compare byte for byte.
    pub(super) fn is_issuer(&self, text: &str) -> bool {
        text == self.issuer.as_str() || self.aliases.iter().any(|alias| alias == text)
    }
}
