//! Faults on command: of endpoints, of tokens, of the clock; and which web pages may ask.

use crate::key::claims;
use crate::{SERVICE, client, clock, code, code_form, json, post};
use jsonwebtoken::decode_header;
use portcullis_idp::{Endpoint, Fault, Flaw, FlowToken, Idp, IdpConfig};
use serde_json::{Value, json};
use std::time::Duration;

const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials";

async fn started() -> Idp {
    Idp::start(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..IdpConfig::default()
    })
    .await
    .unwrap()
}

async fn token(idp: &Idp) -> String {
    let (_, answer) = json(post(idp, "/token", CLIENT_CREDENTIALS, SERVICE).await).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_endpoint_fails_by_itself() {
    let idp = started().await;
    let asked = async |endpoint: Endpoint| match endpoint {
        Endpoint::Metadata => "GET /.well-known/openid-configuration",
        Endpoint::Jwks => "GET /jwks",
        Endpoint::Authorize => "GET /authorize",
        Endpoint::Token => "POST /token",
        Endpoint::UserInfo => "GET /userinfo",
        Endpoint::Introspection => "POST /introspect",
        Endpoint::Revocation => "POST /revoke",
        Endpoint::PushedRequests => "POST /par",
        Endpoint::DeviceAuthorization => "POST /device_authorization",
        _ => "POST /graph",
    };
    let status = async |endpoint: Endpoint| {
        let line = asked(endpoint).await;
        let (method, path) = line.split_once(' ').unwrap();
        let request = client().request(method.parse().unwrap(), format!("{}{path}", idp.issuer()));
        request.send().await.unwrap().status().as_u16()
    };
    let here = Endpoint::ALL
        .into_iter()
        .filter(|endpoint| *endpoint != Endpoint::Graph);
    for endpoint in here.clone() {
        let proper = status(endpoint).await;
        assert_ne!(proper, 500, "{endpoint}");
        idp.fail(endpoint, Fault::InternalError);
        assert_eq!(status(endpoint).await, 500, "{endpoint}");
        for other in here.clone().filter(|other| *other != endpoint) {
            assert_ne!(status(other).await, 500, "{endpoint} alone, not {other}");
        }
        idp.fail(endpoint, Fault::None);
        assert_eq!(status(endpoint).await, proper, "{endpoint}");
        assert!(idp.requests(endpoint) > 2, "{endpoint}");
    }
    for endpoint in Endpoint::ALL {
        idp.fail(endpoint, Fault::TooManyRequests);
    }
    for endpoint in here {
        assert_eq!(status(endpoint).await, 429, "{endpoint}");
    }
}

#[tokio::test]
async fn a_fault_for_some_requests_ends_by_itself() {
    let idp = started().await;
    let ask = async || {
        let (status, answer) = json(post(&idp, "/token", CLIENT_CREDENTIALS, SERVICE).await).await;
        (status, answer["error"].clone())
    };
    idp.fail_next(Endpoint::Token, Fault::InvalidGrant, 2);
    let refused = (400, json!("invalid_grant"));
    let good = (200, Value::Null);
    assert_eq!(
        [ask().await, ask().await, ask().await],
        [refused.clone(), refused, good.clone()]
    );
    // From outside, and each error that a token endpoint has.
    let set = async |order: &str| {
        let form = format!("token={order}");
        json(post(&idp, "/dev/faults", &form, None).await).await
    };
    for error in [
        "invalid_request",
        "invalid_grant",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    ] {
        let order = format!("{error}*1");
        let (_, faults) = set(&order).await;
        assert_eq!(faults["token"], json!(order));
        let expected = [(400, json!(error)), good.clone()];
        assert_eq!([ask().await, ask().await], expected);
    }
    assert_eq!(set("500*0").await.0, 400);
    assert_eq!(ask().await, good);
}

#[tokio::test]
async fn what_a_fault_looks_like() {
    let idp = started().await;
    let ask = async |fault: Fault| {
        idp.fail(Endpoint::Token, fault);
        post(&idp, "/token", CLIENT_CREDENTIALS, SERVICE).await
    };
    assert_eq!(ask(Fault::Unauthorized).await.status(), 401);
    let limited = ask(Fault::TooManyRequests).await;
    assert_eq!(
        (
            limited.status().as_u16(),
            limited.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "7")
    );
    let huge = ask(Fault::Huge).await;
    assert_eq!(
        (huge.status().as_u16(), huge.bytes().await.unwrap().len()),
        (200, 10_000_000)
    );
    let garbage = ask(Fault::Garbage).await.bytes().await.unwrap();
    assert!(String::from_utf8(garbage.to_vec()).is_err());
    let truncated = ask(Fault::Truncated).await.text().await.unwrap();
    assert!(
        truncated.starts_with('{') && serde_json::from_str::<Value>(&truncated).is_err(),
        "{truncated}"
    );
    assert!(
        ask(Fault::Html)
            .await
            .text()
            .await
            .unwrap()
            .contains("<title>")
    );
    assert_eq!(ask(Fault::Redirect).await.headers()["location"], "/token");
    let begun = std::time::Instant::now();
    assert_eq!(
        ask(Fault::Slow(Duration::from_millis(30)))
            .await
            .status(),
        200
    );
    assert!(begun.elapsed() >= Duration::from_millis(30));
    idp.fail(Endpoint::Metadata, Fault::WrongIssuer);
    let (_, document) = json(
        reqwest::get(idp.metadata_uri().unwrap())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(document["issuer"], "https://another-issuer.example");
    assert_eq!(document["jwks_uri"], idp.jwks_uri());
}

#[tokio::test]
async fn an_outage_answers_nothing_and_ends() {
    let idp = started().await;
    let kept = client();
    let ask = async || kept.get(idp.jwks_uri()).send().await;
    assert!(ask().await.is_ok());
    idp.fail(Endpoint::Jwks, Fault::Closed);
    let error = ask().await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    idp.fail(Endpoint::Jwks, Fault::None);
    assert_eq!(ask().await.unwrap().status(), 200);
}

#[tokio::test]
async fn flows_give_spoilt_tokens_on_command() {
    let idp = started().await;
    idp.spoil_next(
        FlowToken::Access,
        [
            Flaw::Claim("aud".to_owned(), json!("api://another")),
            Flaw::NoClaim("jti".to_owned()),
            Flaw::Header("typ".to_owned(), json!("JWT")),
            Flaw::NoHeader("kid".to_owned()),
        ],
    );
    let (spoilt, next) = (token(&idp).await, token(&idp).await);
    assert_eq!(
        (&claims(&spoilt)["aud"], &claims(&spoilt)["jti"]),
        (&json!("api://another"), &Value::Null)
    );
    let header = decode_header(&spoilt).unwrap();
    assert_eq!((header.typ.as_deref(), header.kid), (Some("JWT"), None));
    assert_eq!(
        claims(&next)["aud"],
        "api://enterprise-api",
        "the next one alone"
    );
    idp.spoil(FlowToken::Access, [Flaw::Expired]);
    for _ in 0..2 {
        let token = token(&idp).await;
        let claims = claims(&token);
        assert_eq!(
            claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
            3_600
        );
        let (_, told) =
            json(post(&idp, "/introspect", &format!("token={token}"), SERVICE).await).await;
        assert_eq!(told["active"], false);
    }
    assert!(
        claims(&idp.token("alice").sign())["aud"].is_string(),
        "made by hand: as it is made"
    );
    idp.spoil(FlowToken::Access, [Flaw::Unsigned]);
    assert!(token(&idp).await.ends_with('.'));
    idp.spoil(FlowToken::Access, []);
    idp.spoil_next(
        FlowToken::Id,
        [Flaw::Claim("nonce".to_owned(), json!("another"))],
    );
    let (_, tokens) = json(post(&idp, "/token", &code_form(&code(&idp).await), None).await).await;
    assert_eq!(
        claims(tokens["id_token"].as_str().unwrap())["nonce"],
        "another"
    );
    assert_eq!(
        claims(tokens["access_token"].as_str().unwrap())["aud"],
        "api://enterprise-api"
    );
}

#[tokio::test]
async fn every_wrong_signature_is_one() {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation, decode};
    let idp = started().await;
    let keys: JwkSet = serde_json::from_str(&idp.jwks()).unwrap();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_audience(&[idp.audience()]);
    let good = |token: &str| {
        decode::<Value>(
            token,
            &DecodingKey::from_jwk(&keys.keys[0]).unwrap(),
            &validation,
        )
        .is_ok()
    };
    assert!(good(&token(&idp).await));
    for flaw in [
        Flaw::WrongKey,
        Flaw::SignatureFlipped,
        Flaw::HmacWithPublicKey,
        Flaw::Unsigned,
    ] {
        idp.spoil_next(FlowToken::Access, [flaw.clone()]);
        assert!(!good(&token(&idp).await), "{flaw:?}");
    }
    idp.spoil_next(FlowToken::Access, [Flaw::NotYetValid]);
    assert!(claims(&token(&idp).await)["nbf"].is_number());
}

#[tokio::test]
async fn a_wrong_clock_shows_in_tokens_and_in_the_date() {
    let (_, clock) = clock();
    let idp = Idp::start_at(
        IdpConfig {
            algorithm: "ES256".to_owned(),
            ..IdpConfig::default()
        },
        clock,
    )
    .await;
    let idp = idp.unwrap();
    idp.set_clock_off(-600);
    let response = post(&idp, "/token", CLIENT_CREDENTIALS, SERVICE).await;
    // 1,800,000,000 seconds after 1970, less ten minutes.
    assert_eq!(response.headers()["date"], "Fri, 15 Jan 2027 07:50:00 GMT");
    let (_, answer) = json(response).await;
    assert_eq!(
        claims(answer["access_token"].as_str().unwrap())["iat"],
        1_799_999_400
    );
    idp.set_clock_off(0);
    assert_eq!(claims(&token(&idp).await)["iat"], 1_800_000_000);
}

#[tokio::test]
async fn web_pages_of_named_origins_may_ask() {
    let config = IdpConfig {
        cors_origins: vec!["https://app.example".to_owned()],
        ..IdpConfig::default()
    };
    let idp = Idp::start(IdpConfig {
        algorithm: "ES256".to_owned(),
        ..config.clone()
    })
    .await
    .unwrap();
    let ask = async |method: &str, path: &str, origin: &str| {
        let request = client().request(method.parse().unwrap(), format!("{}{path}", idp.issuer()));
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let response = request
            .header("access-control-request-headers", "dpop")
            .send()
            .await
            .unwrap();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|it| it.to_str().unwrap().to_owned())
        };
        (
            header("access-control-allow-origin"),
            header("access-control-allow-headers"),
        )
    };
    // Pages on loopback are the developer's own.
    for page in [
        "https://app.example",
        "http://localhost:3000",
        "http://127.0.0.1:8080",
        "http://[::1]:5173",
        "https://localhost",
    ] {
        let (origin, headers) = ask("OPTIONS", "/token", page).await;
        assert_eq!(origin.as_deref(), Some(page));
        assert!(headers.unwrap().contains("dpop"));
        assert!(ask("GET", "/jwks", page).await.0.is_some());
    }
    for page in [
        "http://evil.example",
        "http://app.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost:3000/",
        "http://localhost@evil.example",
        "null",
    ] {
        assert_eq!(ask("OPTIONS", "/token", page).await.0, None, "{page}");
    }
    assert_eq!(
        ask("OPTIONS", "/dev/token", "http://localhost:3000")
            .await
            .0,
        None,
        "no provider has that"
    );
    for wrong in [
        "*",
        "localhost:3000",
        "http://localhost:3000/",
        "http://localhost:3000/app",
        "null",
    ] {
        let config = IdpConfig {
            cors_origins: vec![wrong.to_owned()],
            ..config.clone()
        };
        assert!(
            Idp::start(config)
                .await
                .unwrap_err()
                .to_string()
                .contains("an origin"),
            "{wrong}"
        );
    }
    let health = reqwest::get(format!("{}/health", idp.issuer()))
        .await
        .unwrap();
    assert_eq!(health.text().await.unwrap(), "alive\n");
}

#[tokio::test]
async fn the_switches_are_thrown_over_http_all_or_none() {
    let idp = started().await;
    let throw = async |form: &str| json(post(&idp, "/dev/faults", form, None).await).await;
    let (status, positions) =
        throw("token=slow:250&jwks=500&clock_off=-60&id_token_flaw=unsigned").await;
    assert_eq!(status, 200);
    let told = [
        "token",
        "jwks",
        "userinfo",
        "clock_off",
        "id_token_flaw",
        "access_token_flaw",
    ]
    .map(|name| positions[name].clone());
    assert_eq!(
        told,
        [
            "slow:250".into(),
            "500".into(),
            "none".into(),
            (-60).into(),
            "unsigned".into(),
            Value::from("none")
        ]
    );

    for (form, told) in [
        ("jwks=none&token=sloow", "write one of none, 500"),
        ("jwks=none&tokens=hang", "write one of metadata"),
        (
            "jwks=none&access_token_claims=[]",
            "`access_token_claims`: expected a JSON object",
        ),
        (
            "jwks=none&clock_off=99999999999",
            "`clock_off`: expected seconds",
        ),
        (
            "jwks=none&id_token_flaw=bent",
            "`id_token_flaw`: expected one of none, expired",
        ),
        ("jwks=none&reset=maybe", "`reset`: expected `true`"),
        ("jwks=none&jwks=none", "`jwks` is repeated"),
    ] {
        let (status, answer) = throw(form).await;
        assert_eq!(status, 400, "{form}");
        assert!(
            answer["error_description"]
                .as_str()
                .unwrap()
                .contains(told),
            "{answer}"
        );
    }
    let url = format!("{}/dev/faults", idp.base());
    let (_, unchanged) = json(client().get(&url).send().await.unwrap()).await;
    assert_eq!(unchanged, positions);

    let claims = json!({ "aud": "x", "sub": null });
    let body = json!({ "reset": true, "metadata": "closed", "access_token_claims": claims });
    let request = client()
        .post(&url)
        .header("content-type", "application/json")
        .body(body.to_string());
    let (_, positions) = json(request.send().await.unwrap()).await;
    let told = [
        "token",
        "metadata",
        "id_token_flaw",
        "access_token_claims",
        "clock_off",
    ]
    .map(|name| positions[name].clone());
    assert_eq!(
        told,
        [
            "none".into(),
            "closed".into(),
            "none".into(),
            claims,
            Value::from(0)
        ]
    );
    // A flaw and claims do not push each other out.
    let (_, positions) = throw("access_token_flaw=flipped").await;
    assert_eq!(positions["access_token_claims"]["aud"], "x");
    let (_, positions) = throw("access_token_claims={}").await;
    assert_eq!(
        (
            &positions["access_token_flaw"],
            &positions["access_token_claims"]
        ),
        (&json!("flipped"), &json!({}))
    );
}

/// Any page that a developer visits can post a form to loopback.
#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let idp = started().await;
    for path in ["/dev/token", "/dev/rotate", "/dev/faults", "/dev/device"] {
        let ask = async |name: &str, value: &str| {
            let request = client()
                .post(format!("{}{path}", idp.base()))
                .header(name, value);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            request
                .body("user=alice")
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        let own = idp.base().to_owned();
        for (name, value) in [
            ("origin", "https://attacker.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(ask(name, value).await, 403, "{path} {name}: {value}");
        }
        assert_ne!(ask("origin", &own).await, 403, "{path}");
        assert_ne!(ask("sec-fetch-site", "same-origin").await, 403, "{path}");
        assert_ne!(ask("x-nothing", "").await, 403, "{path}: a program");
    }
}
