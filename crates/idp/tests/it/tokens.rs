//! The token endpoint and what becomes of its tokens.

use crate::{SERVICE, client, code, code_form, idp, json, post};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use portcullis_core::jose::Algorithm;
use portcullis_idp::{Idp, IdpConfig, Overlap};
use serde_json::Value;

/// Reads a token by another library, against the key set as it is published.
async fn read(idp: &Idp, token: &str, audience: &str) -> Value {
    let keys: JwkSet = serde_json::from_str(
        &reqwest::get(idp.jwks_uri())
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
    )
    .unwrap();
    let header = decode_header(token).unwrap();
    let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[idp.issuer().as_str()]);
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation)
        .unwrap()
        .claims
}

#[tokio::test]
async fn every_algorithm_signs_what_another_library_reads() {
    for algorithm in Algorithm::ALL
        .into_iter()
        .filter(|algorithm| *algorithm != Algorithm::ES512)
    {
        let config = IdpConfig {
            algorithm: algorithm.to_string(),
            ..IdpConfig::default()
        };
        let idp = Idp::start(config).await.unwrap();
        let claims = read(&idp, &idp.token("alice").sign(), idp.audience()).await;
        assert_eq!(claims["name"], "Alice Adams", "{algorithm}");
    }
}

#[tokio::test]
async fn client_credentials_give_an_access_token_of_rfc_9068() {
    let idp = idp().await;
    let response = post(
        &idp,
        "/token",
        "grant_type=client_credentials&scope=orders:read",
        SERVICE,
    )
    .await;
    assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
    let (_, answer) = json(response).await;
    assert_eq!(
        (
            &answer["token_type"],
            &answer["expires_in"],
            &answer["scope"]
        ),
        (&"Bearer".into(), &3600.into(), &"orders:read".into())
    );
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(decode_header(token).unwrap().typ.as_deref(), Some("at+jwt"));
    let claims = read(&idp, token, idp.audience()).await;
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        assert!(!claims[claim].is_null(), "{claim}");
    }
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&"service".into(), &"service".into())
    );
    assert!(answer["refresh_token"].is_null() && answer["id_token"].is_null());
}

#[tokio::test]
async fn clients_authenticate_in_either_way_and_not_in_both() {
    let idp = idp().await;
    let ask = async |form: &str, basic| {
        let (status, body) = json(
            post(
                &idp,
                "/token",
                &format!("grant_type=client_credentials{form}"),
                basic,
            )
            .await,
        )
        .await;
        (status, body["error"].as_str().unwrap_or("fine").to_owned())
    };
    let fine = (200, "fine".to_owned());
    assert_eq!(ask("", SERVICE).await, fine);
    assert_eq!(
        ask("&client_id=service&client_secret=service-secret", None).await,
        fine
    );
    // RFC 6749, section 2.3.1: form-encoded inside Basic.
    assert_eq!(ask("", Some(("other", "p%3Aw+d%26%3D%25"))).await, fine);
    assert_eq!(
        ask("&client_secret=service-secret", SERVICE).await.1,
        "invalid_request"
    );
    for basic in [
        Some(("service", "wrong")),
        Some(("nobody", "x")),
        Some(("service", "")),
    ] {
        assert_eq!(ask("", basic).await, (401, "invalid_client".to_owned()));
    }
    assert_eq!(
        ask("&client_id=service", None).await,
        (401, "invalid_client".to_owned())
    );
    assert_eq!(ask("&client_id=web", None).await.1, "unauthorized_client");
    assert_eq!(ask("&scope=a&scope=b", SERVICE).await.1, "invalid_request");
    assert_eq!(ask("&scope=everything", SERVICE).await.1, "invalid_scope");
    assert_eq!(
        ask("&resource=api://other", SERVICE).await.1,
        "invalid_target"
    );
    let (_, body) = json(
        post(
            &idp,
            "/token",
            "grant_type=password&username=alice&password=alice",
            SERVICE,
        )
        .await,
    )
    .await;
    assert_eq!(body["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn a_code_gives_all_three_tokens_and_refresh_rotates() {
    let idp = idp().await;
    let (_, first) = json(post(&idp, "/token", &code_form(&code(&idp).await), None).await).await;
    let id_token = read(&idp, first["id_token"].as_str().unwrap(), "web").await;
    assert_eq!(
        (&id_token["nonce"], &id_token["azp"]),
        (&"n-1".into(), &"web".into())
    );
    assert!(id_token["at_hash"].is_string() && id_token["auth_time"].is_number());
    let form = |token: &Value| {
        format!(
            "grant_type=refresh_token&client_id=web&refresh_token={}",
            token["refresh_token"].as_str().unwrap()
        )
    };
    let (status, error) = json(
        post(
            &idp,
            "/token",
            &format!("{}&scope=orders:write", form(&first)),
            None,
        )
        .await,
    )
    .await;
    assert_eq!((status, &error["error"]), (400, &"invalid_scope".into()));
    let (status, second) = json(post(&idp, "/token", &form(&first), None).await).await;
    assert_eq!(
        status, 200,
        "a refused request did not use the token up: {second}"
    );
    let access = second["access_token"].as_str().unwrap().to_owned();
    assert_eq!(introspect(&idp, &access).await["active"], true);
    // The first refresh token again: somebody stole it, or lost it; the whole family ends.
    assert_eq!(
        post(&idp, "/token", &form(&first), None)
            .await
            .status(),
        400
    );
    assert_eq!(
        post(&idp, "/token", &form(&second), None)
            .await
            .status(),
        400
    );
    assert_eq!(
        introspect(&idp, &access).await,
        serde_json::json!({ "active": false })
    );
}

async fn introspect(idp: &Idp, token: &str) -> Value {
    json(post(idp, "/introspect", &format!("token={token}"), SERVICE).await)
        .await
        .1
}

#[tokio::test]
async fn revocation_is_for_the_owner_and_unknown_tokens_are_no_error() {
    let idp = idp().await;
    let (_, tokens) = json(post(&idp, "/token", &code_form(&code(&idp).await), None).await).await;
    let (access, refresh) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    );
    let answer = introspect(&idp, access).await;
    assert_eq!(
        (&answer["active"], &answer["username"], &answer["client_id"]),
        (&true.into(), &"alice".into(), &"web".into())
    );
    assert_eq!(
        post(
            &idp,
            "/introspect",
            &format!("token={access}&client_id=web"),
            None
        )
        .await
        .status(),
        401
    );
    assert_eq!(
        post(&idp, "/revoke", &format!("token={refresh}"), SERVICE)
            .await
            .status(),
        200
    );
    assert_eq!(
        introspect(&idp, access).await["active"],
        true,
        "somebody else's word"
    );
    assert_eq!(
        post(&idp, "/revoke", "token=unknown&client_id=web", None)
            .await
            .status(),
        200
    );
    assert_eq!(
        post(
            &idp,
            "/revoke",
            &format!("token={refresh}&client_id=web"),
            None
        )
        .await
        .status(),
        200
    );
    assert_eq!(introspect(&idp, access).await["active"], false);
}

#[tokio::test]
async fn userinfo_is_for_openid_tokens_of_users() {
    let idp = idp().await;
    let (_, tokens) = json(post(&idp, "/token", &code_form(&code(&idp).await), None).await).await;
    let ask = async |token: &str| {
        json(
            client()
                .get(format!("{}/userinfo", idp.issuer()))
                .bearer_auth(token)
                .send()
                .await
                .unwrap(),
        )
        .await
    };
    let (status, body) = ask(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((status, &body["name"]), (200, &"Alice Adams".into()));
    assert!(body["roles"].is_null());
    let (_, service) =
        json(post(&idp, "/token", "grant_type=client_credentials", SERVICE).await).await;
    assert_eq!(ask(service["access_token"].as_str().unwrap()).await.0, 401);
    let made_up = client()
        .get(format!("{}/userinfo", idp.issuer()))
        .bearer_auth("made-up");
    let refused = made_up.send().await.unwrap();
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert_eq!(
        (refused.status().as_u16(), challenge),
        (
            401,
            "Bearer realm=\"idp\", error=\"invalid_token\", \
             error_description=\"the access token is unknown, expired or revoked\""
        )
    );
}

#[tokio::test]
async fn keys_rotate_with_and_without_overlap() {
    let idp = idp().await;
    let kids = async || {
        let set: Value = serde_json::from_str(
            &reqwest::get(idp.jwks_uri())
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
        )
        .unwrap();
        set["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = kids().await;
    idp.rotate(Overlap::With).await;
    let second = kids().await;
    assert_eq!((second.len(), &second[1]), (2, &first[0]));
    assert_eq!(
        decode_header(idp.token("bob").sign()).unwrap().kid,
        Some(second[0].clone())
    );
    let response = post(&idp, "/dev/rotate", "overlap=false", None).await;
    assert_eq!(response.status(), 204);
    let third = kids().await;
    assert!(third.len() == 1 && !second.contains(&third[0]));
    let bare = client().post(format!("{}/dev/rotate", idp.base()));
    assert_eq!(bare.send().await.unwrap().status(), 204);
    assert!(!kids().await.contains(&third[0]));
}

/// A developer has to find the mistake: the answer tells what was sent, and what was expected.
#[tokio::test]
async fn a_code_that_does_not_fit_its_request_tells_what_differs() {
    let idp = idp().await;
    for (from, to, told) in [
        (
            "code_verifier=",
            "code_verifier=x",
            "SHA-256 of `code_verifier`: expected `",
        ),
        (
            "%2Fcallback",
            "%2Fother",
            "`redirect_uri`: expected `http://127.0.0.1:4711/callback`",
        ),
        ("code=", "code=x", "the code is unknown: never issued here"),
    ] {
        let form = code_form(&code(&idp).await);
        let changed = match form.contains(from) {
            true => form.replacen(from, to, 1),
            false => form.replacen(&from.replace("%2F", "/"), &to.replace("%2F", "/"), 1),
        };
        assert_ne!(changed, form);
        let (status, answer) = json(post(&idp, "/token", &changed, None).await).await;
        let description = answer["error_description"].as_str().unwrap();
        assert_eq!(
            (status, &answer["error"]),
            (400, &Value::from("invalid_grant"))
        );
        assert!(description.contains(told), "{description}");
    }
}
