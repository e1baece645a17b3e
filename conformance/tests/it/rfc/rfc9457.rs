//! RFC 9457: problem details.

use super::RfcSetup;

/// 3, 3.1: `application/problem+json` with type, title, status and detail; the status is that of
/// the answer
#[tokio::test]
async fn section_3_the_document() {
    let world = RfcSetup::new().await;
    for token in ["x".to_owned(), world.token().scope("y").sign()] {
        let answer = world.ask_with(&token).await;
        assert_eq!(
            answer.headers.get("content-type").unwrap(),
            "application/problem+json"
        );
        assert_eq!(answer.body["status"], answer.status);
        for member in ["type", "title", "detail", "code", "request_id"] {
            assert!(answer.body[member].is_string(), "{member}");
        }
    }
}
