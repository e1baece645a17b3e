//! Ends that arrive at an application of axum: the provider pushes events, and tokens end.

use crate::{call, get};
use axum::Router;
use axum::routing::get as on_get;
use http::Request;
use portcullis::{Config, ProtectLayer, Receivers, ResourceServer, Settings};
use portcullis_idp::{Idp, IdpConfig, SecurityEvent};
use serde_json::{Value, json};

const SECRET: &str = "Bearer for-the-receiver";

/// An application that protects everything but its receivers, and what it listens on.
async fn app(idp: &Idp) -> (Router, String) {
    // Each provider of a test has an address of its own.
    let name = format!("portcullis-push-{}", idp.base().replace(['/', ':'], "-"));
    let secret = std::env::temp_dir().join(name);
    std::fs::write(&secret, SECRET).unwrap();
    let text = format!(
        "[[issuer]]\nurl = \"{0}\"\naudience = \"{1}\"\n[[events]]\nname = \"idp\"\n\
         issuer = \"{0}\"\naudience = \"service\"\nauthorization_file = \"{2}\"\n\
         [events.effects]\ntoken-claims-change = \"sign_in\"\n",
        idp.issuer(),
        idp.audience(),
        secret.display()
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    std::fs::remove_file(secret).unwrap();
    let server = ResourceServer::with_settings(settings);
    let app = Router::new()
        .route("/orders", on_get(async || "all orders"))
        .layer(ProtectLayer::new(server.clone()))
        .merge(Receivers::of(&server).into_router());
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    let serving = app.clone();
    tokio::spawn(async move { axum::serve(socket, serving).await });
    (app, base)
}

/// A stream of the client `service`, pushed to the application.
async fn create_stream(idp: &Idp, base: &str) {
    let client = reqwest::Client::new();
    let token: Value = serde_json::from_str(
        &client
            .post(format!("{}/token", idp.issuer()))
            .basic_auth("service", Some("service-secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials&scope=ssf.manage")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
    )
    .unwrap();
    let caep = "https://schemas.openid.net/secevent/caep/event-type";
    let risc = "https://schemas.openid.net/secevent/risc/event-type";
    let wanted = json!({
        "events_requested": [
            format!("{caep}/credential-change"), format!("{caep}/token-claims-change"),
            format!("{risc}/account-disabled"), format!("{risc}/account-enabled"),
        ],
        "delivery": {
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": format!("{base}/.portcullis/events/idp"),
            "authorization_header": SECRET,
        },
    });
    let answer = client
        .post(format!("{}/ssf/streams", idp.issuer()))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .header("content-type", "application/json")
        .body(wanted.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn events_of_the_provider_end_tokens() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let (app, base) = app(&idp).await;
    create_stream(&idp, &base).await;
    let (alice, bob) = (idp.token("alice").sign(), idp.token("bob").sign());
    let status = async |token: &str| call(&app, get("/orders", Some(token))).await.status;
    assert_eq!((status(&alice).await, status(&bob).await), (200, 200));

    let sent = idp
        .send_event("alice", &SecurityEvent::AccountDisabled)
        .await;
    assert_eq!(sent[0].status, Some(202), "{sent:?}");
    let refused = call(&app, get("/orders", Some(&alice))).await;
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert_eq!(refused.status, 401);
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    // What happened to the account is nobody's business.
    let told = format!("{challenge} {}", refused.body);
    for word in ["account", "disabled", "event", "alice"] {
        assert!(!told.contains(word), "{told}");
    }
    assert_eq!(status(&bob).await, 200, "others go on");
    // Of the same second, the disabling counts.
    idp.send_event("alice", &SecurityEvent::AccountEnabled)
        .await;
    assert_eq!(status(&alice).await, 401);

    let change = SecurityEvent::CredentialChange {
        credential_type: "password".to_owned(),
        change_type: "update".to_owned(),
    };
    idp.send_event("bob", &change).await;
    assert_eq!(status(&bob).await, 401);
}

/// The provider says that somebody changed, and the settings want a new sign-in for that.
#[tokio::test]
async fn an_event_can_demand_a_new_sign_in() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let (app, base) = app(&idp).await;
    create_stream(&idp, &base).await;
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let before = idp.token("alice").claim("auth_time", now - 60).sign();
    let after = idp.token("alice").claim("auth_time", now + 30).sign();
    let unknown = idp.token("alice").without("auth_time").sign();
    let changed = SecurityEvent::TokenClaimsChange(serde_json::Map::default());
    let sent = idp.send_event("alice", &changed).await;
    assert_eq!(sent[0].status, Some(202), "{sent:?}");
    for (token, expected) in [(&before, 401), (&after, 200), (&unknown, 401)] {
        let answer = call(&app, get("/orders", Some(token))).await;
        assert_eq!(answer.status, expected);
        if expected == 401 {
            let challenge = answer.headers["www-authenticate"].to_str().unwrap();
            let wanted = "error=\"insufficient_user_authentication\"";
            assert!(challenge.contains(wanted), "{challenge}");
            assert!(challenge.contains("max_age=\"0\""), "{challenge}");
        }
    }
}

#[tokio::test]
async fn only_the_transmitter_may_push() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let (app, _) = app(&idp).await;
    let alice = idp.token("alice").sign();
    for (authorization, media, told) in [
        (None, "application/secevent+jwt", "authentication_failed"),
        (
            Some("Bearer other"),
            "application/secevent+jwt",
            "authentication_failed",
        ),
        (Some(SECRET), "application/json", "invalid_request"),
        // An access token is no event.
        (Some(SECRET), "application/secevent+jwt", "invalid_request"),
    ] {
        let mut request = Request::post("/.portcullis/events/idp").header("content-type", media);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = call(&app, request.body(alice.clone().into()).unwrap()).await;
        assert_eq!((answer.status, &answer.body["err"]), (400, &json!(told)));
    }
    // Of two, whoever stands in front may have read the other one.
    let request = Request::post("/.portcullis/events/idp")
        .header("content-type", "application/secevent+jwt")
        .header("authorization", SECRET)
        .header("authorization", SECRET);
    let answer = call(&app, request.body(alice.clone().into()).unwrap()).await;
    assert_eq!(answer.body["err"], json!("authentication_failed"));
    let large = "x".repeat(70_000);
    let request = Request::post("/.portcullis/events/idp")
        .body(large.into())
        .unwrap();
    assert_eq!(call(&app, request).await.status, 413);
}
