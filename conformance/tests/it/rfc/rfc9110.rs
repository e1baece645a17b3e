//! RFC 9110: HTTP semantics.

use super::RfcSetup;
use portcullis_idp::Endpoint;

/// 11.6.1, 15.5.2: a 401 carries WWW-Authenticate
#[tokio::test]
async fn section_15_5_2_a_401_has_a_challenge() {
    let world = RfcSetup::new().await;
    for token in ["x".to_owned(), world.token().expire().sign()] {
        let answer = world.ask_with(&token).await;
        assert_eq!((answer.status, answer.challenge.is_empty()), (401, false));
    }
}

/// 15.6.4: a 503 says when to come back, and carries no challenge
#[tokio::test]
async fn section_15_6_4_a_503_has_retry_after() {
    let world = RfcSetup::new().await;
    world
        .idp
        .fail(Endpoint::Jwks, portcullis_idp::Fault::InternalError);
    let answer = world.ask_with(&world.token().sign()).await;
    assert_eq!((answer.status, answer.challenge.as_str()), (503, ""));
    assert!(
        answer
            .headers
            .get("retry-after")
            .unwrap()
            .to_str()
            .unwrap()
            .parse::<u32>()
            .unwrap()
            > 0
    );
}
