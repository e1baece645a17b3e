//! What is kept between two calls.

use super::{Shell, claims};
use portcullis_idp::{Endpoint, Idp, IdpConfig};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_used_for_as_long_as_it_is_good() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let shell = Shell::service(idp.issuer().as_str());
    let first = shell.token(&["--scope", "orders:read orders:write"]);
    let (asked, metadata) = (
        idp.requests(Endpoint::Token),
        idp.requests(Endpoint::Metadata),
    );
    assert_eq!(asked, 1);
    assert_eq!(
        shell.token(&["--scope", "orders:write orders:read"]),
        first,
        "the order does not matter"
    );
    assert_eq!(
        (
            idp.requests(Endpoint::Token),
            idp.requests(Endpoint::Metadata)
        ),
        (asked, metadata),
        "nobody was asked"
    );
    assert_ne!(
        shell.token(&["--scope", "orders:read"]),
        first,
        "another one was asked for"
    );
    assert_ne!(
        shell.token(&["--scope", "orders:read orders:write", "--renew"]),
        first
    );
    assert_ne!(
        shell.token(&["--scope", "orders:read", "--no-store"]),
        shell.token(&["--scope", "orders:read"])
    );
    let listed = shell.list();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["client_id"], &listed[0]["holder"]),
        (&"service".into(), &"client".into())
    );
    let page = shell.run(&["token", "list"]).out;
    assert!(
        page.contains("service, for the client itself") && page.contains("not renewable"),
        "{page}"
    );
    assert!(
        !page.contains(&first[..20]) && page.lines().all(|line| line.chars().count() <= 80),
        "{page}"
    );

    let cleared = shell.run(&["token", "clear", "--issuer", idp.issuer().as_str()]);
    assert_eq!(
        (
            cleared.code,
            cleared.out.starts_with("Deleted 2 stored tokens")
        ),
        (0, true),
        "{}",
        cleared.out
    );
    assert!(shell.list().is_empty());
    assert_eq!(
        shell.run(&["token", "clear"]).code,
        1,
        "it must be said what"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_too_soon_is_got_anew() {
    let idp = Idp::start(IdpConfig {
        access_token_lifetime: 300,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    let shell = Shell::service(idp.issuer().as_str());
    let first = shell.token(&["--valid-for", "120"]);
    assert_eq!(shell.token(&["--valid-for", "120"]), first);
    // It has 300 seconds, and nine tenths of that are the most that can be asked for.
    assert_eq!(shell.token(&["--valid-for", "250"]), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_opens_with_its_passphrase_only_and_a_broken_one_is_told() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let shell = Shell::service(idp.issuer().as_str()).with("PORTCULLIS_PASSPHRASE", "right");
    let first = shell.token(&[]);
    let file = shell.path("state/tokens.json");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(
        !kept.contains(&first[..20]) && !kept.contains("127.0.0.1"),
        "{kept}"
    );
    let wrong = shell
        .command(&["token"])
        .env("PORTCULLIS_PASSPHRASE", "wrong")
        .output()
        .unwrap();
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(
        (
            wrong.status.code(),
            told.contains("the passphrase does not open")
        ),
        (Some(1), true),
        "{told}"
    );
    let none = shell
        .command(&["token"])
        .env_remove("PORTCULLIS_PASSPHRASE")
        .output()
        .unwrap();
    assert!(
        String::from_utf8(none.stderr)
            .unwrap()
            .contains("set PORTCULLIS_PASSPHRASE")
    );

    std::fs::write(&file, &kept[..kept.len() / 2]).unwrap();
    let broken = shell.run(&["token"]);
    assert_eq!(
        (broken.code, broken.err.contains("token clear --all")),
        (1, true),
        "{}",
        broken.err
    );
    assert_eq!(
        std::fs::read_to_string(&file).unwrap().len(),
        kept.len() / 2,
        "it is left as it is"
    );
    std::fs::write(&file, &kept).unwrap();
    assert_eq!(shell.token(&[]), first);
    assert_eq!(shell.run(&["token", "clear", "--all"]).code, 0);
    assert_ne!(shell.token(&[]), first);
}

/// One process gets the token, the other waits for it and finds it.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_ask_once() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let shell = Shell::service(idp.issuer().as_str());
    let mut both = [
        shell.command(&["token"]).spawn().unwrap(),
        shell.command(&["token"]).spawn().unwrap(),
    ];
    both.iter_mut()
        .for_each(|child| assert!(child.wait().unwrap().success()));
    let tokens = both.map(|child| child.wait_with_output().unwrap().stdout);
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(idp.requests(Endpoint::Token), 1);
}

/// On a CI machine nothing is kept unless it is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_ci_machine_keeps_nothing() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let shell = Shell::service(idp.issuer().as_str())
        .with("PORTCULLIS_TOKEN_STORE", "auto")
        .with("CI", "true");
    assert_ne!(
        claims(&shell.token(&[]))["jti"],
        claims(&shell.token(&[]))["jti"]
    );
    assert!(!shell.path("state").exists());
}
