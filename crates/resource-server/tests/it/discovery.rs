//! Issuers with a path publish their metadata in one of three places.

use crate::world::{clock, decide, idp, server};
use axum::Router;
use axum::routing::get;
use std::sync::{Arc, Mutex};

/// An issuer at `/tenants/x` that answers only at this well-known path.
async fn issuer_with(well_known: &'static str, jwks: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let issuer = format!("{origin}/tenants/x");
    let metadata = format!("{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{origin}/keys\"}}");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let app = Router::new()
        .route(well_known, get(async move || metadata))
        .route("/keys", get(async move || jwks))
        .layer(axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                seen.lock().unwrap().push(request.uri().path().to_owned());
                next.run(request)
            },
        ));
    tokio::spawn(async { axum::serve(listener, app).await });
    (issuer, asked)
}

#[tokio::test]
async fn each_of_the_three_places_is_found_in_order() {
    let places = [
        "/tenants/x/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenants/x",
        "/.well-known/openid-configuration/tenants/x",
    ];
    for (index, place) in places.into_iter().enumerate() {
        let clock = clock();
        let signer = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
        let (issuer, asked) = issuer_with(place, signer.jwks()).await;
        let token = signer.token("alice").issuer(&issuer).sign();
        assert_eq!(decide(&server(&issuer, &clock), &token).await, "allow", "{place}");
        let mut expected: Vec<&str> = places.into_iter().take(index + 1).collect();
        expected.push("/keys");
        assert_eq!(*asked.lock().unwrap(), expected);
    }
}
