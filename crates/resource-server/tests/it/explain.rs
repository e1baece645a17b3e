//! What `explain` says is what `decide` does.

use portcullis_idp::Endpoint;
use portcullis_testkit::ResourceServerSetup;

#[tokio::test]
async fn the_first_obstacle_is_the_refusal() {
    let world = ResourceServerSetup::new().await;
    let idp = &world.idp;
    let tokens = [
        idp.token("alice").sign(),
        idp.token("alice").expire().sign(),
        idp.token("alice").not_yet_valid().sign(),
        idp.token("alice").issuer("https://evil.example").sign(),
        idp.token("alice").audience("api://other").sign(),
        idp.token("alice").without("aud").sign(),
        idp.token("alice").typ(Some("secevent+jwt")).sign(),
        idp.token("alice").id_token().sign(),
        idp.token("alice").alg_none().sign(),
        idp.token("alice").hmac_with_public_key().sign(),
        idp.token("alice").header("alg", "PS256").sign(),
        idp.token("alice").kid("nope").sign(),
        idp.token("alice").wrong_key().await.sign(),
        idp.token("alice").signature_flipped().sign(),
        idp.token("alice").claim("exp", 1_900_000_000).sign(),
        idp.token("alice").claim("exp", "1800000600").sign(),
        idp.token("alice")
            .claim("cnf", serde_json::json!({ "jkt": "x" }))
            .sign(),
        idp.token("alice")
            .claim("cnf", serde_json::json!({ "other": "x" }))
            .sign(),
        "not.a.token".to_owned(),
        "opaque".to_owned(),
    ];
    let mut codes = Vec::new();
    for token in tokens {
        let explanation = world.server.explain(&token).await;
        let explained = explanation
            .first_obstacle()
            .map_or("allow", |step| step.code)
            .to_owned();
        assert_eq!(explained, world.decide(&token).await);
        codes.push(explained);
    }
    codes.dedup();
    assert_eq!(codes.len(), 16, "{codes:?}");
}

#[tokio::test]
async fn an_outage_is_told_as_one() {
    let world = ResourceServerSetup::new().await;
    world
        .idp
        .fail(Endpoint::Jwks, portcullis_idp::Fault::InternalError);
    let explanation = world.server.explain(&world.idp.token("alice").sign()).await;
    assert_eq!(
        explanation.first_obstacle().map(|step| step.code),
        Some("outage.keys")
    );
    assert!(!explanation.is_accepted());
}
