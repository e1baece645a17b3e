mod settings;

use super::target::{TargetIssuers, revocations};
use super::*;
use crate::revocation::Revocation;
use crate::{Config, ReceiverRequest, ResourceServer, Settings};
use portcullis_core::ConfigErrors;
use portcullis_core::event::{SubjectId, SubjectMember};

fn settings(events: &str) -> Result<Settings, ConfigErrors> {
    let text = format!(
        "[[issuer]]\nurl = \"https://idp.example\"\naudience = \"x\"\n\
         [[issuer]]\nurl = \"https://b.example\"\naudience = \"x\"\n{events}"
    );
    Settings::try_from(Config::from_toml(&text)?)
}

const STREAM: &str = "[[events]]\nname = \"idp\"\nissuer = \"https://idp.example\"\n\
    audience = \"receiver\"\n";

#[test]
fn a_stream_needs_no_more_than_a_name_a_transmitter_and_an_audience() {
    let settings = settings(STREAM).unwrap();
    let stream = &settings.streams[0];
    assert_eq!(stream.tokens_of.all.len(), 1);
    let portcullis_provider::keys::KeySource::Metadata(url) = &stream.source else {
        panic!("{:?}", stream.source);
    };
    assert_eq!(
        url.as_str(),
        "https://idp.example/.well-known/ssf-configuration"
    );
}

#[test]
fn faults_of_streams_are_told_all_at_once() {
    for (written, told) in [
        (
            "[[events]]\n",
            vec!["events[0].name", "events[0].issuer", "events[0].audience"],
        ),
        (
            &format!("{STREAM}effects = {{ x = \"session\" }}\n"),
            vec!["events[0].effects.x"],
        ),
        (
            &format!("{STREAM}effects = {{ session-revoked = \"all\" }}\n"),
            vec!["events[0].effects.session-revoked"],
        ),
        (
            &format!("{STREAM}effects = {{ verification = \"session\" }}\n"),
            vec!["events[0].effects.verification"],
        ),
        (
            &format!("{STREAM}delivery = \"pull\"\n"),
            vec!["events[0].delivery"],
        ),
        (
            &format!("{STREAM}delivery = \"poll\"\n"),
            vec!["events[0].poll_url"],
        ),
        (
            &format!("{STREAM}profile = \"x\"\n"),
            vec!["events[0].profile"],
        ),
        (&format!("{STREAM}leeway = 301\n"), vec!["events[0].leeway"]),
        (
            &format!("{STREAM}tokens_of = \"https://c.example\"\n"),
            vec!["events[0].tokens_of"],
        ),
        (
            &format!("{STREAM}authorization_file = \"/nowhere\"\n"),
            vec!["authorization_file"],
        ),
        (&format!("{STREAM}{STREAM}"), vec!["events[1].name"]),
        (
            "[[events]]\nname = \"UP\"\nissuer = \"https://c.example\"\naudience = \"x\"\n",
            vec!["events[0].name", "events[0].tokens_of"],
        ),
    ] {
        let errors = settings(written).unwrap_err().to_string();
        for told in told {
            assert!(errors.contains(told), "{written}\n{errors}");
        }
    }
    let logout = "[issuer.logout]\nclients = []\nends = \"x\"\n";
    let errors = settings(logout).unwrap_err().to_string();
    assert!(errors.contains("issuer[1].logout.clients"), "{errors}");
    assert!(errors.contains("issuer[1].logout.ends"), "{errors}");
}

fn named(issuer: &str, subject: &str) -> SubjectId {
    SubjectId::IssuerSubject {
        issuer: issuer.into(),
        subject: subject.into(),
    }
}

fn complex(members: &[(&str, SubjectId)]) -> SubjectId {
    let member = |(name, id): &(&str, SubjectId)| SubjectMember {
        name: (*name).into(),
        id: id.clone(),
    };
    SubjectId::Complex(members.iter().map(member).collect())
}

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).unwrap()
}

#[test]
fn a_subject_is_found_at_the_issuers_whose_tokens_end() {
    let (at, own, other) = (
        NumericDate::from_seconds,
        issuer("https://idp.example"),
        issuer("https://b.example"),
    );
    let both = TargetIssuers {
        all: vec![own.clone(), other.clone()],
        with_email: Vec::new(),
    };
    let marks = |subject: &SubjectId, effect, issuers: &TargetIssuers| -> Vec<String> {
        let found = revocations(subject, effect, issuers, (at(100), at(200)));
        found.iter().map(Revocation::mark).collect()
    };
    let alice = |issuer| Revocation::subject(issuer, "alice", at(100)).mark();
    let named = named("https://idp.example", "alice");
    // At its own issuer; under another name of the transmitter, at all whose tokens end.
    assert_eq!(marks(&named, EventEffect::Subject, &both), [alice(&own)]);
    let only_other = TargetIssuers {
        all: vec![other.clone()],
        with_email: Vec::new(),
    };
    assert_eq!(
        marks(&named, EventEffect::Subject, &only_other),
        [alice(&other)]
    );
    // Without a session, the effect on a session is one on the subject.
    assert_eq!(marks(&named, EventEffect::Session, &both), [alice(&own)]);
    let session = |id: &str| {
        complex(&[
            ("user", named.clone()),
            ("session", SubjectId::Opaque(id.into())),
        ])
    };
    let mark = Revocation::session(&own, "s", at(200)).mark();
    assert_eq!(marks(&session("s"), EventEffect::Session, &both), [mark]);
    assert_eq!(
        marks(&session("ALL"), EventEffect::Session, &both),
        [alice(&own)]
    );
    let user = complex(&[("user", SubjectId::Opaque("alice".into()))]);
    assert_eq!(
        marks(&user, EventEffect::Subject, &both),
        [alice(&own), alice(&other)]
    );
    let email = SubjectId::Email("a@b.c".into());
    let aliases = SubjectId::Aliases(vec![email.clone(), named.clone()]);
    assert_eq!(marks(&aliases, EventEffect::Subject, &both), [alice(&own)]);
    let token = SubjectId::TokenId {
        issuer: "https://idp.example".into(),
        token_id: "j".into(),
    };
    let mark = Revocation::token(&own, "j", at(300)).mark();
    assert_eq!(marks(&token, EventEffect::Token, &both), [mark]);
    // Nobody here: and never everybody.
    for nobody in [
        email,
        SubjectId::Opaque("alice".into()),
        SubjectId::Other,
        complex(&[("tenant", SubjectId::Opaque("t".into()))]),
    ] {
        for effect in EventEffect::CHOICES {
            assert!(marks(&nobody, *effect, &both).is_empty(), "{nobody:?}");
        }
    }
}

/// Only at the issuer whose tokens have it, and never as somebody's `sub`.
#[test]
fn an_address_ends_tokens_where_the_settings_say_which_claim_has_it() {
    let (with, without) = (issuer("https://idp.example"), issuer("https://b.example"));
    let issuers = TargetIssuers {
        all: vec![without, with.clone()],
        with_email: vec![with.clone()],
    };
    let at = NumericDate::from_seconds;
    let address = "alice@example.com";
    let email = SubjectId::Email(address.into());
    let user = complex(&[("user", email.clone())]);
    for (effect, whole) in [
        (
            EventEffect::Session,
            Revocation::subject(&with, address, at(100)),
        ),
        (
            EventEffect::Subject,
            Revocation::subject(&with, address, at(100)),
        ),
        (
            EventEffect::Account,
            Revocation::account_disabled(&with, address, at(100)),
        ),
        (
            EventEffect::Enable,
            Revocation::account_enabled(&with, address, at(100)),
        ),
        (
            EventEffect::SignIn,
            Revocation::sign_in(&with, address, at(100)),
        ),
    ] {
        for subject in [&email, &user] {
            let found = revocations(subject, effect, &issuers, (at(100), at(200)));
            assert_eq!(found, [whole.of_email(&with, address)]);
            assert_ne!(found, [whole], "no subject of this name");
        }
    }
}

#[tokio::test]
async fn what_is_no_receiver_is_not_found() {
    use http::{HeaderMap, Method};
    let server = ResourceServer::with_settings(settings(STREAM).unwrap());
    for (path, method, expected) in [
        ("/logout", Method::POST, 404),
        ("/events/other", Method::POST, 404),
        ("/events/", Method::POST, 404),
        ("/events/idp/", Method::POST, 404),
        ("/events/idp", Method::GET, 405),
        ("/events/idp", Method::POST, 400),
    ] {
        let request = ReceiverRequest {
            path,
            method: &method,
            headers: &HeaderMap::new(),
            body: b"",
        };
        let answer = server.answer_receiver(&request).await;
        assert_eq!(answer.response.status(), expected, "{path}");
        assert_eq!(answer.response.headers()["cache-control"], "no-store");
    }
}
