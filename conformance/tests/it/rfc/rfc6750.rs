//! RFC 6750: bearer token usage.

use super::RfcSetup;

/// 2: a client uses one method per request; two are refused with 400 `invalid_request`
#[tokio::test]
async fn section_2_one_method_per_request() {
    let world = RfcSetup::new().await;
    let token = format!("Bearer {}", world.token().sign());
    let twice = world
        .ask(
            "/",
            &[("authorization", &token), ("authorization", &token)],
            "",
        )
        .await;
    let in_query = world
        .ask("/?access_token=x", &[("authorization", &token)], "")
        .await;
    for answer in [twice, in_query] {
        assert_eq!(answer.status, 400);
        assert!(answer.challenge.contains("error=\"invalid_request\""));
    }
}

/// 2.1: the Authorization header is supported; the scheme compares without case
#[tokio::test]
async fn section_2_1_the_header_is_supported() {
    let world = RfcSetup::new().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let value = format!("{scheme} {}", world.token().sign());
        assert_eq!(
            world
                .ask("/", &[("authorization", &value)], "")
                .await
                .status,
            200
        );
    }
}

/// 2.2: a token in the body counts for nothing
#[tokio::test]
async fn section_2_2_no_token_in_the_body() {
    let world = RfcSetup::new().await;
    let body = format!("access_token={}", world.token().sign());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(world.ask("/", &form, &body).await.status, 401);
}

/// 2.3: a token in the query counts for nothing
#[tokio::test]
async fn section_2_3_no_token_in_the_query() {
    let world = RfcSetup::new().await;
    let uri = format!("/?access_token={}", world.token().sign());
    assert_eq!(world.ask(&uri, &[], "").await.status, 401);
}

/// 3: the challenge has the scheme `Bearer` and one or more parameters, each once
#[tokio::test]
async fn section_3_the_challenge_has_parameters_once() {
    let world = RfcSetup::new().await;
    for token in ["", "garbage", &world.token().scope("x").sign()] {
        let challenge = world.ask_with(token).await.challenge;
        assert!(challenge.starts_with("Bearer realm=\""), "{challenge}");
        for parameter in ["realm=", "error=", "error_description=", "scope="] {
            assert!(
                challenge.matches(&format!(" {parameter}")).count() <= 1,
                "{challenge}"
            );
        }
    }
}

/// 3: `error_description` and `scope` hold only the characters that are allowed there
#[tokio::test]
async fn section_3_only_allowed_characters() {
    let world = RfcSetup::new().await;
    for token in [
        "g\u{e9}".to_owned(),
        world.token().scope("x").sign(),
        world.token().audience("\"\\").sign(),
    ] {
        let challenge = world.ask_with(&token).await.challenge;
        for value in challenge.split('"').skip(1).step_by(2) {
            assert!(
                value
                    .bytes()
                    .all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                "{value}"
            );
        }
    }
}

/// 3.1: a request without any credential gets no error code
#[tokio::test]
async fn section_3_1_no_error_without_a_credential() {
    let world = RfcSetup::new().await;
    let answer = world.ask("/", &[], "").await;
    assert_eq!(
        (answer.status, answer.challenge.as_str()),
        (401, "Bearer realm=\"api\"")
    );
    let basic = world
        .ask("/", &[("authorization", "Basic dTpw")], "")
        .await;
    assert_eq!(
        (basic.status, basic.challenge.as_str()),
        (401, "Bearer realm=\"api\"")
    );
}

/// 3.1: a malformed request gets 400 `invalid_request`
#[tokio::test]
async fn section_3_1_invalid_request() {
    let world = RfcSetup::new().await;
    let answer = world
        .ask("/", &[("authorization", "Bearer")], "")
        .await;
    assert_eq!(answer.status, 400);
    assert!(answer.challenge.contains("error=\"invalid_request\""));
}

/// 3.1: an expired, revoked, malformed or otherwise invalid token gets 401 `invalid_token`
#[tokio::test]
async fn section_3_1_invalid_token() {
    let world = RfcSetup::new().await;
    for token in [
        "garbage".to_owned(),
        world.token().expire().sign(),
        world.token().signature_flipped().sign(),
    ] {
        let answer = world.ask_with(&token).await;
        assert_eq!(answer.status, 401);
        assert!(answer.challenge.contains("error=\"invalid_token\""));
    }
}

/// 3.1: a token without the scope gets 403 `insufficient_scope`, and the scope is named
#[tokio::test]
async fn section_3_1_insufficient_scope() {
    let world = RfcSetup::new().await;
    let answer = world
        .ask_with(&world.token().scope("orders:write").sign())
        .await;
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .challenge
            .contains("error=\"insufficient_scope\"")
            && answer.challenge.contains("scope=\"orders:read\"")
    );
}
