//! The caller first: nobody sees a schema before the token is verified.

use super::{GOOD, SECRET};
use crate::{Answer, call, get, world};
use axum::extract::{Path, Query};
use axum::routing::{get as on_get, post};
use axum::{Json, Router};
use garde::Validate;
use http::Request;
use portcullis::{AuthorizedCaller, InvalidRequest, ProtectLayer, ResourceServer, Valid};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, Validate, JsonSchema)]
struct Paging {
    #[garde(range(min = 1, max = 500))]
    limit: u32,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Id(#[garde(range(min = 1))] u32);

async fn caller_first(_: AuthorizedCaller, paging: Valid<Query<Paging>>) -> String {
    paging.limit.to_string()
}

async fn path_second(_: AuthorizedCaller, _: Valid<Path<Id>>) -> &'static str {
    "read"
}

async fn body_last(_: AuthorizedCaller, _: Valid<Json<super::NewOrder>>) -> &'static str {
    "read"
}

async fn query_first(_: Valid<Query<Paging>>, _: AuthorizedCaller) -> &'static str {
    "read"
}

async fn path_first(_: Valid<Path<Id>>, _: AuthorizedCaller) -> &'static str {
    "read"
}

fn app(server: ResourceServer) -> Router {
    let outside = Router::new()
        .route("/behind-layer", on_get(query_first))
        .layer(ProtectLayer::new(server.clone()));
    Router::new()
        .route("/query", on_get(caller_first))
        .route("/path/{id}", on_get(path_second))
        .route("/body", post(body_last))
        .route("/query-first", on_get(query_first))
        .route("/path-first/{id}", on_get(path_first))
        .merge(outside)
        .with_state(server)
}

#[tokio::test]
async fn an_invalid_request_has_the_page_of_its_code_as_its_type() {
    let (idp, _) = world().await;
    let server = linked_server(&idp);
    let token = idp.token("alice").sign();
    let app = app(server);
    let refused = call(&app, get("/query?limit=0", Some(&token))).await;
    let page = "https://docs.example/codes#request.invalid";
    assert_eq!((refused.status, &refused.body["type"]), (422, &page.into()));
    let refused = call(&app, get("/query?limit=0", None)).await;
    let page = "https://docs.example/codes#credential.missing";
    assert_eq!((refused.status, &refused.body["type"]), (401, &page.into()));
}

fn linked_server(idp: &portcullis_idp::Idp) -> ResourceServer {
    let text = format!(
        "code_url = \"https://docs.example/codes#{{code}}\"\n[[issuer]]\nurl = \"{}\"\naudience \
            = \"{}\"\n",
        idp.issuer(),
        idp.audience()
    );
    let config = portcullis::Config::from_toml(&text).unwrap();
    ResourceServer::with_settings(portcullis::Settings::try_from(config).unwrap())
}

fn shows_no_schema(answer: &Answer) {
    let text = answer.body.to_string();
    for word in ["limit", "quantity", "errors", "equal", SECRET] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[tokio::test]
async fn strangers_get_401_and_nothing_of_the_schema() {
    let (idp, server) = world().await;
    let app = app(server);
    let token = idp.token("alice").sign();
    for path in [
        "/query?x=1",
        "/query?limit=0",
        "/path/x",
        "/behind-layer?limit=0",
    ] {
        let stranger = call(&app, get(path, None)).await;
        assert_eq!(stranger.status, 401, "{path}");
        shows_no_schema(&stranger);
        assert_eq!(
            call(&app, get(path, Some("junk"))).await.status,
            401,
            "{path}"
        );
        assert_eq!(
            call(&app, get(path, Some(&token))).await.status,
            422,
            "{path}"
        );
    }
    let post = |token: Option<&str>, body: &'static str| {
        let request = Request::post("/body").header("content-type", "application/json");
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        request.body(body.into()).unwrap()
    };
    for body in ["{}", GOOD, "no json"] {
        let stranger = call(&app, post(None, body)).await;
        assert_eq!(stranger.status, 401, "{body}");
        shows_no_schema(&stranger);
    }
    assert_eq!(call(&app, post(Some(&token), "{}")).await.status, 422);
    assert_eq!(call(&app, post(Some(&token), GOOD)).await.status, 200);
}

#[tokio::test]
async fn a_handler_in_the_wrong_order_serves_nobody() {
    let (idp, server) = world().await;
    let app = app(server);
    let token = idp.token("alice").sign();
    for path in ["/query-first?limit=1", "/path-first/1"] {
        let answer = call(&app, get(path, Some(&token))).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.body["code"], "outage.policy");
        shows_no_schema(&answer);
    }
    // A layer that verified the caller was there before both.
    assert_eq!(
        call(&app, get("/behind-layer?limit=1", Some(&token)))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn handlers_can_answer_themselves() {
    async fn own(paging: Result<Valid<Query<Paging>>, InvalidRequest>) -> String {
        match paging {
            Ok(paging) => paging.limit.to_string(),
            Err(invalid) => {
                let fault = &invalid.faults()[0];
                assert_eq!(fault.context()["ge"], 1);
                assert_eq!(fault.place().len(), 2);
                format!(
                    "{} {invalid} {} {}",
                    invalid.status(),
                    fault.kind(),
                    fault.message()
                )
            }
        }
    }
    let app = Router::new().route("/", on_get(own));
    assert_eq!(
        call(&app, get("/?limit=3", None))
            .await
            .body
            .to_string(),
        "3"
    );
    assert_eq!(
        call(&app, get("/?limit=0", None)).await.body,
        "422 Unprocessable Entity request.invalid: the request does not have the form that this \
         operation expects; query.limit: Input should be greater than or equal to 1 \
         greater_than_equal Input should be greater than or equal to 1"
    );
}
