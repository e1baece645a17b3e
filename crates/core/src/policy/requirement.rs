//! What a route demands of a valid token, and whether a token meets it.

use super::rule::{Rule, Ruling};
use crate::jose::json::Json;
use crate::proof::Binding;
use crate::token::{AccessToken, ClaimPath, Kind, NumericDate};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A demand on a valid access token. Scopes, roles and values compare whole and with case.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Requirement {
    /// Nothing beyond a valid token.
    ValidToken,
    /// This scope was granted.
    Scope(Box<str>),
    /// The caller has this role.
    Role(Box<str>),
    /// The caller is in this group.
    Group(Box<str>),
    /// The token was issued for a user, or for an application in its own name.
    Kind(Kind),
    /// A claim is this value, or an array that holds it.
    Claim(ClaimPath, Json),
    /// The user signed in in one of these ways: values of `acr` (OpenID Connect Core, section 2),
    /// in order of preference.
    Acr(Vec<Box<str>>),
    /// The user signed in no longer ago than this, by `auth_time`, in whole seconds. There is no
    /// leeway on top.
    MaxAge(Duration),
    /// The token is meant for one of these audiences, as names of one resource (RFC 8707). Its
    /// issuer's audiences were checked before.
    Audience(Vec<Box<str>>),
    /// The token is bound in this way, and the caller has proven it.
    Bound(Binding),
    /// What another policy engine demands.
    Rule(Arc<dyn Rule>),
    /// All of these; met if the list is empty.
    All(Vec<Self>),
    /// At least one of these; never met if the list is empty.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
}

impl Requirement {
    /// Demands a scope.
    pub fn scope(scope: impl Into<Box<str>>) -> Self {
        Self::Scope(scope.into())
    }

    /// Demands a role.
    pub fn role(role: impl Into<Box<str>>) -> Self {
        Self::Role(role.into())
    }

    /// Demands that the caller is in a group.
    pub fn group(group: impl Into<Box<str>>) -> Self {
        Self::Group(group.into())
    }

    /// Demands a token that was issued for a user (a delegated token).
    pub fn user() -> Self {
        Self::Kind(Kind::User)
    }

    /// Demands a token that was issued for an application in its own name.
    pub fn application() -> Self {
        Self::Kind(Kind::Application)
    }

    /// Demands that the claim of this name is `value`, or an array that holds it.
    pub fn claim(name: &str, value: impl Into<Json>) -> Self {
        Self::Claim(ClaimPath::claim(name), value.into())
    }

    /// Demands that the user signed in in one of these ways, in order of preference. A name must
    /// not hold a space: the challenge lists the names with spaces between.
    pub fn acr<T: Into<Box<str>>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::Acr(values.into_iter().map(Into::into).collect())
    }

    /// Demands that the user signed in no longer ago than this, in whole seconds.
    pub fn max_age(age: Duration) -> Self {
        Self::MaxAge(age)
    }

    /// Demands a token for one of these audiences: the names of one resource. Names compare whole
    /// and with case; an empty name is never met.
    pub fn audience<T: Into<Box<str>>>(names: impl IntoIterator<Item = T>) -> Self {
        Self::Audience(names.into_iter().map(Into::into).collect())
    }

    /// Demands a token that is bound in this way. That the caller has what it is bound to is proven
    /// before any requirement is looked at.
    pub fn bind(binding: Binding) -> Self {
        Self::Bound(binding)
    }

    /// The audiences of which every token must have one to meet the demand, if it says so.
    pub fn demanded_audience(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Audience(names) => Some(names),
            Self::All(all) => all.iter().find_map(Self::demanded_audience),
            _ => None,
        }
    }

    /// The binding that every token must have to meet the demand, if there is one.
    pub fn binding(&self) -> Option<Binding> {
        match self {
            Self::Bound(binding) => Some(*binding),
            Self::All(all) => all.iter().find_map(Self::binding),
            _ => None,
        }
    }

    /// Whether no token meets the demand without a scope that it names. What a rule demands is not
    /// known, so it counts for nothing.
    ///
    /// ```
    /// use portcullis_core::Requirement;
    ///
    /// let (scope, role) = (Requirement::scope("orders:read"), Requirement::role("Auditor"));
    /// assert!(Requirement::all([scope.clone(), role.clone()]).demands_scope());
    /// assert!(!Requirement::any([scope, role]).demands_scope());
    /// ```
    pub fn demands_scope(&self) -> bool {
        match self {
            Self::Scope(_) => true,
            Self::All(all) => all.iter().any(Self::demands_scope),
            // Nothing meets an empty one.
            Self::Any(any) => any.iter().all(Self::demands_scope),
            _ => false,
        }
    }

    /// Demands what a rule demands.
    pub fn rule(rule: impl Rule) -> Self {
        Self::Rule(Arc::new(rule))
    }

    /// Demands all of these.
    pub fn all(requirements: impl IntoIterator<Item = Self>) -> Self {
        Self::All(requirements.into_iter().collect())
    }

    /// Demands at least one of these.
    pub fn any(requirements: impl IntoIterator<Item = Self>) -> Self {
        Self::Any(requirements.into_iter().collect())
    }

    /// Demands the opposite.
    #[expect(
        clippy::should_implement_trait,
        reason = "it reads as the word of the policy, not as an operator"
    )]
    pub fn not(requirement: Self) -> Self {
        Self::Not(Box::new(requirement))
    }

    /// The same demand with each rule replaced: a rule that depends on the request is made for it.
    #[must_use]
    pub fn with_rules(&self, other: &impl Fn(&Arc<dyn Rule>) -> Arc<dyn Rule>) -> Self {
        match self {
            Self::Rule(rule) => Self::Rule(other(rule)),
            Self::All(all) => Self::all(all.iter().map(|it| it.with_rules(other))),
            Self::Any(any) => Self::any(any.iter().map(|it| it.with_rules(other))),
            Self::Not(requirement) => Self::not(requirement.with_rules(other)),
            plain => plain.clone(),
        }
    }

    /// Whether a token meets the demand now. An unknown verdict counts as not met.
    pub fn is_met_by(&self, token: &AccessToken, now: NumericDate) -> bool {
        self.verdict(token, now) == Some(true)
    }

    /// Whether a token meets the demand now; `None` if that is unknown. The verdict can depend on
    /// groups that did not fit into the token, on how and when the user signed in, on the kind of
    /// caller, or on a rule that failed. An unknown demand is not met, and neither is its opposite.
    pub fn verdict(&self, token: &AccessToken, now: NumericDate) -> Option<bool> {
        match self {
            Self::ValidToken => Some(true),
            Self::Scope(scope) => Some(token.has_scope(scope)),
            Self::Role(role) => token.identity().roles().holds(role),
            Self::Group(group) => token.identity().groups().holds(group),
            Self::Kind(kind) => match token.identity().kind() {
                // A caller of unknown kind must pass neither `user()` nor `not(user())`.
                Kind::Unknown => None,
                found => Some(found == *kind),
            },
            Self::Claim(path, value) => Some(path.holds(token.claims(), value)),
            Self::Acr(values) => signed_in_by(values, token),
            Self::MaxAge(age) => signed_in_within(*age, token, now),
            Self::Audience(names) => Some(is_meant_for(names, token)),
            Self::Bound(binding) => Some(binding.is_met_by(token.confirmation().as_ref())),
            Self::Rule(rule) => match rule.ruling(token) {
                Ruling::Met => Some(true),
                Ruling::Unmet => Some(false),
                Ruling::GroupsUnknown | Ruling::Failed(_) => None,
            },
            Self::All(all) => combine(all, token, now, false),
            Self::Any(any) => combine(any, token, now, true),
            Self::Not(requirement) => Some(!requirement.verdict(token, now)?),
        }
    }
}

/// Whether the user signed in in one of these ways; `None` if the token does not say how.
fn signed_in_by(values: &[Box<str>], token: &AccessToken) -> Option<bool> {
    let mut found = token.acr()?;
    Some(found.any(|found| is_among(found, values)))
}

/// Whether the token is for one of these audiences. What it does not say is no audience.
fn is_meant_for(names: &[Box<str>], token: &AccessToken) -> bool {
    let mut own = token.claims().audiences();
    // A blank name could be met by a blank claim.
    own.any(|name| !name.trim().is_empty() && is_among(name, names))
}

fn is_among(text: &str, values: &[Box<str>]) -> bool {
    values.iter().any(|value| **value == *text)
}

/// Whether the user signed in no longer ago than this; `None` if the token does not say when, or
/// names a moment that is still to come.
fn signed_in_within(age: Duration, token: &AccessToken, now: NumericDate) -> Option<bool> {
    let signed_in = token.auth_time()?;
    // A sign-in in the future would be younger than any age.
    if signed_in > now.plus(token.verifier().profile().leeway_seconds()) {
        return None;
    }
    Some(now.since(signed_in) <= i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
}

/// The verdict on several demands: `decisive` as soon as one has it, else `None` if one is unknown,
/// else the opposite.
fn combine(
    requirements: &[Requirement],
    token: &AccessToken,
    now: NumericDate,
    decisive: bool,
) -> Option<bool> {
    let mut verdict = Some(!decisive);
    for requirement in requirements {
        match requirement.verdict(token, now) {
            Some(met) if met == decisive => return Some(decisive),
            Some(_) => {}
            // A later part may still decide, so the search goes on.
            None => verdict = None,
        }
    }
    verdict
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValidToken => f.write_str("a valid token"),
            Self::Scope(scope) => write!(f, "scope `{scope}`"),
            Self::Role(role) => write!(f, "role `{role}`"),
            Self::Group(group) => write!(f, "group `{group}`"),
            Self::Kind(Kind::User) => f.write_str("a token for a user"),
            Self::Kind(Kind::Application) => f.write_str("a token for an application"),
            Self::Kind(Kind::Unknown) => f.write_str("a token for nobody known"),
            Self::Claim(path, _) => write!(f, "the configured value of claim `{path}`"),
            Self::Acr(values) => write!(f, "acr `{}`", values.join("` or `")),
            Self::MaxAge(age) => write!(f, "a sign-in no longer than {} s ago", age.as_secs()),
            Self::Audience(names) => write!(f, "audience `{}`", names.join("` or `")),
            Self::Bound(binding) => binding.fmt(f),
            Self::Rule(rule) => rule.fmt(f),
            Self::All(all) => list(f, all, " and "),
            Self::Any(any) => list(f, any, " or "),
            Self::Not(requirement) => write!(f, "not {requirement}"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, requirements: &[Requirement], between: &str) -> fmt::Result {
    f.write_str("(")?;
    for (index, requirement) in requirements.iter().enumerate() {
        write!(f, "{}{requirement}", if index == 0 { "" } else { between })?;
    }
    f.write_str(")")
}
