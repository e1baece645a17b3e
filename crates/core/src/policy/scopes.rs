//! The scopes that a requirement names: for the challenge of a request without a token, and for the
//! metadata of a resource (RFC 9728, section 2).

use super::requirement::Requirement;
use crate::token::Scopes;

impl Requirement {
    /// The scopes that a client asks for before its first request: all that are demanded together,
    /// and of alternatives the first that names any. No scope helps against what is left out, such
    /// as a missing role.
    ///
    /// ```
    /// use portcullis_core::Requirement;
    ///
    /// let admin = Requirement::role("Admin");
    /// let either = Requirement::any([admin, Requirement::scope("orders:all")]);
    /// let demand = Requirement::all([Requirement::scope("orders:read"), either]);
    /// assert_eq!(demand.needed_scopes().to_string(), "orders:read orders:all");
    /// ```
    pub fn needed_scopes(&self) -> Scopes {
        let mut names = Vec::new();
        add(self, Alternatives::First, &mut names);
        names.into_iter().collect()
    }

    /// Every scope that helps to meet the demand, those of all alternatives too.
    pub fn useful_scopes(&self) -> Scopes {
        let mut names = Vec::new();
        add(self, Alternatives::Every, &mut names);
        names.into_iter().collect()
    }
}

/// Which alternatives count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alternatives {
    First,
    Every,
}

fn add<'r>(requirement: &'r Requirement, which: Alternatives, names: &mut Vec<&'r str>) {
    match requirement {
        Requirement::Scope(scope) if names.contains(&&**scope) => {}
        Requirement::Scope(scope) => names.push(scope),
        Requirement::All(all) => {
            for part in all {
                add(part, which, names);
            }
        }
        Requirement::Any(any) => {
            for part in any {
                let before = names.len();
                add(part, which, names);
                if which == Alternatives::First && names.len() > before {
                    return;
                }
            }
        }
        // Asking for a scope that is refused would do harm: `not` names none.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Requirement as R;

    #[test]
    fn alternatives_and_opposites_are_told_apart() {
        let demand = R::all([
            R::audience(["https://api.example"]),
            R::scope("a"),
            R::any([R::role("r"), R::scope("b"), R::scope("c")]),
            R::not(R::scope("d")),
            R::scope("a"),
        ]);
        assert_eq!(demand.needed_scopes().to_string(), "a b");
        assert_eq!(demand.useful_scopes().to_string(), "a b c");
        assert!(R::ValidToken.needed_scopes().is_empty());
    }
}
