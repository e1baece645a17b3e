//! RFC 8414: authorization server metadata.

use super::RfcSetup;
use portcullis_core::token::Issuer;
use portcullis_idp::{Endpoint, Fault};
use portcullis_resource_server::{Metadata, ResourceServer};

/// 2: an issuer is an https URL without query and fragment; http is for loopback
#[test]
fn section_2_issuers_are_https() {
    for text in [
        "http://idp.example",
        "https://idp.example/?a",
        "https://idp.example/#a",
        "https://",
    ] {
        assert!(ResourceServer::new(text, "api").is_err(), "{text}");
    }
}

/// 3.3: the document's `issuer` is identical to the one asked for, or the document is not used
#[tokio::test]
async fn section_3_3_the_issuer_is_identical() {
    let world = RfcSetup::new().await;
    assert!(Metadata::discover(world.idp.issuer()).await.is_ok());
    let slash = Issuer::parse(format!("{}/", world.idp.issuer())).unwrap();
    let error = Metadata::discover(&slash)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("another issuer"), "{error}");
}

/// 3.2: an answer that is no JSON object with the metadata is no metadata
#[tokio::test]
async fn section_3_2_other_answers_are_no_metadata() {
    let world = RfcSetup::new().await;
    for fault in [
        Fault::Html,
        Fault::Truncated,
        Fault::InternalError,
        Fault::Redirect,
        Fault::Huge,
    ] {
        world.idp.fail(Endpoint::Metadata, fault);
        assert!(
            Metadata::discover(world.idp.issuer()).await.is_err(),
            "{fault:?}"
        );
        assert_eq!(
            world
                .decide(&world.token().claim("n", fault.to_string()).sign())
                .await,
            "outage.metadata"
        );
    }
}
