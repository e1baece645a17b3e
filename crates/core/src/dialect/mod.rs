//! The dialects of identity providers: data, one small file a provider.
//!
//! A [`Dialect`] says how a provider's access tokens differ from its other tokens, where they keep
//! the caller and the permissions, and where its documents are. It decides nothing: the [check
//! table](crate::verify::checks) and the [mapping of identities](crate::token::Identity) read it.
//! An operator's settings for one issuer are a [`Profile`](crate::verify::Profile), which starts
//! from a dialect.
//!
//! To add a provider: one file here, one line in [`DIALECTS`], one row in the provider suite.
//!
//! ```
//! use portcullis_core::{Code, Dialect};
//!
//! let dialect = Dialect::of_issuer("https://acme.okta.com/oauth2/default");
//! assert_eq!((dialect.name, dialect.client), ("okta", &["cid", "client_id"][..]));
//! assert!(dialect.cure(Code::TokenAudience).is_some());
//! ```

mod adfs;
mod auth0;
mod authentik;
mod canaille;
mod cloudflare;
mod cognito;
mod entra;
mod entra_customers;
mod generic;
mod github_actions;
mod gitlab_ci;
mod google;
mod hydra;
mod keycloak;
mod kubernetes;
mod okta;
mod pingone;
mod portcullis;
mod provider_api;
mod session_claim;
mod spelling;
mod zitadel;

pub use provider_api::ProviderApi;
pub use session_claim::SessionClaim;
pub use spelling::FinalSlash;

use crate::rejection::Code;
use crate::token::Issuer;
use crate::verify::TokenType;
use std::fmt;
use std::time::Duration;

// An issuer belongs to the first one that recognises it; `generic` recognises none.
/// Every dialect there is.
pub static DIALECTS: &[&Dialect] = &[
    &generic::GENERIC,
    &generic::RFC9068,
    &entra::ENTRA_V2,
    &entra::ENTRA_V1,
    &entra_customers::EXTERNAL_ID,
    &entra_customers::B2C,
    &adfs::ADFS,
    &okta::OKTA,
    &auth0::AUTH0,
    &google::GOOGLE,
    &google::FIREBASE,
    &cognito::COGNITO,
    &keycloak::KEYCLOAK,
    &pingone::PINGONE,
    &github_actions::GITHUB_ACTIONS,
    &gitlab_ci::GITLAB_CI,
    &kubernetes::KUBERNETES,
    &zitadel::ZITADEL,
    &authentik::AUTHENTIK,
    &canaille::CANAILLE,
    &hydra::HYDRA,
    &cloudflare::CLOUDFLARE,
    &portcullis::PORTCULLIS,
];

/// The tokens and documents of one kind of identity provider.
///
/// Names of claims are [claim paths](crate::token::ClaimPath); of several, the first that is there
/// counts.
#[non_exhaustive]
pub struct Dialect {
    /// The word for it in settings: `okta`.
    pub name: &'static str,
    /// The usual name of the provider.
    pub title: &'static str,
    /// Whether an issuer with this host and path belongs to this provider for certain.
    pub recognises: fn(host: &str, path: &str) -> bool,
    /// The values of the header `typ` that its access tokens have.
    pub types: &'static [TokenType],
    /// Claims that all its access tokens have, besides `iss`, `exp` and the one for the audience.
    pub required_claims: &'static [&'static str],
    /// Claims whose values distinguish its access tokens from its other tokens.
    pub marks: &'static [Mark],
    /// Whether callers bear ID tokens, as workloads in CI do. Then the typical claims of ID tokens
    /// prove nothing.
    pub bears_id_tokens: bool,
    /// Where the audience is.
    pub audience: AudienceClaim,
    /// How far away `exp` may be, unless the operator says otherwise.
    pub max_lifetime: Duration,
    /// Where the stable identifier of the caller is.
    pub subject: &'static [&'static str],
    /// Whether an empty `sub` means that there is none.
    pub empty_subject: bool,
    /// Where the client is.
    pub client: &'static [&'static str],
    /// Whether all its access tokens name their client, at one of those places, and its ID tokens
    /// do not.
    pub client_required: bool,
    /// Where the tenant is.
    pub tenant: &'static [&'static str],
    /// Whether a tenant is always a GUID.
    pub tenant_is_guid: bool,
    /// Where roles are; all of these together. `{audience}` stands for each of our own audiences.
    pub roles: &'static [&'static str],
    /// Where groups are; all of these together.
    pub groups: &'static [&'static str],
    /// Where the token says how the user signed in: a text, or a list of all that the user has met.
    pub acr: &'static [&'static str],
    /// Where the token says when the user signed in.
    pub auth_time: &'static [&'static str],
    /// Signs of a token that was issued to an application in its own name: all signs of one group
    /// together. No group consists of things that people can choose. A token that names a client
    /// and nobody else is an application's too.
    pub application: &'static [&'static [Sign]],
    /// Signs that an application's token may have, and a person's too. The kind of such a token is
    /// unknown, unless it shows that somebody signed in.
    pub doubtful: &'static [&'static [Sign]],
    /// Signs that a token without a subject is for its client alone.
    pub alone: &'static [&'static [Sign]],
    /// Claims that only the tokens of people who signed in have.
    pub sign_in: &'static [&'static str],
    /// Whether access tokens name the session that they come from: only then does a logout that
    /// names a session end them.
    pub session_claim: SessionClaim,
    /// Claims that make an untyped token an ID token, unless it has one of `access_token_claims`.
    pub id_token_claims: &'static [&'static str],
    /// Claims of access tokens, for the member above. `azp` counts only if it is not the
    /// audience.
    pub access_token_claims: &'static [&'static str],
    /// Whether `_claim_names` and `hasgroups` say that the groups do not fit into the token.
    pub group_overage: bool,
    /// Whether a key of the set may name the issuer it is for.
    pub keys_name_issuer: bool,
    /// Where the metadata is.
    pub discovery: Discovery,
    /// Whom a client's assertion names as its audience (RFC 7523, section 3).
    pub assertion_audience: AssertionAudience,
    /// Whether it checks PKCE with S256 though its metadata does not say so (RFC 8414, section 2).
    pub pkce_unannounced: bool,
    /// Whether `offline_access` counts only if the request asks for consent (OpenID Connect Core,
    /// section 11).
    pub consent_needed: bool,
    /// What is expected in place of a host and path that its issuers never have.
    pub near_miss: fn(host: &str, path: &str) -> Option<Unfit>,
    /// Whether its issuers end with a slash.
    pub final_slash: FinalSlash,
    /// Other spellings of this issuer that its tokens may have in `iss`. They are trusted as it is.
    pub aliases: fn(issuer: &str) -> Vec<String>,
    /// Claims of which the operator must demand at least one, because the provider gives tokens for
    /// our audience to anybody.
    pub needs_condition: &'static [&'static str],
    /// Who can have a token for our audience without the operator's doing: `anybody on GitHub
    /// Actions can have a token`. Empty where the operator decides.
    ///
    /// With `needs_condition` it is the reason for a fault. Else the operator is warned as long as
    /// neither a tenant nor a claim is demanded.
    pub anybody: &'static str,
    /// Whether this provider's tokens can hardly have this audience. All of them would be refused.
    pub doubtful_audience: fn(audience: &str) -> Option<Unfit>,
    /// Whether an issuer or an audience is unfit for protecting an API, and the cure.
    pub unfit: fn(issuer: &Issuer, audiences: &[String]) -> Option<Unfit>,
    /// The provider's own APIs. Others cannot accept, and in part not even verify, tokens for them.
    pub own_apis: &'static [ProviderApi],
    /// For a refusal: the provider's own setting that cures it.
    pub cures: &'static [(Code, &'static str)],
}

/// A claim whose value tells what kind of token this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// The claim.
    pub claim: &'static str,
    /// The texts that access tokens have there, compared with case.
    pub values: &'static [&'static str],
    /// Whether the value alone proves that this is an access token, whatever other claims it has.
    pub proves: bool,
}

/// A sign of the kind of caller that a token was issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sign {
    /// Every token of this provider shows it.
    Always,
    /// The claim has this value.
    Is(&'static str, &'static str),
    /// The claim has another value than this, or none.
    IsNot(&'static str, &'static str),
    /// The claim is there, and not empty.
    Has(&'static str),
    /// The claim is not there, or an empty string.
    Absent(&'static str),
    /// The claim begins like this.
    StartsWith(&'static str, &'static str),
    /// The claim ends like this.
    EndsWith(&'static str, &'static str),
    /// The claim holds no such text.
    Lacks(&'static str, &'static str),
    /// Both claims have the same value.
    Same(&'static str, &'static str),
    /// The claim is the client's id, between these two texts.
    OfClient(&'static str, &'static str, &'static str),
    /// The token has no claim of somebody who signed in.
    NobodySignedIn,
}

impl Sign {
    /// `sub` is the client.
    pub(crate) const SUBJECT_IS_CLIENT: Self = Self::OfClient("sub", "", "");
}

/// Where a token names its audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AudienceClaim {
    /// In `aud` (RFC 7519, section 4.1.3).
    Aud,
    /// In `aud` if there is one, else in `client_id`: the audiences are then the clients that may
    /// call.
    AudOrClient,
}

/// Whom a client's assertion names as its audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionAudience {
    /// The issuer: no other server can use the assertion.
    Issuer,
    /// The token endpoint, for providers that accept nothing else.
    TokenEndpoint,
}

// Exhaustive on purpose: another way to find keys needs code where they are fetched.
/// Where an issuer's metadata and keys are.
#[derive(Clone, Copy)]
pub enum Discovery {
    /// At the well-known addresses under the issuer.
    WellKnown,
    /// At the well-known address under another base, if this returns one; else under the issuer.
    Under(fn(issuer: &str) -> Option<String>),
    /// There is no metadata; the keys are at this path behind the issuer.
    KeysAt(&'static str),
}

/// The fault of an issuer that cannot protect an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfit {
    /// What was expected instead.
    pub expected: &'static str,
    /// How to correct it.
    pub cure: &'static str,
}

/// The part of an issuer's URL that stands for the tenant, if one entry serves many.
pub const TENANT: &str = "{tenantid}";

impl Dialect {
    /// The dialect of this name. `entra` is short for `entra-v2`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let name = if name == "entra" { "entra-v2" } else { name };
        let mut dialects = DIALECTS.iter().copied();
        dialects.find(|dialect| dialect.name == name)
    }

    /// The dialect that recognises the issuer by its URL, else `generic`.
    pub fn of_issuer(issuer: &str) -> &'static Self {
        let (host, path) = host_and_path(issuer);
        let host = host.to_ascii_lowercase();
        for dialect in DIALECTS {
            if (dialect.recognises)(&host, path) {
                return dialect;
            }
        }
        &generic::GENERIC
    }

    /// The provider's own cure for a refusal, if one is known.
    pub fn cure(&self, code: Code) -> Option<&'static str> {
        for (refusal, cure) in self.cures {
            if *refusal == code {
                return Some(cure);
            }
        }
        None
    }
}

/// Whether the names in a claim are those of its members, as ZITADEL writes roles. At any other
/// provider a member may as well say that somebody does not hold a role.
pub(crate) fn names_are_members(claim: &str) -> bool {
    zitadel::keeps_roles(claim)
}

/// The host without its port, and the path with its first slash.
fn host_and_path(issuer: &str) -> (&str, &str) {
    let rest = match issuer.split_once("://") {
        Some((_, rest)) => rest,
        None => issuer,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, _)) => host,
        None => authority,
    };
    (host, path)
}

/// Whether a host is this domain or one below it.
fn within(host: &str, domain: &str) -> bool {
    let Some(before) = host.strip_suffix(domain) else {
        return false;
    };
    // Without the dot, `notokta.com` would be Okta.
    before.is_empty() || before.ends_with('.')
}

fn no_aliases(_: &str) -> Vec<String> {
    Vec::new()
}

fn no_doubt(_: &str) -> Option<Unfit> {
    None
}

fn no_near_miss(_: &str, _: &str) -> Option<Unfit> {
    None
}

fn always_fit(_: &Issuer, _: &[String]) -> Option<Unfit> {
    None
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WellKnown => "under the issuer",
            Self::Under(_) => "under another base",
            Self::KeysAt(path) => path,
        })
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Dialect {}

#[cfg(test)]
mod tests;
