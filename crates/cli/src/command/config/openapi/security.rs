//! `security`: what an operation demands, as far as a gateway for tokens can demand it.
//!
//! The elements of the list are alternatives, the members of one element are demanded together.
//! Schemes without a token (API keys, basic authentication, client certificates) cannot be checked
//! here. An alternative with one of them is left out if another can be demanded whole; else its
//! scopes are what remains, and a valid token at the least. So the demand never becomes looser.

use super::demand::{Demand, ScopeSets};
use super::node::Node;
use super::notes::Notes;
use super::reference::resolve;
use portcullis_core::Faults;
use portcullis_core::token::Scopes;
use std::collections::{BTreeMap, BTreeSet};

/// The most alternatives of an operation.
const MOST_ALTERNATIVES: usize = 100;

/// The security schemes of a document, by name.
#[derive(Debug, Default)]
pub(super) struct Schemes {
    by_name: BTreeMap<String, Scheme>,
    /// The addresses of `openIdConnect` schemes.
    pub(super) discovery_urls: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scheme {
    /// A token of OAuth 2.0 or OpenID Connect, whose names are scopes.
    Token,
    /// A token of whose names the document does not say what they are.
    Bearer,
    /// Something else, in words.
    Other(String),
}

/// An alternative: a set of scopes, and whether all of it can be checked.
struct Alternative {
    scopes: BTreeSet<String>,
    has_token: bool,
    others: Vec<String>,
}

impl Schemes {
    /// Reads `components.securitySchemes`.
    pub(super) fn read(root: &Node, faults: &Faults) -> Self {
        let mut schemes = Self::default();
        let place = "components.securitySchemes";
        let components = root.member("components");
        let Some(written) = components.and_then(|it| it.member("securitySchemes")) else {
            return schemes;
        };
        let Some(members) = written.members() else {
            faults
                .expected(place, "a map of security schemes")
                .found_as(written.describe())
                .help("write the schemes by their names");
            return schemes;
        };
        for (name, scheme) in members {
            // A scheme elsewhere may be anything, so it is one that cannot be checked.
            let scheme = match resolve(root, scheme, place) {
                Ok(scheme) => schemes.kind(scheme),
                Err(_) => Scheme::Other("a reference to elsewhere".to_owned()),
            };
            schemes.by_name.insert(name.clone(), scheme);
        }
        schemes
    }

    fn kind(&mut self, scheme: &Node) -> Scheme {
        let member = |name: &str| scheme.member(name).and_then(Node::text).unwrap_or("");
        match member("type") {
            "oauth2" => Scheme::Token,
            "openIdConnect" => {
                let url = member("openIdConnectUrl").to_owned();
                self.discovery_urls.push(url);
                Scheme::Token
            }
            "http" if member("scheme").eq_ignore_ascii_case("bearer") => Scheme::Bearer,
            "http" => Scheme::Other(format!("http {}", member("scheme"))),
            "" => Scheme::Other("of no known type".to_owned()),
            other => Scheme::Other(other.to_owned()),
        }
    }

    /// What a `security` list demands. `place` is for the notes, `faults` are those of the list.
    pub(super) fn demand(
        &self,
        security: &Node,
        place: &str,
        notes: &mut Notes,
        faults: &Faults,
    ) -> Demand {
        let Some(list) = security.elements() else {
            faults
                .expected("security", "a list of alternatives")
                .found_as(security.describe())
                .help("write `- scheme: [scope]`, or `[]` for a public operation");
            return Demand::Silent;
        };
        if list.len() > MOST_ALTERNATIVES {
            faults
                .expected(
                    "security",
                    format!("at most {MOST_ALTERNATIVES} alternatives"),
                )
                .found(list.len())
                .help("demand what they have in common");
            return Demand::Silent;
        }
        let (mut alternatives, mut is_optional) = (Vec::new(), false);
        for (index, written) in list.iter().enumerate() {
            let alternative = self.alternative(written, &faults.at(format!("security[{index}]")));
            match alternative.has_token || !alternative.others.is_empty() {
                true => alternatives.push(alternative),
                false => is_optional = true,
            }
        }
        if list.is_empty() {
            return Demand::Public;
        }
        self.tell_roles(list, place, notes);
        let sets = remaining(alternatives, place, notes);
        if is_optional {
            return Demand::Optional(sets);
        }
        Demand::Token(sets)
    }

    fn alternative(&self, written: &Node, faults: &Faults) -> Alternative {
        let mut alternative = Alternative {
            scopes: BTreeSet::new(),
            has_token: false,
            others: Vec::new(),
        };
        let Some(members) = written.members() else {
            faults
                .expected("", "a map of schemes and scopes")
                .found_as(written.describe())
                .help("write `scheme: [scope]`");
            return alternative;
        };
        for (name, names) in members {
            let other = match self.by_name.get(name) {
                Some(Scheme::Other(kind)) => kind.as_str(),
                Some(_) => {
                    alternative.has_token = true;
                    alternative.scopes.extend(scopes(name, names, faults));
                    continue;
                }
                None => "not among components.securitySchemes",
            };
            alternative.others.push(format!("`{name}` ({other})"));
        }
        alternative
    }

    /// Names beside a bearer scheme are roles in 3.1 and nothing in 3.0, but are written as scopes.
    fn tell_roles(&self, list: &[Node], place: &str, notes: &mut Notes) {
        let members = list.iter().filter_map(Node::members).flatten();
        for (name, names) in members {
            let is_bearer = self.by_name.get(name) == Some(&Scheme::Bearer);
            if is_bearer && names.elements().is_some_and(|it| !it.is_empty()) {
                let remark = format!(
                    "the names of `{name}` (http bearer) are demanded as scopes; the document \
                     does not say what they are"
                );
                notes.add(remark, place);
            }
        }
    }
}

/// The scopes of a scheme in one alternative.
fn scopes(scheme: &str, names: &Node, faults: &Faults) -> Vec<String> {
    let scheme = scheme.escape_debug().to_string();
    let Some(elements) = names.elements() else {
        faults
            .expected(&scheme, "a list of scopes")
            .found_as(names.describe())
            .help("write `[]` for a valid token");
        return Vec::new();
    };
    let mut scopes = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        match element.text() {
            Some(text) if Scopes::is_token(text) => scopes.push(text.to_owned()),
            // Another one is never granted, and leaving it out would open the operation.
            _ => faults
                .expected(&format!("{scheme}[{index}]"), "the name of one scope")
                .found_as(element.describe())
                .help("write each scope as an element of its own"),
        }
    }
    scopes
}

/// What remains of alternatives that cannot all be checked. The notes say what does not.
fn remaining(alternatives: Vec<Alternative>, place: &str, notes: &mut Notes) -> ScopeSets {
    let is_whole = |it: &Alternative| it.others.is_empty();
    let has_whole = alternatives.iter().any(is_whole);
    let has_token = alternatives.iter().any(|it| it.has_token);
    let mut sets = Vec::new();
    for alternative in alternatives {
        let is_left_out = match has_whole {
            true => !is_whole(&alternative),
            false => has_token && !alternative.has_token,
        };
        for other in &alternative.others {
            let remark = match (is_left_out, alternative.has_token) {
                (true, _) => "is an alternative that the gateway cannot check, and is left out",
                (false, true) => "is left to the API; the gateway checks the token beside it",
                (false, false) => "cannot be checked by the gateway, which demands a valid token",
            };
            notes.add(format!("{other} {remark}"), place);
        }
        if !is_left_out {
            sets.push(alternative.scopes);
        }
    }
    ScopeSets::any_of(sets)
}

#[cfg(test)]
mod tests {
    use super::super::sample_tests::sets;
    use super::super::text::parse;
    use super::*;

    const SCHEMES: &str = "components:\n  securitySchemes:\n    oauth: {type: oauth2}\n    oidc: \
        {type: openIdConnect, openIdConnectUrl: 'https://a/.well-known/openid-configuration'}\n    \
        bearer: {type: http, scheme: Bearer}\n    key: {type: apiKey}\n    basic: {type: http, \
        scheme: basic}\n    mtls: {type: mutualTLS}\n    other: {$ref: 'x.yaml'}\n    same: \
        {$ref: '#/components/securitySchemes/oauth'}\n";

    fn demand(security: &str) -> (Demand, String, String) {
        let (faults, mut notes) = (Faults::default(), Notes::default());
        let schemes = Schemes::read(&parse(SCHEMES).unwrap(), &faults);
        let security = parse(security).unwrap();
        let demand = schemes.demand(&security, "GET /a", &mut notes, &faults);
        let faults = faults.check().err().map(|it| it.to_string());
        let remarks: Vec<&str> = notes.iter().map(|(remark, _)| remark).collect();
        (demand, remarks.join("\n"), faults.unwrap_or_default())
    }

    #[test]
    fn alternatives_are_any_and_members_are_all() {
        for (security, expected) in [
            ("[oauth: [a]]", "a"),
            ("[oauth: [a, b]]", "a+b"),
            ("[oauth: [a], oidc: [b]]", "a|b"),
            ("[{oauth: [a], oidc: [b]}]", "a+b"),
            ("[oauth: [a], oauth: []]", ""),
            ("[bearer: []]", ""),
            ("[same: [a]]", "a"),
        ] {
            let (found, notes, faults) = demand(security);
            assert_eq!(found, Demand::Token(sets(expected)), "{security}");
            assert_eq!((notes.as_str(), faults.as_str()), ("", ""), "{security}");
        }
        assert_eq!(demand("[]").0, Demand::Public);
    }

    #[test]
    fn other_schemes_never_make_a_demand_looser() {
        for (security, expected, remark) in [
            ("[key: []]", "", "`key` (apiKey) cannot be checked"),
            ("[basic: []]", "", "`basic` (http basic) cannot be checked"),
            ("[mtls: []]", "", "`mtls` (mutualTLS) cannot be checked"),
            (
                "[other: []]",
                "",
                "`other` (a reference to elsewhere) cannot",
            ),
            ("[nowhere: [a]]", "", "`nowhere` (not among components"),
            (
                "[{key: [], oauth: [a]}]",
                "a",
                "`key` (apiKey) is left to the API",
            ),
            (
                "[key: [], oauth: [a]]",
                "a",
                "`key` (apiKey) is an alternative",
            ),
            ("[{key: [], oauth: [b]}, oauth: [a]]", "a", "left out"),
            ("[{key: [], oauth: [b]}, {basic: []}]", "b", "left out"),
        ] {
            let (found, notes, _) = demand(security);
            assert_eq!(found, Demand::Token(sets(expected)), "{security}");
            assert!(notes.contains(remark), "{security}: {notes}");
        }
    }

    #[test]
    fn an_empty_alternative_makes_the_token_optional() {
        for (security, expected) in [
            ("[{}, oauth: [a]]", "a"),
            ("[{}]", ""),
            ("[key: [], {}]", ""),
        ] {
            let (found, _, _) = demand(security);
            assert_eq!(found, Demand::Optional(sets(expected)), "{security}");
        }
    }

    #[test]
    fn names_of_a_bearer_scheme_are_demanded_and_told() {
        let (found, notes, _) = demand("[bearer: [admin]]");
        assert_eq!(found, Demand::Token(sets("admin")));
        assert!(notes.contains("demanded as scopes"), "{notes}");
    }

    #[test]
    fn what_cannot_be_read_is_a_fault() {
        for (security, expected) in [
            (
                "oauth: [a]",
                "security: expected a list of alternatives, found a map",
            ),
            (
                "null",
                "security: expected a list of alternatives, found null",
            ),
            (
                "[oauth]",
                "security[0]: expected a map of schemes and scopes",
            ),
            (
                "[oauth: a]",
                "security[0].oauth: expected a list of scopes, found \"a\"",
            ),
            (
                "[oauth: [a b]]",
                "security[0].oauth[0]: expected the name of one scope",
            ),
            ("[oauth: [1]]", "expected the name of one scope, found 1"),
            (
                "[oauth: ['']]",
                "expected the name of one scope, found \"\"",
            ),
        ] {
            let faults = demand(security).2;
            assert!(faults.contains(expected), "{security}: {faults}");
        }
        let many = format!("[{}]", "{oauth: [a]},".repeat(101));
        assert!(
            demand(&many)
                .2
                .contains("at most 100 alternatives, found 101")
        );
    }
}
