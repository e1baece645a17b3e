//! What a verified token tells, and what a policy makes of it.

use super::*;
use crate::Limits;
use crate::jose::Algorithm;
use crate::jose::json;
use crate::policy::{Requirement, Rule, Ruling, permit};
use crate::rejection::Code;
use crate::token::{Audiences, ClaimPath};
use crate::verify::Profile;
use crate::{Denial, Outage, OutageCode};
use std::time::Duration;

fn token(claims: &str) -> AccessToken {
    let Ok(Json::Object(object)) = json::parse(claims.as_bytes(), &Limits::default()) else {
        panic!("{claims}")
    };
    let issuer = Issuer::parse("https://idp.example").unwrap();
    let mut profile = Profile::generic();
    profile
        .mapping
        .roles
        .push(ClaimPath::parse("a.roles").unwrap());
    let verifier = Verifier::new(issuer, Audiences::new(["api"]).unwrap(), profile);
    let header = Header {
        algorithm: Algorithm::ES256,
        kid: None,
        typ: None,
    };
    AccessToken::for_test(
        Claims::from_object(object).unwrap(),
        Origin::Signed {
            header,
            key: [7; 32],
        },
        verifier,
    )
}

#[test]
fn it_tells_who_and_what() {
    let token = token(
        r#"{"iss":"https://idp.example","sub":"s","oid":"o","name":"N","preferred_username":"p","client_id":"c","azp":"z",
            "jti":"j","exp":9,"nbf":8,"iat":7,"aud":["api"],"scope":"a b","cnf":{"x":1},"other":true}"#,
    );
    assert_eq!(token.issuer().as_str(), "https://idp.example");
    assert_eq!(
        (token.subject(), token.user_id(), token.name()),
        (Some("s"), Some("s"), "N")
    );
    assert_eq!((token.client(), token.token_id()), (Some("c"), Some("j")));
    assert_eq!(token.expires().map(NumericDate::seconds), Some(9));
    assert_eq!(token.scopes().to_string(), "a b");
    assert_eq!(
        token.header().map(|header| header.algorithm),
        Some(Algorithm::ES256)
    );
    assert_eq!(token.key(), Some(&[7; 32]));
    assert_eq!(token.claim("other").and_then(Json::as_bool), Some(true));
    assert_eq!(
        format!("{token:?}"),
        "an access token of https://idp.example"
    );
    let claims = token.claims();
    assert_eq!(
        (claims.issuer(), claims.subject()),
        (Some("https://idp.example"), Some("s"))
    );
    assert_eq!(claims.not_before().map(NumericDate::seconds), Some(8));
    assert_eq!(claims.issued_at().map(NumericDate::seconds), Some(7));
    assert_eq!(
        claims
            .audience()
            .and_then(Json::as_array)
            .map(<[Json]>::len),
        Some(1)
    );
    assert_eq!(claims.confirmation().map(|cnf| cnf.len()), Some(1));
    assert_eq!(claims.object().len(), 15);
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "other", "cnf"] {
        assert!(claims.has(name), "{name}");
    }
    assert!(!claims.has("absent"));
}

#[test]
fn it_makes_do_with_less() {
    assert_eq!(token("{}").name(), "unnamed");
    assert_eq!(token(r#"{"sub":"s"}"#).name(), "s");
    assert_eq!(token(r#"{"sub":"s","preferred_username":"p"}"#).name(), "p");
    assert_eq!(token(r#"{"sub":"s","name":""}"#).name(), "s");
    assert_eq!(token(r#"{"sub":"s"}"#).user_id(), Some("s"));
    assert_eq!(token(r#"{"azp":"z"}"#).client(), Some("z"));
    assert_eq!(token(r#"{"azp":""}"#).client(), None);
    for name in ["iss", "sub", "aud", "exp", "iat", "jti"] {
        assert!(!token("{}").claims().has(name), "{name}");
    }
    assert!(token("{}").claims().confirmation().is_none() && token("{}").scopes().is_empty());
}

#[test]
fn scopes_are_read_from_either_claim_in_either_form() {
    for claims in [
        r#"{"scope":"a b"}"#,
        r#"{"scp":"a b"}"#,
        r#"{"scope":["a","b"]}"#,
        r#"{"scp":["a","b"]}"#,
        r#"{"scope":"a b","scp":"c"}"#,
    ] {
        let token = token(claims);
        assert!(
            token.has_scope("a")
                && token.has_scope("b")
                && !token.has_scope("c")
                && !token.has_scope(""),
            "{claims}"
        );
        assert_eq!(token.scopes().to_string(), "a b");
    }
    assert!(!token(r#"{"scope":""}"#).has_scope(""));
    assert!(!token(r#"{"scope":"a  b"}"#).has_scope(""));
}

#[test]
fn roles_are_where_the_profile_says() {
    assert!(token(r#"{"roles":["Admin"]}"#).has_role("Admin"));
    assert!(token(r#"{"a":{"roles":"Admin"}}"#).has_role("Admin"));
    assert!(!token(r#"{"groups":["Admin"]}"#).has_role("Admin"));
}

#[test]
fn wrong_types_are_told_apart_from_absence() {
    for (claims, found) in [
        (r#"{"exp":"1"}"#, "a string"),
        (r#"{"exp":""}"#, "an empty string"),
        (r#"{"iss":[]}"#, "an array"),
        (r#"{"iss":""}"#, "an empty string"),
        (r#"{"aud":{}}"#, "an object"),
        (r#"{"aud":[1]}"#, "an array"),
        (r#"{"scp":1}"#, "a number"),
        (r#"{"cnf":1}"#, "a number"),
    ] {
        let Ok(Json::Object(object)) = json::parse(claims.as_bytes(), &Limits::default()) else {
            panic!("{claims}")
        };
        let rejection = Claims::from_object(object).unwrap_err();
        assert_eq!(
            (rejection.code(), rejection.facts().found()),
            (Code::TokenClaimType, found),
            "{claims}"
        );
        assert!(
            rejection.facts().expected().contains(" to be "),
            "{rejection}"
        );
    }
}

fn outcome(requirement: &Requirement, claims: &str) -> String {
    match permit(token(claims), requirement, NumericDate::from_seconds(0)) {
        Ok(permit) => {
            assert_eq!(permit.token().name(), permit.clone().into_token().name());
            "permit".to_owned()
        }
        Err(denial) => match &denial {
            Denial::Rejection(rejection) if rejection.scopes().is_some() => {
                format!("{} {}", denial.code(), rejection.scopes().unwrap())
            }
            _ => denial.code().to_owned(),
        },
    }
}

#[test]
fn a_requirement_is_met_or_says_what_would_help() {
    use Requirement as R;
    let two = || R::all([R::scope("a"), R::scope("b")]);
    let either = || R::any([R::role("Admin"), R::scope("a"), R::scope("b")]);
    for (requirement, claims, expected) in [
        (R::ValidToken, "{}", "permit"),
        (R::scope("a"), r#"{"scope":"a"}"#, "permit"),
        (R::scope("a"), "{}", "policy.scope a"),
        (two(), r#"{"scope":"a"}"#, "policy.scope a b"),
        (two(), r#"{"scope":"a b"}"#, "permit"),
        (either(), "{}", "policy.scope a"),
        (either(), r#"{"scope":"b"}"#, "permit"),
        (either(), r#"{"roles":["Admin"]}"#, "permit"),
        (R::role("Admin"), r#"{"roles":["User"]}"#, "policy.role"),
        (
            R::all([R::role("Admin"), R::scope("a")]),
            "{}",
            "policy.role",
        ),
        (
            R::all([R::role("Admin"), R::scope("a")]),
            r#"{"roles":["Admin"]}"#,
            "policy.scope a",
        ),
        (
            R::any([R::role("Admin"), R::role("Root")]),
            "{}",
            "policy.role",
        ),
        (R::claim("tier", "gold"), r#"{"tier":"gold"}"#, "permit"),
        (
            R::claim("tier", "gold"),
            r#"{"tier":["x","gold"]}"#,
            "permit",
        ),
        (R::claim("tier", 7), r#"{"tier":7}"#, "permit"),
        (
            R::claim("tier", true),
            r#"{"tier":"true"}"#,
            "policy.denied",
        ),
        (R::not(R::role("Banned")), "{}", "permit"),
        (
            R::not(R::role("Banned")),
            r#"{"roles":"Banned"}"#,
            "policy.denied",
        ),
        (R::not(R::scope("a")), r#"{"scope":"a"}"#, "policy.denied"),
        (R::all([]), "{}", "permit"),
        (R::any([]), "{}", "policy.denied"),
        (
            R::any([two(), R::claim("tier", "gold")]),
            "{}",
            "policy.scope a b",
        ),
        (
            R::any([R::all([R::scope("a"), R::role("Admin")]), R::scope("b")]),
            "{}",
            "policy.scope b",
        ),
        (
            R::all([R::any([R::scope("a"), R::role("Admin")]), R::scope("b")]),
            r#"{"roles":["Admin"]}"#,
            "policy.scope b",
        ),
        (
            R::all([R::any([R::scope("x"), R::scope("a")]), R::scope("b")]),
            r#"{"scope":"a"}"#,
            "policy.scope a b",
        ),
    ] {
        assert_eq!(
            outcome(&requirement, claims),
            expected,
            "{requirement} of {claims}"
        );
    }
}

/// A rule that always says the same.
#[derive(Debug)]
struct Always(Ruling);

impl fmt::Display for Always {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the rule says")
    }
}

impl Rule for Always {
    fn ruling(&self, _: &AccessToken) -> Ruling {
        self.0.clone()
    }
}

#[test]
fn a_rule_joins_the_other_demands_and_what_it_cannot_tell_is_never_met() {
    use Requirement as R;
    let rule = |ruling: Ruling| R::rule(Always(ruling));
    let (met, unmet) = (|| rule(Ruling::Met), || rule(Ruling::Unmet));
    let groups = || rule(Ruling::GroupsUnknown);
    let failed = || {
        rule(Ruling::Failed(Outage::new(
            OutageCode::Policy,
            "a fault",
            Duration::ZERO,
        )))
    };
    for (requirement, expected) in [
        (met(), "permit"),
        (unmet(), "policy.denied"),
        (R::not(unmet()), "permit"),
        (R::not(met()), "policy.denied"),
        (R::all([met(), R::scope("b")]), "policy.scope b"),
        (R::all([unmet(), R::scope("b")]), "policy.denied"),
        (R::any([unmet(), R::scope("b")]), "policy.scope b"),
        (R::all([unmet(), R::role("b")]), "policy.role"),
        (failed(), "outage.policy"),
        (R::not(failed()), "outage.policy"),
        (R::not(R::all([met(), failed()])), "outage.policy"),
        (R::any([failed(), groups()]), "outage.policy"),
        (groups(), "policy.groups_unknown"),
        (R::not(groups()), "policy.groups_unknown"),
        // What is clear without it is clear.
        (R::any([failed(), R::scope("a")]), "permit"),
        (R::all([failed(), unmet()]), "policy.denied"),
    ] {
        assert_eq!(
            outcome(&requirement, r#"{"scope":"a"}"#),
            expected,
            "{requirement:?}"
        );
    }
}

#[test]
fn rules_are_filled_in_wherever_they_stand() {
    use Requirement as R;
    let open = || R::rule(Always(Ruling::Unmet));
    let written = R::all([R::scope("a"), open(), R::any([R::not(open()), open()])]);
    let filled = written.with_rules(&|_| Arc::new(Always(Ruling::Met)));
    assert_eq!(outcome(&written, r#"{"scope":"a"}"#), "policy.denied");
    assert_eq!(outcome(&filled, r#"{"scope":"a"}"#), "permit");
    assert_eq!(filled.to_string(), written.to_string());
    assert!(written == written.clone() && written != filled && open() != open());
}

#[test]
fn a_requirement_reads_as_a_sentence() {
    use Requirement as R;
    let requirement = R::all([
        R::ValidToken,
        R::any([R::scope("a"), R::role("b")]),
        R::not(R::claim("c.d", "secret")),
    ]);
    let text = requirement.to_string();
    assert_eq!(
        text,
        "(a valid token and (scope `a` or role `b`) and not the configured value of claim \
            `\"c.d\"`)"
    );
}
