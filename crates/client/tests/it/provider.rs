//! Discovery, and the limits for a token endpoint.

use crate::scripted::{Reply, Scripted};
use portcullis_client::{Error, Provider, TokenRequest};
use serde_json::json;

#[tokio::test]
async fn metadata_of_another_issuer_counts_for_nothing() {
    let idp = Scripted::start().await;
    assert!(Provider::discover(&idp.base).await.is_ok());
    idp.says("issuer", json!("https://other.example"));
    let error = Provider::discover(&idp.base).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("another issuer, `https://other.example`"),
        "{error}"
    );
    // To wait does not help.
    assert!(matches!(error, Error::Config(_)));
    assert!(matches!(
        Provider::discover("http://idp.example").await,
        Err(Error::Config(_))
    ));
}

#[tokio::test]
async fn a_provider_is_asked_for_its_metadata_when_it_is_needed() {
    let idp = Scripted::start().await;
    idp.says("issuer", json!("https://not-yet.example"));
    let client = idp.client();
    assert!(matches!(
        client.client_credentials(&TokenRequest::new()).await,
        Err(Error::Config(_))
    ));
    idp.says("issuer", json!(idp.base.clone()));
    idp.answers(Reply::json(502, &json!({})));
    match client.client_credentials(&TokenRequest::new()).await {
        Err(Error::Outage(outage)) => assert_eq!(outage.code().as_str(), "outage.provider"),
        other => panic!("{other:?}"),
    }
    assert!(
        client
            .client_credentials(&TokenRequest::new())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn what_the_provider_does_not_offer_is_the_operators_to_know() {
    let idp = Scripted::start().await;
    idp.says("token_endpoint", json!(null));
    let error = idp
        .client()
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("token_endpoint: the provider's metadata does not name it"),
        "{error}"
    );
}

#[tokio::test]
async fn credentials_follow_no_redirect() {
    let (idp, other) = (Scripted::start().await, Scripted::start().await);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/token", other.base);
        idp.answers(Reply {
            status,
            headers: vec![("location", location)],
            body: String::new(),
        });
        let error = idp
            .client()
            .client_credentials(&TokenRequest::new())
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("redirects are not followed"),
            "{error}"
        );
    }
    assert_eq!((idp.count("/token"), other.count("/token")), (5, 0));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let idp = Scripted::start().await;
    let huge = format!(
        r#"{{"access_token":"{}","token_type":"Bearer"}}"#,
        "x".repeat(200_000)
    );
    let headers = vec![("content-type", "application/json".to_owned())];
    idp.answers(Reply {
        status: 200,
        headers,
        body: huge,
    });
    let error = idp
        .client()
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("larger than 131072 bytes"),
        "{error}"
    );
}

/// Time stands still except for the timers of the HTTP client, so the test does not wait.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let issuer = format!("http://{}", silent.local_addr().unwrap());
    let error = Provider::discover(&issuer).await.unwrap_err();
    assert!(error.to_string().contains("no answer in time"), "{error}");
}

#[tokio::test]
async fn nothing_of_an_answer_stands_in_an_error() {
    let idp = Scripted::start().await;
    for body in [
        r#"{"access_token":"marked","token_type":"mac","mac_key":"marked"}"#,
        r#"{"access_token":"marked","access_token":"marked","token_type":"Bearer"}"#,
        r#"{"access_token":"marked"#,
    ] {
        let headers = vec![("content-type", "application/json".to_owned())];
        idp.answers(Reply {
            status: 200,
            headers,
            body: body.to_owned(),
        });
        let error = idp
            .client()
            .client_credentials(&TokenRequest::new())
            .await
            .unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("marked"),
            "{error:?}"
        );
    }
}
