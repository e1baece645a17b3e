//! People sign in, in a real browser.

use super::{Shell, Waiting, claims};
use crate::e2e::chromium::signing_in;
use crate::e2e::provider::Provider;
use portcullis_idp::{Endpoint, Idp, IdpConfig};
use serde_json::json;

/// A command line whose browser signs in as alice; none where there is no browser.
fn alices(issuer: &str) -> Option<Shell> {
    Some(Shell::new(issuer).with("BROWSER", signing_in()?.to_str().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn alice_signs_in_once_and_the_token_is_renewed() {
    let ours = Idp::start(IdpConfig::default()).await.unwrap();
    let mut issuers = vec![ours.issuer().to_string()];
    let certified = Provider::certified("RS256").await;
    issuers.extend(
        certified
            .iter()
            .map(|provider| provider.issuer.clone()),
    );
    for issuer in issuers {
        let Some(shell) = alices(&issuer) else { return };
        let said = shell.run(&["token"]);
        assert_eq!(said.code, 0, "{issuer}: {}", said.err);
        assert!(
            said.err.contains("in the browser") && said.err.contains("/auth"),
            "the address is shown: {}",
            said.err
        );
        let first = said.out.trim().to_owned();
        assert_eq!(claims(&first)["client_id"], "web");
        let listed = shell.list();
        assert_eq!(
            (
                &listed[0]["holder"],
                &listed[0]["renewable"],
                &listed[0]["id_token"]
            ),
            (&json!("user"), &json!(true), &json!(true))
        );

        // From here on nobody is there.
        let alone = |arguments: &[&str]| {
            let output = shell
                .command(arguments)
                .env_remove("BROWSER")
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{issuer}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout)
                .unwrap()
                .trim()
                .to_owned()
        };
        assert_eq!(alone(&["token"]), first);
        let renewed = alone(&["token", "--renew"]);
        assert_ne!(renewed, first);
        assert_eq!(claims(&renewed)["sub"], claims(&first)["sub"]);
        assert_ne!(
            alone(&["token", "--grant", "refresh", "--renew"]),
            renewed,
            "the rotated refresh token is kept"
        );
        let id_token = alone(&["token", "--id-token"]);
        assert_eq!(claims(&id_token)["aud"], "web");
    }
}

/// Both want a new token at once: one spends the refresh token, the other finds what came of it.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_not_spend_a_refresh_token_twice() {
    let idp = Idp::start(IdpConfig {
        access_token_lifetime: 2,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    let Some(shell) = alices(idp.issuer().as_str()) else {
        return;
    };
    let first = shell.token(&[]);
    for _ in 0..3 {
        let before = idp.requests(Endpoint::Token);
        let start = || {
            Waiting::start(
                shell
                    .command(&["token", "--renew"])
                    .env_remove("BROWSER"),
            )
        };
        let both = [start(), start(), start()];
        for said in both.map(Waiting::end) {
            assert_eq!(said.code, 0, "{}", said.err);
            assert_ne!(said.out.trim(), first);
        }
        assert!((1..=3).contains(&(idp.requests(Endpoint::Token) - before)));
    }
}

/// Afterwards the refresh token is worth nothing, not even to who kept a copy, and the session is
/// over.
#[tokio::test(flavor = "multi_thread")]
async fn logout_revokes_ends_the_session_and_forgets() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let Some(shell) = alices(idp.issuer().as_str()) else {
        return;
    };
    shell.token(&[]);
    let file = shell.path("state/tokens.json");
    let copy = std::fs::read(&file).unwrap();
    let said = shell.run(&["logout"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.contains("Revoked the refresh token") && said.err.contains("end the session"),
        "{}",
        said.err
    );
    assert!(shell.list().is_empty());
    std::fs::write(&file, copy).unwrap();
    let late = shell.run(&["token", "--grant", "refresh", "--renew"]);
    assert_eq!(
        (late.code, late.err.contains("invalid_grant")),
        (2, true),
        "{}",
        late.err
    );
    assert!(shell.list().is_empty(), "what is of no use is forgotten");
    let again = shell.run(&["logout"]);
    assert_eq!(
        (again.code, again.err.contains("no stored tokens")),
        (0, true),
        "{}",
        again.err
    );
}

/// Where no browser opens, the address is shown, without the ID token.
#[tokio::test(flavor = "multi_thread")]
async fn logout_prints_no_token() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let Some(shell) = alices(idp.issuer().as_str()) else {
        return;
    };
    shell.token(&[]);
    let output = shell
        .command(&["logout"])
        .env_remove("BROWSER")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("/logout?client_id=web"),
        "{said}"
    );
    assert!(!said.contains("eyJ"), "{said}");
}

/// Bound to a key, pushed ahead: what a bank would ask for.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_bound_to_a_key_and_stays_so() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let Some(shell) = alices(idp.issuer().as_str()) else {
        return;
    };
    let first = shell.token(&["--dpop", "--par", "--scope", "openid orders:read"]);
    let bound = claims(&first)["cnf"]["jkt"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(shell.list()[0]["token_type"], "DPoP");
    let renewed = shell.token(&["--dpop", "--scope", "openid orders:read", "--renew"]);
    assert_ne!(renewed, first);
    assert_eq!(claims(&renewed)["cnf"]["jkt"], bound.as_str());
}
