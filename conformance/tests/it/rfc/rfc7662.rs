//! RFC 7662: token introspection, as far as it binds a protected resource.

use super::{NOW, asking};
use portcullis_core::credential::Credential;
use portcullis_core::rejection::Code;
use portcullis_resource_server::{Config, Settings};
use portcullis_testkit::{Answer, AnsweringServer};
use serde_json::{Value, json};
use std::time::Duration;

const AUDIENCE: &str = "api://enterprise-api";

/// What becomes of a token about which this is answered.
async fn judged(answer: Value) -> String {
    let endpoint = AnsweringServer::start(&answer.to_string()).await;
    asking(&endpoint.url, "").decide("opaque").await
}

/// 2.1: the request is a POST of a form, with the parameter `token` and, as a hint, its type
#[tokio::test]
async fn section_2_1_the_request_is_a_form() {
    let endpoint = AnsweringServer::start(r#"{"active":false}"#).await;
    asking(&endpoint.url, "").decide("a~b+c").await;
    let request = endpoint.requests().remove(0);
    assert_eq!(
        request.headers.get("content-type").unwrap(),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(request.body, "token=a%7Eb%2Bc&token_type_hint=access_token");
}

/// 2.1: the protected resource authorizes itself to the endpoint
#[tokio::test]
async fn section_2_1_the_client_proves_itself() {
    let endpoint = AnsweringServer::start(r#"{"active":false}"#).await;
    asking(&endpoint.url, "").decide("opaque").await;
    let request = endpoint.requests().remove(0);
    assert_eq!(
        request.headers.get("authorization").unwrap(),
        "Basic c2VydmljZTpzZXJ2aWNlLXNlY3JldA=="
    );
}

/// 2, 4: the endpoint is protected by TLS
#[test]
fn section_4_the_endpoint_is_reached_over_tls() {
    let text = "[[issuer]]\nurl = \"https://a.example\"\naudience = [\"a\"]\n[issuer.introspection]\nauth = \"none\"\nendpoint = \"http://a.example/\"\n";
    let errors = Settings::try_from(Config::from_toml(text).unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        errors.contains("introspection.endpoint") && errors.contains("https"),
        "{errors}"
    );
}

/// 2.2: `active` is a boolean, and a token is active only if it is true
#[tokio::test]
async fn section_2_2_active_is_a_boolean() {
    assert_eq!(
        judged(json!({ "active": true, "aud": AUDIENCE })).await,
        "allow"
    );
    for active in [
        json!(false),
        json!("true"),
        json!(1),
        json!([true]),
        json!(null),
    ] {
        assert_eq!(
            judged(json!({ "active": active, "aud": AUDIENCE })).await,
            "token.inactive"
        );
    }
    assert_eq!(judged(json!({ "aud": AUDIENCE })).await, "token.inactive");
}

/// 2.2: the answer is a JSON object in `application/json`
#[tokio::test]
async fn section_2_2_the_answer_is_a_json_object() {
    let endpoint = AnsweringServer::start("").await;
    let world = asking(&endpoint.url, "");
    let body = json!({ "active": true, "aud": AUDIENCE }).to_string();
    for (content_type, body) in [
        ("text/html", body.as_str()),
        ("application/json", "[]"),
        ("application/json", "{"),
        ("application/json", ""),
    ] {
        let headers = vec![("content-type", content_type.to_owned())];
        endpoint.answer(Answer {
            headers,
            ..Answer::json(body)
        });
        assert_eq!(
            world.decide("opaque").await,
            "outage.introspection",
            "{content_type} {body}"
        );
    }
}

/// 2.2: `exp`, `nbf`, `iat`, `iss` and `aud` mean what they mean in a JWT, and are checked
#[tokio::test]
async fn section_2_2_the_claims_are_checked() {
    for (name, value, expected) in [
        ("exp", json!(NOW - 61), "token.expired"),
        ("nbf", json!(NOW + 61), "token.not_yet_valid"),
        ("iat", json!(NOW + 61), "token.not_yet_valid"),
        ("iss", json!("https://other.example"), "token.issuer"),
        ("aud", json!("api://other"), "token.audience"),
        ("exp", json!("soon"), "token.claim_type"),
    ] {
        let mut answer = json!({ "active": true, "aud": AUDIENCE });
        answer[name] = value;
        assert_eq!(judged(answer).await, expected, "{name}");
    }
}

/// 2.2: `scope` is a string of scopes with spaces between
#[tokio::test]
async fn section_2_2_scopes() {
    let answer = json!({ "active": true, "aud": AUDIENCE, "scope": "orders:read orders:write" });
    let endpoint = AnsweringServer::start(&answer.to_string()).await;
    let world = asking(&endpoint.url, "");
    let token = world
        .server
        .authenticate(Credential::bearer("opaque"))
        .await
        .unwrap();
    assert!(
        token.has_scope("orders:read")
            && token.has_scope("orders:write")
            && !token.has_scope("orders")
    );
}

/// 2.2: `token_type` tells what kind of token it is: a refresh token is not for a resource
#[tokio::test]
async fn section_2_2_the_type_of_the_token() {
    assert_eq!(
        judged(json!({ "active": true, "aud": AUDIENCE, "token_type": "Bearer" })).await,
        "allow"
    );
    assert_eq!(
        judged(json!({ "active": true, "aud": AUDIENCE, "token_type": "refresh_token" })).await,
        "token.type"
    );
}

/// 2.3: that the endpoint refuses the client (401) says nothing about the token
#[tokio::test]
async fn section_2_3_a_refused_client_is_no_refused_token() {
    let endpoint = AnsweringServer::start("").await;
    let world = asking(&endpoint.url, "");
    endpoint.answer(Answer {
        status: 401,
        ..Answer::json(r#"{"error":"invalid_client"}"#)
    });
    assert_eq!(world.decide("opaque").await, "outage.introspection");
    endpoint.answer(Answer::json(
        &json!({ "active": true, "aud": AUDIENCE }).to_string(),
    ));
    assert_eq!(
        world.decide("opaque").await,
        "allow",
        "nothing was remembered"
    );
}

/// 2.2, RFC 6750, 3.1: a token that is not active gets 401 `invalid_token`, and no more is told
#[tokio::test]
async fn section_2_2_an_inactive_token_is_an_invalid_one() {
    assert_eq!(judged(json!({ "active": false })).await, "token.inactive");
    let entry = Code::TokenInactive.entry();
    assert_eq!((entry.status, entry.error), (401, Some("invalid_token")));
}

/// 4: an answer is not used beyond its `exp`, and otherwise for a short time only
#[tokio::test]
async fn section_4_answers_are_not_cached_beyond_their_end() {
    let answer = json!({ "active": true, "aud": AUDIENCE, "exp": NOW + 10 });
    let endpoint = AnsweringServer::start(&answer.to_string()).await;
    let world = asking(&endpoint.url, "");
    for (second, asked) in [(0, 1), (9, 1), (1, 2)] {
        world.clock.advance(Duration::from_secs(second));
        world.decide("opaque").await;
        assert_eq!(endpoint.requests().len(), asked);
    }
}

/// 4: answers are kept apart: what is said about one token counts for no other
#[tokio::test]
async fn section_4_answers_are_kept_apart() {
    let endpoint =
        AnsweringServer::start(&json!({ "active": true, "aud": AUDIENCE }).to_string()).await;
    let world = asking(&endpoint.url, "");
    assert_eq!(world.decide("opaque").await, "allow");
    endpoint.answer(Answer::json(r#"{"active":false}"#));
    assert_eq!(world.decide("Opaque").await, "token.inactive");
    assert_eq!(world.decide("opaque").await, "allow");
}
