//! Tokens in requests, by the tower layer and by the middleware, to a server that records its
//! requests.

use crate::scripted::{Reply, Scripted};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use portcullis_client::{Client, DpopKey, TokenLayer, TokenMiddleware, TokenService, TokenSource};
use serde_json::json;
use tower::{Layer as _, ServiceExt as _};

#[path = "../../examples/service-to-service.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is an example, with a main")]
mod service_to_service;

#[tokio::test]
async fn the_example_fetches_one_token_for_a_hundred_callers() {
    let (answers, fetches) = service_to_service::run().await.unwrap();
    assert_eq!(fetches, 1);
    assert_eq!(answers.len(), 100);
    assert!(
        answers
            .iter()
            .all(|(status, body)| *status == StatusCode::OK && !body.is_empty()),
        "{answers:?}"
    );
}

type Http = HttpClient<HttpConnector, Full<Bytes>>;

fn layer(client: Client, api: &str) -> TokenLayer<Full<Bytes>> {
    TokenLayer::new(TokenSource::client_credentials(client).build(), [api]).unwrap()
}

fn calling(layer: &TokenLayer<Full<Bytes>>) -> TokenService<Http, Full<Bytes>> {
    layer.layer(HttpClient::builder(TokioExecutor::new()).build_http())
}

async fn send(
    http: &TokenService<Http, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Response<Incoming> {
    http.clone().oneshot(request).await.unwrap()
}

fn post(url: &str) -> Request<Full<Bytes>> {
    Request::post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("a=b".into())
        .unwrap()
}

fn unauthorized() -> Reply {
    Reply {
        status: 401,
        headers: Vec::new(),
        body: String::new(),
    }
    .with("www-authenticate", "Bearer error=\"invalid_token\"")
}

/// The headers `Authorization` of the requests to the API.
fn authorization_headers(api: &Scripted) -> Vec<Option<String>> {
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    api.asked()
        .iter()
        .map(|asked| asked.headers.get("authorization").map(text))
        .collect()
}

fn bearer(tokens: &[&str]) -> Vec<Option<String>> {
    tokens
        .iter()
        .map(|token| Some(format!("Bearer {token}")))
        .collect()
}

#[tokio::test]
async fn a_refused_token_is_fetched_anew_and_the_request_sent_once_more() {
    let (idp, api) = (Scripted::start().await, Scripted::start().await);
    let layer = layer(idp.client(), &api.base);
    let http = calling(&layer.clone().replaying());
    api.answers(unauthorized());
    assert_eq!(
        send(&http, post(&format!("{}/x", api.base)))
            .await
            .status(),
        200
    );
    assert_eq!(authorization_headers(&api), bearer(&["token-1", "token-2"]));
    // The body arrived both times.
    assert!(
        api.asked()
            .iter()
            .all(|asked| asked.member("a") == Some("b"))
    );
    // The request is repeated once only.
    api.answers(unauthorized()).answers(unauthorized());
    assert_eq!(
        send(&http, post(&format!("{}/x", api.base)))
            .await
            .status(),
        401
    );
    assert_eq!(api.count("/x"), 4);
    // This body cannot be sent again, but the next request has a new token.
    let once = calling(&layer);
    api.answers(unauthorized());
    let before = idp.count("/token");
    assert_eq!(
        send(&once, post(&format!("{}/x", api.base)))
            .await
            .status(),
        401
    );
    assert_eq!((api.count("/x"), idp.count("/token")), (5, before));
}

#[tokio::test]
async fn a_token_goes_to_nobody_else() {
    let (idp, api, other) = (
        Scripted::start().await,
        Scripted::start().await,
        Scripted::start().await,
    );
    let http = calling(&layer(idp.client(), &api.base).replaying());
    send(&http, post(&format!("{}/x", other.base))).await;
    // The same port under another name is another origin.
    let by_name = format!("{}/x", api.base.replace("127.0.0.1", "localhost"));
    send(&http, post(&by_name)).await;
    assert_eq!(
        (
            authorization_headers(&other),
            authorization_headers(&api),
            idp.count("/token")
        ),
        (vec![None], vec![None], 0)
    );
    // A request with its own header keeps it.
    let mut own = post(&format!("{}/x", api.base));
    own.headers_mut()
        .insert("authorization", "Basic x".parse().unwrap());
    send(&http, own).await;
    assert_eq!(authorization_headers(&api)[1], Some("Basic x".to_owned()));
    for origin in ["api.example", "http://api.example", "ftp://x", ""] {
        let source = TokenSource::client_credentials(idp.client()).build();
        assert!(
            TokenLayer::<Full<Bytes>>::new(source, [origin]).is_err(),
            "{origin}"
        );
    }
    assert!(
        TokenLayer::<Full<Bytes>>::new(TokenSource::client_credentials(idp.client()).build(), [])
            .is_err()
    );
}

#[tokio::test]
async fn a_bound_token_goes_with_its_proof_and_the_nonce_that_is_wanted() {
    for status in [400, 401] {
        let (idp, api) = (Scripted::start().await, Scripted::start().await);
        idp.answers(Reply::json(
            200,
            &json!({ "access_token": "t", "token_type": "DPoP", "expires_in": 300 }),
        ));
        let client = idp.client().dpop(DpopKey::generate().unwrap());
        let http = calling(&layer(client, &api.base).replaying());
        let wanted = Reply {
            status,
            headers: Vec::new(),
            body: String::new(),
        };
        api.answers(
            wanted
                .with("www-authenticate", "DPoP error=\"use_dpop_nonce\"")
                .with("dpop-nonce", "n-1"),
        );
        for _ in 0..2 {
            assert_eq!(
                send(&http, post(&format!("{}/x?y=z", api.base)))
                    .await
                    .status(),
                200
            );
        }
        let proofs: Vec<_> = api
            .asked()
            .iter()
            .map(|asked| claims(&asked.headers["dpop"]))
            .collect();
        let nonces: Vec<_> = proofs
            .iter()
            .map(|proof| proof["nonce"].clone())
            .collect();
        assert_eq!(nonces, [json!(null), json!("n-1"), json!("n-1")]);
        assert_eq!(
            (&proofs[0]["htm"], &proofs[0]["htu"]),
            (&json!("POST"), &json!(format!("{}/x", api.base)))
        );
        assert_ne!(proofs[1]["jti"], proofs[2]["jti"]);
        assert_eq!(
            (
                authorization_headers(&api)[0].as_deref(),
                idp.count("/token")
            ),
            (Some("DPoP t"), 1)
        );
    }
}

fn claims(proof: &http::HeaderValue) -> serde_json::Value {
    let claims = proof
        .to_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap()
        .to_owned();
    serde_json::from_slice(&portcullis_core::jose::base64url::decode(&claims).unwrap()).unwrap()
}

#[tokio::test]
async fn the_middleware_does_the_same_and_redirects_lose_the_token() {
    let (idp, api, other) = (
        Scripted::start().await,
        Scripted::start().await,
        Scripted::start().await,
    );
    let source = TokenSource::client_credentials(idp.client()).build();
    let middleware = TokenMiddleware::new(source, [api.base.as_str()]).unwrap();
    let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
        .with(middleware)
        .build();
    api.answers(unauthorized());
    let response = http
        .post(format!("{}/x", api.base))
        .body("a=b")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (response.status().as_u16(), authorization_headers(&api)),
        (200, bearer(&["token-1", "token-2"]))
    );
    let elsewhere = Reply {
        status: 307,
        headers: Vec::new(),
        body: String::new(),
    };
    api.answers(elsewhere.with("location", &format!("{}/y", other.base)));
    http.get(format!("{}/x", api.base))
        .send()
        .await
        .unwrap();
    http.get(format!("{}/z", other.base))
        .send()
        .await
        .unwrap();
    assert_eq!(authorization_headers(&other), [None, None]);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let (idp, api) = (Scripted::start().await, Scripted::start().await);
    idp.answers(Reply::json(401, &json!({ "error": "invalid_client" })));
    let http = calling(&layer(idp.client(), &api.base).replaying());
    let error = http
        .clone()
        .oneshot(post(&format!("{}/x", api.base)))
        .await
        .unwrap_err();
    assert!(
        error
            .downcast_ref::<portcullis_client::Error>()
            .unwrap()
            .refusal()
            .is_some()
    );
    assert_eq!(api.count("/x"), 0);
}
