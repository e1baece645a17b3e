//! What `token` and its kin tell a person: who signed in, what is in the way, and what they wait
//! for.

use super::stand_in::StandIn;
use super::{Shell, Waiting};
use portcullis_idp::{Dialect, Idp, IdpConfig};
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_told_whose_token_it_is_and_until_when() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let shell = Shell::service(idp.issuer().as_str());
    let expected = format!("Token of the client service from {}, until ", idp.issuer());
    // The second time from the store: the line is about the token, not about the request.
    for _ in 0..2 {
        let said = shell.run(&["token"]);
        let line = said.err.lines().last().unwrap_or_default();
        assert!(line.starts_with(&expected), "{}", said.err);
        assert!(line.ends_with(" min."), "{}", said.err);
    }
    assert_eq!(shell.run(&["token", "-q"]).err, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_named_when_they_sign_in_and_when_they_sign_out() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let shell = Shell::new(idp.issuer().as_str());
    let browser = shell.alices_browser();
    let shell = shell.with("BROWSER", &browser);
    let said = shell.run(&["token"]);
    assert!(
        said.err
            .contains("Signed in as Alice Adams (alice) at "),
        "{}",
        said.err
    );
    let said = shell.run(&["logout", "--no-browser"]);
    assert!(
        said.err.contains("Signed out Alice Adams (alice)")
            && said.err.contains("stays valid until "),
        "{}",
        said.err
    );
}

/// The browser shows the provider's error, and nothing comes back: the command says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_waits_is_told_what_to_look_at_and_can_stop() {
    // `true` stands for a browser that shows an error: it starts well, and nothing comes back.
    let idp = StandIn::start().await;
    let shell = idp.shell();
    let waiting = Waiting::start(shell.command(&["token", "-q"]).env("BROWSER", "true"));
    waiting.hears(|said| said.contains("Still waiting").then_some(()));
    waiting.hears(|said| said.contains("--redirect-uri").then_some(()));
    let id = waiting.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let said = waiting.end();
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("register http://127.0.0.1/callback"),
        "{}",
        said.err
    );
    assert!(
        said.err
            .ends_with("portcullis: cancelled: nobody signed in\n"),
        "{}",
        said.err
    );
}

/// AD FS: the issuer of its access tokens is no address, and its ID tokens have another one.
#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_of_ad_fs_is_given_with_the_address_of_its_metadata() {
    let idp = Idp::start(IdpConfig {
        dialect: Dialect::Adfs,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    let metadata = idp.metadata_uri().unwrap();
    let document: serde_json::Value = serde_json::from_slice(
        &reqwest::get(&metadata)
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
    )
    .unwrap();
    let issuer = document["access_token_issuer"].as_str().unwrap();
    assert_ne!(issuer, document["issuer"].as_str().unwrap());
    let at = ["--issuer", issuer, "--metadata-url", &metadata];
    let service = Shell::service("http://127.0.0.1:9");
    let arguments = [&["--client-id", "service"][..], &at].concat();
    let said = service.run(&[&["token"], &arguments[..]].concat());
    // Another issuer than that of the environment: its secret is not sent there.
    assert_eq!(said.code, 1, "{}", said.err);
    let file = service.file("secret", "service-secret");
    let secret = ["--client-secret-file", &file];
    let said = service.run(&[&["token"], &arguments[..], &secret].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let shell = Shell::new(issuer);
    let browser = shell.alices_browser();
    let shell = shell.with("BROWSER", &browser);
    let arguments = [&["token", "--client-id", "web"][..], &at].concat();
    let said = shell.run(&arguments);
    assert_eq!(
        said.code, 0,
        "the ID token is of the other name: {}",
        said.err
    );
    assert!(said.err.contains("Signed in as "), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_the_libraries_are_for_those_who_ask() {
    let shell = Shell::service("http://127.0.0.1:9");
    for arguments in [
        &["token"][..],
        &["curl", "http://127.0.0.1:9/x"],
        &["audit"],
        &["idp", "fault", "--issuer", "http://127.0.0.1:9"],
    ] {
        let said = shell.run(arguments);
        assert_eq!(said.code, 4, "{arguments:?}: {}", said.err);
        assert!(
            said.err.contains("nothing listens at 127.0.0.1:9") && said.err.contains("help: "),
            "{arguments:?}: {}",
            said.err
        );
        assert!(
            !said.err.contains("os error"),
            "{arguments:?}: {}",
            said.err
        );
        let said = shell.run(&[arguments, &["-v"]].concat());
        assert!(
            said.err.contains("os error 111"),
            "{arguments:?}: {}",
            said.err
        );
    }
}
