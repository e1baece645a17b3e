//! How and when the user signed in: what is met, what is not, and what nobody can tell.

use super::*;
use crate::Limits;
use crate::challenge::challenge;
use crate::jose::json::{self, Json};
use crate::token::{Audiences, ClaimPath, Claims, Issuer, Origin};
use crate::verify::{Profile, Verifier};
use Requirement as R;
use std::time::Duration;

pub(super) const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

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
    AccessToken::for_test(
        Claims::from_object(object).unwrap(),
        Origin::Introspected,
        verifier,
    )
}

/// A token of a user, with these claims besides.
pub(super) fn token(claims: &str) -> AccessToken {
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
        // Named twice, asked for once.
        (
            R::all([R::scope("a"), R::all([R::scope("b"), R::scope("a")])]),
            r#"policy.scope scope="a b""#,
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
    let token = AccessToken::for_test(token.claims().clone(), Origin::Introspected, verifier);
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

/// The parts of an explanation as `demand: met: found`.
fn explained(requirement: &R, token: Option<&AccessToken>) -> Vec<String> {
    let mut lines = Vec::new();
    for step in requirement.explain(token, NOW) {
        let met = match step.met {
            Some(true) => "met",
            Some(false) => "unmet",
            None => "unknown",
        };
        let indent = "  ".repeat(step.depth);
        lines.push(format!("{indent}{}: {met}: {}", step.demand, step.found));
    }
    lines
}

#[test]
fn an_explanation_has_every_part_and_what_the_token_has() {
    let requirement = R::all([
        R::user(),
        R::scope("a"),
        R::any([
            R::role("Admin"),
            R::all([R::group("sales"), R::claim("level", Json::from(3))]),
        ]),
        R::not(R::group("suspended")),
        minutes(15),
    ]);
    let token = token(r#","scope":"b c","roles":["User"],"groups":["sales"],"level":[2,3]"#);
    assert_eq!(
        explained(&requirement, Some(&token)),
        [
            "a token for a user: met: a token for a user",
            "scope `a`: unmet: scopes `b c`",
            "one of: met: ",
            "  role `Admin`: unmet: roles `User`",
            "  all of: met: ",
            "    group `sales`: met: groups `sales`",
            "    claim `level` = 3: met: [2, 3]",
            "not group `suspended`: met: groups `sales`",
            "a sign-in no longer than 900 s ago: unknown: no `auth_time`",
        ]
    );
    let without = explained(&requirement, None);
    assert!(
        without
            .iter()
            .all(|line| line.ends_with(": unknown: "))
    );
    // All parts at the top are met exactly if the whole is.
    let top = |it: &R| {
        let steps = it.explain(Some(&token), NOW);
        let mut top = steps.iter().filter(|step| step.depth == 0);
        top.all(|step| step.met == Some(true))
    };
    for part in [
        requirement.clone(),
        R::ValidToken,
        R::scope("b"),
        R::not(R::scope("b")),
        R::all([]),
    ] {
        assert_eq!(top(&part), part.is_met_by(&token, NOW), "{part}");
        let opposite = R::not(part);
        assert_eq!(
            top(&opposite),
            opposite.is_met_by(&token, NOW),
            "{opposite}"
        );
    }
}

#[test]
fn an_explanation_quotes_and_cuts_what_the_token_says() {
    let long = "x".repeat(300);
    let token = token(&format!(
        r#","team":"a\u001b[2Jb","scope":"{long}","groups":["a\nb"]"#
    ));
    let requirement = R::all([R::claim("team", "x"), R::scope("s"), R::group("g")]);
    let lines = explained(&requirement, Some(&token)).join("\n");
    assert!(
        !lines.contains('\u{1b}') && lines.lines().count() == 3,
        "{lines}"
    );
    assert!(lines.contains("...`") && !lines.contains(&long), "{lines}");
}

#[test]
fn one_requirement_implies_another_only_where_every_token_agrees() {
    let parts = || {
        vec![
            R::ValidToken,
            R::scope("a"),
            R::role("Admin"),
            R::user(),
            R::application(),
            R::claim("level", Json::from(3)),
            R::acr(["mfa"]),
            R::acr(["mfa", "phr"]),
            minutes(5),
            minutes(60),
        ]
    };
    let mut all = parts();
    all.extend(parts().into_iter().map(R::not));
    for one in parts() {
        for other in parts() {
            all.push(R::all([one.clone(), other.clone()]));
            all.push(R::any([one.clone(), R::not(other)]));
        }
    }
    all.extend([
        R::all([]),
        R::any([]),
        R::not(R::all([])),
        R::not(R::any([])),
    ]);
    let tokens: Vec<AccessToken> = [
        "",
        r#","scope":"a""#,
        r#","roles":["Admin"],"level":3"#,
        r#","scope":"a","acr":"mfa","auth_time":1799999990"#,
        r#","acr":"phr","auth_time":1799998000"#,
        r#","acr":"pwd","auth_time":1700000000,"level":[3]"#,
    ]
    .map(token)
    .into();
    let mut shown = 0;
    for one in &all {
        assert!(one.implies(one), "{one}");
        for other in &all {
            if !one.implies(other) {
                continue;
            }
            shown += 1;
            for token in &tokens {
                let is_kept = !one.is_met_by(token, NOW) || other.is_met_by(token, NOW);
                assert!(is_kept, "{one} => {other}");
            }
        }
    }
    assert!(shown > 2_000, "{shown}");
    for (one, other) in [
        (R::acr(["mfa"]), R::acr(["mfa", "phr"])),
        (minutes(5), minutes(60)),
        (R::not(minutes(60)), R::not(minutes(5))),
        (R::any([]), R::scope("a")),
        (R::scope("a"), R::any([R::role("x"), R::scope("a")])),
        (
            R::not(R::any([R::scope("a"), R::role("x")])),
            R::not(R::scope("a")),
        ),
    ] {
        assert!(
            one.implies(&other) && !other.implies(&one),
            "{one} => {other}"
        );
    }
}

/// A token for one resource is no token for another one, whatever else it has.
#[test]
fn a_token_for_another_audience_is_no_token_here() {
    let a = R::audience(["https://api.example/a", "urn:a"]);
    let scoped = R::all([a.clone(), R::scope("s")]);
    let alternatives = R::any([a.clone(), R::role("Admin")]);
    for (claims, demand, expected) in [
        (r#","aud":"https://api.example/a""#, &a, None),
        (r#","aud":["x","urn:a"]"#, &a, None),
        (
            r#","aud":"https://api.example/A""#,
            &a,
            Some("token.audience"),
        ),
        (
            r#","aud":"https://api.example/a/""#,
            &a,
            Some("token.audience"),
        ),
        (
            r#","aud":"https://api.example/a/b""#,
            &a,
            Some("token.audience"),
        ),
        (
            r#","aud":["https://api.example/b"]"#,
            &a,
            Some("token.audience"),
        ),
        ("", &a, Some("token.audience")),
        // The audience comes first: a scope would not help.
        (r#","aud":"urn:b""#, &scoped, Some("token.audience")),
        (
            r#","aud":"urn:b","scope":"s""#,
            &scoped,
            Some("token.audience"),
        ),
        (r#","aud":"urn:a""#, &scoped, Some("policy.scope")),
        (r#","aud":"urn:a","scope":"s""#, &scoped, None),
        // Where a role would do as well, the audience alone is not what is wrong.
        (r#","aud":"urn:b""#, &alternatives, Some("policy.role")),
    ] {
        let refused = permit(token(claims), demand, NOW).err();
        let code = refused.as_ref().map(Denial::code);
        assert_eq!(code, expected, "{claims} {demand}");
    }
    let blank = R::audience([""]);
    assert!(!blank.is_met_by(&token(r#","aud":"""#), NOW));
    assert_eq!(scoped.demanded_audience().map(<[_]>::len), Some(2));
    assert_eq!(alternatives.demanded_audience(), None);
    assert_eq!(a.to_string(), "audience `https://api.example/a` or `urn:a`");
    assert!(R::audience(["urn:a"]).implies(&a) && !a.implies(&R::audience(["urn:a"])));
}

#[test]
fn the_record_of_a_wrong_audience_names_both() {
    let demand = R::audience(["urn:a"]);
    let Err(Denial::Rejection(refused)) =
        permit(token(r#","aud":["urn:b","urn:c"]"#), &demand, NOW)
    else {
        panic!("it was permitted")
    };
    assert_eq!(refused.facts().expected(), "audience `urn:a`");
    assert_eq!(refused.facts().found(), "audience `urn:b`, `urn:c`");
    let steps = demand.explain(Some(&token(r#","aud":"urn:b""#)), NOW);
    assert_eq!(steps[0].found, "audience `urn:b`");
}
