//! Which providers issue refresh tokens only to those who ask for them.

use super::{sign_in, sign_in_with, start};
use portcullis_idp::Dialect;

const OFFLINE: &str = "openid offline_access";

#[tokio::test]
async fn a_refresh_token_is_asked_for_as_the_provider_wants_it() {
    for (dialect, plain, offline) in [
        (Dialect::Generic, true, true),
        (Dialect::Keycloak, true, true),
        (Dialect::Cognito, true, true),
        (Dialect::Entra, false, true),
        (Dialect::EntraV1, false, true),
        (Dialect::Okta, false, true),
        (Dialect::Auth0, false, true),
        (Dialect::Zitadel, false, true),
        (Dialect::Authentik, false, true),
        (Dialect::Hydra, false, true),
        (Dialect::Google, false, false),
    ] {
        let idp = start(dialect).await;
        for (scope, expected) in [("openid", plain), (OFFLINE, offline)] {
            let tokens = sign_in(&idp, scope).await;
            let found = tokens.get("refresh_token").is_some();
            assert_eq!(found, expected, "{dialect}, {scope}: {tokens}");
        }
    }
    let google = start(Dialect::Google).await;
    let tokens = sign_in_with(&google, "openid", &[("access_type", "offline")]).await;
    assert!(tokens.get("refresh_token").is_some(), "{tokens}");
}
