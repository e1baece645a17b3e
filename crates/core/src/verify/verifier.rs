//! Runs the table against one token.

use super::checks::{CHECKS, Check, Stage};
use super::{Profile, TokenType};
use crate::dialect::{AudienceClaim, Dialect, Mark, TENANT};
use crate::jose::json::Json;
use crate::jose::{Header, SignedToken, UnverifiedToken};
use crate::rejection::{Facts, Rejection};
use crate::token::issuer::IssuerError;
use crate::token::names_a_person;
use crate::token::{
    AccessToken, Audiences, ClaimPath, Claims, Identity, Issuer, Kind, NumericDate, Origin,
};
use std::sync::Arc;

/// Judges the tokens of one issuer for one resource server. Clones share one set of expectations.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Expectations>);

#[derive(Debug)]
struct Expectations {
    issuer: Issuer,
    aliases: Vec<String>,
    audiences: Audiences,
    profile: Arc<Profile>,
    tenant: Option<Box<str>>,
}

impl Verifier {
    /// A verifier for the tokens of `issuer` that are meant for one of `audiences`.
    pub fn new(issuer: Issuer, audiences: Audiences, mut profile: Profile) -> Self {
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

    /// The same expectations for one tenant: it stands in place of `{tenantid}` in the issuer, and
    /// the tokens must name it where their dialect has a claim for it.
    ///
    /// # Errors
    ///
    /// A tenant that makes no issuer of the template.
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

    /// The issuer whose tokens are judged.
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

    /// What the tokens must look like.
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// The tenant that the tokens must name, where there is one.
    pub fn tenant(&self) -> Option<&str> {
        self.0.tenant.as_deref()
    }

    /// Who would call if the claims were true. It proves nothing: for explaining.
    pub fn unverified_identity(&self, claims: &Claims) -> Identity {
        Identity::of(claims, self.profile().dialect, &self.profile().mapping)
    }

    /// The claim paths that the operator set for these tokens, each with the setting and whether it
    /// finds anything in these claims: a path with a slip in it finds nothing, and nobody is
    /// refused for it but by policies.
    pub fn own_paths(&self, claims: &Claims) -> Vec<(&'static str, String, bool)> {
        let Expectations {
            audiences, profile, ..
        } = &*self.0;
        let places = profile
            .mapping
            .own_places(profile.dialect, audiences, claims);
        let written = |paths: &[ClaimPath]| {
            paths
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        places
            .map(|(member, paths, found)| (member, written(paths), found))
            .collect()
    }

    /// The checks that need no key, so that junk never causes a fetch. It proves nothing.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn screen(&self, token: &UnverifiedToken<'_>, now: NumericDate) -> Result<(), Rejection> {
        let examination = self.examine(Some(token.header()), token.unverified_claims(), now);
        examination.run(|check| check.stage != Stage::AfterSignature)
    }

    /// All checks of a token whose signature was proven.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn verify(&self, token: SignedToken, now: NumericDate) -> Result<AccessToken, Rejection> {
        let examination = self.examine(Some(token.header()), token.claims(), now);
        Examination {
            key_issuer: token.key().issuer(),
            ..examination
        }
        .run(|_| true)?;
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
        token
            .verifier()
            .examine(token.header(), token.claims(), now)
            .run(|check| check.stage == Stage::EveryTime)
    }

    /// All checks of a token that was verified before, perhaps by another verifier of its issuer.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn verify_again(&self, token: &AccessToken, now: NumericDate) -> Result<(), Rejection> {
        self.examine(token.header(), token.claims(), now)
            .run(|_| true)
    }

    /// All checks of what an issuer says about a token that is not a JWT.
    pub(crate) fn check_answer(&self, claims: &Claims, now: NumericDate) -> Result<(), Rejection> {
        self.examine(None, claims, now).run(|_| true)
    }

    /// The checks of what an issuer says about a token that it also signed: the rest was in the
    /// token itself.
    pub(crate) fn check_confirmation(
        &self,
        claims: &Claims,
        now: NumericDate,
    ) -> Result<(), Rejection> {
        let examination = self.examine(None, claims, now);
        Examination {
            confirming: true,
            ..examination
        }
        .run(|check| check.stage != Stage::AfterSignature)
    }

    pub(super) fn examine<'x>(
        &'x self,
        header: Option<&'x Header>,
        claims: &'x Claims,
        now: NumericDate,
    ) -> Examination<'x> {
        Examination {
            verifier: self,
            header,
            claims,
            key_issuer: None,
            confirming: false,
            now,
        }
    }
}

/// One token before one verifier at one moment.
#[derive(Debug)]
pub(super) struct Examination<'x> {
    pub(super) verifier: &'x Verifier,
    /// None of a token that was introspected.
    pub(super) header: Option<&'x Header>,
    pub(super) claims: &'x Claims,
    /// The issuer that the signing key is for, where its set says so.
    pub(super) key_issuer: Option<&'x str>,
    /// Whether the claims only confirm a token that was verified by itself.
    pub(super) confirming: bool,
    pub(super) now: NumericDate,
}

impl<'x> Examination<'x> {
    fn run(&self, due: impl Fn(&Check) -> bool) -> Result<(), Rejection> {
        match CHECKS
            .iter()
            .filter(|check| due(check))
            .find(|check| (check.result)(self) == Some(false))
        {
            None => Ok(()),
            Some(failed) => {
                let facts = Facts::new((failed.expected)(self), (failed.found)(self));
                Err(Rejection::with(failed.code, facts))
            }
        }
    }

    pub(super) fn profile(&self) -> &'x Profile {
        self.verifier.profile()
    }

    pub(super) fn dialect(&self) -> &'static Dialect {
        self.profile().dialect
    }

    pub(super) fn token_type(&self) -> Option<TokenType> {
        TokenType::of_header(self.header?.typ.as_deref())
    }

    /// Whether a claim proves what kind of token this is.
    pub(super) fn is_marked(&self) -> bool {
        self.dialect()
            .marks
            .iter()
            .any(|mark| mark.proves && self.has_mark(mark))
    }

    pub(super) fn has_mark(&self, mark: &Mark) -> bool {
        let value = self.claims.claim(mark.claim).and_then(Json::as_str);
        value.is_some_and(|value| mark.values.contains(&value))
    }

    /// The claim that must meet our audiences.
    pub(super) fn audience(&self) -> Option<&'x Json> {
        let claims = self.claims;
        match self.dialect().audience {
            AudienceClaim::Aud => claims.audience(),
            AudienceClaim::AudOrClient => claims.audience().or_else(|| claims.claim("client_id")),
        }
    }

    /// Whether the token may leave its audience out: where we asked an endpoint that answers for
    /// this API alone.
    pub(super) fn may_lack_audience(&self) -> bool {
        self.header.is_none() && self.profile().danger_answers_without_audience
    }

    /// The tenant that the token names.
    pub(super) fn tenant(&self) -> Option<&'x Json> {
        self.profile()
            .mapping
            .tenant
            .iter()
            .find_map(|path| path.find(self.claims))
    }

    /// Who the token is about, where its issuer's tokens keep that.
    pub(super) fn subject(&self) -> Option<&'x str> {
        let places = &self.profile().mapping.subject;
        self.first_text(places).or_else(|| self.claims.subject())
    }

    /// The client that the token was issued to.
    pub(super) fn client(&self) -> Option<&'x str> {
        self.first_text(&self.profile().mapping.client)
    }

    fn first_text(&self, places: &[ClaimPath]) -> Option<&'x str> {
        places.iter().find_map(|path| {
            path.find(self.claims)?
                .as_str()
                .filter(|text| !text.is_empty())
        })
    }

    /// Whether the profile wants a `sub` of every token.
    pub(super) fn requires_subject(&self) -> bool {
        self.profile()
            .required_claims
            .iter()
            .any(|name| **name == *"sub")
    }

    /// Whether the token says who calls: a person by a subject, an application by its client. An
    /// introspection answer may name neither (RFC 7662, section 2.2), but never a person without a
    /// subject.
    pub(super) fn names_its_caller(&self) -> bool {
        if self.subject().is_some() {
            return true;
        }
        let client = self.client();
        match Kind::of(self.claims, self.dialect(), None, client) {
            Kind::Application => true,
            _ => {
                self.header.is_none()
                    && client.is_none()
                    && !names_a_person(self.claims, self.dialect())
            }
        }
    }

    pub(super) fn required_claims(&self) -> impl Iterator<Item = &'x str> {
        let others = self.profile().required_claims.iter().map(|name| &**name);
        let always: &[&str] = match (self.header, self.dialect().audience) {
            (None, _) => &[],
            (Some(_), AudienceClaim::Aud) => &["iss", "aud", "exp"],
            (Some(_), AudienceClaim::AudOrClient) => &["iss", "exp"],
        };
        always
            .iter()
            .copied()
            .chain(others.filter(|_| self.header.is_some()))
    }

    pub(super) fn first_null_claim(&self) -> Option<&'x str> {
        self.required_claims()
            .find(|name| self.claims.claim(name) == Some(&Json::Null))
    }

    pub(super) fn first_missing_claim(&self) -> Option<&'x str> {
        self.required_claims().find(|name| !self.claims.has(name))
    }

    /// Whether a moment lies in the past, or in the future by no more than the leeway.
    pub(super) fn has_come(&self, moment: NumericDate) -> bool {
        moment <= self.now.plus(self.profile().leeway_seconds())
    }
}
