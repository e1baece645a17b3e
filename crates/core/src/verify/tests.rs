//! The table by itself, without the corpus: every boundary of time, and what each row says.

use super::{Condition, ExpectedValue, Outcome, Profile, Step, TokenType, Verifier};
use crate::Limits;
use crate::jose::{Algorithm, VerifyingKey, base64url, compact, json, signature};
use crate::rejection::{Code, Rejection};
use crate::token::{AccessToken, Audiences, ClaimPath, Issuer, NumericDate, VerifiedToken};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use std::time::Duration;

pub(super) const NOW: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// A payload of a good token, with members that replace its own.
fn payload(changes: &[(&str, &str)]) -> String {
    let good = [
        ("iss", r#""https://idp.example""#),
        ("aud", r#""api""#),
        ("exp", "1000300"),
        ("iat", "1000000"),
        ("sub", r#""s""#),
    ];
    let kept = good
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let members = kept
        .chain(changes)
        .filter(|(_, value)| !value.is_empty());
    let members: Vec<String> = members
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A signed token, and the key that signed it.
fn signed(header: &str, payload: &str) -> (String, VerifyingKey) {
    signed_by(header, payload, "")
}

/// The same, with more members of the key.
fn signed_by(header: &str, payload: &str, more: &str) -> (String, VerifyingKey) {
    let signer = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
    let input = format!(
        "{}.{}",
        base64url::encode(header.as_bytes()),
        base64url::encode(payload.as_bytes())
    );
    let token = format!(
        "{input}.{}",
        base64url::encode(signer.sign(input.as_bytes()).as_ref())
    );
    let jwk = format!(
        r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"{more}}}"#,
        base64url::encode(signer.public_key().as_ref())
    );
    let key =
        VerifyingKey::from_jwk(&json::parse(jwk.as_bytes(), &Limits::default()).unwrap()).unwrap();
    (token, key)
}

pub(super) fn verifier(profile: Profile) -> Verifier {
    let issuer = Issuer::parse("https://idp.example").unwrap();
    Verifier::new(issuer, Audiences::new(["api"]).unwrap(), profile)
}

pub(super) fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}

fn verified(
    profile: Profile,
    header: &str,
    changes: &[(&str, &str)],
) -> Result<VerifiedToken, Rejection> {
    let (token, key) = signed(header, &payload(changes));
    let token = compact::parse(&token, &Limits::default())?;
    verifier(profile).verify(signature::check(token, &[key])?, at(NOW))
}

pub(super) fn verify(
    profile: Profile,
    header: &str,
    changes: &[(&str, &str)],
) -> Result<AccessToken, Rejection> {
    verified(profile, header, changes)?.into_bearer()
}

pub(super) const PLAIN: &str = r#"{"alg":"EdDSA"}"#;

pub(super) fn code(changes: &[(&str, &str)]) -> Option<Code> {
    verify(Profile::generic(), PLAIN, changes)
        .err()
        .map(|rejection| rejection.code())
}

fn explained(changes: &[(&str, &str)], after_signature: bool) -> Vec<Step> {
    let (token, _) = signed(PLAIN, &payload(changes));
    let token = compact::parse(&token, &Limits::default()).unwrap();
    let verifier = verifier(Profile::generic()).for_tenant("t").unwrap();
    match after_signature {
        false => verifier.explain_screening(&token, at(NOW)),
        true => verifier.explain_rest(&token, None, at(NOW)),
    }
}

/// What a row says that it found.
fn found(changes: &[(&str, &str)], row: &str) -> String {
    let steps = [explained(changes, false), explained(changes, true)].concat();
    steps
        .into_iter()
        .find(|step| step.name == row)
        .unwrap()
        .found
}

#[test]
fn time_counts_to_the_second() {
    for (claim, value, expected) in [
        ("exp", NOW - 59, None),
        ("exp", NOW - 60, Some(Code::TokenExpired)),
        ("exp", NOW + DAY, None),
        ("exp", NOW + DAY + 1, Some(Code::TokenLifetime)),
        ("nbf", NOW + 60, None),
        ("nbf", NOW + 61, Some(Code::TokenNotYetValid)),
        ("iat", NOW + 60, None),
        ("iat", NOW + 61, Some(Code::TokenNotYetValid)),
    ] {
        assert_eq!(
            code(&[(claim, &value.to_string())]),
            expected,
            "{claim} {value}"
        );
    }
}

#[test]
fn the_profile_says_how_far_clocks_may_be_apart_and_how_long_a_token_lives() {
    let strict = Profile {
        leeway: Duration::ZERO,
        max_lifetime: Duration::from_secs(100),
        required_claims: Vec::new(),
        ..Profile::generic()
    };
    let code = |exp: i64| {
        let exp = exp.to_string();
        verify(strict.clone(), PLAIN, &[("exp", &exp), ("iat", "")])
            .err()
            .map(|rejection| rejection.code())
    };
    assert_eq!(code(NOW), Some(Code::TokenExpired));
    assert_eq!((code(NOW + 1), code(NOW + 100)), (None, None));
    assert_eq!(code(NOW + 101), Some(Code::TokenLifetime));
}

#[test]
fn a_verified_token_grows_old() {
    let token = verified(Profile::generic(), PLAIN, &[]).unwrap();
    assert!(Verifier::recheck(&token, at(NOW + 359)).is_ok());
    assert_eq!(
        Verifier::recheck(&token, at(NOW + 360))
            .unwrap_err()
            .code(),
        Code::TokenExpired
    );
}

#[test]
fn what_looks_like_another_kind_of_token_is_refused_unless_it_is_typed() {
    for claim in ["nonce", "at_hash", "c_hash", "s_hash"] {
        assert_eq!(code(&[(claim, "1")]), Some(Code::TokenIdToken), "{claim}");
    }
    assert_eq!(code(&[("events", "{}")]), Some(Code::TokenType));
    let typed = r#"{"alg":"EdDSA","typ":"at+jwt"}"#;
    assert!(verify(Profile::generic(), typed, &[("nonce", "1")]).is_ok());
    for (typ, expected) in [
        (None, Some(TokenType::Absent)),
        (Some("AT+JWT"), Some(TokenType::AccessToken)),
        (Some("application/at+jwt"), Some(TokenType::AccessToken)),
        (Some("Portcullis-Assertion+jwt"), Some(TokenType::Assertion)),
        (Some("jwt"), Some(TokenType::Jwt)),
        (Some("application/JWT"), Some(TokenType::Jwt)),
        (Some("logout+jwt"), None),
        (Some(""), None),
    ] {
        assert_eq!(TokenType::of_header(typ), expected, "{typ:?}");
    }
}

/// Junk must not cause a fetch: all that needs no key is refused before one is looked for, and no
/// more than that.
#[test]
fn the_first_look_runs_the_rows_that_need_no_key() {
    let screen = |changes: &[(&str, &str)]| {
        let (token, _) = signed(PLAIN, &payload(changes));
        let token = compact::parse(&token, &Limits::default()).unwrap();
        verifier(Profile::generic())
            .screen(&token, at(NOW))
            .err()
            .map(|rejection| rejection.code())
    };
    assert_eq!(
        screen(&[("iss", r#""https://other.example""#)]),
        Some(Code::TokenIssuer)
    );
    assert_eq!(screen(&[("exp", "1")]), Some(Code::TokenExpired));
    assert_eq!(
        screen(&[("sub", "")]),
        Some(Code::TokenClaimMissing),
        "nobody is named"
    );
    assert_eq!(
        screen(&[("aud", r#""other""#)]),
        None,
        "known to whom only after the signature"
    );
    assert_eq!(code(&[("aud", r#""other""#)]), Some(Code::TokenAudience));
}

#[test]
fn a_bound_token_is_no_bearer_token() {
    let bound = r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#;
    assert_eq!(code(&[("cnf", bound)]), Some(Code::ProofMissing));
    assert_eq!(
        code(&[("cnf", r#"{"jkt":"x"}"#)]),
        Some(Code::ProofUnsupported)
    );
    assert_eq!(
        code(&[("cnf", r#"{"kid":"x"}"#)]),
        Some(Code::ProofUnsupported)
    );
    assert_eq!(
        code(&[("cnf", r#"{"jkt":"x","kid":"x"}"#)]),
        Some(Code::ProofUnsupported)
    );
    assert_eq!(code(&[("cnf", "{}")]), Some(Code::ProofUnsupported));
}

#[test]
fn an_empty_subject_is_no_subject() {
    assert_eq!(code(&[("sub", r#""""#)]), Some(Code::TokenClaimType));
    assert_eq!(found(&[("sub", r#""""#)], "subject"), "an empty string");
}

#[test]
fn profiles_are_known_by_name() {
    assert_eq!(Profile::by_name("generic"), Some(Profile::generic()));
    assert_eq!(Profile::by_name("rfc9068"), Some(Profile::rfc9068()));
    assert_eq!(Profile::by_name("rfc9068").unwrap().name(), "rfc9068");
    assert_eq!(Profile::by_name("other"), None);
    let typed = r#"{"alg":"EdDSA","typ":"at+jwt"}"#;
    let lacking = verify(Profile::rfc9068(), typed, &[]).unwrap_err();
    assert_eq!(
        (lacking.code(), lacking.facts().found()),
        (Code::TokenClaimMissing, "no `client_id`")
    );
    assert!(
        verify(
            Profile::rfc9068(),
            typed,
            &[("client_id", r#""c""#), ("jti", r#""j""#)]
        )
        .is_ok()
    );
    let narrow = Profile {
        algorithms: vec![Algorithm::RS256],
        ..Profile::generic()
    };
    assert_eq!(
        verify(narrow, PLAIN, &[]).unwrap_err().code(),
        Code::TokenAlgorithm
    );
}

/// What this verifier says about a token typed `JWT`.
fn judged(verifier: &Verifier, key: &str, changes: &[(&str, &str)]) -> Result<AccessToken, String> {
    let (token, key) = signed_by(r#"{"alg":"EdDSA","typ":"JWT"}"#, &payload(changes), key);
    let token = compact::parse(&token, &Limits::default()).unwrap();
    let verdict = verifier.verify(signature::check(token, &[key]).unwrap(), at(NOW));
    let token = verdict.and_then(VerifiedToken::into_bearer);
    token.map_err(|rejection| rejection.to_string())
}

fn of(dialect: &str, issuer: &str) -> Verifier {
    let issuer = Issuer::parse(issuer).unwrap();
    Verifier::new(
        issuer,
        Audiences::new(["api"]).unwrap(),
        Profile::by_name(dialect).unwrap(),
    )
}

#[test]
fn an_issuer_has_its_spellings_and_no_others() {
    let google = of("google", "https://accounts.google.com");
    for (issuer, is_ours) in [
        (r#""https://accounts.google.com""#, true),
        (r#""accounts.google.com""#, true),
        (r#""https://accounts.google.com/""#, false),
        (r#""google.com""#, false),
    ] {
        assert_eq!(
            judged(&google, "", &[("iss", issuer)]).is_ok(),
            is_ours,
            "{issuer}"
        );
    }
    assert!(
        judged(
            &of("generic", "https://idp.example"),
            "",
            &[("iss", r#""idp.example""#)]
        )
        .is_err()
    );
}

#[test]
fn a_mark_tells_access_tokens_from_others() {
    let cognito = of("cognito", "https://idp.example");
    let access = [
        ("token_use", r#""access""#),
        ("client_id", r#""api""#),
        ("aud", ""),
    ];
    assert!(judged(&cognito, "", &access).is_ok());
    // This mark is proof enough, whatever else the token holds; that of Entra, which ID tokens bear
    // too, is not.
    assert!(judged(&cognito, "", &[&access[..], &[("nonce", "1")]].concat()).is_ok());
    let entra = [
        ("ver", r#""2.0""#),
        ("tid", r#""t""#),
        ("azp", r#""c""#),
        ("nonce", "1"),
    ];
    let told = judged(&of("entra-v2", "https://idp.example"), "", &entra).unwrap_err();
    assert!(told.starts_with("token.id_token"), "{told}");
    let told = judged(
        &cognito,
        "",
        &[("token_use", r#""id""#), ("client_id", r#""api""#)],
    )
    .unwrap_err();
    assert!(
        told.starts_with("token.type") && told.ends_with("found `id`)"),
        "{told}"
    );
    assert!(
        judged(&cognito, "", &[("client_id", r#""api""#)])
            .unwrap_err()
            .starts_with("token.type")
    );
    assert!(
        judged(
            &of("generic", "https://idp.example"),
            "",
            &[("token_use", r#""id""#)]
        )
        .is_ok()
    );
}

/// One key set serves many tenants: the key that is for one of them signs nothing for another.
#[test]
fn a_tenant_has_its_issuer_its_claim_and_its_keys() {
    let entra = of("entra-v2", "https://idp.example/{tenantid}/v2.0")
        .for_tenant("t")
        .unwrap();
    let claims = |tid: &'static str| {
        [
            ("iss", r#""https://idp.example/t/v2.0""#),
            ("tid", tid),
            ("azp", r#""c""#),
            ("ver", r#""2.0""#),
        ]
    };
    for (key, tid, code) in [
        ("", r#""t""#, None),
        (
            r#","issuer":"https://idp.example/{tenantId}/v2.0""#,
            r#""t""#,
            None,
        ),
        (r#","issuer":"https://idp.example/t/v2.0""#, r#""t""#, None),
        (
            r#","issuer":"https://idp.example/u/v2.0""#,
            r#""t""#,
            Some("token.key_issuer"),
        ),
        ("", r#""u""#, Some("token.tenant")),
        ("", "7", Some("token.tenant")),
    ] {
        let told = judged(&entra, key, &claims(tid)).err();
        assert_eq!(
            told.as_deref().and_then(|told| told.split(':').next()),
            code,
            "{key} {tid}"
        );
        // And it is explained as it is decided.
        let (token, signer) = signed_by(PLAIN, &payload(&claims(tid)), key);
        let token = compact::parse(&token, &Limits::default()).unwrap();
        let steps = entra.explain_rest(&token, Some(&signer), at(NOW));
        let failed = steps.iter().find(|step| step.outcome == Outcome::Fail);
        assert_eq!(failed.map(|step| step.code), code, "{key} {tid}");
    }
}

#[test]
fn configured_claims_must_all_have_one_of_their_values() {
    let condition = |claim: &str, values: &[&str]| Condition {
        claim: ClaimPath::claim(claim),
        values: values
            .iter()
            .map(|value| ExpectedValue::Value((*value).into()))
            .collect(),
    };
    let conditions = vec![
        condition("repository", &["a", "b"]),
        condition("ref", &["main"]),
    ];
    let code = |changes: &[(&str, &str)]| {
        let profile = Profile {
            conditions: conditions.clone(),
            ..Profile::generic()
        };
        verify(profile, PLAIN, changes)
            .err()
            .map(|rejection| rejection.facts().found().to_owned())
    };
    assert_eq!(
        code(&[("repository", r#""b""#), ("ref", r#""main""#)]),
        None
    );
    let told = code(&[("repository", r#""b""#), ("ref", r#""dev""#)]).unwrap();
    assert!(
        told.starts_with("`ref` to be ") && told.contains("dev"),
        "{told}"
    );
    assert!(
        code(&[("ref", r#""main""#)])
            .unwrap()
            .starts_with("`repository` to be ")
    );
}

#[test]
fn every_row_says_what_it_found() {
    for (changes, row, expected) in [
        (&[][..], "expiry", "1000300, in 300 s"),
        (&[("exp", "999990")], "expiry", "999990, 10 s ago"),
        (&[("exp", "1000000")], "expiry", "1000000, 0 s ago"),
        (&[("exp", "")], "expiry", "none"),
        (&[("iss", r#""a\n""#)], "issuer", "`a\\n`"),
        (&[("sub", "")], "caller", "no `sub`, and no client"),
        (&[("sub", ""), ("azp", r#""c""#)], "caller", "a client"),
        (
            &[("sub", ""), ("azp", r#""c""#), ("sid", r#""s""#)],
            "caller",
            "no `sub`, and claims about a person",
        ),
        (&[], "caller", "a subject"),
        (&[], "required claims", "all present"),
        (&[("nonce", "1")], "not an ID token", "nonce"),
        (&[("aud", r#"["a","b"]"#)], "audience", "`a`, `b`"),
        (&[("aud", "[]")], "audience", "an empty array"),
        (&[("tid", r#""t""#)], "tenant", "`t`"),
        (&[("tid", "7")], "tenant", "a number"),
        (&[], "tenant", "none"),
        (&[], "not before", "does not apply"),
        (&[], "kind of token", "does not apply"),
    ] {
        assert_eq!(found(changes, row), expected, "{changes:?}");
    }
    let typed = verify(Profile::rfc9068(), PLAIN, &[])
        .unwrap_err()
        .to_string();
    assert!(
        typed.ends_with("(expected `typ` to be `at+jwt`, found none)"),
        "{typed}"
    );
}

#[test]
fn an_explanation_runs_to_the_end() {
    let steps = explained(&[("exp", "1"), ("aud", r#""other""#)], false);
    let failed = |steps: &[Step]| {
        let failed = steps
            .iter()
            .filter(|step| step.outcome == Outcome::Fail);
        failed
            .map(|step| step.name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(failed(&steps), "expiry");
    assert_eq!(
        failed(&explained(&[("aud", r#""other""#)], true)),
        "audience, tenant"
    );
    let skipped = Verifier::explain_skipped(true);
    assert!(
        skipped
            .iter()
            .all(|step| step.outcome == Outcome::Skipped && step.found == "not reached")
    );
    assert_eq!(steps.len() + skipped.len(), super::checks::CHECKS.len());
    let issuer = steps
        .iter()
        .find(|step| step.name == "issuer")
        .unwrap();
    assert_eq!(issuer.expected, "`https://idp.example`");
    let refused = verify(Profile::generic(), PLAIN, &[("exp", "1")]).unwrap_err();
    let step = Step::failure("expiry", &refused);
    assert_eq!(
        (step.code, step.expected.as_str()),
        ("token.expired", refused.facts().expected())
    );
    assert_eq!(step.found, refused.facts().found());
}
