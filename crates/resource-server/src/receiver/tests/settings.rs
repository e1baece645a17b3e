//! What the settings of receivers may be, and what they mean.

use super::super::access::AccessSettings;
use super::super::stream_settings::StreamSettings;
use super::{STREAM, issuer, settings};
use crate::ResourceServer;
use portcullis_core::event::{EventProfile, LogoutTerms};
use portcullis_provider::keys::KeySource;
use std::path::PathBuf;
use std::time::Duration;

fn stream(more: &str) -> StreamSettings {
    let settings = settings(&format!("{STREAM}{more}\n"));
    settings.unwrap().streams.remove(0)
}

fn fault(events: &str) -> String {
    settings(events).unwrap_err().to_string()
}

/// A file that is gone once the test is over.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("portcullis-receiver-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn names_are_those_that_an_address_can_end_with() {
    let named = |name: &str| settings(&STREAM.replace("\"idp\"", &format!("{name:?}")));
    for name in ["a", "0-_z", &"x".repeat(64)] {
        let settings = named(name).unwrap();
        assert_eq!(settings.streams[0].name, name);
    }
    for name in ["", "A", "a b", "a/b", "\u{e4}", &"x".repeat(65)] {
        let errors = named(name).unwrap_err().to_string();
        assert!(errors.contains("events[0].name"), "{name}: {errors}");
    }
}

#[test]
fn a_name_of_two_streams_is_told_at_the_second() {
    let errors = fault(&format!("{STREAM}{STREAM}"));
    assert!(errors.contains("as at `events[0]`"), "{errors}");
    let other = STREAM.replace("\"idp\"", "\"other\"");
    assert_eq!(
        settings(&format!("{STREAM}{other}"))
            .unwrap()
            .streams
            .len(),
        2
    );
}

#[test]
fn what_is_not_written_has_its_default() {
    let stream = stream("");
    assert_eq!(stream.terms.transmitter, issuer("https://idp.example"));
    assert_eq!(stream.terms.audiences, ["receiver"]);
    assert_eq!(
        stream.terms.subject_issuers,
        [issuer("https://idp.example")]
    );
    assert_eq!(stream.terms.profile, EventProfile::Final);
    assert_eq!(stream.terms.leeway, Duration::from_secs(60));
    assert!(stream.authorization.is_none() && stream.poll.is_none());
    assert!(!stream.trust.allows_plain_http());
    assert_eq!(stream.silent_after, None);
}

#[test]
fn what_is_written_is_meant() {
    for (profile, expected) in [
        ("final", EventProfile::Final),
        ("draft", EventProfile::Draft),
        ("google", EventProfile::Google),
    ] {
        let stream = stream(&format!("profile = \"{profile}\""));
        assert_eq!(stream.terms.profile, expected);
    }
    for seconds in [0, 300] {
        let stream = stream(&format!("leeway = {seconds}\nsilent_after = {seconds}"));
        assert_eq!(stream.terms.leeway, Duration::from_secs(seconds));
        assert_eq!(stream.silent_after, Some(Duration::from_secs(seconds)));
    }
    let subjects = "tokens_of = [\"https://b.example\"]\n\
        subject_issuers = [\"urn:x:y\", \"https://b.example\"]";
    assert_eq!(
        stream(subjects).terms.subject_issuers,
        [
            issuer("https://idp.example"),
            issuer("https://b.example"),
            portcullis_core::token::Issuer::identifier("urn:x:y").unwrap(),
        ]
    );
    let errors = fault(&format!("{STREAM}subject_issuers = [\"\"]\n"));
    assert!(errors.contains("events[0].subject_issuers"), "{errors}");
}

#[test]
fn an_audience_is_never_blank() {
    for audience in ["\"\"", "\" \"", "[]", "[\"receiver\", \"\"]"] {
        let errors = fault(&STREAM.replace("\"receiver\"", audience));
        assert!(errors.contains("events[0].audience"), "{errors}");
    }
}

#[test]
fn keys_are_where_the_settings_say() {
    let KeySource::Uri(url) = stream("jwks_uri = \"https://idp.example/keys\"").source else {
        panic!("the key set is named");
    };
    assert_eq!(url.as_str(), "https://idp.example/keys");
    let KeySource::Metadata(url) = stream("metadata_url = \"https://m.example/x\"").source else {
        panic!("the metadata is named");
    };
    assert_eq!(url.as_str(), "https://m.example/x");
    let plain = STREAM.replace("https://idp", "http://idp");
    assert!(fault(&plain).contains("events[0].issuer"));
    let tokens = "tokens_of = \"https://b.example\"\n";
    let dangerous = format!("{plain}danger_plain_http = true\n{tokens}");
    let settings = settings(&dangerous).unwrap();
    assert!(settings.streams[0].trust.allows_plain_http());
}

#[test]
fn the_secret_of_a_stream_is_the_whole_file_but_for_its_end() {
    let good = TestFile::new("good", " Bearer x\n");
    let written = |file: &TestFile| format!("authorization_file = {:?}", file.0);
    let secret = stream(&written(&good)).authorization.unwrap();
    assert_eq!(secret.expose(), "Bearer x");
    for (name, text, told) in [
        ("empty", "\n", "it is empty"),
        ("lines", "Bearer\nx", "it is not the value of a header"),
    ] {
        let file = TestFile::new(name, text);
        let errors = fault(&format!("{STREAM}{}\n", written(&file)));
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn a_stream_is_fetched_with_a_fixed_value_or_a_token() {
    let secret = TestFile::new("client", "s");
    let poll = "delivery = \"poll\"\npoll_url = \"https://idp.example/poll\"\n";
    let client = format!("client_id = \"c\"\nclient_secret_file = {:?}\n", secret.0);
    let fixed = format!("authorization_file = {:?}\n", secret.0);
    // The transmitter is an issuer here: its metadata names the token endpoint.
    let by_issuer = stream(&format!("{poll}{client}")).poll.unwrap();
    let client_of = |access: &AccessSettings| match access {
        AccessSettings::Client(client) => Some((client.id().to_owned(), client.terms())),
        AccessSettings::Fixed(_) => None,
    };
    let terms = (None, "ssf.manage".to_owned());
    let expected = Some(("c".to_owned(), terms));
    assert_eq!(client_of(&by_issuer.access), expected);
    let by_value = stream(&format!("{poll}{fixed}")).poll.unwrap();
    assert_eq!(client_of(&by_value.access), None);
    // Of another transmitter nobody knows it.
    let other = "[[events]]\nname = \"idp\"\nissuer = \"https://c.example\"\n\
        audience = \"receiver\"\ntokens_of = \"https://b.example\"\n";
    let errors = fault(&format!("{other}{poll}{client}"));
    assert!(errors.contains("events[0].token_endpoint"), "{errors}");
    for more in [
        format!("{client}token_endpoint = \"https://c.example/token\"\nscope = \"x\"\n"),
        fixed,
    ] {
        let settings = settings(&format!("{other}{poll}{more}")).unwrap();
        let poll = settings.streams[0].poll.as_ref().unwrap();
        let terms = client_of(&poll.access).map(|(_, terms)| terms);
        let endpoint = "https://c.example/token".to_owned();
        let is_token = more.contains("client_id");
        assert_eq!(terms, is_token.then(|| (Some(endpoint), "x".to_owned())));
    }
    assert!(stream("delivery = \"push\"").poll.is_none());
}

#[test]
fn a_stream_is_looked_after_where_it_is_named() {
    let secret = TestFile::new("watch", "s");
    let id = "stream_id = \"s-1\"\n";
    let client = format!("client_id = \"c\"\nclient_secret_file = {:?}\n", secret.0);
    let fixed = format!("authorization_file = {:?}\n", secret.0);
    let poll = "delivery = \"poll\"\npoll_url = \"https://idp.example/poll\"\n";
    assert!(stream(&format!("{poll}{client}")).watch.is_none());
    assert!(stream(&fixed).watch.is_none());
    let pushed = stream(&format!("{fixed}{id}{client}")).watch.unwrap();
    assert_eq!(
        (&*pushed.stream_id, pushed.verify_every.as_secs()),
        ("s-1", 86_400)
    );
    // What a push carries is never sent to the transmitter.
    assert!(matches!(pushed.access, AccessSettings::Client(_)));
    let polled = stream(&format!("{poll}{fixed}{id}verify_every = 60\n"))
        .watch
        .unwrap();
    assert_eq!(polled.verify_every.as_secs(), 60);
    assert!(matches!(polled.access, AccessSettings::Fixed(_)));
    for (more, place) in [
        (format!("{fixed}{id}"), "events[0].client_id"),
        (format!("{fixed}{client}"), "events[0].stream_id"),
        (
            format!("{poll}{client}verify_every = 60\n"),
            "events[0].stream_id",
        ),
        (
            format!("{client}{id}verify_every = 59\n"),
            "events[0].verify_every",
        ),
        (
            format!("{client}{id}verify_every = 2592001\n"),
            "events[0].verify_every",
        ),
        (
            format!("{client}stream_id = \" \"\n"),
            "events[0].stream_id",
        ),
    ] {
        let errors = fault(&format!("{STREAM}{more}"));
        assert!(errors.contains(place), "{errors}");
    }
}

#[test]
fn a_logout_is_for_clients_that_have_a_name() {
    for clients in ["[]", "[\"web\", \" \"]", "\"\""] {
        let errors = fault(&format!("[issuer.logout]\nclients = {clients}\n"));
        assert!(errors.contains("issuer[1].logout.clients"), "{errors}");
    }
}

#[test]
fn the_terms_of_logouts_are_those_of_the_settings() {
    let terms = |more: &str| {
        let text = format!("[issuer.logout]\nclients = [\"a\", \"b\"]\n{more}");
        let settings = settings(&text).unwrap();
        let logout = settings.issuers[1].logout.clone().unwrap();
        let terms = logout.terms(&issuer("https://b.example"), Duration::from_secs(7));
        (logout.ends_subject, terms)
    };
    let clients = ["a", "b"].map(str::to_owned);
    let mut expected = LogoutTerms::new(issuer("https://b.example"), clients);
    expected.leeway = Duration::from_secs(7);
    assert_eq!(terms(""), (false, expected.clone()));
    assert_eq!(terms("ends = \"session\""), (false, expected.clone()));
    assert_eq!(terms("ends = \"subject\""), (true, expected.clone()));
    expected.accepts_untyped = true;
    assert_eq!(terms("danger_untyped = true"), (false, expected.clone()));
    (expected.accepts_untyped, expected.accepts_endless) = (false, true);
    assert_eq!(terms("danger_without_exp = true"), (false, expected));
}

#[test]
fn a_server_receives_what_its_settings_name() {
    for (written, receives) in [
        ("", false),
        (STREAM, true),
        ("[issuer.logout]\nclients = \"web\"\n", true),
    ] {
        let server = ResourceServer::with_settings(settings(written).unwrap());
        assert_eq!(server.has_receivers(), receives, "{written}");
    }
}

#[test]
fn a_stream_is_followed_once_however_often_a_server_is_started() {
    let server = ResourceServer::with_settings(settings(STREAM).unwrap());
    let stream = server.receivers().stream("idp").unwrap();
    assert_eq!([stream.begin(), stream.begin()], [true, false]);
}

#[test]
fn what_is_asked_of_a_transmitter_is_listed() {
    let secret = TestFile::new("outbound", "s");
    let asked = |more: &str| {
        let settings = settings(&format!("{STREAM}{more}\n")).unwrap();
        let requests = settings.outbound_requests().into_iter();
        let texts = requests.map(|it| format!("{}: {}", it.address, it.content));
        texts
            .filter(|it| it.contains("transmitter") || it.contains("stream") || it.contains("`c`"))
            .collect::<Vec<_>>()
    };
    let metadata = "https://idp.example/.well-known/ssf-configuration: the metadata of the \
        transmitter is fetched, and the keys that it names; nothing is sent";
    assert_eq!(asked(""), [metadata]);
    assert_eq!(
        asked("jwks_uri = \"https://idp.example/keys\""),
        ["https://idp.example/keys: the keys of the transmitter are fetched; nothing is sent"]
    );
    let poll = format!(
        "delivery = \"poll\"\npoll_url = \"https://idp.example/poll\"\nclient_id = \"c\"\n\
         client_secret_file = {:?}",
        secret.0
    );
    let events = "https://idp.example/poll: events of the stream `idp` are fetched, and \
        acknowledged";
    let token = "the client `c`, for a token of its own";
    assert_eq!(
        asked(&poll),
        [
            metadata,
            &format!("the token endpoint of https://idp.example: {token}"),
            events
        ]
    );
    let named = format!("{poll}\ntoken_endpoint = \"https://idp.example/token\"");
    assert_eq!(
        asked(&named),
        [
            metadata,
            &format!("https://idp.example/token: {token}"),
            events
        ]
    );
}
