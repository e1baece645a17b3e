//! `AuthorizedCaller`: a handler's signature says who may call it.

use crate::{call, get, world};
use axum::Router;
use axum::extract::FromRef;
use axum::routing;
use portcullis::{AuthorizedCaller, ProtectLayer, ResourceServer, requirement};
use portcullis_resource_server::{Config, Settings};

requirement!(Admin = role("Admin"));
requirement!(
    Editor = all([
        scope("orders:write"),
        any([role("Admin"), claim("department", "sales")]),
        not(role("Banned"))
    ])
);

async fn anyone(caller: Option<AuthorizedCaller>) -> String {
    caller.map_or("nobody".to_owned(), |caller| caller.name().to_owned())
}

async fn valid(user: AuthorizedCaller) -> String {
    format!(
        "{} {:?}",
        user.name(),
        user.scopes().iter().collect::<Vec<_>>()
    )
}

async fn admin(user: AuthorizedCaller<Admin>) -> String {
    user.name().to_owned()
}

async fn editor(_: AuthorizedCaller<Editor>) -> &'static str {
    "ok"
}

fn app(server: ResourceServer) -> Router {
    Router::new()
        .route("/anyone", routing::get(anyone))
        .route("/valid", routing::get(valid))
        .route("/admin", routing::get(admin))
        .route("/editor", routing::get(editor))
        .with_state(server)
}

#[tokio::test]
async fn requirements_in_signatures_are_kept() {
    let (idp, server) = world().await;
    let app = app(server);
    let (alice, bob) = (
        idp.token("alice").scope("a b").sign(),
        idp.token("bob").sign(),
    );
    let answer = call(&app, get("/valid", Some(&alice))).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, Some("Alice Adams [\"a\", \"b\"]"))
    );
    assert_eq!(call(&app, get("/valid", None)).await.status, 401);
    assert_eq!(call(&app, get("/admin", Some(&alice))).await.status, 200);
    let refused = call(&app, get("/admin", Some(&bob))).await;
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (403, Some("policy.role"))
    );
}

#[tokio::test]
async fn compound_requirements_name_the_scopes_that_would_help() {
    let (idp, server) = world().await;
    let app = app(server);
    let ask = async |token: String| {
        let answer = call(&app, get("/editor", Some(&token))).await;
        let challenge = answer
            .headers
            .get("www-authenticate")
            .map(|it| it.to_str().unwrap().to_owned());
        (
            answer.body["code"].as_str().unwrap_or("ok").to_owned(),
            challenge.unwrap_or_default(),
        )
    };
    assert_eq!(
        ask(idp.token("alice").scope("orders:write").sign())
            .await
            .0,
        "ok"
    );
    assert_eq!(
        ask(idp
            .token("bob")
            .scope("orders:write")
            .claim("department", "sales")
            .sign())
        .await
        .0,
        "ok"
    );
    let (code, challenge) = ask(idp.token("alice").scope("orders:read").sign()).await;
    assert_eq!(code, "policy.scope");
    assert!(challenge.ends_with("scope=\"orders:write\""), "{challenge}");
    assert_eq!(
        ask(idp.token("bob").scope("orders:write").sign())
            .await
            .0,
        "policy.role"
    );
    assert_eq!(
        ask(idp
            .token("alice")
            .role("Banned")
            .scope("orders:write")
            .sign())
        .await
        .0,
        "policy.denied"
    );
}

#[tokio::test]
async fn optional_means_absent_and_nothing_else() {
    let (idp, server) = world().await;
    let app = app(server);
    assert_eq!(call(&app, get("/anyone", None)).await.body, "nobody");
    assert_eq!(
        call(&app, get("/anyone", Some(&idp.token("bob").sign())))
            .await
            .body,
        "Bob Brown"
    );
    for bad in [
        "garbage".to_owned(),
        idp.token("bob").expire().sign(),
        idp.token("bob").alg_none().sign(),
    ] {
        assert_eq!(call(&app, get("/anyone", Some(&bad))).await.status, 401);
    }
    let mut basic = get("/anyone", None);
    basic
        .headers_mut()
        .insert("authorization", "Basic dTpw".parse().unwrap());
    assert_eq!(call(&app, basic).await.status, 401);
}

#[tokio::test]
async fn answers_are_problem_documents_that_nobody_keeps() {
    let (idp, server) = world().await;
    let token = idp.token("alice").audience("api://elsewhere").sign();
    let mut request = get("/valid", Some(&token));
    request
        .headers_mut()
        .insert("x-request-id", "abc-1".parse().unwrap());
    let answer = call(&app(server), request).await;
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(header("content-type"), "application/problem+json");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-request-id"), "abc-1");
    assert_eq!(answer.body["request_id"], "abc-1");
    assert_eq!(answer.body["status"], 401);
    assert_eq!(answer.body["type"], "urn:portcullis:token.audience");
    assert!(!answer.body.to_string().contains("elsewhere"));
}

#[tokio::test]
async fn a_strange_request_id_is_replaced() {
    let (_idp, server) = world().await;
    let mut request = get("/valid", None);
    request
        .headers_mut()
        .insert("x-request-id", "<script>".parse().unwrap());
    let answer = call(&app(server), request).await;
    assert_eq!(answer.body["request_id"].as_str().unwrap().len(), 16);
}

#[tokio::test]
async fn an_outage_is_503_with_a_time_to_come_back() {
    let (idp, server) = world().await;
    let token = idp.token("alice").sign();
    idp.shutdown().await;
    let answer = call(&app(server), get("/valid", Some(&token))).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (503, Some("outage.metadata"))
    );
    assert!(answer.headers.get("www-authenticate").is_none());
    assert!(
        answer
            .headers
            .get("retry-after")
            .unwrap()
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
}

#[derive(Clone)]
struct AppState {
    server: ResourceServer,
}

impl FromRef<AppState> for ResourceServer {
    fn from_ref(state: &AppState) -> Self {
        state.server.clone()
    }
}

#[tokio::test]
async fn a_state_of_ones_own_and_a_layer_before_it() {
    let (idp, server) = world().await;
    let app = Router::new()
        .route("/admin", routing::get(admin))
        .route_layer(ProtectLayer::new(server.clone()))
        .with_state(AppState { server });
    assert_eq!(
        call(&app, get("/admin", Some(&idp.token("alice").sign())))
            .await
            .status,
        200
    );
    assert_eq!(
        call(&app, get("/admin", Some(&idp.token("bob").sign())))
            .await
            .status,
        403
    );
    assert_eq!(call(&app, get("/admin", None)).await.status, 401);
}

/// A layer of another server has verified the token; that server's word does not count here.
#[tokio::test]
async fn another_servers_layer_opens_no_door() {
    let (idp, server) = world().await;
    let lax = ResourceServer::new(idp.issuer().as_str(), "api://lax").unwrap();
    let app = Router::new()
        .route("/valid", routing::get(valid))
        .route_layer(ProtectLayer::new(lax))
        .with_state(server);
    let token = idp.token("alice").audience("api://lax").sign();
    let answer = call(&app, get("/valid", Some(&token))).await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (401, Some("token.audience"))
    );
}

#[tokio::test]
async fn a_token_in_a_cookie_counts_where_the_settings_name_it() {
    let (idp, _) = world().await;
    let text = format!(
        "token_cookie = \"__Host-token\"\n[[issuer]]\nurl = \"{}\"\naudience = \"{}\"\n",
        idp.issuer(),
        idp.audience()
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let app = app(ResourceServer::with_settings(settings));
    let token = idp.token("alice").sign();
    let ask = async |path: &str, method: &str, site: &str| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", format!("a=1; __Host-token={token}"))
            .header("sec-fetch-site", site);
        call(&app, request.body(axum::body::Body::empty()).unwrap()).await
    };
    assert_eq!(ask("/valid", "GET", "same-origin").await.status, 200);
    assert_eq!(ask("/valid", "GET", "cross-site").await.status, 401);
    assert_eq!(
        ask("/anyone", "GET", "same-origin").await.body,
        "Alice Adams"
    );
    assert_eq!(ask("/anyone", "GET", "cross-site").await.body, "nobody");
    // A second look at the same request finds the verified token.
    assert_eq!(ask("/admin", "GET", "none").await.status, 200);
}
