//! What a refusal names of the requirement and of the token, and what it leaves out.

use super::super::tests::{NOW, token};
use super::super::{Requirement as R, permit};
use crate::Denial;
use crate::token::AccessToken;
use std::time::Duration;

/// What a refusal names, as JSON.
fn named(requirement: &R, token: AccessToken) -> (String, String) {
    let Err(Denial::Rejection(rejection)) = permit(token, requirement, NOW) else {
        panic!("it is permitted");
    };
    let caller = rejection.caller().unwrap();
    assert_eq!(caller.subject.as_deref(), Some("s"));
    assert_eq!(
        (&*caller.issuer, caller.kind),
        ("https://idp.example", "user")
    );
    let shortfall = caller.shortfall.as_ref().unwrap();
    let json = |it| serde_json::to_string(it).unwrap();
    (json(&shortfall.required), json(&shortfall.present))
}

#[test]
fn only_kinds_that_are_demanded_are_named() {
    let held = r#","scope":"a b","roles":["Reader"],"department":"hidden","acr":"pwd","auth_time":1799999000"#;
    for (requirement, required, present) in [
        (
            R::scope("c"),
            r#"{"scopes":["c"]}"#,
            r#"{"scopes":["a","b"]}"#,
        ),
        (
            R::role("Admin"),
            r#"{"roles":["Admin"]}"#,
            r#"{"roles":["Reader"]}"#,
        ),
        (
            R::claim("department", "sales"),
            r#"{"claims":["department"]}"#,
            "{}",
        ),
        (R::acr(["mfa"]), r#"{"acr":["mfa"]}"#, r#"{"acr":["pwd"]}"#),
        (
            R::max_age(Duration::from_secs(60)),
            r#"{"sign_in_age":60}"#,
            r#"{"sign_in_age":1000}"#,
        ),
        (
            R::all([
                R::any([R::role("A"), R::scope("c")]),
                R::not(R::role("Reader")),
                R::application(),
            ]),
            r#"{"scopes":["c"],"roles":["A","not Reader"],"kind":["application"]}"#,
            r#"{"scopes":["a","b"],"roles":["Reader"],"kind":["user"]}"#,
        ),
    ] {
        let named = named(&requirement, token(held));
        assert_eq!((&*named.0, &*named.1), (required, present));
    }
}

#[test]
fn names_are_bounded_in_number_and_length() {
    let mut roles = Vec::new();
    for number in 0..40 {
        roles.push(format!("{number:02}{}", "x".repeat(200)));
    }
    let claims = format!(r#","roles":{}"#, serde_json::to_string(&roles).unwrap());
    let (_, present) = named(&R::role("Admin"), token(&claims));
    assert!(present.ends_with(r#"...","... 24 more"]}"#), "{present}");
    assert!(present.len() < 16 * 90 + 40, "{}", present.len());
}

#[test]
fn the_facts_say_what_was_found() {
    let told = |requirement: &R, claims| {
        let Err(Denial::Rejection(rejection)) = permit(token(claims), requirement, NOW) else {
            panic!("it is permitted");
        };
        rejection.facts().to_string()
    };
    for (requirement, claims, facts) in [
        (
            R::role("Admin"),
            r#","roles":["a\nb","c"]"#,
            "expected role `Admin`, found roles `a\\nb`, `c`",
        ),
        (
            R::role("Admin"),
            "",
            "expected role `Admin`, found no roles",
        ),
        (
            R::claim("department", "sales"),
            r#","department":"secret""#,
            "expected the configured value of claim `department`, found a token that does not \
                meet it",
        ),
    ] {
        assert_eq!(told(&requirement, claims), facts);
    }
}
