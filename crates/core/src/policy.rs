//! What a route demands of a valid token, and the permit that meeting it gives.

mod rule;

pub use rule::{Rule, Ruling};

use crate::decision::Denial;
use crate::jose::json::Json;
use crate::outage::Outage;
use crate::rejection::{Code, Facts, Rejection};
use crate::token::{AccessToken, ClaimPath, Kind, Scopes};
use std::fmt;
use std::sync::Arc;

/// A demand on a valid access token. Scopes, roles and values compare whole and with case.
#[derive(Clone, Debug, PartialEq)]
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
    /// What another engine demands.
    Rule(Arc<dyn Rule>),
    /// All of these. Of an empty list: met.
    All(Vec<Self>),
    /// At least one of these. Of an empty list: never met.
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

    /// Demands what another engine demands.
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

    /// The same demand with other rules in the places of its own: what depends on a request is filled in for it.
    #[must_use]
    pub fn with_rules(&self, other: &impl Fn(&Arc<dyn Rule>) -> Arc<dyn Rule>) -> Self {
        let each = |list: &[Self]| list.iter().map(|it| it.with_rules(other)).collect();
        match self {
            Self::Rule(rule) => Self::Rule(other(rule)),
            Self::All(all) => Self::All(each(all)),
            Self::Any(any) => Self::Any(each(any)),
            Self::Not(requirement) => Self::not(requirement.with_rules(other)),
            plain => plain.clone(),
        }
    }

    /// Whether a token meets the demand. What nobody can tell is not met.
    pub fn is_met_by(&self, token: &AccessToken) -> bool {
        self.verdict(token) == Some(true)
    }

    /// Whether a token meets the demand; `None` where that hangs on groups which nobody knows, or on a rule that
    /// failed. Such a demand is not met, and neither is its opposite.
    pub fn verdict(&self, token: &AccessToken) -> Option<bool> {
        match self {
            Self::ValidToken => Some(true),
            Self::Scope(scope) => Some(token.has_scope(scope)),
            Self::Role(role) => token.identity().roles().holds(role),
            Self::Group(group) => token.identity().groups().holds(group),
            Self::Kind(kind) => Some(token.identity().kind() == *kind),
            Self::Claim(path, value) => Some(path.holds(token.claims(), value)),
            Self::Rule(rule) => match rule.ruling(token) {
                Ruling::Met => Some(true),
                Ruling::Unmet => Some(false),
                Ruling::GroupsUnknown | Ruling::Failed(_) => None,
            },
            Self::All(all) => joined(all, token, false),
            Self::Any(any) => joined(any, token, true),
            Self::Not(requirement) => requirement.verdict(token).map(|met| !met),
        }
    }

    /// The scopes on the way to meeting the demand: of alternatives, those of the first that is met, or else that more
    /// scopes would meet.
    fn scopes<'q>(&'q self, token: &AccessToken, named: &mut Vec<&'q str>) {
        match self {
            Self::Scope(scope) => named.push(scope),
            Self::All(all) => all.iter().for_each(|requirement| requirement.scopes(token, named)),
            Self::Any(any) => {
                let met = any.iter().find(|it| it.is_met_by(token));
                if let Some(way) = met.or_else(|| any.iter().find(|it| it.curable_by_scopes(token))) {
                    way.scopes(token, named);
                }
            }
            Self::ValidToken
            | Self::Role(_)
            | Self::Group(_)
            | Self::Kind(_)
            | Self::Claim(..)
            | Self::Rule(_)
            | Self::Not(_) => {}
        }
    }

    /// Whether more scopes alone could meet the demand.
    fn curable_by_scopes(&self, token: &AccessToken) -> bool {
        match self {
            Self::Scope(_) => true,
            Self::All(all) => all.iter().all(|it| it.is_met_by(token) || it.curable_by_scopes(token)),
            Self::Any(any) => any.iter().any(|it| it.curable_by_scopes(token)),
            Self::ValidToken
            | Self::Role(_)
            | Self::Group(_)
            | Self::Kind(_)
            | Self::Claim(..)
            | Self::Rule(_)
            | Self::Not(_) => false,
        }
    }

    /// Why a rule could not be answered, of the first such.
    fn failure(&self, token: &AccessToken) -> Option<Outage> {
        match self {
            Self::Rule(rule) => match rule.ruling(token) {
                Ruling::Failed(outage) => Some(outage),
                Ruling::Met | Ruling::Unmet | Ruling::GroupsUnknown => None,
            },
            Self::All(all) | Self::Any(all) => all.iter().find_map(|it| it.failure(token)),
            Self::Not(requirement) => requirement.failure(token),
            Self::ValidToken
            | Self::Scope(_)
            | Self::Role(_)
            | Self::Group(_)
            | Self::Kind(_)
            | Self::Claim(..) => None,
        }
    }

    /// Whether a role is what is missing, or one of the things.
    fn lacks_role(&self, token: &AccessToken) -> bool {
        match self {
            Self::Role(role) => !token.has_role(role),
            Self::All(all) | Self::Any(all) => all.iter().any(|it| it.lacks_role(token)),
            Self::ValidToken
            | Self::Scope(_)
            | Self::Group(_)
            | Self::Kind(_)
            | Self::Claim(..)
            | Self::Rule(_)
            | Self::Not(_) => false,
        }
    }
}

/// The verdict on several demands: `decisive` as soon as one is; else what nobody can tell; else the opposite.
fn joined(requirements: &[Requirement], token: &AccessToken, decisive: bool) -> Option<bool> {
    let mut verdict = Some(!decisive);
    for requirement in requirements {
        match requirement.verdict(token) {
            Some(met) if met == decisive => return Some(decisive),
            Some(_) => {}
            None => verdict = None,
        }
    }
    verdict
}

/// Proof that a request may go on. Only [`permit`] makes one.
#[derive(Clone, Debug)]
pub struct Permit {
    token: AccessToken,
}

impl Permit {
    /// Who was permitted.
    pub fn token(&self) -> &AccessToken {
        &self.token
    }

    /// Who was permitted.
    pub fn into_token(self) -> AccessToken {
        self.token
    }
}

/// Permits a request whose token meets the requirement.
///
/// # Errors
///
/// `policy.scope` where more scopes would do, `policy.role` where a role is missing, `policy.groups_unknown` where it
/// hangs on groups that did not fit into the token, else `policy.denied`; or the outage of a rule that it hangs on.
pub fn permit(token: AccessToken, requirement: &Requirement) -> Result<Permit, Denial> {
    match requirement.verdict(&token) {
        Some(true) => return Ok(Permit { token }),
        Some(false) => {}
        None => {
            if let Some(outage) = requirement.failure(&token) {
                return Err(outage.into());
            }
            let facts = Facts::new(requirement.to_string(), "more groups than fit into the token");
            return Err(Rejection::with(Code::PolicyGroupsUnknown, facts).into());
        }
    }
    Err(refusal(&token, requirement).into())
}

/// Why a token that does not meet the requirement is refused.
fn refusal(token: &AccessToken, requirement: &Requirement) -> Rejection {
    let facts = Facts::new(requirement.to_string(), "a token that does not meet it");
    if requirement.curable_by_scopes(token) {
        let mut scopes = Vec::new();
        requirement.scopes(token, &mut scopes);
        return Rejection::with(Code::PolicyScope, facts).needing(scopes.into_iter().collect::<Scopes>());
    }
    let code = if requirement.lacks_role(token) { Code::PolicyRole } else { Code::PolicyDenied };
    Rejection::with(code, facts)
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
            Self::Claim(path, _) => write!(f, "the configured value of claim `{path}`"),
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
