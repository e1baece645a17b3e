//! `portcullis events` and `portcullis audit ssf` with a transmitter that is not ours.

use super::pushed;
use super::replicas::{AUTHORIZATION, ReplicaPlan};
use super::transmitter::{AUDIENCE, SECRET, Transmitter};
use crate::e2e::command::{portcullis, text};
use crate::e2e::process::Folder;
use portcullis_idp::{Idp, IdpConfig};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_transmitter_is_made_verified_and_audited() {
    let (Some(plan), Some(mut transmitter)) = (
        ReplicaPlan::new("command"),
        Transmitter::start("ES256").await,
    ) else {
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().as_str();
    let receiver = plan.receiver("events/caep");
    let replicas = plan.start(issuer, &pushed(&transmitter, issuer)).await;
    let folder = Folder::new("events-command", 0);
    let file = |name: &str, content: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let ours = file("ours", &format!("Bearer {SECRET}"));
    let theirs = file("theirs", AUTHORIZATION);
    let transmits = transmitter.issuer.clone();
    let environment = [("OAUTH2_ISSUER", transmits.as_str())];
    let run = |action: &str, arguments: &[&str]| {
        let all = [
            &["events", action, "--authorization-file", &ours],
            arguments,
        ]
        .concat();
        let output = portcullis(&all, &environment);
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{all:?}: {shown}");
        assert!(
            !shown.contains(SECRET) && !shown.contains("receiver-secret"),
            "{shown}"
        );
        text(&output.stdout)
    };
    let event = ["--event", "session-revoked", "--audience", AUDIENCE];
    let push = ["--push", &receiver, "--authorization-header-file", &theirs];
    let settings = run("create", &[&event[..], &push].concat());
    for member in ["[[events]]", AUDIENCE, &transmits] {
        assert!(settings.contains(member), "{member}: {settings}");
    }
    transmitter.ask("verify", json!({})).await;
    let answer = transmitter.ask("verified", json!({})).await;
    assert_eq!(
        answer,
        json!({ "status": 202, "body": "" }),
        "the receiver takes a verification that nobody asked for"
    );
    run("verify", &[]);
    // It arrives, whatever a receiver says of a state that it did not ask for.
    transmitter.ask("verified", json!({})).await;
    // With the receiver's settings, the command itself sees that it arrives.
    let config = replicas.settings_file().display().to_string();
    let shown = run("verify", &["--config", &config, "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert!(shown["arrived_after"].is_f64(), "{shown}");
    let paused = ["--stream", "s-1", "--set", "paused", "--json"];
    let shown: Value = serde_json::from_str(&run("status", &paused)).unwrap();
    let stream = &shown["streams"][0];
    assert!(stream.to_string().contains("\"paused\""), "{shown}");
    let late = [
        "events",
        "verify",
        "--authorization-file",
        &ours,
        "--config",
        &config,
        "--wait",
        "1",
    ];
    let output = portcullis(&late, &environment);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("did not come within 1s"), "{said}");
    run("delete", &["--stream", "s-1"]);

    let audit = portcullis(&["audit", "ssf", &transmits, "--format", "json"], &[]);
    let report: Value = serde_json::from_str(&text(&audit.stdout)).unwrap();
    assert_eq!(report["counts"]["error"], 0, "{report:#}");
}
