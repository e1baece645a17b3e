//! Conditions that the operator puts on an issuer's tokens.

use crate::world::{AUDIENCE, clock, decide, idp};
use portcullis_resource_server::{Config, ResourceServer, Settings};
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn the_configured_claims_are_demanded() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{AUDIENCE}\"]\n[issuer.claims]\nowner = [\"1\", \"2\"]\n\"deploy.protected\" = true\n",
        idp.issuer()
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>);
    let token = |owner, protected| {
        idp.token("alice").claim("owner", owner).claim("deploy", json!({ "protected": protected })).sign()
    };
    assert_eq!(decide(&server, &token(json!("2"), json!(true))).await, "allow");
    assert_eq!(decide(&server, &token(json!(["x", "1"]), json!(true))).await, "allow");
    for (owner, protected) in [
        (json!("3"), json!(true)),
        (json!(1), json!(true)),
        (json!("1"), json!("true")),
        (json!(null), json!(true)),
    ] {
        assert_eq!(decide(&server, &token(owner, protected)).await, "token.claim_value");
    }
    assert_eq!(decide(&server, &idp.token("alice").sign()).await, "token.claim_value");
}
