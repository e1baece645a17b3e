//! A person signs in with a browser elsewhere.

use super::{Shell, Waiting, claims};
use crate::e2e::chromium::signing_in;
use crate::e2e::provider::Provider;
use portcullis_idp::{Idp, IdpConfig};

/// The code that a person would type in.
fn user_code(said: &str) -> Option<String> {
    let word = |word: &&str| word.len() == 9 && word.as_bytes()[4] == b'-';
    said.split_whitespace().find(word).map(str::to_owned)
}

async fn provider() -> Idp {
    Idp::start(IdpConfig {
        device_poll_interval: 1,
        ..IdpConfig::default()
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_typed_in_elsewhere() {
    let idp = provider().await;
    let shell = Shell::new(idp.issuer().as_str());
    let waiting = Waiting::start(&mut shell.command(&["token", "--grant", "device"]));
    let code = waiting.hears(user_code);
    assert!(idp.allow_device(&code, "alice"));
    let said = waiting.end();
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(claims(said.out.trim())["client_id"], "web");
    assert!(said.err.contains("/device"), "where to go: {}", said.err);
    assert_eq!(
        shell.token(&[]),
        said.out.trim(),
        "it is kept as a person's"
    );
}

/// With a real browser, at either provider: as somebody does who follows the longer address.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_elsewhere_lets_it_in() {
    let ours = provider().await;
    let mut issuers = vec![ours.issuer().to_string()];
    let certified = Provider::certified("RS256").await;
    issuers.extend(
        certified
            .iter()
            .map(|provider| provider.issuer.clone()),
    );
    for issuer in issuers {
        let Some(browser) = signing_in() else { return };
        let shell = Shell::new(&issuer).with("OAUTH2_CLIENT_ID", "web");
        let waiting = Waiting::start(&mut shell.command(&["token", "--grant", "device"]));
        let page = waiting.hears(|said| {
            said.split_whitespace()
                .find(|word| word.contains("user_code="))
                .map(str::to_owned)
        });
        let mut browser = std::process::Command::new(browser);
        // What it says of the pages is not looked at: the certified provider's load fonts from
        // elsewhere.
        tokio::task::spawn_blocking(move || browser.arg(page).output().unwrap())
            .await
            .unwrap();
        let said = waiting.end();
        assert_eq!(said.code, 0, "{issuer}: {}", said.err);
        assert_eq!(claims(said.out.trim())["client_id"], "web");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_no_is_heard() {
    let idp = provider().await;
    let shell = Shell::new(idp.issuer().as_str());
    let waiting = Waiting::start(&mut shell.command(&["token", "--grant", "device", "-q"]));
    let code = waiting.hears(user_code);
    assert!(idp.deny_device(&code));
    let said = waiting.end();
    assert_eq!(
        (said.code, said.err.contains("access_denied")),
        (2, true),
        "{}",
        said.err
    );
}
