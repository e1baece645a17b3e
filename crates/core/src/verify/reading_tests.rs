//! What is read as meant: claims that are missing, null, or of another type; and tokens of another
//! kind.

use super::super::token::introspection::Answer;
use super::tests::{NOW, PLAIN, at, code, verifier, verify};
use super::{Condition, ExpectedValue, Pattern, Profile, Verifier};
use crate::Limits;
use crate::dialect::DIALECTS;
use crate::rejection::Code;
use crate::token::{Audiences, ClaimPath, Issuer, Kind};

#[test]
fn an_application_needs_no_subject_and_a_person_does() {
    for (changes, expected) in [
        (&[("sub", ""), ("client_id", r#""c""#)][..], None),
        (&[("sub", "null"), ("client_id", r#""c""#)], None),
        (&[("sub", r#""""#), ("client_id", r#""c""#)], None),
        (&[("sub", ""), ("azp", r#""c""#)], None),
        (
            &[("sub", ""), ("client_id", "null"), ("azp", r#""c""#)],
            None,
        ),
        (
            &[("sub", ""), ("client_id", r#""c""#), ("username", "null")],
            None,
        ),
        (&[("sub", "")], Some(Code::TokenClaimMissing)),
        (&[("sub", "null")], Some(Code::TokenClaimMissing)),
        (
            &[("sub", ""), ("azp", r#""""#)],
            Some(Code::TokenClaimMissing),
        ),
        (
            &[("sub", ""), ("client_id", "null")],
            Some(Code::TokenClaimMissing),
        ),
        (
            &[("sub", ""), ("client_id", r#""c""#), ("sid", r#""s""#)],
            Some(Code::TokenClaimMissing),
        ),
        (
            &[("sub", ""), ("client_id", r#""c""#), ("auth_time", "1")],
            Some(Code::TokenClaimMissing),
        ),
        (
            &[
                ("sub", ""),
                ("client_id", r#""c""#),
                ("preferred_username", r#""a""#),
            ],
            Some(Code::TokenClaimMissing),
        ),
        (
            &[("sub", ""), ("client_id", r#""c""#), ("email", r#""a@b""#)],
            Some(Code::TokenClaimMissing),
        ),
        (
            &[("sub", "7"), ("client_id", r#""c""#)],
            Some(Code::TokenClaimType),
        ),
        (
            &[("sub", "[]"), ("client_id", r#""c""#)],
            Some(Code::TokenClaimType),
        ),
    ] {
        assert_eq!(code(changes), expected, "{changes:?}");
    }
    let service = verify(
        Profile::generic(),
        PLAIN,
        &[("sub", ""), ("client_id", r#""c""#)],
    )
    .unwrap();
    let identity = service.identity();
    assert_eq!(
        (identity.kind(), identity.subject(), identity.client()),
        (Kind::Application, Some("c"), Some("c"))
    );
    // Another place for the subject counts as one.
    let mut elsewhere = Profile::generic();
    elsewhere.mapping.subject = vec![ClaimPath::claim("username")];
    let person = verify(elsewhere, PLAIN, &[("sub", ""), ("username", r#""alice""#)]).unwrap();
    assert_eq!(
        (person.identity().kind(), person.user_id()),
        (Kind::User, Some("alice"))
    );
}

#[test]
fn the_profile_of_rfc_9068_wants_its_claims() {
    let typed = r#"{"alg":"EdDSA","typ":"at+jwt"}"#;
    let whole = [("client_id", r#""c""#), ("jti", r#""j""#)];
    let code = |changes: &[(&'static str, &'static str)]| {
        let kept = whole
            .iter()
            .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let changes: Vec<_> = kept.chain(changes).copied().collect();
        verify(Profile::rfc9068(), typed, &changes)
            .err()
            .map(|rejection| rejection.code())
    };
    assert_eq!(code(&[]), None);
    for name in ["sub", "client_id", "iat", "jti"] {
        assert_eq!(code(&[(name, "")]), Some(Code::TokenClaimMissing), "{name}");
        assert_eq!(
            code(&[(name, "null")]),
            Some(Code::TokenClaimType),
            "{name}"
        );
    }
    assert_eq!(code(&[("sub", r#""""#)]), Some(Code::TokenClaimType));
}

#[test]
fn a_token_may_leave_out_when_it_was_issued_and_lives_no_longer_for_it() {
    assert_eq!(code(&[("iat", "")]), None);
    assert_eq!(code(&[("iat", "null")]), None);
    let far = (NOW + 86_401).to_string();
    assert_eq!(
        code(&[("iat", ""), ("exp", &far)]),
        Some(Code::TokenLifetime),
        "counted from now"
    );
    let future = (NOW + 61).to_string();
    assert_eq!(code(&[("iat", &future)]), Some(Code::TokenNotYetValid));
}

/// Null is absent where one meaning is left; never where it might lift a bound. Text is no number.
#[test]
fn null_is_absent_and_text_is_no_number() {
    for name in [
        "sub",
        "client_id",
        "azp",
        "jti",
        "scope",
        "scp",
        "iat",
        "roles",
        "groups",
        "acr",
    ] {
        let client = if name == "client_id" {
            ("azp", r#""c""#)
        } else {
            ("client_id", r#""c""#)
        };
        assert_eq!(code(&[(name, "null"), client]), None, "{name}");
    }
    for name in ["iss", "aud", "exp", "nbf", "cnf"] {
        assert_eq!(
            code(&[(name, "null")]),
            Some(Code::TokenClaimType),
            "{name}"
        );
    }
    for (name, value) in [
        ("exp", r#""1000300""#),
        ("iat", r#""1000000""#),
        ("nbf", r#""1""#),
        ("exp", "true"),
        ("scope", "7"),
        ("jti", "7"),
    ] {
        assert_eq!(
            code(&[(name, value)]),
            Some(Code::TokenClaimType),
            "{name} {value}"
        );
    }
    for exp in ["1000300.0", "1.0003e6", "1000300.9"] {
        assert_eq!(code(&[("exp", exp)]), None, "{exp}");
    }
    let scoped = verify(
        Profile::generic(),
        PLAIN,
        &[("scope", "null"), ("scp", r#"["a"]"#)],
    )
    .unwrap();
    assert!(scoped.has_scope("a"));
    let none = verify(
        Profile::generic(),
        PLAIN,
        &[("scope", r#""""#), ("scp", r#"["a"]"#)],
    )
    .unwrap();
    assert!(none.scopes().is_empty());
}

#[test]
fn what_speaks_of_a_sign_in_and_of_no_grant_is_an_id_token() {
    for claim in [("auth_time", "1"), ("acr", r#""1""#), ("sid", r#""s""#)] {
        assert_eq!(code(&[claim]), Some(Code::TokenIdToken), "{claim:?}");
        assert_eq!(
            code(&[claim, ("azp", r#""api""#)]),
            Some(Code::TokenIdToken),
            "issued to its audience: {claim:?}"
        );
        assert_eq!(
            code(&[claim, ("azp", r#""api""#), ("aud", r#"["x","api"]"#)]),
            Some(Code::TokenIdToken)
        );
        for access in [
            ("azp", r#""web""#),
            ("client_id", r#""web""#),
            ("client_id", r#""api""#),
            ("scope", r#""a""#),
            ("scope", r#""""#),
            ("scp", r#"["a"]"#),
            ("jti", r#""j""#),
            ("cid", r#""c""#),
            ("appid", r#""c""#),
        ] {
            assert_eq!(code(&[claim, access]), None, "{claim:?} {access:?}");
        }
        assert_eq!(
            code(&[claim, ("scope", "null")]),
            Some(Code::TokenIdToken),
            "{claim:?}"
        );
        let typed = r#"{"alg":"EdDSA","typ":"at+jwt"}"#;
        assert!(
            verify(Profile::generic(), typed, &[claim]).is_ok(),
            "{claim:?}"
        );
    }
    // What people are called stands in access tokens too.
    for claim in [
        ("email", r#""a@b""#),
        ("name", r#""A""#),
        ("amr", r#"["pwd"]"#),
        ("groups", "[]"),
    ] {
        assert_eq!(code(&[claim]), None, "{claim:?}");
    }
    let zitadel = |changes: &[(&str, &str)]| {
        let changes = [&[("client_id", r#""web""#), ("jti", r#""j""#)], changes].concat();
        verify(Profile::by_name("zitadel").unwrap(), PLAIN, &changes)
            .err()
            .map(|it| it.code())
    };
    assert_eq!(zitadel(&[]), None);
    for claim in [("auth_time", "1"), ("amr", "[]"), ("azp", r#""web""#)] {
        assert_eq!(zitadel(&[claim]), Some(Code::TokenIdToken), "{claim:?}");
        assert_eq!(zitadel(&[claim, ("scope", r#""a""#)]), None, "{claim:?}");
    }
}

/// What a verifier says of an answer about an opaque token.
fn answered(profile: &Profile, answer: &str) -> String {
    let issuer = Issuer::parse("https://idp.example").unwrap();
    let verifier = Verifier::new(issuer, Audiences::new(["api"]).unwrap(), profile.clone());
    let claims = Answer::parse(answer.as_bytes(), &Limits::default())
        .unwrap()
        .into_claims();
    let token = claims.and_then(|claims| verifier.verify_answer(claims, at(NOW))?.into_bearer());
    token.map_or_else(
        |rejection| rejection.code().to_string(),
        |token| token.identity().kind().to_string(),
    )
}

#[test]
fn an_answer_says_which_token_it_is_about() {
    let strict = Profile::generic();
    let lax = Profile {
        danger_answers_without_audience: true,
        ..Profile::generic()
    };
    let laxest = Profile {
        danger_answers_without_type: true,
        ..lax.clone()
    };
    for (members, with_audience, without, untyped) in [
        ("", "user", "token.type", "user"),
        (r#","token_type":null"#, "user", "token.type", "user"),
        (r#","token_type":"Bearer""#, "user", "user", "user"),
        (r#","token_type":"bearer""#, "user", "user", "user"),
        // RFC 9449, section 6.2: the key is part of the answer, and its proof is asked for next.
        (
            r#","token_type":"DPoP","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
            "proof.missing",
            "proof.missing",
            "proof.missing",
        ),
        (
            r#","token_type":"DPoP""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (r#","typ":"DPoP""#, "token.type", "token.type", "token.type"),
        (r#","token_type":"access_token""#, "user", "user", "user"),
        (
            r#","token_type":"urn:ietf:params:oauth:token-type:access_token""#,
            "user",
            "user",
            "user",
        ),
        (
            r#","token_type":"""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","token_type":"refresh_token""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","token_type":"urn:ietf:params:oauth:token-type:refresh_token""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","token_type":"N_A""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","token_type":["Bearer"]"#,
            "token.type",
            "token.type",
            "token.type",
        ),
        // Ory Hydra and Amazon Cognito.
        (r#","token_use":"access_token""#, "user", "user", "user"),
        (
            r#","token_use":"refresh_token""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","token_use":"refresh_token","token_type":"Bearer""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","token_use":"id""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        // Keycloak.
        (
            r#","typ":"Bearer","token_type":"Bearer""#,
            "user",
            "user",
            "user",
        ),
        (
            r#","typ":"Refresh""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","typ":"Refresh","token_type":"Bearer""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","typ":"Offline""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (
            r#","typ":"ID","token_type":"Bearer""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        (r#","typ":"JWT""#, "user", "token.type", "user"),
        (r#","typ":"at+jwt""#, "user", "user", "user"),
        (r#","tokenName":"access_token""#, "user", "user", "user"),
        (
            r#","tokenName":"refresh_token""#,
            "token.type",
            "token.type",
            "token.type",
        ),
        // An ID token, about which some servers answer as well.
        (
            r#","nonce":"n""#,
            "token.id_token",
            "token.type",
            "token.id_token",
        ),
        (
            r#","at_hash":"h""#,
            "token.id_token",
            "token.type",
            "token.id_token",
        ),
        (
            r#","nonce":"n","token_type":"Bearer""#,
            "user",
            "user",
            "user",
        ),
    ] {
        let of = |audience: &str| format!(r#"{{"active":true,"sub":"s"{audience}{members}}}"#);
        let (named, unnamed) = (of(r#","aud":"api""#), of(""));
        for profile in [&strict, &lax, &laxest] {
            assert_eq!(answered(profile, &named), with_audience, "{named}");
        }
        assert_ne!(answered(&strict, &unnamed), "user", "{unnamed}");
        assert_eq!(answered(&lax, &unnamed), without, "{unnamed}");
        assert_eq!(answered(&laxest, &unnamed), untyped, "{unnamed}");
        assert_eq!(
            answered(&laxest, &of(r#","aud":"other""#))
                .split('.')
                .next(),
            Some("token")
        );
    }
}

/// What is demanded of an answer about an opaque token is not demanded of one that only confirms a
/// JWT.
#[test]
fn a_confirmation_says_no_more_than_it_must() {
    let confirmed = |answer: &str| {
        let claims = Answer::parse(answer.as_bytes(), &Limits::default())
            .unwrap()
            .into_claims()
            .unwrap();
        verifier(Profile::generic())
            .confirm(&claims, at(NOW))
            .err()
            .map(|rejection| rejection.code())
    };
    assert_eq!(confirmed(r#"{"active":true}"#), None);
    assert_eq!(
        confirmed(r#"{"active":true,"username":"alice","client_id":"web","nonce":"n"}"#),
        None
    );
    assert_eq!(
        confirmed(r#"{"active":true,"typ":"Refresh"}"#),
        Some(Code::TokenType)
    );
}

#[test]
fn a_client_is_nobodys_subject_in_an_answer() {
    for (answer, expected) in [
        (
            r#"{"active":true,"aud":"api","client_id":"c"}"#,
            "application",
        ),
        (
            r#"{"active":true,"aud":"api","client_id":"c","sub":null,"username":null}"#,
            "application",
        ),
        (
            r#"{"active":true,"aud":"api","client_id":"c","username":"c"}"#,
            "token.claim_missing",
        ),
        (
            r#"{"active":true,"aud":"api","client_id":"c","username":"alice"}"#,
            "token.claim_missing",
        ),
        (
            r#"{"active":true,"aud":"api","client_id":"c","sid":"s"}"#,
            "token.claim_missing",
        ),
        (
            r#"{"active":true,"aud":"api","sub":"1","client_id":"c","username":"alice"}"#,
            "user",
        ),
        (r#"{"active":true,"aud":"api"}"#, "unknown"),
    ] {
        assert_eq!(answered(&Profile::generic(), answer), expected, "{answer}");
    }
}

#[test]
fn a_condition_fits_a_pattern_or_nothing() {
    let profile = |pattern: &str| Profile {
        conditions: vec![Condition {
            claim: ClaimPath::claim("sub"),
            values: vec![
                ExpectedValue::Value("robot".into()),
                ExpectedValue::Like(Pattern::parse(pattern).unwrap()),
            ],
        }],
        ..Profile::generic()
    };
    for (sub, fits) in [
        (r#""repo:org/app""#, true),
        (r#""robot""#, true),
        (r#""repo:org-evil/app""#, false),
        (r#""repo:org/""#, false),
        (r#""repo:org""#, false),
        (r#""repo:org/*""#, true),
        (r#""REPO:org/app""#, false),
    ] {
        let verdict = verify(profile("repo:org/*"), PLAIN, &[("sub", sub)]);
        assert_eq!(verdict.is_ok(), fits, "{sub}");
        assert!(
            fits || verdict.unwrap_err().code() == Code::TokenClaimValue,
            "{sub}"
        );
    }
    let mut teams = profile("repo:org/*");
    teams.conditions[0].claim = ClaimPath::claim("teams");
    for (value, fits) in [
        (r#"["x","repo:org/app"]"#, true),
        (r#"["x",7,null]"#, false),
        (r#"{"repo:org/app":1}"#, false),
        ("7", false),
    ] {
        assert_eq!(
            verify(teams.clone(), PLAIN, &[("teams", value)]).is_ok(),
            fits,
            "{value}"
        );
    }
    assert!(verify(teams, PLAIN, &[]).is_err());
}

/// No dialect demands when a token was issued, but those whose providers always say so and RFC
/// 9068.
#[test]
fn the_time_of_issue_is_demanded_by_name_only() {
    let demanding: Vec<&str> = DIALECTS
        .iter()
        .filter(|dialect| dialect.required_claims.contains(&"iat"))
        .map(|dialect| dialect.name)
        .collect();
    assert_eq!(
        demanding,
        [
            "rfc9068",
            "google",
            "firebase",
            "github-actions",
            "gitlab-ci",
            "kubernetes",
            "portcullis"
        ]
    );
}
