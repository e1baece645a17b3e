//! What a verified token tells, and how refusals of the steps before are told to its sender.

use super::*;
use crate::Rejection;

fn read(claims: &str, terms: &EventTerms) -> SecurityEventToken {
    SecurityEventToken::read(&Claims::from_object(object(claims)).unwrap(), terms)
}

#[test]
fn a_security_event_tells_what_it_holds() {
    let claims = set(
        SUBJECT,
        r#"{"event_timestamp":1799999990,"initiating_entity":"admin"}"#,
    );
    let claims = claims.replace(r#""jti":"1""#, r#""jti":"the-id","txn":"cause""#);
    let token = read(&claims, &terms());
    assert_eq!(token.token_id(), "the-id");
    assert_eq!(token.transaction(), Some("cause"));
    assert_eq!(token.issued_at(), NOW);
    let [event] = token.events() else {
        panic!("{:?}", token.events());
    };
    assert_eq!(event.event_type(), Some(EventType::SessionRevoked));
    assert_eq!(event.uri(), EventType::SessionRevoked.uri());
    let alice = SubjectId::IssuerSubject {
        issuer: "https://idp.example".into(),
        subject: "alice".into(),
    };
    assert_eq!(event.subject(), &alice);
    assert_eq!(event.happened_at().seconds(), 1_799_999_990);
    let member = |name| event.member(name).and_then(Json::as_str);
    assert_eq!(member("initiating_entity"), Some("admin"));
    assert_eq!(event.member("reason_admin"), None);
}

#[test]
fn an_event_without_a_time_or_a_known_name_is_of_the_tokens_moment() {
    let claims = set(SUBJECT, "{}").replace("session-revoked", "x");
    let token = read(&claims, &terms());
    assert_eq!(token.transaction(), None);
    let event = &token.events()[0];
    assert_eq!(event.event_type(), None);
    assert!(event.uri().ends_with("/x"));
    assert_eq!(event.happened_at(), NOW);
}

#[test]
fn a_refusal_of_the_steps_before_has_a_code_of_the_sender() {
    for (rejection, expected) in [
        (
            Rejection::of_unknown_key(Some("k")),
            "invalid_key: expected a key that the issuer publishes, found `k`",
        ),
        (
            Rejection::of_issuer(None),
            "invalid_issuer: expected a configured issuer, found no `iss`",
        ),
        (
            Rejection::of_tenant("t"),
            "invalid_request: expected a configured tenant, found `t`",
        ),
        // Without facts, the phrase of its code says what happened.
        (
            Rejection::new(crate::rejection::Code::TokenSignature),
            "invalid_key: found the signature of the access token is invalid",
        ),
    ] {
        let fault = EventFault::from(rejection);
        assert_eq!(fault.to_string(), expected);
        assert!(expected.ends_with(&format!("found {}", fault.facts().found())));
    }
}

#[test]
fn codes_are_those_of_the_standards_and_each_has_a_sentence_of_its_own() {
    let codes = EventErrorCode::ALL.iter().map(|code| code.as_str());
    assert_eq!(
        codes.collect::<Vec<_>>(),
        [
            "invalid_request",
            "invalid_key",
            "invalid_issuer",
            "invalid_audience",
            "authentication_failed",
            "access_denied",
            "invalid_state",
        ]
    );
    let mut sentences: Vec<_> = EventErrorCode::ALL
        .iter()
        .map(|code| code.description())
        .collect();
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), EventErrorCode::ALL.len());
    assert!(sentences.iter().all(|sentence| sentence.contains(' ')));
}

#[test]
fn only_two_types_are_about_the_stream() {
    let about_stream = EventType::ALL.iter().filter(|it| it.is_about_stream());
    let names: Vec<String> = about_stream.map(ToString::to_string).collect();
    assert_eq!(names, ["verification", "stream-updated"]);
}

#[test]
fn draft_subjects_are_read_by_the_names_that_drafts_had() {
    let read = |text: &str| SubjectId::read(&Json::Object(object(text)), EventProfile::Draft);
    let alice = SubjectId::IssuerSubject {
        issuer: "https://idp.example".into(),
        subject: "alice".into(),
    };
    for kind in ["iss-sub", "iss_sub", "id_token_claims"] {
        let text =
            format!(r#"{{"subject_type":"{kind}","iss":"https://idp.example","sub":"alice"}}"#);
        assert_eq!(read(&text), Ok(alice.clone()), "{kind}");
    }
    // Claims of an ID token without an issuer name nobody who could be found.
    let without = r#"{"subject_type":"id_token_claims","email":"a@example.com"}"#;
    assert_eq!(read(without), Ok(SubjectId::Other));
    let email = r#"{"subject_type":"email","email":"a@example.com"}"#;
    assert_eq!(read(email), Ok(SubjectId::Email("a@example.com".into())));
}

#[test]
fn a_subject_names_every_issuer_but_those_of_aliases() {
    let read = |text: &str| {
        let value = Json::Object(object(text));
        SubjectId::read(&value, EventProfile::Final).unwrap()
    };
    let complex = read(
        r#"{"format":"complex",
            "user":{"format":"iss_sub","iss":"https://a.example","sub":"a"},
            "session":{"format":"jwt_id","iss":"https://b.example","jti":"b"},
            "device":{"format":"aliases","identifiers":[
                {"format":"iss_sub","iss":"https://c.example","sub":"c"}]}}"#,
    );
    assert_eq!(
        complex.issuers(),
        ["https://a.example", "https://b.example"]
    );
    assert!(matches!(
        complex.member("session"),
        Some(SubjectId::TokenId { .. })
    ));
    assert_eq!(complex.member("tenant"), None);
    let opaque = read(r#"{"format":"opaque","id":"x"}"#);
    assert_eq!(opaque, SubjectId::Opaque("x".into()));
    assert_eq!(opaque.member("user"), None);
}
