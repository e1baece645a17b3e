//! The signed assertion: what it says, by whose key, and that no client can say it.

use crate::client::{Client, ClientResponse, get};
use crate::setup::TestSetup;
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
        KeyPair::generate_for(algorithm)
            .unwrap()
            .serialize_pem(),
    )
    .unwrap();
    file
}

fn part(assertion: &str, index: usize) -> Value {
    serde_json::from_slice(&base64url::decode(assertion.split('.').nth(index).unwrap()).unwrap())
        .unwrap()
}

/// What the upstream got of a request with this token and these headers of the client's own.
async fn assertion(
    setup: &TestSetup,
    path: &str,
    token: Option<&str>,
    forged: &[&str],
) -> Vec<String> {
    let mut request = get(path, token);
    for name in forged {
        let name = http::HeaderName::try_from(*name).unwrap();
        request
            .headers_mut()
            .append(name, http::HeaderValue::from_static("forged"));
    }
    assert_eq!(setup.client().send(request).await.status, 200, "{path}");
    let saw = setup.upstream.take_requests().pop().unwrap();
    // `_` is taken for `-`, as servers do.
    let spellings = [
        "portcullis-assertion",
        "portcullis.assertion",
        "x-auth-subject",
    ];
    spellings
        .iter()
        .flat_map(|name| saw.values(name))
        .collect()
}

async fn fetch_keys(setup: &TestSetup) -> ClientResponse {
    Client::new(setup.admin.unwrap()).get(KEYS, None).await
}

/// Verifies an assertion like a server behind the gateway: `fine`, or the code.
async fn judge(setup: &TestSetup, assertion: &str, audience: &str) -> String {
    let text = format!(
        "[[issuer]]\nurl = \"https://gw.example\"\naudience = [\"{audience}\"]\nprofile = \"portcullis\"\n"
    );
    let keys = Jwks::parse(&fetch_keys(setup).await.body, &Limits::default()).unwrap();
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let settings = settings.with_fixed_keys_of("https://gw.example", &keys);
    let server = ResourceServer::with_clock(settings, Arc::<TestClock>::clone(&setup.clock));
    let token = portcullis_core::credential::Credential::bearer(assertion);
    match server.authenticate(token).await {
        Ok(_) => "fine".to_owned(),
        Err(denial) => denial.code().to_owned(),
    }
}

#[tokio::test]
async fn it_says_who_calls() {
    let setup = TestSetup::new(&settings("")).await;
    let token = setup
        .idp
        .token("alice")
        .scope("orders:read orders:write")
        .acr("mfa");
    let token = token
        .auth_time(NOW as u64 - 60)
        .claim("act", json!({ "sub": "agent" }))
        .sign();
    let told = assertion(&setup, "/x", Some(&token), &[]).await;
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
    assert_eq!(judge(&setup, told, "https://orders.internal").await, "fine");
    assert_eq!(
        judge(&setup, told, "https://billing.internal").await,
        "token.audience"
    );
    let other = assertion(&setup, "/billing", Some(&token), &[]).await;
    assert_eq!(
        judge(&setup, &other[0], "https://billing.internal").await,
        "fine"
    );
    assert_ne!(part(told, 1)["jti"], part(&other[0], 1)["jti"]);
}

/// Neither is ever taken for the other: an assertion is no access token, nor is an access token an
/// assertion.
#[tokio::test]
async fn it_can_be_mistaken_for_nothing_else() {
    let setup = TestSetup::new(&settings("")).await;
    let told = assertion(&setup, "/x", Some(&setup.token()), &[])
        .await
        .remove(0);
    let answer = setup.client().get("/x", Some(&told)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "token.issuer")
    );
    let like = setup
        .idp
        .token("bob")
        .issuer("https://gw.example")
        .audience("https://orders.internal")
        .sign();
    assert_eq!(
        judge(&setup, &like, "https://orders.internal").await,
        "token.type"
    );
}

#[tokio::test]
async fn no_client_can_say_it() {
    let setup = TestSetup::new(&settings("")).await;
    let forged = [
        "portcullis-assertion",
        "portcullis_assertion",
        "portcullis.assertion",
        "x-auth-subject",
    ];
    assert!(
        assertion(&setup, "/public", None, &forged)
            .await
            .is_empty()
    );
    assert!(
        assertion(&setup, "/public", Some(&setup.token()), &forged)
            .await
            .is_empty()
    );
    assert!(
        assertion(&setup, "/optional", None, &forged)
            .await
            .is_empty()
    );
    for path in ["/x", "/optional"] {
        let told = assertion(&setup, path, Some(&setup.token()), &forged).await;
        assert_eq!(told.len(), 1, "{path}");
        assert_eq!(
            judge(&setup, &told[0], "https://orders.internal").await,
            "fine"
        );
    }
}

#[tokio::test]
async fn it_ends_soon_and_never_after_the_token() {
    let setup = TestSetup::new(&settings("lifetime = 120\n")).await;
    let told = async |exp: i64| {
        let token = setup.idp.token("bob").claim("exp", exp).sign();
        part(&assertion(&setup, "/x", Some(&token), &[]).await[0], 1)["exp"]
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
    let setup = TestSetup::new(&settings("")).await;
    let answer = fetch_keys(&setup).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    let set: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(set["keys"][0].get("d").is_none() && set["keys"][0]["kty"] == "EC");
    // Not on the front, where the path is a route's like any other.
    assert_eq!(setup.client().get(KEYS, None).await.status, 401);
    let open = TestSetup::new(&settings("publish = true\n")).await;
    let front = open.client().get(KEYS, None).await;
    assert_eq!(
        (front.status, &front.body),
        (200, &fetch_keys(&open).await.body)
    );
    assert!(open.upstream.take_requests().is_empty());
    let none = TestSetup::new("admin = { listen = \"127.0.0.1:0\" }\n").await;
    assert_eq!(fetch_keys(&none).await.status, 404);
}

/// A key is published before it signs, and after: whoever knows the set of either time can verify.
#[tokio::test]
async fn keys_are_exchanged_by_a_reload() {
    let (old, new) = (
        key_file("old", &PKCS_ECDSA_P256_SHA256),
        key_file("new", &PKCS_ED25519),
    );
    let keys = |files: &[&PathBuf]| settings(&format!("keys = {files:?}\n"));
    let setup = TestSetup::new(&keys(&[&old])).await;
    let token = setup.token();
    let kids = async || {
        let set: Value = serde_json::from_slice(&fetch_keys(&setup).await.body).unwrap();
        let told = assertion(&setup, "/x", Some(&token), &[])
            .await
            .remove(0);
        assert_eq!(
            judge(&setup, &told, "https://orders.internal").await,
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
    setup
        .handle
        .reload(setup.settings(&keys(&[&old, &new])))
        .await
        .unwrap();
    let (signer, all) = kids().await;
    assert!(signer == first && all.len() == 2);
    setup
        .handle
        .reload(setup.settings(&keys(&[&new, &old])))
        .await
        .unwrap();
    let (signer, all) = kids().await;
    assert!(signer == all[0] && all[1] == first);
}

/// Upstreams have remembered it.
#[tokio::test]
async fn a_key_that_was_made_at_the_start_stays_through_reloads() {
    let setup = TestSetup::new(&settings("")).await;
    let before = fetch_keys(&setup).await.body;
    setup
        .handle
        .reload(setup.settings(&settings("lifetime = 30\n")))
        .await
        .unwrap();
    assert_eq!(fetch_keys(&setup).await.body, before);
}

/// What the settings no longer name must not go on signing.
#[tokio::test]
async fn a_key_of_a_file_ends_with_its_setting() {
    let file = key_file("named-once", &PKCS_ED25519);
    let named = settings(&format!("keys = [{file:?}]\n"));
    let setup = TestSetup::new(&named).await;
    let before = fetch_keys(&setup).await.body;
    let unnamed = setup.settings(&settings(""));
    setup.handle.reload(unnamed).await.unwrap();
    assert_ne!(fetch_keys(&setup).await.body, before);
}

/// Tools write a text before a key, but nothing that fills the memory.
#[test]
fn a_file_of_a_key_has_a_size() {
    let file = key_file("with-text", &PKCS_ED25519);
    let key = std::fs::read_to_string(&file).unwrap();
    for (before, is_read) in [(15 * 1_024, true), (16 * 1_024, false)] {
        std::fs::write(&file, format!("{}\n{key}", "x".repeat(before))).unwrap();
        let text = format!(
            "[[issuer]]\nurl = \"https://a.example\"\naudience = \"a\"\n\
             [gateway]\nupstream = \"http://127.0.0.1:1\"\n{}",
            settings(&format!("keys = [{file:?}]\n"))
        );
        let config = GatewayConfig::from_toml(&text);
        let read = config.and_then(GatewaySettings::try_from);
        assert_eq!(read.is_ok(), is_read, "{:?}", read.err());
    }
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
