//! The signed assertion: what it says, by whose key, and that no client can say it.

use crate::client::{Answer, Client, get};
use crate::world::World;
use portcullis_core::Limits;
use portcullis_core::jose::{Jwks, base64url};
use portcullis_gateway::{Config as GatewayConfig, Settings as GatewaySettings};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

const KEYS: &str = "/.well-known/portcullis/jwks.json";
const NOW: i64 = 1_800_000_000;

/// A gateway that signs, with more members of the assertion's table.
fn settings(more: &str) -> String {
    format!(
        "admin = {{ listen = \"127.0.0.1:0\" }}\n[gateway.identity.assertion]\nissuer = \"https://gw.example\"\n\
         audience = \"https://orders.internal\"\n{more}[[route]]\npath = \"/public\"\naccess = \"public\"\n\
         [[route]]\npath = \"/optional\"\naccess = \"optional\"\n\
         [[route]]\npath = \"/billing\"\nassertion_audience = \"https://billing.internal\"\n"
    )
}

/// A file with a new private key.
fn key_file(name: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> PathBuf {
    let file = std::env::temp_dir().join(format!(
        "portcullis-assertion-{name}-{}.pem",
        std::process::id()
    ));
    std::fs::write(
        &file,
        KeyPair::generate_for(algorithm).unwrap().serialize_pem(),
    )
    .unwrap();
    file
}

fn part(assertion: &str, index: usize) -> Value {
    serde_json::from_slice(&base64url::decode(assertion.split('.').nth(index).unwrap()).unwrap())
        .unwrap()
}

/// What the upstream got of a request with this token and these headers of the client's own.
async fn assertion(world: &World, path: &str, token: Option<&str>, forged: &[&str]) -> Vec<String> {
    let mut request = get(path, token);
    for name in forged {
        let name = http::HeaderName::try_from(*name).unwrap();
        request
            .headers_mut()
            .append(name, http::HeaderValue::from_static("forged"));
    }
    assert_eq!(world.client().send(request).await.status, 200, "{path}");
    let saw = world.upstream.saw().pop().unwrap();
    // `_` is taken for `-`, as servers do.
    let spellings = [
        "portcullis-assertion",
        "portcullis.assertion",
        "x-auth-subject",
    ];
    spellings.iter().flat_map(|name| saw.values(name)).collect()
}

async fn published(world: &World) -> Answer {
    Client::new(world.admin.unwrap()).get(KEYS, None).await
}

/// What a server behind the gateway makes of an assertion: `fine`, or the code.
async fn judged(world: &World, assertion: &str, audience: &str) -> String {
    let text = format!(
        "[[issuer]]\nurl = \"https://gw.example\"\naudience = [\"{audience}\"]\nprofile = \"portcullis\"\n"
    );
    let keys = Jwks::parse(&published(world).await.body, &Limits::default()).unwrap();
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let settings = settings.with_fixed_keys_of("https://gw.example", &keys);
    let server = ResourceServer::with_clock(settings, Arc::<TestClock>::clone(&world.clock));
    let token = portcullis_core::credential::Credential::bearer(assertion);
    match server.authenticate(token).await {
        Ok(_) => "fine".to_owned(),
        Err(denial) => denial.code().to_owned(),
    }
}

#[tokio::test]
async fn it_says_who_calls() {
    let world = World::new(&settings("")).await;
    let token = world
        .idp
        .token("alice")
        .scope("orders:read orders:write")
        .acr("mfa");
    let token = token
        .auth_time(NOW as u64 - 60)
        .claim("act", json!({ "sub": "agent" }))
        .sign();
    let told = assertion(&world, "/x", Some(&token), &[]).await;
    let [told] = &*told else {
        panic!("one assertion and no plain header: {told:?}")
    };
    assert_eq!(part(told, 0)["typ"], "portcullis-assertion+jwt");
    let caller = part(&token, 1);
    let mut claims = part(told, 1);
    assert!(claims["jti"].as_str().unwrap().len() >= 20);
    claims.as_object_mut().unwrap().remove("jti");
    let expected = json!({
        "iss": "https://gw.example", "aud": "https://orders.internal", "iat": NOW, "exp": NOW + 60,
        "sub": caller["sub"], "client_id": caller["client_id"], "kind": "user",
        "token_issuer": caller["iss"], "scope": "orders:read orders:write", "roles": ["Admin"],
        "groups": [], "acr": "mfa", "auth_time": NOW - 60, "act": { "sub": "agent" },
    });
    assert_eq!(claims, expected);
    assert_eq!(
        judged(&world, told, "https://orders.internal").await,
        "fine"
    );
    assert_eq!(
        judged(&world, told, "https://billing.internal").await,
        "token.audience"
    );
    let other = assertion(&world, "/billing", Some(&token), &[]).await;
    assert_eq!(
        judged(&world, &other[0], "https://billing.internal").await,
        "fine"
    );
    assert_ne!(part(told, 1)["jti"], part(&other[0], 1)["jti"]);
}

/// Neither is ever taken for the other: an assertion is no access token, nor is an access token an
/// assertion.
#[tokio::test]
async fn it_can_be_mistaken_for_nothing_else() {
    let world = World::new(&settings("")).await;
    let told = assertion(&world, "/x", Some(&world.token()), &[])
        .await
        .remove(0);
    let answer = world.client().get("/x", Some(&told)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "token.issuer")
    );
    let like = world
        .idp
        .token("bob")
        .issuer("https://gw.example")
        .audience("https://orders.internal")
        .sign();
    assert_eq!(
        judged(&world, &like, "https://orders.internal").await,
        "token.type"
    );
}

#[tokio::test]
async fn no_client_can_say_it() {
    let world = World::new(&settings("")).await;
    let forged = [
        "portcullis-assertion",
        "portcullis_assertion",
        "portcullis.assertion",
        "x-auth-subject",
    ];
    assert!(assertion(&world, "/public", None, &forged).await.is_empty());
    assert!(
        assertion(&world, "/public", Some(&world.token()), &forged)
            .await
            .is_empty()
    );
    assert!(
        assertion(&world, "/optional", None, &forged)
            .await
            .is_empty()
    );
    for path in ["/x", "/optional"] {
        let told = assertion(&world, path, Some(&world.token()), &forged).await;
        assert_eq!(told.len(), 1, "{path}");
        assert_eq!(
            judged(&world, &told[0], "https://orders.internal").await,
            "fine"
        );
    }
}

#[tokio::test]
async fn it_ends_soon_and_never_after_the_token() {
    let world = World::new(&settings("lifetime = 120\n")).await;
    let told = async |exp: i64| {
        let token = world.idp.token("bob").claim("exp", exp).sign();
        part(&assertion(&world, "/x", Some(&token), &[]).await[0], 1)["exp"]
            .as_i64()
            .unwrap()
            - NOW
    };
    assert_eq!(told(NOW + 3_600).await, 120);
    // The leeway is that of the token: 60 s.
    assert_eq!(told(NOW + 10).await, 70);
    assert_eq!(told(NOW - 10).await, 50);
}

#[tokio::test]
async fn keys_are_published_where_the_settings_say() {
    let world = World::new(&settings("")).await;
    let answer = published(&world).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    let set: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(set["keys"][0].get("d").is_none() && set["keys"][0]["kty"] == "EC");
    // Not on the front, where the path is a route's like any other.
    assert_eq!(world.client().get(KEYS, None).await.status, 401);
    let open = World::new(&settings("publish = true\n")).await;
    let front = open.client().get(KEYS, None).await;
    assert_eq!(
        (front.status, &front.body),
        (200, &published(&open).await.body)
    );
    assert!(open.upstream.saw().is_empty());
    let none = World::new("admin = { listen = \"127.0.0.1:0\" }\n").await;
    assert_eq!(published(&none).await.status, 404);
}

/// A key is published before it signs, and after: whoever knows the set of either time can verify.
#[tokio::test]
async fn keys_are_exchanged_by_a_reload() {
    let (old, new) = (
        key_file("old", &PKCS_ECDSA_P256_SHA256),
        key_file("new", &PKCS_ED25519),
    );
    let keys = |files: &[&PathBuf]| settings(&format!("keys = {files:?}\n"));
    let world = World::new(&keys(&[&old])).await;
    let token = world.token();
    let kids = async || {
        let set: Value = serde_json::from_slice(&published(&world).await.body).unwrap();
        let told = assertion(&world, "/x", Some(&token), &[]).await.remove(0);
        assert_eq!(
            judged(&world, &told, "https://orders.internal").await,
            "fine"
        );
        let all = set["keys"].as_array().unwrap().iter();
        let all: Vec<String> = all
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect();
        (part(&told, 0)["kid"].as_str().unwrap().to_owned(), all)
    };
    let (first, all) = kids().await;
    assert_eq!(all, [first.as_str()]);
    world
        .handle
        .reload(world.settings(&keys(&[&old, &new])))
        .await
        .unwrap();
    let (signer, all) = kids().await;
    assert!(signer == first && all.len() == 2);
    world
        .handle
        .reload(world.settings(&keys(&[&new, &old])))
        .await
        .unwrap();
    let (signer, all) = kids().await;
    assert!(signer == all[0] && all[1] == first);
}

/// Upstreams have remembered it.
#[tokio::test]
async fn a_key_that_was_made_at_the_start_stays_through_reloads() {
    let world = World::new(&settings("")).await;
    let before = published(&world).await.body;
    world
        .handle
        .reload(world.settings(&settings("lifetime = 30\n")))
        .await
        .unwrap();
    assert_eq!(published(&world).await.body, before);
}

#[test]
fn all_faults_are_found_at_once() {
    let text = "[[issuer]]\nurl = \"https://a.example\"\naudience = \"a\"\n[gateway]\nupstream = \"http://a\"\n\
                [gateway.identity.assertion]\nissuer = \"a b\"\naudience = \"\"\nheader = \"host\"\nlifetime = 301\n\
                keys = [\"/nowhere/key.pem\"]\n[[route]]\npath = \"/\"\nassertion_audience = \"a b\"\n";
    let errors = GatewaySettings::try_from(GatewayConfig::from_toml(text).unwrap()).unwrap_err();
    let places: Vec<String> = errors
        .iter()
        .map(|error| error.place().to_owned())
        .collect();
    for member in ["issuer", "audience", "header", "lifetime", "keys[0]"] {
        let place = format!("gateway.identity.assertion.{member}");
        assert!(places.contains(&place), "{place}: {places:?}");
    }
    assert!(
        places.contains(&"route[0].assertion_audience".to_owned()),
        "{places:?}"
    );
    let text = text.replace("[gateway.identity.assertion]\n", "[gateway.identity]\n");
    assert!(
        GatewayConfig::from_toml(&text).is_err(),
        "its members are its own"
    );
}
