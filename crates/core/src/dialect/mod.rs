//! What is known of each identity provider's tokens: data, one small file a provider.
//!
//! A [`Dialect`] says how a provider's access tokens are told from its other tokens, where they
//! keep who calls and what was granted, and where its documents are. It decides nothing: the
//! [check table](crate::verify::checks) and the [mapping of identities](crate::token::Identity)
//! read it. What an operator sets for one issuer is a [`Profile`](crate::verify::Profile), which
//! begins as one of these.
//!
//! To add a provider: one file here, one line in [`DIALECTS`], one row in the provider suite.

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
mod zitadel;

use crate::rejection::Code;
use crate::token::Issuer;
use crate::verify::TokenType;
use std::fmt;
use std::time::Duration;

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
pub struct Dialect {
    /// The word for it in settings: `okta`.
    pub name: &'static str,
    /// What people call the provider.
    pub title: &'static str,
    /// Whether an issuer with this host and path is this provider's, beyond doubt.
    pub recognises: fn(host: &str, path: &str) -> bool,
    /// The values of the header `typ` that its access tokens have.
    pub types: &'static [TokenType],
    /// Claims that all its access tokens have, besides `iss`, `exp` and the one for the audience.
    pub required_claims: &'static [&'static str],
    /// Claims whose values tell its access tokens from its other tokens.
    pub marks: &'static [Mark],
    /// Whether what callers bear is an ID token, as workloads in CI do; then the tell-tale claims
    /// of ID tokens say nothing.
    pub bears_id_tokens: bool,
    /// Where the audience is.
    pub audience: AudienceClaim,
    /// How far away `exp` may be, where the operator does not say.
    pub max_lifetime: Duration,
    /// Where the stable identifier of the caller is.
    pub subject: &'static [&'static str],
    /// Whether an empty `sub` is a way to say that there is none.
    pub empty_subject: bool,
    /// Where the client is.
    pub client: &'static [&'static str],
    /// Whether all its access tokens name their client, at one of these places or another, and its
    /// ID tokens do not.
    pub client_required: bool,
    /// Where the tenant is.
    pub tenant: &'static [&'static str],
    /// Whether a tenant is always a GUID.
    pub tenant_is_guid: bool,
    /// Where roles are; all of these together. `{audience}` stands for each of our own audiences.
    pub roles: &'static [&'static str],
    /// Where groups are; all of these together.
    pub groups: &'static [&'static str],
    /// Where it is said how the user signed in: a text, or a list of all that the user has met.
    pub acr: &'static [&'static str],
    /// Where it is said when the user signed in.
    pub auth_time: &'static [&'static str],
    /// What shows that a token was issued to an application in its own name: all signs of one
    /// group. A group holds nothing that people can choose alone. To name a client and nobody else
    /// shows it too.
    pub application: &'static [&'static [Sign]],
    /// What an application's token may look like, and a person's too. Such a token is of no known
    /// kind, unless it shows that somebody signed in.
    pub doubtful: &'static [&'static [Sign]],
    /// Claims that only the token of somebody who signed in has.
    pub sign_in: &'static [&'static str],
    /// Claims by which an untyped token is known as an ID token, unless it has one of
    /// `access_token_claims`.
    pub id_token_claims: &'static [&'static str],
    /// Claims of access tokens, for the member above. `azp` counts only where it is not the
    /// audience.
    pub access_token_claims: &'static [&'static str],
    /// Whether `_claim_names` and `hasgroups` say that there are more groups than fit into the
    /// token.
    pub group_overage: bool,
    /// Whether a key of the set may name the issuer it is for.
    pub keys_name_issuer: bool,
    /// Where the metadata is.
    pub discovery: Discovery,
    /// Other spellings of this issuer that its tokens may have in `iss`.
    pub aliases: fn(issuer: &str) -> Vec<String>,
    /// Claims of which the operator must demand at least one: the provider gives tokens for our
    /// audience to anybody.
    pub needs_condition: &'static [&'static str],
    /// Who that is, for the fault: `anybody on GitHub Actions can have a token`.
    pub anybody: &'static str,
    /// What makes an issuer or an audience unfit for protecting an API, and the cure.
    pub unfit: fn(issuer: &Issuer, audiences: &[String]) -> Option<Unfit>,
    /// For a refusal: the provider's own setting that cures it.
    pub cures: &'static [(Code, &'static str)],
}

/// A claim whose value tells what kind of token this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The claim.
    pub claim: &'static str,
    /// The values that access tokens have. Numbers compare as they are written.
    pub values: &'static [&'static str],
    /// Whether the value alone proves that this is an access token, whatever other claims it has.
    pub proves: bool,
}

/// A sign of the kind of caller that a token was issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// None of the claims of somebody who signed in is there.
    NobodySignedIn,
}

impl Sign {
    /// `sub` is the client.
    pub(crate) const SUBJECT_IS_CLIENT: Self = Self::OfClient("sub", "", "");
}

/// Where a token says who it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudienceClaim {
    /// In `aud` (RFC 7519, section 4.1.3).
    Aud,
    /// In `aud` where there is one, else in `client_id`: the audiences are then the clients that
    /// may call.
    AudOrClient,
}

/// Where an issuer's metadata and keys are.
#[derive(Clone, Copy)]
pub enum Discovery {
    /// At the well-known addresses under the issuer.
    WellKnown,
    /// At the well-known address under another base, where this gives one; else under the issuer.
    Under(fn(issuer: &str) -> Option<String>),
    /// There is no metadata; the keys are at this path behind the issuer.
    KeysAt(&'static str),
}

/// Why an issuer cannot protect an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// What was expected instead.
    pub expected: &'static str,
    /// How to put it right.
    pub cure: &'static str,
}

/// The part of an issuer's URL that stands for the tenant, where one entry is for many.
pub const TENANT: &str = "{tenantid}";

impl Dialect {
    /// The dialect of this name. `entra` is short for `entra-v2`.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = if name == "entra" { "entra-v2" } else { name };
        DIALECTS
            .iter()
            .copied()
            .find(|dialect| dialect.name == name)
    }

    /// The dialect of an issuer that shows in its URL, else `generic`.
    pub fn of_issuer(issuer: &str) -> &'static Self {
        let (host, path) = host_and_path(issuer);
        let host = host.to_ascii_lowercase();
        let known = DIALECTS
            .iter()
            .copied()
            .find(|dialect| (dialect.recognises)(&host, path));
        known.unwrap_or(&generic::GENERIC)
    }

    /// The provider's own cure for a refusal, where we know one.
    pub fn cure(&self, code: Code) -> Option<&'static str> {
        self.cures
            .iter()
            .find(|(cured, _)| *cured == code)
            .map(|(_, cure)| *cure)
    }
}

/// Whether the names in a claim are those of its members, as ZITADEL writes roles. Everywhere else
/// a member may as well say that somebody does not hold a role.
pub(crate) fn names_are_members(claim: &str) -> bool {
    zitadel::keeps_roles(claim)
}

/// The host without its port, and the path with its first slash.
fn host_and_path(issuer: &str) -> (&str, &str) {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (
        authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
        path,
    )
}

/// Whether a host is this domain or one below it.
fn within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn no_aliases(_: &str) -> Vec<String> {
    Vec::new()
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
