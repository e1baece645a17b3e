//! A stream of an application ends with the token that opened it.

use crate::get;
use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::routing;
use futures_util::{Stream, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use portcullis::{AuthorizedCaller, ResourceServer, Revocation};
use portcullis_resource_server::clock::Clock as _;
use portcullis_testkit::ResourceServerSetup;
use std::convert::Infallible;
use std::time::Duration;
use tower::ServiceExt as _;

async fn events(
    State(server): State<ResourceServer>,
    caller: AuthorizedCaller,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let first = stream::iter([Ok(Event::default().data("first"))]);
    let token = caller.into_token();
    let endless = first.chain(stream::pending());
    Sse::new(endless.take_until(async move { server.wait_for_end(&token).await }))
}

#[tokio::test]
async fn events_of_an_axum_handler_end_soon_after_the_revocation() {
    let setup = ResourceServerSetup::new().await;
    let app = Router::new()
        .route("/events", routing::get(events))
        .with_state(setup.server.clone());
    let token = setup.idp.token("alice").claim("sub", "user-1").sign();
    let response = app
        .oneshot(get("/events", Some(&token)))
        .await
        .unwrap();
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "data: first\n\n");
    let reading = tokio::spawn(async move { body.frame().await.is_none() });
    tokio::task::yield_now().await;
    assert!(!reading.is_finished());
    let now = setup.clock.now();
    let revocation = Revocation::subject(setup.idp.issuer(), "user-1", now);
    setup.server.revoke(revocation).await.unwrap();
    // The stream takes its turn after this: less than the five seconds of a check by itself.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    setup.clock.advance(Duration::from_millis(300));
    let ended = tokio::time::timeout(Duration::from_secs(30), reading);
    assert!(ended.await.unwrap().unwrap());
}
