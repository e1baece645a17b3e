//! OpenID Connect: Core 1.0 and Discovery 1.0, where they bind a resource server.

use super::RfcSetup;
use portcullis_resource_server::Metadata;

/// Discovery, 4.3: `issuer` of the configuration is exactly the one that was used
#[tokio::test]
async fn discovery_4_3_the_issuer_is_exact() {
    let world = RfcSetup::new().await;
    let metadata = Metadata::discover(world.idp.issuer()).await.unwrap();
    assert_eq!(metadata.jwks_uri.as_str(), world.idp.jwks_uri());
    let slash = portcullis_core::token::Issuer::parse(format!("{}/", world.idp.issuer())).unwrap();
    assert!(Metadata::discover(&slash).await.is_err());
}

/// Core, 10.1.1: keys rotate; a new `kid` is looked for again, and a key that is published on stays
/// good
#[tokio::test]
async fn core_10_1_1_rotation_of_keys() {
    let world = RfcSetup::new().await;
    // Two of the old key: one is remembered, the other comes only after the rotation.
    let (known, late) = (
        world.token().sign(),
        world.token().claim("jti", "late").sign(),
    );
    assert_eq!(world.decide(&known).await, "allow");
    world.idp.rotate(portcullis_idp::Overlap::With).await;
    assert_eq!(world.decide(&world.token().sign()).await, "allow");
    assert_eq!(
        (world.decide(&known).await, world.decide(&late).await),
        ("allow".to_owned(), "allow".to_owned())
    );
    // One that is published no more is not, as soon as the key set has been fetched again.
    world
        .idp
        .rotate(portcullis_idp::Overlap::Without)
        .await;
    assert_eq!(world.decide(&world.token().sign()).await, "allow");
    assert_eq!(world.decide(&known).await, "token.key_unknown");
}

/// Core, 2: an ID token is for the client; as an access token it is refused
#[tokio::test]
async fn core_2_id_tokens_are_for_clients() {
    let world = RfcSetup::with("RS256", "generic").await;
    assert_eq!(
        world.decide(&world.token().id_token().sign()).await,
        "token.id_token"
    );
}
