mod rows;
mod verified;

use super::*;
use crate::Limits;
use crate::jose::json::{self, Json, Object};
use crate::jose::{Algorithm, Header};
use crate::token::{Claims, Issuer, NumericDate};
use checks::{LOGOUT_CHECKS, SECURITY_EVENT_CHECKS};
use examination::EventExamination;

const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).unwrap()
}

fn object(text: &str) -> Object {
    match json::parse(text.as_bytes(), &Limits::default()).unwrap() {
        Json::Object(object) => object,
        _ => panic!("{text}"),
    }
}

fn header(typ: Option<&str>) -> Header {
    Header {
        algorithm: Algorithm::RS256,
        kid: None,
        typ: typ.map(Into::into),
    }
}

fn logout(typ: Option<&str>, claims: &str, terms: &LogoutTerms) -> Result<(), EventFault> {
    let x = EventExamination {
        header: &header(typ),
        claims: &Claims::from_object(object(claims)).unwrap(),
        terms,
        now: NOW,
    };
    examination::run(LOGOUT_CHECKS, &x)
}

fn event(typ: Option<&str>, claims: &str, terms: &EventTerms) -> Result<(), EventFault> {
    let x = EventExamination {
        header: &header(typ),
        claims: &Claims::from_object(object(claims)).unwrap(),
        terms,
        now: NOW,
    };
    examination::run(SECURITY_EVENT_CHECKS, &x)
}

const LOGOUT: &str = r#"{"iss":"https://idp.example","aud":"web","iat":1800000000,
    "exp":1800000120,"jti":"1","sid":"s",
    "events":{"http://schemas.openid.net/event/backchannel-logout":{}}}"#;

#[test]
fn a_logout_token_without_type_or_end_needs_a_setting() {
    let mut terms = LogoutTerms::new(issuer("https://idp.example"), ["web".to_owned()]);
    assert_eq!(logout(Some("logout+jwt"), LOGOUT, &terms), Ok(()));
    let endless = LOGOUT.replace(r#""exp":1800000120,"#, "");
    for typ in [None, Some("JWT"), Some("application/jwt")] {
        assert!(logout(typ, LOGOUT, &terms).is_err());
    }
    assert!(logout(Some("logout+jwt"), &endless, &terms).is_err());
    (terms.accepts_untyped, terms.accepts_endless) = (true, true);
    for typ in [None, Some("JWT"), Some("application/jwt")] {
        assert_eq!(logout(typ, &endless, &terms), Ok(()));
    }
    // Another type is another kind of token, whatever the settings are.
    for typ in [
        "at+jwt",
        "secevent+jwt",
        "application/application/logout+jwt",
    ] {
        let fault = logout(Some(typ), LOGOUT, &terms).unwrap_err();
        assert_eq!(fault.code(), EventErrorCode::InvalidRequest);
    }
}

#[test]
fn the_bounds_of_a_logout_token_in_time() {
    let terms = LogoutTerms::new(issuer("https://idp.example"), ["web".to_owned()]);
    let at = |issued: i64, expires: i64| {
        let claims = LOGOUT
            .replace("\"iat\":1800000000", &format!("\"iat\":{issued}"))
            .replace("\"exp\":1800000120", &format!("\"exp\":{expires}"));
        logout(Some("logout+jwt"), &claims, &terms).is_ok()
    };
    let now = NOW.seconds();
    assert!(at(now + 60, now + 120) && !at(now + 61, now + 120));
    assert!(at(now - 3_600, now + 120) && !at(now - 3_601, now + 120));
    assert!(at(now - 120, now - 59) && !at(now - 120, now - 60));
}

fn set(subject: &str, event: &str) -> String {
    format!(
        r#"{{"iss":"https://idp.example","aud":"receiver","iat":1800000000,"jti":"1",
        "sub_id":{subject},
        "events":{{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{event}}}}}"#
    )
}

const SUBJECT: &str = r#"{"format":"iss_sub","iss":"https://idp.example","sub":"alice"}"#;

fn terms() -> EventTerms {
    EventTerms::new(issuer("https://idp.example"), ["receiver".to_owned()])
}

#[test]
fn subjects_are_read_strictly() {
    let typ = Some("secevent+jwt");
    for good in [
        SUBJECT,
        r#"{"format":"email","email":"a@example.com"}"#,
        r#"{"format":"opaque","id":"x"}"#,
        r#"{"format":"jwt_id","iss":"https://idp.example","jti":"x"}"#,
        r#"{"format":"aliases","identifiers":[{"format":"email","email":"a@example.com"}]}"#,
        r#"{"format":"aliases","identifiers":[{"format":"iss_sub","iss":"https://b.example","sub":"b"}]}"#,
        r#"{"format":"complex","user":{"format":"opaque","id":"x"},"more":1}"#,
        r#"{"format":"phone_number","phone_number":"+1"}"#,
    ] {
        assert_eq!(event(typ, &set(good, "{}"), &terms()), Ok(()), "{good}");
    }
    for bad in [
        "1",
        "{}",
        r#"{"format":""}"#,
        r#"{"format":7}"#,
        r#"{"format":"iss_sub","iss":"https://idp.example"}"#,
        r#"{"format":"iss_sub","iss":"https://idp.example","sub":""}"#,
        r#"{"format":"iss_sub","iss":"https://idp.example","sub":7}"#,
        r#"{"format":"iss_sub","iss":"https://b.example","sub":"alice"}"#,
        r#"{"format":"jwt_id","iss":"https://b.example","jti":"x"}"#,
        r#"{"format":"complex","user":{"format":"iss_sub","iss":"https://b.example","sub":"a"}}"#,
        r#"{"format":"email"}"#,
        r#"{"format":"aliases","identifiers":[]}"#,
        r#"{"format":"aliases"}"#,
        r#"{"format":"aliases","identifiers":[{"format":"complex","user":{"format":"opaque","id":"x"}}]}"#,
        r#"{"format":"complex"}"#,
        r#"{"format":"complex","user":{"format":"complex","user":{"format":"opaque","id":"x"}}}"#,
        r#"{"format":"complex","user":{"id":"x"}}"#,
    ] {
        assert!(event(typ, &set(bad, "{}"), &terms()).is_err(), "{bad}");
    }
}

#[test]
fn a_critical_member_that_is_not_understood_discards_the_event() {
    let mut terms = terms();
    let subject = r#"{"format":"complex","user":{"format":"opaque","id":"x"},
        "device":{"format":"opaque","id":"d"}}"#;
    let typ = Some("secevent+jwt");
    assert_eq!(event(typ, &set(subject, "{}"), &terms), Ok(()));
    terms.critical_members = vec!["user".to_owned(), "device".to_owned()];
    assert!(event(typ, &set(subject, "{}"), &terms).is_err());
    assert_eq!(event(typ, &set(SUBJECT, "{}"), &terms), Ok(()));
}

#[test]
fn drafts_are_read_where_the_settings_say_so() {
    let draft = r#"{"iss":"https://idp.example","aud":"receiver","iat":1800000000,"jti":"1",
        "events":{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":
        {"subject":{"user":{"format":"iss_sub","iss":"https://idp.example","sub":"alice"}},
        "event_timestamp":1799999990000}}}"#;
    let google = draft.replace(
        r#"{"user":{"format":"iss_sub","iss":"https://idp.example","sub":"alice"}}"#,
        r#"{"subject_type":"iss-sub","iss":"https://idp.example","sub":"alice"}"#,
    );
    let mut terms = terms();
    for (profile, untyped) in [
        (EventProfile::Final, false),
        (EventProfile::Draft, false),
        (EventProfile::Google, true),
    ] {
        terms.profile = profile;
        let is_draft = profile != EventProfile::Final;
        for claims in [draft, &google] {
            assert_eq!(
                event(Some("secevent+jwt"), claims, &terms).is_ok(),
                is_draft
            );
            assert_eq!(event(None, claims, &terms).is_ok(), untyped);
        }
        assert!(event(Some("at+jwt"), draft, &terms).is_err());
    }
    let claims = Claims::from_object(object(draft)).unwrap();
    let events = claims
        .claim("events")
        .and_then(Json::as_object)
        .unwrap();
    let (_, first) = events.iter().next().unwrap();
    let time = checks::event_time(first, &terms).unwrap();
    assert_eq!(time, Some(NumericDate::from_seconds(1_799_999_990)));
    assert!(
        checks::subject(&claims, first, &terms)
            .unwrap()
            .member("user")
            .is_some()
    );
}

#[test]
fn only_what_got_worse_is_adverse() {
    for (name, better, worse) in [
        (
            "credential-change",
            r#"{"change_type":"create"}"#,
            r#"{"change_type":"revoke"}"#,
        ),
        (
            "device-compliance-change",
            r#"{"current_status":"compliant"}"#,
            "{}",
        ),
        (
            "assurance-level-change",
            r#"{"change_direction":"increase"}"#,
            "{}",
        ),
        (
            "risk-level-change",
            r#"{"current_level":"LOW"}"#,
            r#"{"current_level":"HIGH"}"#,
        ),
    ] {
        let is_adverse = |event: &str| {
            let claims = set(SUBJECT, event).replace("session-revoked", name);
            let claims = Claims::from_object(object(&claims)).unwrap();
            SecurityEventToken::read(&claims, &terms()).events()[0].is_adverse()
        };
        assert!(!is_adverse(better) && is_adverse(worse), "{name}");
    }
}
