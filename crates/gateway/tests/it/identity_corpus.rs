//! `identity-headers.json`: what the upstream may and may not see of the caller.

use crate::client::statuses;
use crate::setup::TestSetup;
use portcullis_testkit::corpus;
use serde::Deserialize;

#[derive(Deserialize)]
struct Corpus {
    vectors: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
struct Vector {
    id: String,
    inbound: Vec<(String, String)>,
    #[serde(default)]
    trailers: Vec<(String, String)>,
    upstream_has: Vec<(String, String)>,
    upstream_lacks: Vec<(String, String)>,
    status: Option<u16>,
    route: Option<String>,
    token_sub: Option<String>,
    mode: Option<String>,
}

const SETTINGS: &str = r#"
[gateway.identity.headers]
x-auth-subject = "subject"
x-auth-client = "client"
x-auth-scopes = "scopes"
x-auth-issuer = "issuer"
x-auth-email = "claim:email"
[[route]]
path = "/public/**"
access = "public"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_sees_what_the_gateway_says_and_nothing_else() {
    let setup = TestSetup::new(SETTINGS).await;
    let corpus: Corpus = corpus::read("identity-headers.json");
    // The other doors have their own rows.
    let vectors = corpus
        .vectors
        .iter()
        .filter(|vector| vector.mode.is_none());
    let mut count = 0;
    for vector in vectors {
        judge(&setup, vector).await;
        count += 1;
    }
    assert!(count >= 43);
}

async fn judge(setup: &TestSetup, vector: &Vector) {
    let Vector { id, .. } = vector;
    let token = setup
        .idp
        .token("bob")
        .without("email")
        .claim("sub", vector.token_sub.as_deref().unwrap_or("user-1"));
    let token = token.sign();
    let answer = setup
        .client()
        .raw(request(vector, &token).as_bytes())
        .await;
    let saw = setup.upstream.take_requests();
    if let Some(status) = vector.status {
        assert_eq!(statuses(&answer), [status], "{id}");
        assert!(saw.is_empty(), "{id}");
        return;
    }
    if id == "long-claim" {
        // Refused or complete, never cut: the limit is the gateway's.
        let long = vector.token_sub.as_ref().unwrap();
        assert!(
            statuses(&answer) == [431] || saw[0].values("x-auth-subject") == [long.as_str()],
            "{id}"
        );
        return;
    }
    assert_eq!(statuses(&answer), [200], "{id}: {answer}");
    let saw = saw.first().unwrap();
    for (name, value) in &vector.upstream_has {
        assert_eq!(saw.values(name), [value.as_str()], "{id}: {name}");
    }
    for (name, value) in &vector.upstream_lacks {
        let value = value.replace("{TOKEN}", &token);
        assert!(!saw.values(name).contains(&value), "{id}: {name}");
    }
    let printable = |value: &str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    assert!(
        saw.values("x-auth-subject")
            .iter()
            .all(|value| printable(value)),
        "{id}"
    );
    assert!(
        saw.values("authorization").is_empty(),
        "{id}: the token stays with the gateway"
    );
    assert_eq!(saw.values("host"), ["gw.example"], "{id}");
    assert_eq!(saw.values("x-forwarded-for"), ["127.0.0.1"], "{id}");
}

fn request(vector: &Vector, token: &str) -> String {
    let route = vector.route.as_deref().unwrap_or("/orders");
    let chunked = !vector.trailers.is_empty();
    let mut request = format!(
        "{} {route} HTTP/1.1\r\nHost: gw.example\r\n",
        if chunked { "POST" } else { "GET" }
    );
    if vector.route.is_none() {
        request.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    for (name, value) in &vector.inbound {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("Connection: close\r\n\r\n");
    if chunked {
        request.push_str("2\r\nok\r\n0\r\n");
        for (name, value) in &vector.trailers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
    }
    request
}
