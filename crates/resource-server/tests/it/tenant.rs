//! One tenant of a provider that serves many.

use crate::world::{AUDIENCE, clock, decide, idp};
use portcullis_resource_server::{Config, ResourceServer, Settings};
use std::sync::Arc;

#[tokio::test]
async fn only_the_configured_tenant_gets_in() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let text =
        format!("[[issuer]]\nurl = \"{}\"\naudience = [\"{AUDIENCE}\"]\ntenant = \"t-1\"\n", idp.issuer());
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>);
    assert_eq!(decide(&server, &idp.token("alice").claim("tid", "t-1").sign()).await, "allow");
    for tenant in
        [serde_json::json!("t-2"), serde_json::json!(""), serde_json::json!(["t-1"]), serde_json::json!(null)]
    {
        assert_eq!(decide(&server, &idp.token("alice").claim("tid", tenant).sign()).await, "token.tenant");
    }
    assert_eq!(decide(&server, &idp.token("alice").sign()).await, "token.tenant");
}
