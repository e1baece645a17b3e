//! `portcullis audit` and `portcullis keys` as a user runs them, at both identity providers.

use super::command::{portcullis, text};
use super::process::{Folder, Process, program};
use super::provider::Provider;
use portcullis_idp::{Dialect, Endpoint, Fault, Idp, IdpConfig, Overlap};
use serde_json::Value;
use std::process::{Command, Stdio};

/// The names of what is found at each subject, in the order of the table.
fn found(document: &Value) -> Vec<Vec<String>> {
    let name = |finding: &Value| {
        finding["id"]
            .as_str()
            .unwrap()
            .strip_prefix("audit.")
            .unwrap()
            .to_owned()
    };
    let subjects = document["subjects"].as_array().unwrap().iter();
    subjects
        .map(|subject| {
            subject["findings"]
                .as_array()
                .unwrap()
                .iter()
                .map(name)
                .collect()
        })
        .collect()
}

fn audit(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = portcullis(&[&["audit", "--format", "json"], arguments].concat(), &[]);
    let document = serde_json::from_slice(&output.stdout);
    (
        output.status.code(),
        document.unwrap_or_else(|_| panic!("{}", text(&output.stderr))),
    )
}

/// What is told of a provider with one of its tokens; the token itself never is.
async fn at(provider: &Provider) -> Vec<String> {
    let token = provider.client_credentials(provider.audience).await;
    let folder = Folder::new(
        "audit",
        provider
            .issuer
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap(),
    );
    let file = folder.0.join("token.txt");
    std::fs::write(&file, &token).unwrap();
    let file = file.to_str().unwrap();
    let (exit, document) = audit(&[&provider.issuer, "--token-file", file]);
    assert_eq!((exit, &document["fails"]), (Some(0), &Value::from(false)));
    for arguments in [
        &["--verbose"][..],
        &["--format", "json"],
        &["--format", "sarif"],
    ] {
        let output = portcullis(
            &[
                &["audit", &provider.issuer, "--token-file", file],
                arguments,
            ]
            .concat(),
            &[],
        );
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(
            token.split('.').all(|segment| !told.contains(segment)),
            "{arguments:?}"
        );
    }
    found(&document).remove(0)
}

/// All of it is meant: it is plain HTTP on loopback, for development, and this client asked for a
/// bearer token.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_provider_has_notes_only() {
    let found = at(&Provider::ours("RS256").await).await;
    assert_eq!(found, ["loopback_http", "token_bearer"]);
}

/// As it is without settings, it does not say how long its keys may be kept.
#[tokio::test(flavor = "multi_thread")]
async fn the_certified_provider_has_notes_only() {
    let Some(provider) = Provider::certified("RS256").await else {
        return;
    };
    let expected = [
        "loopback_http",
        "backchannel_logout_missing",
        "keys_cache_unsaid",
        "keys_etag_missing",
        "token_bearer",
    ];
    assert_eq!(at(&provider).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn severities_and_reasons_decide_the_exit_code() {
    let idp = Idp::start(IdpConfig {
        dialect: Dialect::Keycloak,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    let issuer = idp.issuer().as_str();
    idp.fail(Endpoint::Jwks, Fault::Empty);
    let (exit, document) = audit(&[issuer]);
    assert_eq!(exit, Some(2), "{document:#}");
    assert!(found(&document)[0].contains(&"keys_unusable".to_owned()));
    assert_eq!(audit(&[issuer, "--fail-on", "never"]).0, Some(0));
    let reason = "audit.keys_unusable=we broke it ourselves";
    let page = portcullis(&["audit", issuer, "--ignore", reason], &[]);
    assert_eq!(page.status.code(), Some(0), "{}", text(&page.stdout));
    assert!(
        text(&page.stdout).contains("ignored  audit.keys_unusable"),
        "{}",
        text(&page.stdout)
    );
    assert_eq!(
        portcullis(&["audit", issuer, "--ignore", "audit.keys_unusable"], &[])
            .status
            .code(),
        Some(1)
    );
    let away = portcullis(&["audit", "http://127.0.0.1:1"], &[]);
    assert_eq!(
        (away.status.code(), away.stdout.is_empty()),
        (Some(4), true)
    );
    assert!(
        text(&away.stderr).contains("does not answer"),
        "{}",
        text(&away.stderr)
    );
}

/// Our own side: the settings, with their lines, and the issuers in them.
#[tokio::test(flavor = "multi_thread")]
async fn settings_are_audited_with_their_issuers() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let folder = Folder::new("audit-settings", idp.address().port());
    let file = folder.0.join("portcullis.toml");
    let settings = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = \"api\"\n[revocation]\nstore = \"redis://redis.example\"\n\
         danger_plain_store = true\n[gateway]\nupstream = \"http://127.0.0.1:8000\"\n[[route]]\npath = \"/open/**\"\n\
         access = \"public\"\n",
        idp.issuer()
    );
    std::fs::write(&file, settings).unwrap();
    let name = file.to_str().unwrap();
    let (exit, document) = audit(&["--config", name]);
    assert_eq!(exit, Some(0));
    let ours = [
        "ours_danger",
        "ours_public_write",
        "ours_public_wildcard",
        "ours_public",
    ];
    let theirs = ["loopback_http"];
    assert_eq!(found(&document), [ours.to_vec(), theirs.to_vec()]);
    let place = |subject: usize| &document["subjects"][subject]["findings"][0]["place"];
    assert_eq!(
        (&place(0)["line"], &place(0)["setting"]),
        (&6.into(), &"revocation.danger_plain_store".into())
    );
    assert_eq!(
        (&place(1)["line"], &place(1)["setting"]),
        (&2.into(), &"issuer[0].url".into())
    );
    assert_eq!(
        audit(&["--config", name, "--fail-on", "warning"]).0,
        Some(2)
    );
    idp.shutdown().await;
    let (exit, document) = audit(&["--config", name, "--offline"]);
    assert_eq!(
        (exit, found(&document).len()),
        (Some(0), 1),
        "nobody is asked"
    );
    assert_eq!(
        portcullis(&["audit", "--config", name], &[])
            .status
            .code(),
        Some(4)
    );
    std::fs::write(&file, "[[issuer]]\nurl = 1\n").unwrap();
    let faulty = portcullis(&["audit", "--config", name], &[]);
    assert_eq!(faulty.status.code(), Some(1));
    assert!(
        text(&faulty.stderr).contains("portcullis.toml:2"),
        "{}",
        text(&faulty.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_shown_with_why_they_are_left_out() {
    let idp = Idp::start(IdpConfig {
        dialect: Dialect::Keycloak,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    let issuer = idp.issuer().as_str();
    let page = portcullis(&["keys", issuer], &[]);
    let told = text(&page.stdout);
    assert_eq!(page.status.code(), Some(0), "{told}");
    for part in [
        "for RS256",
        "it is not for verifying signatures",
        "Cache-Control",
        "next fetch     in 5 min",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // A URL is never broken: people copy it.
    let mut lines = told.lines().filter(|line| !line.contains("http"));
    assert!(
        lines.all(|line| line.chars().count() <= 80) && !told.contains('\u{1b}'),
        "{told}"
    );
    let json = portcullis(&["keys", issuer, "--json"], &[]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let usable: Vec<bool> = json["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["usable"].as_bool().unwrap())
        .collect();
    assert_eq!(
        (usable.iter().filter(|it| **it).count(), usable.len()),
        (1, 2)
    );
    idp.fail(Endpoint::Jwks, Fault::Html);
    assert_eq!(portcullis(&["keys", issuer], &[]).status.code(), Some(4));
}

/// A provider that is down or overloaded is an outage, and nothing is said about its settings.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_at_the_moment_is_no_finding() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().as_str();
    for endpoint in [Endpoint::Metadata, Endpoint::Jwks] {
        for (fault, status) in [
            (Fault::InternalError, "500"),
            (Fault::TooManyRequests, "429"),
        ] {
            idp.fail(endpoint, fault);
            let output = portcullis(&["audit", issuer], &[]);
            let told = text(&output.stderr);
            assert_eq!(output.status.code(), Some(4), "{told}");
            assert!(told.contains(&format!("the answer was {status}")), "{told}");
        }
        idp.fail(endpoint, Fault::None);
    }
}

/// What is known of a provider says where its keys are, where it has no metadata.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_metadata_is_looked_at_by_its_profile() {
    let idp = Idp::start(IdpConfig {
        dialect: Dialect::Cloudflare,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    let issuer = idp.issuer().as_str();
    assert_eq!(portcullis(&["keys", issuer], &[]).status.code(), Some(4));
    assert_eq!(
        portcullis(&["keys", issuer, "--profile", "cloudflare"], &[])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(audit(&[issuer]).0, Some(2));
    let (exit, document) = audit(&[issuer, "--profile", "cloudflare"]);
    assert_eq!(
        (exit, found(&document)),
        (Some(0), vec![vec!["loopback_http".to_owned()]])
    );
    assert_eq!(
        portcullis(&["audit", issuer, "--profile", "none"], &[])
            .status
            .code(),
        Some(1)
    );
}

/// A rotation is seen by a process that watches; Ctrl-C ends it well.
#[tokio::test(flavor = "multi_thread")]
async fn rotations_are_watched() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let mut command = Command::new(program("portcullis"));
    command
        .args(["keys", idp.issuer().as_str(), "--watch", "--every", "1s"])
        .stderr(Stdio::null());
    let watching = Process::start(&mut command);
    assert!(watching.line().contains("here"));
    idp.rotate(Overlap::With).await;
    let line = watching.line();
    assert!(line.contains("added") && line.ends_with("usable"), "{line}");
    assert!(watching.interrupt(), "Ctrl-C ends it well");
}
