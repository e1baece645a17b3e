//! Cached tokens, with a clock under the control of the test.

use crate::scripted::{Reply, Scripted, eventually};
use portcullis_client::{Error, TokenRequest, TokenSource};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

fn source(idp: &Scripted) -> TokenSource {
    TokenSource::client_credentials(idp.client())
        .scope("orders:read")
        .build()
}

async fn text(source: &TokenSource) -> String {
    source.token().await.unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_hundred_callers_share_one_fetch() {
    let idp = Scripted::start().await;
    let source = source(&idp);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let source = source.clone();
        callers.spawn(async move { text(&source).await });
    }
    let tokens = callers.join_all().await;
    assert!(tokens.iter().all(|token| token == "token-1"), "{tokens:?}");
    assert_eq!(idp.count("/token"), 1);
    let asked = &idp.asked()[0];
    assert_eq!(
        (asked.member("grant_type"), asked.member("scope")),
        (Some("client_credentials"), Some("orders:read"))
    );
    assert_eq!(asked.headers["authorization"], "Basic YXBwOnM=");
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_cut_the_fetch_off() {
    let idp = Scripted::start().await;
    let source = source(&idp);
    let first = tokio::spawn({
        let source = source.clone();
        async move { source.token().await }
    });
    eventually(|| idp.count("/token") == 1).await;
    first.abort();
    assert_eq!(text(&source).await, "token-1");
    assert_eq!(idp.count("/token"), 1);
}

#[tokio::test]
async fn a_token_is_renewed_in_the_background_before_it_ends() {
    let idp = Scripted::start().await;
    let source = source(&idp);
    assert_eq!(text(&source).await, "token-1");
    // Before 70 percent of the five minutes nothing happens. After 80 percent the token is renewed,
    // and nobody waits.
    idp.clock.advance(Duration::from_secs(209));
    assert_eq!(
        (text(&source).await, idp.count("/token")),
        ("token-1".to_owned(), 1)
    );
    idp.clock.advance(Duration::from_secs(32));
    assert_eq!(text(&source).await, "token-1");
    eventually(|| idp.count("/token") == 2).await;
    while text(&source).await != "token-2" {
        tokio::task::yield_now().await;
    }
    assert_eq!(idp.count("/token"), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_keeps_the_token_until_its_end() {
    let idp = Scripted::start().await;
    let source = source(&idp);
    assert_eq!(text(&source).await, "token-1");
    idp.clock.advance(Duration::from_secs(245));
    idp.answers(Reply::json(503, &json!({})));
    assert_eq!(text(&source).await, "token-1");
    eventually(|| idp.count("/token") == 2).await;
    assert_eq!(text(&source).await, "token-1");
    // Half a minute before its expiry the token is no longer used: now a caller has to wait, and
    // gets the outage.
    idp.clock.advance(Duration::from_secs(26));
    idp.answers(Reply::json(503, &json!({})).with("retry-after", "7"));
    let mut error = source.token().await.unwrap_err();
    // The renewal may have recorded its failure only now; the pause ends a second later.
    if idp.count("/token") == 2 {
        idp.clock.advance(Duration::from_secs(1));
        error = source.token().await.unwrap_err();
    }
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{error}");
    // The next caller gets the same error without another request, until `Retry-After` is over.
    assert!(source.token().await.is_err());
    assert_eq!(idp.count("/token"), 3);
    idp.clock.advance(Duration::from_secs(7));
    assert_eq!(text(&source).await, "token-4");
}

#[tokio::test]
async fn a_refused_client_does_not_hammer_its_provider() {
    let idp = Scripted::start().await;
    let source = source(&idp);
    let mut second = 0;
    let mut asked_at = Vec::new();
    while second < 100 {
        idp.answers(Reply::json(401, &json!({ "error": "invalid_client" })));
        let error = source.token().await.unwrap_err();
        assert_eq!(
            error.refusal().map(|refusal| refusal.error()),
            Some("invalid_client")
        );
        if idp.count("/token") > asked_at.len() {
            asked_at.push(second);
        }
        idp.clock.advance(Duration::from_secs(1));
        second += 1;
    }
    assert_eq!(asked_at, [0, 1, 3, 7, 15, 31, 61, 91]);
}

#[tokio::test]
async fn each_request_has_a_token_of_its_own() {
    let idp = Scripted::start().await;
    let source = TokenSource::client_credentials(idp.client())
        .capacity(10)
        .build();
    let request =
        |number: usize| TokenRequest::new().resource(&format!("https://api.example/{number}"));
    let one = source.token_for(&request(1)).await.unwrap();
    assert!(source.token_for(&request(1)).await.unwrap() == one);
    assert!(source.token_for(&request(2)).await.unwrap() != one);
    assert_eq!(
        idp.asked()[1].member("resource"),
        Some("https://api.example/2")
    );
    assert_eq!(idp.count("/token"), 2);
    // Tokens beyond the capacity are fetched again.
    for number in 0..100 {
        source.token_for(&request(number)).await.unwrap();
    }
    let before = idp.count("/token");
    for number in 0..100 {
        source.token_for(&request(number)).await.unwrap();
    }
    assert!(idp.count("/token") >= before + 90);
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_fetched_anew_but_not_without_end() {
    let idp = Scripted::start().await;
    let source = source(&idp);
    let mut anew = Vec::new();
    for _ in 0..5 {
        let token = source.token().await.unwrap();
        anew.push(source.invalidate(&token));
    }
    assert_eq!(anew, [true, true, false, false, false]);
    assert_eq!(
        (text(&source).await, idp.count("/token")),
        ("token-3".to_owned(), 3)
    );
    idp.clock.advance(Duration::from_secs(30));
    let token = source.token().await.unwrap();
    assert!(source.invalidate(&token));
    // A late report about the old token changes nothing.
    assert!(source.invalidate(&token));
    assert_eq!(
        (text(&source).await, idp.count("/token")),
        ("token-4".to_owned(), 4)
    );
    assert!(source.invalidate(&token));
    assert_eq!(
        (text(&source).await, idp.count("/token")),
        ("token-4".to_owned(), 4)
    );
}

#[tokio::test]
async fn a_token_that_is_over_at_once_is_not_used_again() {
    let idp = Scripted::start().await;
    idp.answers(Reply::json(
        200,
        &json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 0 }),
    ));
    let source = source(&idp);
    assert_eq!(text(&source).await, "t");
    assert_ne!(text(&source).await, "t");
}

#[tokio::test]
async fn what_cannot_be_trusted_is_said_as_it_is() {
    let idp = Scripted::start().await;
    idp.answers(Reply::json(
        200,
        &json!({ "access_token": "t", "token_type": "mac" }),
    ));
    assert!(matches!(
        source(&idp).token().await,
        Err(Error::InvalidResponse(_))
    ));
}
