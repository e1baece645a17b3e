//! Resources with a name of their own, in an application of axum.

use crate::{call, get};
use axum::Router;
use axum::routing::get as on_get;
use http::Request;
use portcullis::{
    AuthorizedCaller, Config, ProtectLayer, ResourceMetadata, ResourceServer, Settings, requirement,
};
use portcullis_idp::{Idp, IdpConfig};

requirement!(Reader = scope("orders:read"));
requirement!(Biller = all([audience(["https://api.example/bills"]), scope("bills")]));

async fn app(idp: &Idp) -> Router {
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"https://api.example/orders\", \
         \"https://api.example/bills\"]\n[[resource]]\nurl = \"https://api.example/orders\"\n\
         scopes = [\"orders:read\"]\n",
        idp.issuer()
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_settings(settings);
    let orders = Router::new()
        .route(
            "/{id}",
            on_get(async |_: AuthorizedCaller<Reader>| "an order"),
        )
        .layer(ProtectLayer::new(server.clone()));
    Router::new()
        // The router cuts the path: the resource is found by what the client wrote.
        .nest("/orders", orders)
        .route(
            "/bills",
            on_get(async |_: AuthorizedCaller<Biller>| "bills"),
        )
        .with_state(server.clone())
        .merge(ResourceMetadata::of(&server).into_router())
}

#[tokio::test]
async fn a_handler_is_for_its_resource() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let app = app(&idp).await;
    for (path, audience, scope, status) in [
        (
            "/orders/1",
            "https://api.example/orders",
            "orders:read",
            200,
        ),
        ("/orders/1", "https://api.example/bills", "orders:read", 401),
        ("/orders/1", "https://api.example/orders", "bills", 403),
        ("/bills", "https://api.example/bills", "bills", 200),
        ("/bills", "https://api.example/orders", "bills", 401),
    ] {
        let token = idp.token("bob").audience(audience).scope(scope).sign();
        let answer = call(&app, get(path, Some(&token))).await;
        assert_eq!(answer.status, status, "{path} {audience}");
        if status == 401 {
            assert_eq!(answer.body["code"], "token.audience");
        }
        if status >= 400 && path == "/orders/1" {
            let challenge = answer.headers["www-authenticate"].to_str().unwrap();
            let metadata = "https://api.example/.well-known/oauth-protected-resource/orders";
            assert!(challenge.contains(metadata), "{challenge}");
        }
    }
}

#[tokio::test]
async fn the_router_serves_the_document_to_everybody() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let app = app(&idp).await;
    let path = "/.well-known/oauth-protected-resource/orders";
    let answer = call(&app, get(path, None)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.body["resource"], "https://api.example/orders");
    assert_eq!(answer.body["scopes_supported"][0], "orders:read");
    // Without the public origin, no proof can be checked, so none is offered.
    assert!(answer.body["dpop_signing_alg_values_supported"].is_null());
    let post = Request::post(path)
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(call(&app, post).await.status, 405);
    for (path, status) in [
        ("/.well-known/oauth-protected-resource", 404),
        ("/.well-known/oauth-protected-resource/orders/", 200),
        ("/.well-known/oauth-protected-resource/bills", 404),
    ] {
        assert_eq!(call(&app, get(path, None)).await.status, status, "{path}");
    }
}
