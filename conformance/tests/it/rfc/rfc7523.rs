//! RFC 7523: a JWT by which a client proves itself, as far as it binds the client.

use super::{NOW, asking};
use portcullis_core::jose::base64url;
use portcullis_testkit::{AnsweringServer, Request};
use serde_json::Value;
use std::collections::BTreeMap;

/// An Ed25519 key of RFC 8410, section 10.3, which everybody knows.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

async fn requests() -> Vec<Request> {
    let endpoint = AnsweringServer::start(r#"{"active":false}"#).await;
    // Of the endpoint's own name: the tests run side by side.
    let name = format!(
        "portcullis-{}.pem",
        endpoint.url.rsplit(':').next().unwrap()
    );
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, KEY).unwrap();
    let more = format!(
        "auth = \"private_key_jwt\"\nprivate_key_file = \"{}\"",
        file.display()
    );
    let world = asking(&endpoint.url, &more);
    std::fs::remove_file(&file).unwrap(); // it is read at the start, and never again
    for token in ["one", "two"] {
        assert_eq!(world.decide(token).await, "token.inactive");
    }
    endpoint.requests()
}

fn form(request: &Request) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect()
}

fn claims(request: &Request) -> Value {
    let assertion = form(request).remove("client_assertion").unwrap();
    let segment = assertion.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64url::decode(segment).unwrap()).unwrap()
}

/// 2.2: `client_assertion_type` and one JWT in `client_assertion`, and no other proof beside it
#[tokio::test]
async fn section_2_2_the_parameters() {
    let request = requests().await.remove(0);
    let form = form(&request);
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert_eq!(form["client_assertion"].split('.').count(), 3);
    assert!(request.headers.get("authorization").is_none() && !form.contains_key("client_secret"));
}

/// 3: `iss` and `sub` are the client, `aud` is the authorization server
#[tokio::test]
async fn section_3_who_and_for_whom() {
    let claims = claims(&requests().await[0]);
    let texts = ["iss", "sub", "aud"].map(|name| claims[name].as_str().unwrap());
    assert_eq!(texts, ["service", "service", "https://idp.example"]);
}

/// 3: `exp` limits the time of use, and `jti` is another for each
#[tokio::test]
async fn section_3_short_lived_and_used_once() {
    let claims: Vec<Value> = requests().await.iter().map(claims).collect();
    assert_eq!(
        (&claims[0]["iat"], &claims[0]["exp"]),
        (&NOW.into(), &(NOW + 60).into())
    );
    assert!(claims[0]["jti"].is_string() && claims[0]["jti"] != claims[1]["jti"]);
}

/// 3: the JWT is signed by the client's key
#[tokio::test]
async fn section_3_it_is_signed() {
    let assertion = form(&requests().await[0])
        .remove("client_assertion")
        .unwrap();
    let (input, signature) = assertion.rsplit_once('.').unwrap();
    let key = base64url::decode("Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE").unwrap();
    let key = jsonwebtoken::DecodingKey::from_ed_der(&key);
    assert_eq!(
        jsonwebtoken::crypto::verify(
            signature,
            input.as_bytes(),
            &key,
            jsonwebtoken::Algorithm::EdDSA
        )
        .ok(),
        Some(true)
    );
}
