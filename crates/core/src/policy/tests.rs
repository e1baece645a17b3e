//! How and when the user signed in: what is met, what is not, and what nobody can tell.

use super::*;
use crate::Limits;
use crate::challenge::challenge;
use crate::jose::json::{self, Json};
use crate::token::{Audiences, ClaimPath, Claims, Issuer, Origin};
use crate::verify::{Profile, Verifier};
use Requirement as R;
use std::time::Duration;

const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

fn token_of(dialect: &str, claims: &str) -> AccessToken {
    let Ok(Json::Object(object)) = json::parse(claims.as_bytes(), &Limits::default()) else {
        panic!("{claims}")
    };
    let issuer = Issuer::parse("https://idp.example").unwrap();
    let verifier = Verifier::new(
        issuer,
        Audiences::new(["api"]).unwrap(),
        Profile::by_name(dialect).unwrap(),
    );
    AccessToken::new(
        Claims::from_object(object).unwrap(),
        Origin::Introspected,
        verifier,
    )
}

/// A token of a user, with these claims besides.
fn token(claims: &str) -> AccessToken {
    token_of("generic", &format!(r#"{{"sub":"s"{claims}}}"#))
}

fn minutes(minutes: u64) -> R {
    R::max_age(Duration::from_secs(60 * minutes))
}

/// `permit`, or the code with what the challenge asks for.
fn outcome(requirement: &R, token: AccessToken) -> String {
    match permit(token, requirement, NOW) {
        Ok(_) => "permit".to_owned(),
        Err(Denial::Outage(outage)) => outage.code().to_string(),
        Err(Denial::Rejection(rejection)) => {
            let told = challenge(&rejection, "api").www_authenticate;
            let asked = told.split(", ").filter(|it| {
                ["scope=", "acr_values=", "max_age="]
                    .iter()
                    .any(|name| it.starts_with(name))
            });
            let asked: Vec<&str> = asked.collect();
            format!("{} {}", rejection.code(), asked.join(" "))
                .trim_end()
                .to_owned()
        }
    }
}

#[test]
fn a_sign_in_is_met_by_how_and_when_it_was() {
    let mfa = || R::acr(["phr", "mfa"]);
    let phr_mfa = r#"policy.step_up acr_values="phr mfa""#;
    let old = r#"policy.step_up max_age="900""#;
    for (requirement, claims, expected) in [
        (mfa(), r#","acr":"mfa""#, "permit"),
        (mfa(), r#","acr":"phr""#, "permit"),
        (mfa(), r#","acr":["pwd","mfa"]"#, "permit"),
        (mfa(), r#","acr":"mf""#, phr_mfa),
        (mfa(), r#","acr":"MFA""#, phr_mfa),
        (mfa(), r#","acr":"phr mfa""#, phr_mfa),
        (mfa(), r#","acr":7"#, phr_mfa),
        (mfa(), "", phr_mfa),
        (minutes(15), r#","auth_time":1799999100"#, "permit"),
        (minutes(15), r#","auth_time":1799999100.9"#, "permit"),
        (minutes(15), r#","auth_time":1799999099"#, old),
        (minutes(15), r#","auth_time":1800000060"#, "permit"),
        (minutes(15), r#","auth_time":1800000061"#, old),
        (minutes(15), r#","auth_time":"1800000000""#, old),
        (minutes(15), "", old),
        // Of several, all the values and the lowest age.
        (
            R::all([minutes(15), R::acr(["a"]), minutes(5), R::acr(["b", "a"])]),
            "",
            r#"policy.step_up acr_values="a b" max_age="300""#,
        ),
        (
            R::acr(<[&str; 0]>::default()),
            r#","acr":"a""#,
            "policy.step_up",
        ),
    ] {
        assert_eq!(
            outcome(&requirement, token(claims)),
            expected,
            "{requirement} of {claims}"
        );
    }
}

#[test]
fn what_nobody_can_tell_is_not_met_and_neither_is_its_opposite() {
    for claims in [
        "",
        r#","acr":7,"auth_time":"x""#,
        r#","auth_time":1800000061"#,
    ] {
        for requirement in [R::acr(["mfa"]), minutes(15)] {
            assert_eq!(
                requirement.verdict(&token(claims), NOW),
                None,
                "{requirement} of {claims}"
            );
            assert!(!requirement.hangs_on_groups(&token(claims), NOW));
            assert_eq!(
                outcome(&R::not(requirement), token(claims)),
                "policy.denied"
            );
        }
    }
    let known = || token(r#","acr":"pwd","auth_time":1"#);
    assert_eq!(outcome(&R::not(R::acr(["mfa"])), known()), "permit");
    assert_eq!(outcome(&R::not(minutes(15)), known()), "permit");
}

/// Whoever would be refused afterwards all the same is not asked to sign in again.
#[test]
fn a_user_signs_in_again_only_where_that_helps() {
    let all = |other: R| R::all([other, R::acr(["mfa"])]);
    for (requirement, expected) in [
        (
            all(R::scope("a")),
            r#"policy.step_up scope="a" acr_values="mfa""#,
        ),
        (
            R::any([R::scope("a"), R::acr(["mfa"])]),
            r#"policy.scope scope="a""#,
        ),
        (
            R::any([R::role("Admin"), R::acr(["mfa"])]),
            r#"policy.step_up acr_values="mfa""#,
        ),
        (all(R::role("Admin")), "policy.role"),
        (all(R::claim("tier", "gold")), "policy.denied"),
        (all(R::application()), "policy.denied"),
        (
            R::any([all(R::role("Admin")), all(R::user())]),
            r#"policy.step_up acr_values="mfa""#,
        ),
    ] {
        assert_eq!(outcome(&requirement, token("")), expected, "{requirement}");
    }
    let granted = token(r#","scope":"a""#);
    assert_eq!(
        outcome(&all(R::scope("a")), granted),
        r#"policy.step_up scope="a" acr_values="mfa""#
    );
    let signed_in = token(r#","acr":"mfa""#);
    assert_eq!(
        outcome(&all(R::scope("a")), signed_in),
        r#"policy.scope scope="a""#
    );
    let application = token_of("generic", r#"{"sub":"c","client_id":"c"}"#);
    assert_eq!(
        outcome(&R::acr(["mfa"]), application),
        "policy.denied",
        "an application cannot sign in"
    );
}

#[test]
fn unknown_groups_come_first_and_are_looked_up_only_where_they_are_asked_for() {
    let overage = || {
        token_of(
            "entra-v2",
            r#"{"oid":"o","sub":"s","scp":"a","hasgroups":true}"#,
        )
    };
    let both = R::all([R::group("g"), R::acr(["c1"])]);
    assert!(
        both.hangs_on_groups(&overage(), NOW) && !R::acr(["c1"]).hangs_on_groups(&overage(), NOW)
    );
    assert_eq!(outcome(&both, overage()), "policy.groups_unknown");
    let known = overage().with_groups(vec!["g".into()]);
    assert_eq!(outcome(&both, known), r#"policy.step_up acr_values="c1""#);
    assert_eq!(
        outcome(&both, overage().with_groups(Vec::new())),
        "policy.denied"
    );
}

#[test]
fn each_provider_says_it_in_its_own_place() {
    let entra = |claims: &str| {
        token_of(
            "entra-v2",
            &format!(r#"{{"oid":"o","sub":"s","scp":"a",{claims}}}"#),
        )
    };
    assert_eq!(
        outcome(&R::acr(["c1"]), entra(r#""acrs":["c2","c1"]"#)),
        "permit"
    );
    assert_eq!(
        outcome(&R::not(R::acr(["1"])), entra(r#""acr":"1""#)),
        "policy.denied",
        "another thing"
    );
    let mut profile = Profile::generic();
    profile.mapping.acr = vec![ClaimPath::parse("a.acr").unwrap()];
    profile.mapping.auth_time = vec![ClaimPath::parse("a.at").unwrap()];
    let token = token(r#","a":{"acr":"x","at":1800000000},"acr":"y""#);
    let verifier = Verifier::new(
        token.issuer().clone(),
        Audiences::new(["api"]).unwrap(),
        profile,
    );
    let token = AccessToken::new(token.claims().clone(), Origin::Introspected, verifier);
    assert_eq!(
        outcome(&R::all([R::acr(["x"]), minutes(1)]), token),
        "permit"
    );
}

#[test]
fn it_reads_as_a_sentence() {
    let text = R::all([R::acr(["a", "b"]), minutes(1)]).to_string();
    assert_eq!(
        text,
        "(acr `a` or `b` and a sign-in no longer than 60 s ago)"
    );
}
