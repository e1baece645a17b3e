//! Token exchange (RFC 8693), and Entra ID's way to do it.

use crate::key::claims;
use crate::{SERVICE, clock, code, code_form, json, post, with_client};
use portcullis_idp::{Dialect, Idp, IdpConfig, RegisteredClient, Secret, User};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::SeqCst;

const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
const API: Option<(&str, &str)> = Some(("api", "s"));

/// An API that calls another one.
fn api() -> RegisteredClient {
    RegisteredClient {
        id: "api".to_owned(),
        secret: Some(Secret::new("s")),
        audiences: vec!["api://downstream".to_owned()],
        scopes: vec!["down:read".to_owned()],
        ..RegisteredClient::default()
    }
}

fn of_type(kind: &str) -> String {
    format!("urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3A{kind}")
}

fn form(token: &str, kind: &str, more: &str) -> String {
    format!(
        "{EXCHANGE}&subject_token={token}&subject_token_type={}{more}",
        of_type(kind)
    )
}

async fn ask(idp: &Idp, form: &str) -> (u16, Value) {
    json(post(idp, "/token", form, API).await).await
}

async fn tokens(idp: &Idp) -> Value {
    json(post(idp, "/token", &code_form(&code(idp).await), None).await)
        .await
        .1
}

#[tokio::test]
async fn a_token_for_another_audience_keeps_the_user() {
    let idp = Idp::start(with_client(api())).await.unwrap();
    let tokens = tokens(&idp).await;
    for (token, kind) in [
        ("access_token", "access_token"),
        ("access_token", "jwt"),
        ("id_token", "id_token"),
    ] {
        let form = form(
            tokens[token].as_str().unwrap(),
            kind,
            "&audience=api://downstream",
        );
        let (status, answer) = ask(&idp, &form).await;
        assert_eq!(status, 200, "{answer}");
        let told =
            ["token_type", "issued_token_type", "scope"].map(|name| answer[name].as_str().unwrap());
        assert_eq!(
            told,
            [
                "Bearer",
                "urn:ietf:params:oauth:token-type:access_token",
                "down:read"
            ]
        );
        assert!(answer["refresh_token"].is_null() && answer["id_token"].is_null());
        let new = claims(answer["access_token"].as_str().unwrap());
        let told =
            ["preferred_username", "aud", "client_id"].map(|name| new[name].as_str().unwrap());
        assert_eq!(told, ["alice", "api://downstream", "api"]);
        let old = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!(
            (&new["sid"], &new["auth_time"], &new["act"]),
            (&old["sid"], &old["auth_time"], &Value::Null)
        );
    }
}

#[tokio::test]
async fn delegation_names_the_actors_the_newest_outermost() {
    let idp = Idp::start(with_client(api())).await.unwrap();
    let (_, service) =
        json(post(&idp, "/token", "grant_type=client_credentials", SERVICE).await).await;
    let acting = |token: &str, actor: &str| {
        let actor = format!(
            "&actor_token={actor}&actor_token_type={}",
            of_type("access_token")
        );
        form(token, "access_token", &actor)
    };
    let alice = idp.token("alice").scope("orders:read").issue();
    let (status, first) = ask(
        &idp,
        &acting(&alice, service["access_token"].as_str().unwrap()),
    )
    .await;
    assert_eq!(status, 200, "{first}");
    let first = first["access_token"].as_str().unwrap();
    assert_eq!(claims(first)["act"], json!({ "sub": "service" }));
    let (_, api) = json(post(&idp, "/token", "grant_type=client_credentials", API).await).await;
    let (_, second) = ask(&idp, &acting(first, api["access_token"].as_str().unwrap())).await;
    let second = second["access_token"].as_str().unwrap();
    assert_eq!(
        claims(second)["act"],
        json!({ "sub": "api", "act": { "sub": "service" } })
    );
    let (_, third) = ask(&idp, &form(second, "access_token", "")).await;
    let third = claims(third["access_token"].as_str().unwrap());
    assert_eq!(
        third["act"]["sub"], "api",
        "an exchange without an actor forgets nobody"
    );
    let (_, told) =
        json(post(&idp, "/introspect", &format!("token={second}"), SERVICE).await).await;
    assert_eq!(told["act"]["act"]["sub"], "service");
}

#[tokio::test]
async fn may_act_says_who_may() {
    let mut config = with_client(api());
    let may_act = json!({ "may_act": { "sub": "service" } });
    config.users = vec![User {
        claims: serde_json::from_value(may_act).unwrap(),
        ..config.users[0].clone()
    }];
    let idp = Idp::start(config).await.unwrap();
    let alice = idp.token("alice").issue();
    let (status, body) = ask(&idp, &form(&alice, "access_token", "")).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));
    let (_, service) =
        json(post(&idp, "/token", "grant_type=client_credentials", SERVICE).await).await;
    let service = service["access_token"].as_str().unwrap();
    let actor = format!(
        "&actor_token={service}&actor_token_type={}",
        of_type("access_token")
    );
    assert_eq!(
        ask(&idp, &form(&alice, "access_token", &actor))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn an_exchange_narrows_and_never_widens() {
    let (time, clock) = clock();
    let idp = Idp::start_at(with_client(api()), clock).await.unwrap();
    let alice = idp
        .token("alice")
        .scope("orders:read orders:write")
        .issue();
    let (_, all) = ask(&idp, &form(&alice, "access_token", "")).await;
    assert_eq!(all["scope"], "orders:read orders:write");
    let (_, less) = ask(&idp, &form(&alice, "access_token", "&scope=orders:read")).await;
    assert_eq!(
        claims(less["access_token"].as_str().unwrap())["scope"],
        "orders:read"
    );
    for (more, error) in [
        ("&scope=orders:delete", "invalid_scope"),
        ("&scope=down:read", "invalid_scope"),
        (
            "&audience=api://downstream&scope=orders:read",
            "invalid_scope",
        ),
        ("&audience=api://unknown", "invalid_target"),
        (
            "&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token",
            "invalid_request",
        ),
        (
            "&actor_token_type=urn:ietf:params:oauth:token-type:access_token",
            "invalid_request",
        ),
        (
            "&actor_token=x&actor_token_type=urn:ietf:params:oauth:token-type:access_token",
            "invalid_request",
        ),
        ("&actor_token=x", "invalid_request"),
    ] {
        let (status, body) = ask(&idp, &form(&alice, "access_token", more)).await;
        assert_eq!((status, &body["error"]), (400, &json!(error)), "{more}");
    }
    time.fetch_add(3_000, SeqCst);
    let (_, late) = ask(&idp, &form(&alice, "access_token", "")).await;
    assert_eq!(late["expires_in"], 600, "it ends with what it was made of");
}

#[tokio::test]
async fn what_cannot_be_exchanged() {
    let idp = Idp::start(with_client(api())).await.unwrap();
    let tokens = tokens(&idp).await;
    let (access, id) = (
        tokens["access_token"].as_str().unwrap(),
        tokens["id_token"].as_str().unwrap(),
    );
    let (_, service) =
        json(post(&idp, "/token", "grant_type=client_credentials", SERVICE).await).await;
    for (token, kind) in [
        ("made-up", "access_token"),
        ("made-up", "id_token"),
        (id, "access_token"),
        (access, "id_token"),
        (access, "saml2"),
        (access, "refresh_token"),
        (idp.token("alice").sign().as_str(), "access_token"),
        (service["access_token"].as_str().unwrap(), "access_token"),
    ] {
        let (status, body) = ask(&idp, &form(token, kind, "")).await;
        assert_eq!(
            (status, &body["error"]),
            (400, &json!("invalid_request")),
            "{kind}"
        );
    }
    let public = format!("{}&client_id=web", form(access, "access_token", ""));
    let (_, body) = json(post(&idp, "/token", &public, None).await).await;
    assert_eq!(body["error"], "unauthorized_client");
    let (_, made) = ask(&idp, &form(access, "access_token", "")).await;
    let revoke = format!(
        "token={}&client_id=web",
        tokens["refresh_token"].as_str().unwrap()
    );
    assert_eq!(post(&idp, "/revoke", &revoke, None).await.status(), 200);
    for (token, kind) in [(access, "access_token"), (id, "id_token")] {
        assert_eq!(ask(&idp, &form(token, kind, "")).await.0, 400, "revoked");
    }
    let form = format!("token={}", made["access_token"].as_str().unwrap());
    assert_eq!(
        json(post(&idp, "/introspect", &form, SERVICE).await)
            .await
            .1["active"],
        false,
        "with its source"
    );
}

#[tokio::test]
async fn entra_asks_on_behalf_of() {
    let config = IdpConfig {
        dialect: Dialect::Entra,
        ..with_client(api())
    };
    let idp = Idp::start(config).await.unwrap();
    let path = idp
        .token_endpoint()
        .strip_prefix(idp.base())
        .unwrap()
        .to_owned();
    let ask = async |assertion: &str, used: &str| {
        let form = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}{used}&resource=api://downstream"
        );
        let request = crate::client()
            .post(format!("{}{path}", idp.base()))
            .basic_auth("api", Some("s"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        json(request.body(form).send().await.unwrap()).await
    };
    let used = "&requested_token_use=on_behalf_of";
    let alice = idp.token("alice").issue();
    let (status, answer) = ask(&alice, used).await;
    assert_eq!(
        (status, &answer["issued_token_type"]),
        (200, &Value::Null),
        "{answer}"
    );
    let (new, old) = (
        claims(answer["access_token"].as_str().unwrap()),
        claims(&alice),
    );
    assert_eq!(
        (&new["oid"], &new["azp"], &new["aud"]),
        (&old["oid"], &json!("api"), &json!("api://downstream"))
    );
    assert_eq!(
        (&new["scp"], &new["act"]),
        (&json!("down:read"), &Value::Null)
    );
    assert_eq!(ask(&alice, "").await.1["error"], "invalid_request");
    assert_eq!(ask("made-up", used).await.1["error"], "invalid_grant");
    assert_eq!(
        ask(&idp.token("service").issue(), used).await.1["error"],
        "invalid_grant",
        "nobody's behalf"
    );
    let generic = Idp::start(with_client(api())).await.unwrap();
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=x{used}"
    );
    assert_eq!(
        json(post(&generic, "/token", &form, API).await)
            .await
            .1["error"],
        "unsupported_grant_type"
    );
}
