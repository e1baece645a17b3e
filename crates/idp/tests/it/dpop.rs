//! Proofs of a key (RFC 9449): at the token endpoint, at the pushed requests, at UserInfo.

use crate::key::{Key, claims, sha256};
use crate::{
    CALLBACK, SERVICE, VERIFIER, authorize_query, client, clock, json, parameter, with_client,
};
use portcullis_idp::{Idp, IdpConfig, RegisteredClient, Secret};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials";

struct DpopSetup {
    idp: Idp,
    time: Arc<AtomicU64>,
    proofs: AtomicU64,
}

async fn world(config: IdpConfig) -> DpopSetup {
    let (time, clock) = clock();
    let idp = Idp::start_at(config, clock).await.unwrap();
    DpopSetup {
        idp,
        time,
        proofs: AtomicU64::new(0),
    }
}

fn bound() -> RegisteredClient {
    let secret = Some(Secret::new("s"));
    RegisteredClient {
        id: "bound".to_owned(),
        secret,
        dpop_bound_access_tokens: true,
        ..RegisteredClient::default()
    }
}

impl DpopSetup {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.idp.issuer())
    }

    /// The claims of a good proof, never the same twice.
    fn claims(&self, method: &str, path: &str) -> Value {
        let number = self.proofs.fetch_add(1, Ordering::SeqCst).to_string();
        json!({ "htm": method, "htu": self.url(path), "iat": self.time.load(Ordering::SeqCst), "jti": number })
    }

    fn proof(&self, key: &Key, path: &str) -> String {
        proof(key, &self.claims("POST", path))
    }

    async fn post(
        &self,
        path: &str,
        form: &str,
        basic: Option<(&str, &str)>,
        proof: &str,
    ) -> reqwest::Response {
        let request = client()
            .post(self.url(path))
            .header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("dpop", proof).body(form.to_owned());
        match basic {
            Some((id, secret)) => request
                .basic_auth(id, Some(secret))
                .send()
                .await
                .unwrap(),
            None => request.send().await.unwrap(),
        }
    }

    async fn error(&self, proof: &str) -> (u16, String) {
        let (status, body) = json(
            self.post("/token", CLIENT_CREDENTIALS, SERVICE, proof)
                .await,
        )
        .await;
        (status, body["error"].as_str().unwrap_or("none").to_owned())
    }

    /// Signs alice in for the public client, and answers with the code.
    async fn code(&self, change: &[(&str, &str)]) -> String {
        let path = format!("/authorize?{}", authorize_query(change));
        let response = crate::post(&self.idp, &path, "username=alice&password=alice", None).await;
        parameter(&response, "code").unwrap()
    }

    async fn userinfo(&self, scheme: &str, token: &str, proof: Option<String>) -> (u16, String) {
        let request = client()
            .get(self.url("/userinfo"))
            .header("authorization", format!("{scheme} {token}"));
        let request = match proof {
            Some(proof) => request.header("dpop", proof),
            None => request,
        };
        let response = request.send().await.unwrap();
        let challenge = response
            .headers()
            .get("www-authenticate")
            .map(|it| it.to_str().unwrap().to_owned());
        (response.status().as_u16(), challenge.unwrap_or_default())
    }
}

fn proof(key: &Key, claims: &Value) -> String {
    key.sign(
        &json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk }),
        claims,
    )
}

fn code_form(code: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id=web&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}"
    )
}

#[tokio::test]
async fn a_proven_key_binds_the_token_and_introspection_tells() {
    let world = world(with_client(bound())).await;
    let key = Key::new();
    let form = format!("{CLIENT_CREDENTIALS}&scope=orders:read");
    let (status, answer) = json(
        world
            .post("/token", &form, SERVICE, &world.proof(&key, "/token"))
            .await,
    )
    .await;
    assert_eq!(
        (status, &answer["token_type"]),
        (200, &json!("DPoP")),
        "{answer}"
    );
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["cnf"], json!({ "jkt": key.thumbprint() }));
    let (_, told) = json(
        crate::post(
            &world.idp,
            "/introspect",
            &format!("token={token}"),
            SERVICE,
        )
        .await,
    )
    .await;
    assert_eq!(
        (&told["token_type"], &told["cnf"]["jkt"]),
        (&json!("DPoP"), &json!(key.thumbprint()))
    );
    let (status, body) = json(
        crate::post(
            &world.idp,
            "/token",
            CLIENT_CREDENTIALS,
            Some(("bound", "s")),
        )
        .await,
    )
    .await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("invalid_request")),
        "it must prove a key"
    );
}

#[tokio::test]
async fn proofs_that_prove_nothing() {
    let world = world(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    })
    .await;
    let key = Key::new();
    let now = world.time.load(Ordering::SeqCst);
    let refused = (400, "invalid_dpop_proof".to_owned());
    for (member, value) in [
        ("htm", json!("GET")),
        ("htm", Value::Null),
        ("htu", json!("https://elsewhere.example/token")),
        ("htu", json!(world.url("/userinfo"))),
        ("htu", json!("token")),
        ("iat", json!(now - 61)),
        ("iat", json!(now + 61)),
        ("iat", json!(now.to_string())),
        ("jti", Value::Null),
    ] {
        let mut claims = world.claims("POST", "/token");
        claims[member] = value.clone();
        assert_eq!(
            world.error(&proof(&key, &claims)).await,
            refused,
            "{member} {value}"
        );
    }
    let mut private = key.jwk.clone();
    private["d"] = json!("AA");
    for header in [
        json!({ "typ": "JWT", "alg": "ES256", "jwk": key.jwk }),
        json!({ "alg": "ES256", "jwk": key.jwk }),
        json!({ "typ": "dpop+jwt", "alg": "none", "jwk": key.jwk }),
        json!({ "typ": "dpop+jwt", "alg": "HS256", "jwk": { "kty": "oct", "k": "AA" } }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": Key::new().jwk }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": private }),
        json!({ "typ": "dpop+jwt", "alg": "ES256" }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk, "crit": ["x"], "x": 1 }),
    ] {
        let proof = key.sign(&header, &world.claims("POST", "/token"));
        assert_eq!(world.error(&proof).await, refused, "{header}");
    }
    assert_eq!(world.error("not-a-proof").await, refused);
    let mut queried = world.claims("POST", "/token");
    queried["htu"] = json!(format!("{}?x=y#z", world.url("/token")));
    let good = proof(&key, &queried);
    assert_eq!(
        world.error(&good).await,
        (200, "none".to_owned()),
        "query and fragment do not count"
    );
    assert_eq!(world.error(&good).await, refused, "used before");
    let request = client()
        .post(world.url("/token"))
        .basic_auth("service", Some("service-secret"));
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(CLIENT_CREDENTIALS);
    let twice = request
        .header("dpop", world.proof(&key, "/token"))
        .header("dpop", world.proof(&key, "/token"));
    assert_eq!(
        json(twice.send().await.unwrap()).await.1["error"],
        "invalid_dpop_proof"
    );
}

#[tokio::test]
async fn a_public_client_refreshes_only_with_its_key() {
    let world = world(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    })
    .await;
    let (key, other) = (Key::new(), Key::new());
    let form = code_form(&world.code(&[]).await);
    let (_, tokens) = json(
        world
            .post("/token", &form, None, &world.proof(&key, "/token"))
            .await,
    )
    .await;
    let form = |tokens: &Value| {
        let token = tokens["refresh_token"].as_str().unwrap();
        format!("grant_type=refresh_token&client_id=web&refresh_token={token}")
    };
    let (status, body) = json(
        world
            .post(
                "/token",
                &form(&tokens),
                None,
                &world.proof(&other, "/token"),
            )
            .await,
    )
    .await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    assert_eq!(
        crate::post(&world.idp, "/token", &form(&tokens), None)
            .await
            .status(),
        400,
        "without a proof"
    );
    let (status, tokens) = json(
        world
            .post("/token", &form(&tokens), None, &world.proof(&key, "/token"))
            .await,
    )
    .await;
    assert_eq!(
        (status, &tokens["token_type"]),
        (200, &json!("DPoP")),
        "refusals used nothing up"
    );
}

#[tokio::test]
async fn a_code_may_be_bound_beforehand() {
    let world = world(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    })
    .await;
    let (key, other) = (Key::new(), Key::new());
    for (proven_by, status) in [(&other, 400), (&key, 200)] {
        let form = code_form(&world.code(&[("dpop_jkt", &key.thumbprint())]).await);
        let response = world
            .post("/token", &form, None, &world.proof(proven_by, "/token"))
            .await;
        assert_eq!(response.status(), status);
    }
    // A proof with the pushed request binds the code as well.
    let query = authorize_query(&[]);
    let (_, pushed) = json(
        world
            .post("/par", &query, None, &world.proof(&key, "/par"))
            .await,
    )
    .await;
    let path = format!(
        "/authorize?client_id=web&request_uri={}",
        pushed["request_uri"].as_str().unwrap()
    );
    let response = crate::post(&world.idp, &path, "username=alice&password=alice", None).await;
    let form = code_form(&parameter(&response, "code").unwrap());
    assert_eq!(
        world
            .post("/token", &form, None, &world.proof(&other, "/token"))
            .await
            .status(),
        400
    );
    let query = authorize_query(&[("dpop_jkt", &other.thumbprint())]);
    let (status, body) = json(
        world
            .post("/par", &query, None, &world.proof(&key, "/par"))
            .await,
    )
    .await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("invalid_dpop_proof"))
    );
}

#[tokio::test]
async fn userinfo_wants_the_proof_of_a_bound_token() {
    let world = world(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    })
    .await;
    let key = Key::new();
    let form = code_form(&world.code(&[]).await);
    let (_, tokens) = json(
        world
            .post("/token", &form, None, &world.proof(&key, "/token"))
            .await,
    )
    .await;
    let token = tokens["access_token"].as_str().unwrap();
    let shown = |key: &Key, ath: &str| {
        let mut claims = world.claims("GET", "/userinfo");
        claims["ath"] = json!(sha256(ath));
        Some(proof(key, &claims))
    };
    assert_eq!(
        world
            .userinfo("DPoP", token, shown(&key, token))
            .await
            .0,
        200
    );
    for (scheme, proof, error) in [
        ("Bearer", None, "invalid_token"),
        ("DPoP", None, "invalid_dpop_proof"),
        ("DPoP", shown(&key, "another"), "invalid_dpop_proof"),
        ("DPoP", shown(&Key::new(), token), "invalid_token"),
    ] {
        let (status, challenge) = world.userinfo(scheme, token, proof).await;
        assert_eq!(status, 401);
        assert!(
            challenge.starts_with(scheme) && challenge.contains(&format!("error=\"{error}\"")),
            "{challenge}"
        );
    }
    let unbound = world.idp.token("alice").scope("openid").issue();
    assert_eq!(world.userinfo("Bearer", &unbound, None).await.0, 200);
    assert_eq!(
        world
            .userinfo("DPoP", &unbound, shown(&key, &unbound))
            .await
            .0,
        401,
        "not bound"
    );
}

#[tokio::test]
async fn nonces_are_wanted_where_the_settings_say_so() {
    let config = IdpConfig {
        algorithm: "ES256".to_owned(),
        dpop_nonce: true,
        ..IdpConfig::default()
    };
    let world = world(config).await;
    let key = Key::new();
    let response = world
        .post(
            "/token",
            CLIENT_CREDENTIALS,
            SERVICE,
            &world.proof(&key, "/token"),
        )
        .await;
    let nonce = response
        .headers()
        .get("dpop-nonce")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(json(response).await.1["error"], "use_dpop_nonce");
    let with_nonce = |nonce: &str| {
        let mut claims = world.claims("POST", "/token");
        claims["nonce"] = json!(nonce);
        proof(&key, &claims)
    };
    let with_old_nonce = async |seconds: u64| {
        world.time.fetch_add(seconds, Ordering::SeqCst);
        world.error(&with_nonce(&nonce)).await.1
    };
    assert_eq!(with_old_nonce(0).await, "none");
    assert_eq!(
        with_old_nonce(120).await,
        "none",
        "the one before the newest is good too"
    );
    assert_eq!(with_old_nonce(120).await, "use_dpop_nonce");
    assert_eq!(
        world.error(&with_nonce("made-up")).await.1,
        "use_dpop_nonce"
    );
}
