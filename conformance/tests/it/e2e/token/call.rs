//! `portcullis curl`: an API called with a token, and with the proof of its key.

use super::{Shell, claims};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::{HeaderMap, Method, StatusCode};
use portcullis_core::jose::base64url;
use portcullis_idp::{Idp, IdpConfig};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

type Calls = Arc<Mutex<Vec<(Method, HeaderMap, String)>>>;

/// An API that writes down how it is called, and wants a nonce in each proof.
async fn api() -> (String, Calls) {
    let calls = Calls::default();
    let answer = |State(calls): State<Calls>, method: Method, headers: HeaderMap, body: Bytes| async move {
        let proof = headers
            .get("dpop")
            .map(|proof| claims(proof.to_str().unwrap()));
        let wants_nonce = proof.is_some_and(|proof| proof["nonce"] != "n-1");
        calls
            .lock()
            .unwrap()
            .push((method, headers, String::from_utf8(body.to_vec()).unwrap()));
        match wants_nonce {
            true => (StatusCode::UNAUTHORIZED, [("dpop-nonce", "n-1")], "no").into_response(),
            false => (StatusCode::OK, [("x-said", "yes")], "welcome").into_response(),
        }
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let app = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&calls));
    tokio::spawn(async move { axum::serve(socket, app).await });
    (url, calls)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_is_called_with_a_token() {
    let (idp, (api, calls)) = (Idp::start(IdpConfig::default()).await.unwrap(), api().await);
    let shell = Shell::service(idp.issuer().as_str());
    let said = shell.run(&["curl", "-q", &format!("{api}/orders?page=2")]);
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (0, "welcome", "")
    );
    let posted = shell.run(&["curl", "-i", &api, "-d", "{\"sku\":42}", "-H", "x-more: 1"]);
    assert!(
        posted.out.contains("x-said: yes") && posted.out.ends_with("welcome"),
        "{}",
        posted.out
    );
    let calls = calls.lock().unwrap();
    let (method, headers, body) = &calls[1];
    assert_eq!((method, body.as_str()), (&Method::POST, "{\"sku\":42}"));
    assert_eq!(
        (&headers["content-type"], &headers["x-more"]),
        (&"application/json".parse().unwrap(), &"1".parse().unwrap())
    );
    let bearer = |call: usize| {
        calls[call].1["authorization"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert!(bearer(0).starts_with("Bearer ey"));
    assert_eq!(bearer(0), bearer(1), "the token was kept");
    let clear = shell.run(&["curl", "http://api.example/"]);
    assert_eq!(
        (clear.code, clear.err.contains("expected https")),
        (1, true),
        "{}",
        clear.err
    );
}

/// RFC 9449: the proof is for this call and this token, and holds the nonce that the API asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_bound_token_comes_with_its_proof() {
    let (idp, (api, calls)) = (Idp::start(IdpConfig::default()).await.unwrap(), api().await);
    let shell = Shell::service(idp.issuer().as_str());
    let said = shell.run(&["curl", "--dpop", &format!("{api}/orders?page=2")]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "welcome"),
        "{}",
        said.err
    );
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 2, "once without the nonce");
    let headers = &calls[1].1;
    let token = headers["authorization"]
        .to_str()
        .unwrap()
        .strip_prefix("DPoP ")
        .unwrap();
    let proof = claims(headers["dpop"].to_str().unwrap());
    assert_eq!(
        (&proof["htm"], &proof["htu"]),
        (&json!("GET"), &Value::from(format!("{api}/orders")))
    );
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    assert_eq!(proof["ath"], base64url::encode(hash.as_ref()));
    assert!(claims(token)["cnf"]["jkt"].is_string());
}
