//! The key of the store in a real keyring: GNOME's, on a bus of its own.

use super::Shell;
use portcullis_idp::{Endpoint, Idp, IdpConfig};
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_in_the_keyring() {
    let Some(daemon) = std::env::var_os("PORTCULLIS_KEYRING_DAEMON") else {
        crate::tally::skipped("gnome-keyring is not installed; `cargo xtask test` does it");
        return;
    };
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let shell = Shell::service(idp.issuer().as_str()).with("PORTCULLIS_TOKEN_STORE", "auto");
    let mut portcullis = shell.command(&["token"]);
    portcullis
        .env("HOME", shell.path("home"))
        .env("DAEMON", daemon);
    let script = "mkdir -p $HOME && printf pw | $DAEMON --unlock --components=secrets >/dev/null || exit 9\n\
                  $0 token && $0 token && $0 token list";
    let mut session = Command::new("dbus-run-session");
    session
        .arg("--")
        .args(["sh", "-c", script])
        .arg(portcullis.get_program());
    session.env_clear().envs(
        portcullis
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let output = session.output().unwrap();
    let (said, told) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{said}{told}");
    let tokens: Vec<&str> = said.lines().take(2).collect();
    assert_eq!(tokens[0], tokens[1], "{told}");
    assert_eq!(idp.requests(Endpoint::Token), 1);
    let listed = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(listed.contains("the key is in the OS keyring"), "{said}");
    assert!(
        !shell.path("state/tokens.key").exists()
            && shell.path("state/tokens-keyring.json").exists()
    );
    // Without the session there is no key, and what is kept there is neither read nor overwritten.
    let away = shell.run(&["token", "--store", "keyring"]);
    assert_eq!(
        (
            away.code,
            away.err.contains("the OS keyring cannot be used")
        ),
        (1, true),
        "{}",
        away.err
    );
}
