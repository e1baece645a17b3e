//! `portcullis events` and `portcullis audit ssf` as a user runs them, at the development identity
//! provider, which is a transmitter, and at transmitters that answer as they are told.

use super::command::{portcullis, text};
use super::process::{Folder, free_port};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_testkit::{Answer, AnsweringServer, eventually};
use serde_json::Value;
use std::process::Output;

const SECRET: &str = "service-secret";

/// A transmitter, and a client that manages its streams.
struct Streams {
    issuer: String,
}

impl Streams {
    /// The command; nothing that it prints is a secret, however much it logs.
    fn run(&self, arguments: &[&str]) -> Output {
        let environment = [
            ("OAUTH2_ISSUER", self.issuer.as_str()),
            ("OAUTH2_CLIENT_ID", "service"),
            ("OAUTH2_CLIENT_SECRET", SECRET),
            ("RUST_LOG", "trace"),
        ];
        let output = portcullis(&[&["events"], arguments].concat(), &environment);
        for shown in [&output.stdout, &output.stderr] {
            let shown = text(shown);
            assert!(
                !shown.contains(SECRET) && !shown.contains("marked"),
                "{shown}"
            );
        }
        output
    }

    /// The page of a command that succeeds, within the width.
    fn page(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let page = text(&output.stdout);
        assert!(
            page.lines().all(|line| line.chars().count() <= 80) && !page.contains('\u{1b}'),
            "{page}"
        );
        page
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The status and the message of a command that fails.
    fn failure(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        (output.status.code(), text(&output.stderr))
    }

    /// Asserts that a gateway takes the printed settings as they are.
    fn assert_accepted(&self, settings: &str) {
        let folder = Folder::new("events-settings", free_port());
        let file = folder.0.join("portcullis.toml");
        let whole = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = \"api\"\n{settings}\n[gateway]\n\
                listen = \"127.0.0.1:0\"\nupstream = \"http://127.0.0.1:3000\"\n",
            self.issuer
        );
        std::fs::write(&file, whole).unwrap();
        let arguments = ["config", "check", file.to_str().unwrap()];
        let output = portcullis(&arguments, &[("OAUTH2_CLIENT_SECRET", SECRET)]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }

    /// The stream as `status` has it.
    fn status(&self, stream: &str) -> Value {
        self.json(&["status", "--stream", stream])["streams"][0].clone()
    }
}

async fn started() -> (Idp, Streams) {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().to_string();
    (idp, Streams { issuer })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_created_shown_verified_and_deleted() {
    let (_idp, streams) = started().await;
    assert!(
        streams
            .page(&["status"])
            .contains("none; `portcullis events create`")
    );
    let receiver = AnsweringServer::start("").await;
    receiver.answer(Answer {
        status: 202,
        headers: Vec::new(),
        body: String::new(),
    });
    let folder = Folder::new("events", free_port());
    let file = folder.0.join("authorization");
    std::fs::write(&file, "Bearer marked-header\n").unwrap();
    let endpoint = format!("{}/.portcullis/events/idp", receiver.url);
    let file = file.to_str().unwrap();
    let create = [
        "create",
        "--push",
        &endpoint,
        "--authorization-header-file",
        file,
        "--event",
        "session-revoked",
        "--event",
        "https://schemas.example/event-type/unknown",
        "--audience",
        "service",
    ];
    let created = streams.json(&create);
    let stream = created["stream_id"].as_str().unwrap();
    assert_eq!(created["delivery"]["endpoint_url"], endpoint);
    let delivered = created["events_delivered"].as_array().unwrap();
    assert_eq!(delivered.len(), 1);
    let deviations = created["deviations"].as_array().unwrap();
    assert_eq!(deviations.len(), 1, "{deviations:?}");
    let settings = created["settings"].as_str().unwrap();
    streams.assert_accepted(settings);
    let settings: toml::Table = settings.parse().unwrap();
    let table = &settings["events"][0];
    let expected = [
        ("name", "idp"),
        ("issuer", &streams.issuer),
        ("audience", "service"),
        ("delivery", "push"),
        ("authorization_file", file),
    ];
    for (name, value) in expected {
        assert_eq!(table[name].as_str(), Some(value), "{name}");
    }

    let page = streams.page(&["status", "--stream", stream]);
    for part in [
        "enabled: events come",
        "audience     service",
        "possible at any time",
    ] {
        assert!(page.contains(part), "{page}");
    }
    assert!(page.contains("delivered    session-revoked\n"), "{page}");
    let page = streams.page(&["verify"]);
    assert!(page.contains("with the event `verification`"), "{page}");
    let state = page
        .lines()
        .find_map(|line| line.trim().strip_prefix("state "));
    let state = state.unwrap().trim().to_owned();
    eventually(|| !receiver.requests().is_empty()).await;
    let request = receiver.requests().remove(0);
    assert_eq!(request.headers["authorization"], "Bearer marked-header");
    let payload = request.body.split('.').nth(1).unwrap();
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let event = payload["events"].as_object().unwrap().values().next();
    assert_eq!(event.unwrap()["state"], state);

    let paused = ["--set", "paused", "--reason", "maintenance"];
    streams.page(&[&["status", "--stream", stream][..], &paused].concat());
    let status = streams.status(stream);
    assert_eq!(
        (&status["status"], &status["reason"]),
        (&"paused".into(), &"maintenance".into())
    );
    assert!(
        streams
            .page(&["delete", "--stream", stream])
            .contains("deleted")
    );
    let (exit, message) = streams.failure(&["delete", "--stream", stream]);
    assert!(exit == Some(2) && message.contains("404"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_to_poll_has_the_usual_events() {
    let (_idp, streams) = started().await;
    let page = streams.page(&["create", "--poll"]);
    let settings = page.split_once("Settings of the receiver:").unwrap().1;
    let settings = settings.split_once("next ").unwrap().0;
    streams.assert_accepted(settings);
    let settings: toml::Table = settings.parse().unwrap();
    let table = &settings["events"][0];
    assert_eq!(table["delivery"].as_str(), Some("poll"));
    assert!(page.contains(table["poll_url"].as_str().unwrap()), "{page}");
    assert_eq!(table["client_id"].as_str(), Some("service"));
    assert!(page.contains("not to come  "), "{page}");
    let all = streams.json(&["status"]);
    let stream = &all["streams"][0];
    assert_eq!(all["issuer"], streams.issuer);
    let requested = stream["events_requested"].as_array().unwrap();
    assert!(requested.len() > stream["events_delivered"].as_array().unwrap().len());
    // With a second one, a verification would be a guess.
    streams.page(&["create", "--poll", "--name", "second"]);
    let (exit, message) = streams.failure(&["verify"]);
    assert!(exit == Some(1) && message.contains("found 2"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_have_their_exit_codes() {
    let (idp, streams) = started().await;
    let poll = ["create", "--poll"];
    let read = [&poll[..], &["--scope", "ssf.read"]].concat();
    let (exit, message) = streams.failure(&read);
    assert!(exit == Some(2) && message.contains("403"), "{message}");
    let (exit, message) = streams.failure(&[&poll[..], &["--event", "session"]].concat());
    assert!(
        exit == Some(1) && message.contains("session-revoked"),
        "{message}"
    );
    let (exit, _) = streams.failure(&["create", "--push", "http://api.example/events"]);
    assert_eq!(exit, Some(1));
    let (exit, message) = streams.failure(&["verify"]);
    assert!(
        exit == Some(1) && message.contains("found none"),
        "{message}"
    );
    let (exit, message) = streams.failure(&["status", "--issuer", "http://127.0.0.1:1"]);
    assert!(
        exit == Some(4) && message.contains("nothing listens"),
        "{message}"
    );
    let other = format!("{}/", streams.issuer);
    let (exit, message) = streams.failure(&["status", "--issuer", &other]);
    assert!(
        exit == Some(2) && message.contains("another issuer"),
        "{message}"
    );

    // A stream for somebody else is created, and told to be of no use.
    let output = streams.run(&[&poll[..], &["--audience", "api"]].concat());
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        page.contains("wrong        aud: expected `api`, found `service`"),
        "{page}"
    );
    assert!(page.contains("portcullis events delete"), "{page}");

    let public = portcullis(
        &["events", "status"],
        &[("OAUTH2_ISSUER", idp.issuer().as_str())],
    );
    assert_eq!(public.status.code(), Some(1));
    assert!(text(&public.stderr).contains("--authorization-file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_verification_has_to_wait() {
    let mut config = IdpConfig::default();
    config.events.min_verification_interval = 90;
    let idp = Idp::start(config).await.unwrap();
    let streams = Streams {
        issuer: idp.issuer().to_string(),
    };
    streams.page(&["create", "--poll"]);
    assert!(
        streams
            .page(&["status"])
            .contains("possible, once in 90 s at most")
    );
    streams.page(&["verify"]);
    let (exit, message) = streams.failure(&["verify"]);
    assert!(exit == Some(2) && message.contains("429"), "{message}");
    assert!(
        message.contains("one request every 90 seconds"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_out_of_a_file_needs_no_client() {
    let (idp, _) = started().await;
    let issuer = idp.issuer().to_string();
    let environment = [
        ("OAUTH2_ISSUER", issuer.as_str()),
        ("OAUTH2_CLIENT_ID", "service"),
        ("OAUTH2_CLIENT_SECRET", SECRET),
    ];
    let token = portcullis(&["token", "--scope", "ssf.manage", "-q"], &environment);
    let folder = Folder::new("events-header", free_port());
    let file = folder.0.join("token");
    let run = |content: &str| {
        std::fs::write(&file, content).unwrap();
        let file = file.to_str().unwrap();
        let arguments = ["events", "status", "--authorization-file", file];
        portcullis(&arguments, &[("OAUTH2_ISSUER", issuer.as_str())])
    };
    let token = text(&token.stdout);
    for content in [token.clone(), format!("Bearer {token}")] {
        let output = run(&content);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let output = run("Bearer marked-token");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("401") && !text(&output.stderr).contains("marked"));
    assert_eq!(run("").status.code(), Some(1));
}

/// A transmitter that sends its receivers to a provider of its choice gets no secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_transmitter_chooses_no_provider_for_a_secret() {
    let thief = AnsweringServer::start(r#"{"access_token":"t","token_type":"Bearer"}"#).await;
    let server = AnsweringServer::start("").await;
    let (url, other) = (server.url.clone(), thief.url.clone());
    // One document for every question: metadata of the transmitter and of its API.
    server.answer(Answer::json(&format!(
        r#"{{"issuer":"{url}","jwks_uri":"{url}/jwks","configuration_endpoint":"{url}/streams",
            "resource":"{url}/streams","authorization_servers":["{other}"]}}"#
    )));
    let streams = Streams { issuer: url };
    let (exit, message) = streams.failure(&["status"]);
    assert!(
        exit == Some(1) && message.contains("--token-issuer"),
        "{message}"
    );
    assert_eq!(thief.requests().len(), 0);
    for request in server.requests() {
        assert!(
            !request.headers.contains_key("authorization"),
            "{}",
            request.path
        );
        assert!(!request.body.contains(SECRET));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transmitter_is_audited() {
    let (idp, streams) = started().await;
    let audit = |arguments: &[&str]| {
        let output = portcullis(&[&["audit", "ssf"], arguments].concat(), &[]);
        (output.status.code(), text(&output.stdout))
    };
    let (exit, page) = audit(&[&streams.issuer, "--fail-on", "note"]);
    assert_eq!(exit, Some(0), "{page}");
    assert!(page.contains("/.well-known/ssf-configuration"), "{page}");
    assert!(page.contains("1 of 1 usable"), "{page}");

    let server = AnsweringServer::start("").await;
    let url = &server.url;
    let metadata = format!(
        r#"{{"issuer":"{url}","jwks_uri":"{}","spec_version":"1_0-ID3",
            "delivery_methods_supported":["urn:ietf:rfc:8935"],"default_subjects":"NONE"}}"#,
        idp.jwks_uri()
    );
    server.answer(Answer::json(&metadata));
    let (exit, report) = audit(&[url, "--format", "json", "--fail-on", "warning"]);
    assert_eq!(exit, Some(2));
    let report: Value = serde_json::from_str(&report).unwrap();
    let findings = report["subjects"][0]["findings"].as_array().unwrap();
    let found: Vec<&str> = findings
        .iter()
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        found,
        [
            "audit.ssf_spec_version",
            "audit.ssf_poll_missing",
            "audit.ssf_configuration_missing",
            "audit.ssf_verification_missing",
            "audit.ssf_status_missing",
            "audit.ssf_authorization",
            "audit.ssf_default_subjects",
        ]
    );
    let (exit, page) = audit(&[url, "--fail-on", "warning", "--rule", "ssf_status_missing"]);
    assert_eq!(exit, Some(0), "{page}");
    assert_eq!(audit(&["http://127.0.0.1:1"]).0, Some(4));
    // An issuer is still one without a word in front.
    let (exit, page) = audit(&["--help"]);
    assert!(exit == Some(0) && page.contains("--metadata-url"), "{page}");
    let plain = portcullis(&["audit", &streams.issuer], &[]);
    assert_eq!(plain.status.code(), Some(0));
}
