//! Each row of both tables: what it refuses, with which code, and what it tells the operator.

use super::*;

/// The code and the facts; empty for a token that passes.
fn told(result: Result<(), EventFault>) -> String {
    result.map_or_else(|fault| fault.to_string(), |()| String::new())
}

fn logout_terms() -> LogoutTerms {
    LogoutTerms::new(
        issuer("https://idp.example"),
        ["web".to_owned(), "app".to_owned()],
    )
}

#[test]
fn each_row_of_a_logout_token_refuses_and_tells_why() {
    let event = r#"{"http://schemas.openid.net/event/backchannel-logout":{}}"#;
    let longest = "j".repeat(1_024);
    for (part, other, expected) in [
        (r#""aud":"web""#, r#""aud":["x","app"]"#, ""),
        (r#""sid":"s""#, r#""sub":"alice""#, ""),
        (r#""jti":"1""#, &*format!(r#""jti":"{longest}""#), ""),
        (event, &event.replace("{}}", r#"{},"urn:x":1}"#), ""),
        (
            r#""iss":"https://idp.example""#,
            r#""iss":"https://idp.example/""#,
            "invalid_issuer: expected the issuer `https://idp.example`, found \
             `https://idp.example/`",
        ),
        (
            r#""iss":"https://idp.example","#,
            "",
            "invalid_issuer: expected the issuer `https://idp.example`, found no `iss`",
        ),
        (
            r#""aud":"web""#,
            r#""aud":["other","another"]"#,
            "invalid_audience: expected the audience `web` or `app`, found `other`",
        ),
        (
            r#""aud":"web","#,
            "",
            "invalid_audience: expected the audience `web` or `app`, found no `aud`",
        ),
        (
            r#"backchannel-logout":{}"#,
            r#"backchannel-logout":true"#,
            "invalid_request: expected an object for the event, found a boolean",
        ),
        (
            event,
            r#"{"urn:x":{}}"#,
            "invalid_request: expected the event of a logout, found other events",
        ),
        (
            event,
            "{}",
            "invalid_request: expected an object of `events`, found an empty one",
        ),
        (
            event,
            "[]",
            "invalid_request: expected an object of `events`, found an array",
        ),
        (
            r#""sid":"s""#,
            r#""sid":"s","nonce":null"#,
            "invalid_request: expected no `nonce`, found one",
        ),
        (
            r#""sid":"s","#,
            "",
            "invalid_request: expected `sub` or `sid`, and neither empty, found neither",
        ),
        (
            r#""sid":"s""#,
            r#""sid":"","sub":"alice""#,
            "invalid_request: expected a `sid` that is not empty, found an empty one",
        ),
        (
            r#""sid":"s""#,
            r#""sid":7,"sub":"alice""#,
            "invalid_request: expected a text as `sid`, found a number",
        ),
        (
            r#""jti":"1","#,
            "",
            "invalid_request: expected a `jti`, found none",
        ),
        (
            r#""jti":"1""#,
            &*format!(r#""jti":"{longest}j""#),
            "invalid_request: expected a `jti` of at most 1024 bytes, found a longer one",
        ),
        (
            r#""iat":1800000000,"#,
            "",
            "invalid_request: expected an `iat`, found none",
        ),
        (
            r#""iat":1800000000"#,
            r#""iat":1800000090"#,
            "invalid_request: expected an `iat` that is not in the future, found 90 s ahead",
        ),
        (
            r#""iat":1800000000"#,
            r#""iat":1799990000"#,
            "invalid_request: expected an `iat` within the last hour, found 10000 s ago",
        ),
        (
            r#""exp":1800000120,"#,
            "",
            "invalid_request: expected an `exp`, found none",
        ),
        (
            r#""exp":1800000120"#,
            r#""exp":1799999900"#,
            "invalid_request: expected an `exp` in the future, found 100 s ago",
        ),
    ] {
        let claims = LOGOUT.replace(part, other);
        assert_ne!(claims, LOGOUT, "{part}");
        let found = told(logout(Some("logout+jwt"), &claims, &logout_terms()));
        assert_eq!(found, expected, "{other}");
    }
    let typ = |typ| told(logout(typ, LOGOUT, &logout_terms()));
    assert_eq!(typ(Some("application/LOGOUT+jwt")), "");
    assert_eq!(
        typ(Some("at+jwt")),
        "invalid_request: expected the type `logout+jwt`, found `at+jwt`"
    );
    assert_eq!(
        typ(None),
        "invalid_request: expected the type `logout+jwt`, found none"
    );
}

#[test]
fn each_row_of_a_security_event_refuses_and_tells_why() {
    let good = set(SUBJECT, "{}");
    for (part, other, expected) in [
        // However late it comes.
        (r#""iat":1800000000"#, r#""iat":1"#, ""),
        ("{}}", r#"{"event_timestamp":1800000060}}"#, ""),
        (
            r#""iss":"https://idp.example","aud""#,
            r#""iss":"https://b.example","aud""#,
            "invalid_issuer: expected the issuer `https://idp.example`, found \
             `https://b.example`",
        ),
        (
            r#""aud":"receiver""#,
            r#""aud":"web""#,
            "invalid_audience: expected the audience `receiver`, found `web`",
        ),
        (
            r#""jti":"1""#,
            r#""jti":"1","exp":1900000000"#,
            "invalid_request: expected no `exp` in an event, found one",
        ),
        (
            r#""jti":"1""#,
            r#""jti":"1","sub":"alice""#,
            "invalid_request: expected no `sub` in an event, found one",
        ),
        (
            r#""jti":"1","#,
            "",
            "invalid_request: expected a `jti`, found none",
        ),
        (
            r#""iat":1800000000"#,
            r#""iat":1800000061"#,
            "invalid_request: expected an `iat` that is not in the future, found 61 s ahead",
        ),
        (
            "{}}",
            "7}",
            "invalid_request: expected an object for each event, found a number",
        ),
        (
            r#""events""#,
            r#""happenings""#,
            "invalid_request: expected an object of `events`, found none",
        ),
        (
            "{}}",
            r#"{"event_timestamp":1800000061}}"#,
            "invalid_request: expected an `event_timestamp` that is not in the future, found \
             61 s ahead",
        ),
        (
            "{}}",
            r#"{"event_timestamp":"now"}}"#,
            "invalid_request: expected seconds as `event_timestamp`, found a string",
        ),
        (
            r#""sub_id""#,
            r#""subject""#,
            "invalid_request: expected a `sub_id`, found none",
        ),
        (
            r#""sub":"alice""#,
            r#""sub":"""#,
            "invalid_request: expected the members of its format in a subject identifier, \
             found an empty `sub`",
        ),
        (
            r#""sub":"alice""#,
            r#""sub":7"#,
            "invalid_request: expected the members of its format in a subject identifier, \
             found `sub` of the type a number",
        ),
        (
            r#","sub":"alice""#,
            "",
            "invalid_request: expected the members of its format in a subject identifier, \
             found no `sub`",
        ),
        (
            r#""iss":"https://idp.example","sub""#,
            r#""iss":"https://b.example","sub""#,
            "access_denied: expected a subject of an issuer that the transmitter may speak of, \
             found `https://b.example`",
        ),
    ] {
        let claims = good.replace(part, other);
        assert_ne!(claims, good, "{part}");
        let found = told(event(Some("secevent+jwt"), &claims, &terms()));
        assert_eq!(found, expected, "{other}");
    }
    let typ = told(event(Some("logout+jwt"), &good, &terms()));
    assert_eq!(
        typ,
        "invalid_request: expected the type `secevent+jwt`, found `logout+jwt`"
    );
}

/// A leeway that no clock needs must not turn into a bound of its own.
#[test]
fn the_leeway_counts_where_the_settings_have_another() {
    let mut terms = logout_terms();
    let later = LOGOUT.replace("\"iat\":1800000000", "\"iat\":1800000300");
    assert!(logout(Some("logout+jwt"), &later, &terms).is_err());
    terms.leeway = std::time::Duration::from_secs(300);
    assert_eq!(logout(Some("logout+jwt"), &later, &terms), Ok(()));
}

/// A draft's times are in milliseconds only where they are as large as those.
#[test]
fn times_of_drafts_are_seconds_up_to_a_size() {
    let mut terms = terms();
    let time = |text: &str, terms: &EventTerms| {
        let event = Json::Object(object(&format!(r#"{{"event_timestamp":{text}}}"#)));
        let time = checks::event_time(&event, terms).unwrap();
        time.map(NumericDate::seconds)
    };
    assert_eq!(time("100000000000", &terms), Some(100_000_000_000));
    terms.profile = EventProfile::Draft;
    assert_eq!(time("99999999999", &terms), Some(99_999_999_999));
    assert_eq!(time("100000000000", &terms), Some(100_000_000));
}

#[test]
fn a_draft_may_be_about_nobody_and_a_final_edition_may_not() {
    let about_nobody = set(SUBJECT, "{}").replace("\"sub_id\"", "\"x\"");
    let mut terms = terms();
    let typ = Some("secevent+jwt");
    assert!(event(typ, &about_nobody, &terms).is_err());
    terms.profile = EventProfile::Google;
    assert_eq!(event(typ, &about_nobody, &terms), Ok(()));
}

#[test]
fn a_user_and_a_session_are_understood_as_critical_members() {
    let mut terms = terms();
    let subject = r#"{"format":"complex","user":{"format":"opaque","id":"x"},
        "session":{"format":"opaque","id":"s"},"tenant":{"format":"opaque","id":"t"}}"#;
    let typ = Some("secevent+jwt");
    terms.critical_members = vec!["user".to_owned(), "session".to_owned()];
    assert_eq!(event(typ, &set(subject, "{}"), &terms), Ok(()));
    terms.critical_members.push("tenant".to_owned());
    assert_eq!(
        told(event(typ, &set(subject, "{}"), &terms)),
        "invalid_request: expected critical members of a subject that are understood, found a \
         critical member `tenant`"
    );
}

#[test]
fn only_drafts_have_the_subject_in_the_event() {
    let inner = set(SUBJECT, &format!(r#"{{"subject":{SUBJECT}}}"#));
    let inner = inner.replacen(&format!(r#""sub_id":{SUBJECT},"#), "", 1);
    let mut terms = terms();
    let typ = Some("secevent+jwt");
    assert_eq!(
        told(event(typ, &inner, &terms)),
        "invalid_request: expected a `sub_id`, found none"
    );
    terms.profile = EventProfile::Draft;
    assert_eq!(event(typ, &inner, &terms), Ok(()));
}
