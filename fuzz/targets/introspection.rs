//! Any bytes as an answer about a token, by the rules of every provider: only an active token for
//! us gets in, and who calls is told the same way twice.

use portcullis_core::dialect::DIALECTS;
use portcullis_core::jose::compact;
use portcullis_core::jose::json::Json;
use portcullis_core::token::introspection::Answer;
use portcullis_core::token::{Audiences, Issuer, NumericDate, OpaqueToken};
use portcullis_core::verify::{Profile, Verifier};
use portcullis_core::{Limits, Requirement, policy};
use std::sync::LazyLock;
use std::time::Duration;

const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    let verifier = |dialect| {
        let issuer = Issuer::parse("https://idp.example").expect("an issuer");
        Verifier::new(
            issuer,
            Audiences::new(["api"]).expect("an audience"),
            Profile::of(dialect),
        )
    };
    DIALECTS
        .iter()
        .map(|dialect| verifier(*dialect))
        .collect()
});

pub(crate) fn run(data: &[u8]) {
    token(data);
    let Ok(answer) = Answer::parse(data, &Limits::default()) else {
        return;
    };
    let Ok(claims) = answer.into_claims() else {
        return;
    };
    assert!(claims.claim("active") == Some(&Json::Bool(true)));
    for verifier in VERIFIERS.iter() {
        assert!(!verifier.explain_answer(&claims, NOW).is_empty());
        let Ok(token) = verifier.verify_answer(claims.clone(), NOW) else {
            continue;
        };
        assert!(verifier.confirm(&claims, NOW).is_ok() && Verifier::recheck(&token, NOW).is_ok());
        let ours = |name| {
            claims
                .claim(name)
                .is_some_and(|claim| verifier.audiences().meet(claim))
        };
        assert!(ours("aud") || ours("client_id"));
        assert!(claims.expires().is_none_or(|exp| NOW < exp.plus(60)));
        let is_bound = claims.confirmation().is_some();
        let Ok(token) = token.into_bearer() else {
            assert!(is_bound);
            continue;
        };
        assert!(!is_bound);
        let caller = token.identity();
        assert!(
            caller
                .subject()
                .is_none_or(|subject| !subject.is_empty())
        );
        assert!(
            caller
                .roles()
                .iter()
                .chain(caller.groups().iter())
                .all(|name| !name.is_empty())
        );
        for demand in [
            Requirement::role("admin"),
            Requirement::group("admin"),
            Requirement::scope("admin"),
            Requirement::acr(["admin"]),
            Requirement::max_age(Duration::from_secs(900)),
        ] {
            let opposite = Requirement::not(demand.clone());
            let permitted = |demand| policy::permit(token.clone(), &demand, NOW).is_ok();
            assert!(!(permitted(demand) && permitted(opposite)));
        }
    }
}

/// The same bytes as the token that is asked about, and as a signed answer: nobody signed it.
fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (limits, issuer) = (Limits::default(), VERIFIERS[0].issuer());
    if let Ok(jws) = compact::parse_jws(text, &limits) {
        assert!(Answer::open(&jws, &[], issuer, "client-1", &limits).is_err());
    }
    if let Ok(Some(opaque)) = OpaqueToken::read(text, &limits) {
        assert!(text.len() <= limits.token_bytes && opaque.as_str().is_ascii());
        assert!(
            compact::parse(text, &limits).is_err(),
            "a JWT is never taken for an opaque token"
        );
    }
}
