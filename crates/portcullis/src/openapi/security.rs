//! The callers that an operation lets in, and how a document says so.

use portcullis_core::Requirement;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt;

/// The callers that an operation lets in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Access {
    /// Everybody. No credential is read.
    Public,
    /// Everybody. A credential, where there is one, must be good and meet this.
    Optional(Requirement),
    /// A caller with a valid token that meets this.
    Token(Requirement),
}

impl Access {
    /// Demands this too.
    pub(super) fn demand(&mut self, requirement: &Requirement) {
        *self = Self::Token(match self {
            Self::Public => requirement.clone(),
            Self::Optional(before) | Self::Token(before) => both(before, requirement),
        });
    }

    /// Demands this too, of requests that have a credential.
    pub(super) fn demand_if_present(&mut self, requirement: &Requirement) {
        match self {
            Self::Public => *self = Self::Optional(requirement.clone()),
            Self::Optional(before) => *self = Self::Optional(both(before, requirement)),
            // Two guards: the request must pass both, and one lets nobody pass without a token.
            Self::Token(before) => *self = Self::Token(both(before, requirement)),
        }
    }

    /// The demand on a token, where one is read.
    pub fn requirement(&self) -> Option<&Requirement> {
        match self {
            Self::Public => None,
            Self::Optional(requirement) | Self::Token(requirement) => Some(requirement),
        }
    }

    /// The security requirements of the operation: one of them has to be met (OpenAPI 3.1, section
    /// 4.8.30). `schemes` are the names of the schemes that the document declares.
    pub(super) fn security(&self, schemes: &[&str]) -> Value {
        let mut security = Vec::new();
        if matches!(self, Self::Optional(_)) {
            security.push(json!({}));
        }
        for scopes in self
            .requirement()
            .map(alternatives)
            .unwrap_or_default()
        {
            for scheme in schemes {
                let mut object = Map::new();
                object.insert((*scheme).to_owned(), json!(scopes));
                security.push(object.into());
            }
        }
        security.into()
    }

    /// The scopes that are named anywhere in it.
    pub(super) fn scopes(&self) -> BTreeSet<String> {
        let mut scopes = BTreeSet::new();
        if let Some(requirement) = self.requirement() {
            collect_scopes(requirement, &mut scopes);
        }
        scopes
    }
}

/// `public`, `token`, or the demand; with `, or nobody` where a credential may be absent.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Token(Requirement::ValidToken) => f.write_str("token"),
            Self::Token(requirement) => requirement.fmt(f),
            Self::Optional(Requirement::ValidToken) => f.write_str("token, or nobody"),
            Self::Optional(requirement) => write!(f, "{requirement}, or nobody"),
        }
    }
}

fn both(before: &Requirement, requirement: &Requirement) -> Requirement {
    match (before, requirement) {
        (Requirement::ValidToken, other) | (other, Requirement::ValidToken) => other.clone(),
        _ => Requirement::all([before.clone(), requirement.clone()]),
    }
}

type Scopes = BTreeSet<String>;

/// So many alternatives are written down; a demand with more is written without scopes.
const ALTERNATIVES: usize = 16;

/// The sets of scopes with one of which a token may be enough. Roles, groups and claims are no
/// scopes: a document names them in its text.
fn alternatives(requirement: &Requirement) -> Vec<Scopes> {
    let found = match requirement {
        Requirement::Scope(scope) => vec![Scopes::from([scope.to_string()])],
        Requirement::Any(any) => any.iter().flat_map(alternatives).collect(),
        Requirement::All(all) => products(all),
        // A scope that must be absent, and whatever is no scope.
        _ => vec![Scopes::new()],
    };
    let distinct: BTreeSet<Scopes> = found.into_iter().collect();
    match distinct.len() {
        1..=ALTERNATIVES => distinct.into_iter().collect(),
        _ => vec![Scopes::new()],
    }
}

/// Each choice of one alternative from every part.
fn products(parts: &[Requirement]) -> Vec<Scopes> {
    let mut products = vec![Scopes::new()];
    for part in parts {
        let mut longer = Vec::new();
        for scopes in alternatives(part) {
            for product in &products {
                longer.push(product | &scopes);
            }
        }
        longer.truncate(ALTERNATIVES + 1);
        products = longer;
    }
    products
}

fn collect_scopes(requirement: &Requirement, scopes: &mut Scopes) {
    match requirement {
        Requirement::Scope(scope) => {
            scopes.insert(scope.to_string());
        }
        Requirement::All(parts) | Requirement::Any(parts) => {
            for part in parts {
                collect_scopes(part, scopes);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::words::{all, any, not, role, scope, user};

    fn security(requirement: &Requirement) -> String {
        let mut access = Access::Public;
        access.demand(requirement);
        access.security(&["oidc"]).to_string()
    }

    #[test]
    fn scopes_are_alternatives_or_stand_together() {
        assert_eq!(security(&Requirement::ValidToken), r#"[{"oidc":[]}]"#);
        assert_eq!(security(&role("Admin")), r#"[{"oidc":[]}]"#);
        assert_eq!(security(&scope("a")), r#"[{"oidc":["a"]}]"#);
        let both = all([scope("b"), scope("a"), user()]);
        assert_eq!(security(&both), r#"[{"oidc":["a","b"]}]"#);
        let either = any([scope("a"), scope("b")]);
        assert_eq!(security(&either), r#"[{"oidc":["a"]},{"oidc":["b"]}]"#);
        let mixed = all([either, scope("c"), not(scope("d"))]);
        assert_eq!(
            security(&mixed),
            r#"[{"oidc":["a","c"]},{"oidc":["b","c"]}]"#
        );
        assert_eq!(
            security(&any([role("Admin"), scope("a")])),
            r#"[{"oidc":[]},{"oidc":["a"]}]"#
        );
    }

    #[test]
    fn more_alternatives_than_a_reader_wants_are_left_out() {
        let pairs = (0..20).map(|n| any([scope(&format!("a{n}")), scope(&format!("b{n}"))]));
        assert_eq!(security(&all(pairs)), r#"[{"oidc":[]}]"#);
    }

    #[test]
    fn two_guards_demand_both() {
        let mut access = Access::Public;
        assert_eq!(access.security(&["oidc"]).to_string(), "[]");
        access.demand_if_present(&Requirement::ValidToken);
        assert_eq!(access.to_string(), "token, or nobody");
        assert_eq!(
            access.security(&["oidc"]).to_string(),
            r#"[{},{"oidc":[]}]"#
        );
        access.demand(&scope("a"));
        assert_eq!(access.to_string(), "scope `a`");
        access.demand_if_present(&role("Admin"));
        assert_eq!(access.to_string(), "(scope `a` and role `Admin`)");
        assert_eq!(access.scopes().into_iter().collect::<Vec<_>>(), ["a"]);
    }
}
