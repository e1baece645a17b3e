//! Introspection: who may ask and how they prove it, signed answers, faults.

use crate::{SERVICE, idp, json, post};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, RegisteredClient};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

/// A client's key: the public half for the settings, and how it signs.
struct Key {
    algorithm: Algorithm,
    jwk: Value,
    private: EncodingKey,
}

fn es256() -> Key {
    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) });
    let private = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    Key {
        algorithm: Algorithm::ES256,
        jwk,
        private,
    }
}

fn ed25519() -> Key {
    let pair = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref()) });
    let private = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
    Key {
        algorithm: Algorithm::EdDSA,
        jwk,
        private,
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

async fn start(jwk: Value) -> Idp {
    let defaults = IdpConfig::default();
    let mut clients = defaults.clients.clone();
    clients.push(RegisteredClient {
        id: "signer".to_owned(),
        secret: None,
        jwk: Some(jwk),
        ..clients[0].clone()
    });
    Idp::start(IdpConfig {
        clients,
        algorithm: "ES256".to_owned(),
        ..defaults
    })
    .await
    .unwrap()
}

fn good_claims(idp: &Idp, jti: &str) -> Value {
    let aud = idp.introspection_endpoint();
    json!({ "iss": "signer", "sub": "signer", "aud": aud, "exp": now() + 60, "iat": now(), "jti": jti })
}

fn assertion(key: &Key, claims: &Value) -> String {
    encode(&Header::new(key.algorithm), claims, &key.private).unwrap()
}

async fn ask(idp: &Idp, assertion: &str, also: &str) -> (u16, Value) {
    let token = idp.token("alice").issue();
    let form =
        format!("token={token}&client_assertion_type={TYPE}&client_assertion={assertion}{also}");
    json(post(idp, "/introspect", &form, None).await).await
}

#[tokio::test]
async fn a_client_may_prove_itself_by_its_key() {
    for key in [es256(), ed25519()] {
        let idp = start(key.jwk.clone()).await;
        let (status, answer) = ask(&idp, &assertion(&key, &good_claims(&idp, "1")), "").await;
        assert_eq!((status, &answer["active"]), (200, &json!(true)), "{answer}");
        let form = format!(
            "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={}",
            assertion(&key, &good_claims(&idp, "2"))
        );
        let (status, tokens) = json(post(&idp, "/token", &form, None).await).await;
        assert_eq!(status, 200, "{tokens}");
        let (status, _) = ask(&idp, &assertion(&key, &good_claims(&idp, "1")), "").await;
        assert_eq!(status, 401, "used before");
    }
}

#[tokio::test]
async fn rsa_keys_will_do_too() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let number = |bytes: &[u8]| encoded(bytes);
    let modulus = public
        .modulus()
        .big_endian_without_leading_zero()
        .to_vec();
    let exponent = public
        .exponent()
        .big_endian_without_leading_zero()
        .to_vec();
    let idp = start(json!({ "kty": "RSA", "n": number(&modulus), "e": number(&exponent) })).await;
    for (jti, name, padding) in [
        (
            "1",
            "RS256",
            &signature::RSA_PKCS1_SHA256 as &dyn signature::RsaEncoding,
        ),
        ("2", "PS256", &signature::RSA_PSS_SHA256),
    ] {
        let claims = good_claims(&idp, jti);
        let header = json!({ "alg": name });
        let input = format!(
            "{}.{}",
            encoded(header.to_string().as_bytes()),
            encoded(claims.to_string().as_bytes())
        );
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            padding,
            &SystemRandom::new(),
            input.as_bytes(),
            &mut signature,
        )
        .unwrap();
        assert_eq!(
            ask(&idp, &format!("{input}.{}", encoded(&signature)), "")
                .await
                .0,
            200,
            "{name}"
        );
        signature[0] ^= 1;
        assert_eq!(
            ask(&idp, &format!("{input}.{}", encoded(&signature)), "")
                .await
                .0,
            401,
            "{name}"
        );
    }
}

#[tokio::test]
async fn assertions_that_prove_nothing() {
    let key = es256();
    let idp = start(key.jwk.clone()).await;
    let issuer = idp.issuer().as_str();
    for (jti, (member, value)) in [
        ("iss", json!("service")),
        ("sub", json!("service")),
        ("sub", json!("nobody")),
        ("aud", json!("https://elsewhere.example")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("exp", json!(now() - 1)),
        ("exp", json!(now() + 90_000)),
        ("exp", json!("soon")),
        ("exp", Value::Null),
        ("nbf", json!(now() + 600)),
        ("jti", Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = good_claims(&idp, &jti.to_string());
        claims[member] = value.clone();
        assert_eq!(
            ask(&idp, &assertion(&key, &claims), "").await.0,
            401,
            "{member} {value}"
        );
    }
    let mut claims = good_claims(&idp, "a");
    claims["aud"] = json!(["https://elsewhere.example", issuer]);
    assert_eq!(
        ask(&idp, &assertion(&key, &claims), "&client_id=signer")
            .await
            .0,
        200
    );
    let good = |jti| assertion(&key, &good_claims(&idp, jti));
    assert_eq!(
        ask(&idp, &assertion(&es256(), &good_claims(&idp, "b")), "")
            .await
            .0,
        401,
        "another key"
    );
    assert_eq!(
        ask(&idp, &assertion(&ed25519(), &good_claims(&idp, "c")), "")
            .await
            .0,
        401,
        "another algorithm"
    );
    assert_eq!(ask(&idp, &good("d"), "&client_id=service").await.0, 401);
    assert_eq!(
        ask(&idp, &good("e"), "&client_secret=x").await.0,
        400,
        "two ways at once"
    );
    for malformed in ["x", "x.y.z", "..", &"a".repeat(20_000)] {
        assert_eq!(ask(&idp, malformed, "").await.0, 401);
    }
    let without_type = format!("token=x&client_assertion={}", good("f"));
    assert_eq!(
        post(&idp, "/introspect", &without_type, None)
            .await
            .status(),
        400
    );
    assert_eq!(
        post(&idp, "/introspect", "token=x&client_id=signer", None)
            .await
            .status(),
        401
    );
}

#[tokio::test]
async fn a_key_in_the_settings_is_a_public_one() {
    let mut config = IdpConfig::default();
    config.clients[0].jwk =
        Some(json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "marked-secret" }));
    let errors = Idp::start(config).await.unwrap_err().to_string();
    assert!(
        errors.contains("client[0].jwk: expected a public key, found a private one")
            && !errors.contains("marked-secret"),
        "{errors}"
    );
    let toml =
        "[[client]]\nid = \"a\"\n[client.jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"AA\"\n";
    assert_eq!(
        IdpConfig::from_toml(toml).unwrap().clients[0]
            .jwk
            .as_ref()
            .unwrap()["crv"],
        "Ed25519"
    );
}

#[tokio::test]
async fn an_answer_may_be_signed_for_whoever_asks() {
    let idp = idp().await;
    let token = idp.token("alice").scope("orders:read").issue();
    let signed = async |token: &str, accept: &str| {
        let request = crate::client()
            .post(idp.introspection_endpoint())
            .basic_auth("service", Some("service-secret"));
        let request = request
            .header("accept", accept)
            .header("content-type", "application/x-www-form-urlencoded");
        request
            .body(format!("token={token}"))
            .send()
            .await
            .unwrap()
    };
    for accept in [
        "application/token-introspection+jwt",
        "application/json;q=0.1, Application/Token-Introspection+JWT;q=1",
    ] {
        let response = signed(&token, accept).await;
        assert_eq!(
            response.headers().get("content-type").unwrap(),
            "application/token-introspection+jwt"
        );
        let answer = read(&idp, &response.text().await.unwrap()).await;
        assert_eq!(
            crate::members(&answer),
            ["aud", "iat", "iss", "token_introspection"]
        );
        assert_eq!(
            (&answer["aud"], &answer["iss"]),
            (&json!("service"), &json!(idp.issuer().as_str()))
        );
        let inside = &answer["token_introspection"];
        let told =
            ["active", "username", "token_type", "scope", "aud"].map(|name| inside[name].clone());
        let expected = [
            json!(true),
            json!("alice"),
            json!("Bearer"),
            json!("orders:read"),
            json!(idp.audience()),
        ];
        assert_eq!(told, expected);
    }
    let response = signed("made-up", "application/token-introspection+jwt").await;
    let answer = read(&idp, &response.text().await.unwrap()).await;
    assert_eq!(answer["token_introspection"], json!({ "active": false }));
    let response = signed(&token, "application/json").await;
    assert_eq!(json(response).await.1["active"], true);
}

/// By another library; the type keeps it from passing for an access token.
async fn read(idp: &Idp, jwt: &str) -> Value {
    let keys: JwkSet = serde_json::from_str(&idp.jwks()).unwrap();
    let header = decode_header(jwt).unwrap();
    assert_eq!(header.typ.as_deref(), Some("token-introspection+jwt"));
    let key = DecodingKey::from_jwk(keys.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&["service"]);
    validation.required_spec_claims.clear();
    decode::<Value>(jwt, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn faults_come_and_go_and_requests_are_counted() {
    let idp = idp().await;
    let ask = async || post(&idp, "/introspect", "token=x", SERVICE).await;
    for (fault, status) in [
        (Fault::InternalError, 500),
        (Fault::Html, 200),
        (Fault::Redirect, 302),
        (Fault::Empty, 200),
        (Fault::Truncated, 200),
        (Fault::Unauthorized, 401),
        (Fault::TooManyRequests, 429),
    ] {
        idp.fail(Endpoint::Introspection, fault);
        let response = ask().await;
        assert_eq!(response.status(), status, "{fault:?}");
        let header = |name| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        match fault {
            Fault::Redirect => assert_eq!(header("location").as_deref(), Some("/introspect")),
            Fault::TooManyRequests => assert_eq!(header("retry-after").as_deref(), Some("7")),
            _ => {}
        }
        let (_, body) = json(response).await;
        assert!(body["active"].is_null(), "{fault:?}: {body}");
    }
    idp.fail(Endpoint::Introspection, Fault::None);
    assert_eq!(json(ask().await).await.1, json!({ "active": false }));
    assert_eq!(idp.requests(Endpoint::Introspection), 8);
    idp.fail(Endpoint::Jwks, Fault::TooManyRequests);
    assert_eq!(reqwest::get(idp.jwks_uri()).await.unwrap().status(), 429);
}
