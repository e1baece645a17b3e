//! A certified client in JavaScript against our development identity provider: what it knows of the
//! protocols, it must find here, without being told anything but the issuer.

use portcullis_idp::{Idp, IdpConfig};
use std::ffi::OsString;
use std::time::Duration;
use tokio::process::Command;

/// The folder where it is installed; none, and said so, where it is not.
fn program() -> Option<OsString> {
    let folder = std::env::var_os("PORTCULLIS_OPENID_CLIENT");
    if folder.is_none() {
        crate::tally::skipped("npm openid-client is not installed; `cargo xtask test` does it");
    }
    folder
}

#[tokio::test]
async fn a_certified_client_finds_every_flow() {
    let Some(folder) = program() else { return };
    let defaults = IdpConfig::default();
    let mut clients = defaults.clients.clone();
    clients[1].post_logout_redirect_uris = vec!["http://127.0.0.1/bye".to_owned()];
    let config = IdpConfig {
        clients,
        dpop_nonce: true,
        device_poll_interval: 1,
        ..defaults
    };
    let idp = Idp::start(config).await.unwrap();
    let mut node = Command::new("node");
    node.arg("run.mjs")
        .arg(idp.issuer().as_str())
        .current_dir(folder)
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(120), node.output())
        .await
        .unwrap()
        .unwrap();
    let (told, problem) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{told}{problem}");
    let flows: Vec<&str> = told.lines().collect();
    assert_eq!(
        flows,
        [
            "pushed request",
            "code",
            "userinfo",
            "refresh and introspection",
            "device",
            "token exchange",
            "registration",
            "private_key_jwt",
            "logout",
            "over with the session",
            "over with the grant",
        ]
    );
}
