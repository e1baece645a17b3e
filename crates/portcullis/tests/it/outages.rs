//! The answer of every outage that there is, also of those to come.

use crate::world;
use bytes::Bytes;
use http::{HeaderMap, Response};
use portcullis::{DenialResponse, Outage};
use portcullis_core::OutageCode;
use std::time::Duration;

#[tokio::test]
async fn every_outage_is_503_without_a_challenge_and_tells_no_facts() {
    let (_idp, server) = world().await;
    for code in OutageCode::ALL {
        let outage = Outage::new(*code, "SECRET", Duration::from_secs(7));
        let refused = DenialResponse::new(outage.into(), &server, &HeaderMap::new());
        let response: Response<Bytes> = refused.into_response();
        let header = |name| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(response.status(), 503, "{code}");
        assert_eq!(
            (header("www-authenticate"), header("retry-after")),
            (None, Some("7")),
            "{code}"
        );
        let whole = format!("{:?}{:?}", response.headers(), response.body());
        assert!(
            !whole.contains("SECRET") && whole.contains(code.as_str()),
            "{whole}"
        );
    }
}
