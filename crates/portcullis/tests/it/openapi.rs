//! The document that the handlers write, and what the server does.

use crate::{call, get as request, world};
use axum::extract::{FromRef, Path, Query, State};
use axum::{Json, Router};
use http::Request;
use portcullis::openapi::{
    ApiInfo, ApiRouter, CreatedResource, DescribeResponse, NoContent, OpenApi, Operation, Schemas,
    SecuritySchemes, delete, get, post,
};
use portcullis::{AuthorizedCaller, ProtectLayer, Requirement, ResourceServer, requirement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;

requirement!(Reader = scope("orders:read"));
requirement!(Admin = role("Admin"));
requirement!(Either = any([scope("orders:write"), all([role("Admin"), scope("admin")])]));

#[derive(Clone, FromRef)]
struct Application {
    server: ResourceServer,
    greeting: &'static str,
}

/// An order of a customer.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    item: String,
    quantity: u32,
}

#[derive(Deserialize, JsonSchema)]
struct Page {
    /// How many.
    limit: Option<u8>,
    after: u64,
}

async fn greet(State(greeting): State<&'static str>) -> &'static str {
    greeting
}

async fn list_orders(_: AuthorizedCaller<Reader>, Query(page): Query<Page>) -> Json<Vec<Order>> {
    let quantity = u32::from(page.limit.unwrap_or_default());
    let item = page.after.to_string();
    Json(vec![Order { item, quantity }])
}

async fn create_order(
    _: AuthorizedCaller<Either>,
    Json(order): Json<Order>,
) -> CreatedResource<Order> {
    CreatedResource {
        location: "/orders/1".to_owned(),
        resource: order,
    }
}

async fn delete_order(_: AuthorizedCaller<Admin>, Path(_): Path<u64>) -> NoContent {
    NoContent
}

async fn whoami(caller: Option<AuthorizedCaller>) -> String {
    caller.map_or("nobody".to_owned(), |caller| caller.name().to_owned())
}

async fn any_caller(_: AuthorizedCaller) -> Result<String, portcullis::DenialResponse> {
    Ok("you".to_owned())
}

async fn plain() -> &'static str {
    "behind a layer"
}

async fn app() -> (Router, OpenApi, portcullis_idp::Idp) {
    let (idp, server) = world().await;
    let admins = ProtectLayer::new(server.clone()).require(Requirement::role("Admin"));
    let orders = ApiRouter::new()
        .route("/", get(list_orders).post(create_order).tag("orders"))
        .route("/{id}", delete(delete_order));
    let layered = ApiRouter::new()
        .route(
            "/report",
            get(plain)
                .summary("The report")
                .description("All of it."),
        )
        .route("/guarded", get(any_caller))
        .layer(admins);
    let schemes = SecuritySchemes::discover(&server).await;
    let state = Application {
        server,
        greeting: "hello",
    };
    let (app, document) = ApiRouter::new()
        .route("/public", get(greet))
        .route("/whoami", get(whoami))
        .nest("/orders", orders)
        .merge(layered)
        .with_state::<()>(state)
        .finish(
            ApiInfo::new("Orders", "1.0").description("Anvils."),
            &schemes,
        );
    let app = app.merge(document.router("/openapi.json"));
    (app, document, idp)
}

#[tokio::test]
async fn every_route_is_listed_with_who_may_call_it() {
    let (_, document, _) = app().await;
    let routes: Vec<String> = document
        .routes()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        routes,
        [
            "GET /public: public",
            "GET /whoami: token, or nobody",
            "GET /orders: scope `orders:read`",
            "POST /orders: (scope `orders:write` or (role `Admin` and scope `admin`))",
            "DELETE /orders/{id}: role `Admin`",
            "GET /report: role `Admin`",
            "GET /guarded: role `Admin`",
        ]
    );
}

/// The same question to the document and to the server: who gets in without a token?
#[tokio::test]
async fn document_and_server_agree_on_who_may_call() {
    let (app, document, idp) = app().await;
    let mut asked = 0;
    for route in document.routes() {
        let path = route.path.replace("{id}", "1");
        let method = route.method.to_ascii_lowercase();
        let operation = &document.as_value()["paths"][&route.path][&method];
        let security = operation["security"].as_array().unwrap();
        let is_open = security.is_empty() || security.contains(&json!({}));
        let send = |token: Option<String>| {
            let mut request = Request::builder().method(&*route.method);
            request = request.uri(format!("{path}?after=1"));
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            request = request.header("content-type", "application/json");
            let body = r#"{"item":"anvil","quantity":1}"#;
            call(&app, request.body(body.into()).unwrap())
        };
        let without = send(None).await.status;
        assert_eq!(without == 401, !is_open, "{route}: {without}");
        let responses = operation["responses"].as_object().unwrap();
        assert_eq!(
            responses.contains_key("401"),
            !security.is_empty(),
            "{route}"
        );
        // Bob has no role and no scope: where a document says 403, he gets it.
        let bob = send(Some(idp.token("bob").scope("").sign()))
            .await
            .status;
        assert_eq!(bob == 403, responses.contains_key("403"), "{route}: {bob}");
        // And who has everything gets in, by a response that the document names.
        let scopes = "orders:read orders:write admin";
        let alice = send(Some(idp.token("alice").scope(scopes).sign()))
            .await
            .status;
        assert!(alice < 300, "{route}: {alice}");
        assert!(
            responses.contains_key(&alice.to_string()),
            "{route}: {alice}"
        );
        asked += 1;
    }
    assert_eq!(asked, 7);
}

#[tokio::test]
async fn the_document_says_what_the_signatures_say() {
    let (app, _, idp) = app().await;
    let document = call(&app, request("/openapi.json", None)).await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let info = json!({ "title": "Orders", "version": "1.0", "description": "Anvils." });
    assert_eq!(document["info"], info);
    let list = &document["paths"]["/orders"]["get"];
    assert_eq!(list["operationId"], "list_orders");
    assert_eq!(list["summary"], "List orders");
    assert_eq!(list["tags"], json!(["orders"]));
    assert_eq!(
        list["description"],
        "Needs a valid token with scope `orders:read`."
    );
    let both = json!([{ "oauth2": ["orders:read"] }, { "openIdConnect": ["orders:read"] }]);
    assert_eq!(list["security"], both);
    let parameters = list["parameters"].as_array().unwrap();
    let named = |name: &str| {
        parameters
            .iter()
            .find(|it| it["name"] == name)
            .unwrap()
    };
    assert_eq!(
        (&named("after")["required"], &named("limit")["required"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(named("limit")["schema"]["maximum"], 255);
    let create = &document["paths"]["/orders"]["post"];
    let order = json!({ "$ref": "#/components/schemas/Order" });
    let body = &create["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body, &order);
    let created = &create["responses"]["201"];
    assert_eq!(created["content"]["application/json"]["schema"], order);
    assert!(created["headers"]["Location"].is_object());
    let remove = &document["paths"]["/orders/{id}"]["delete"];
    assert_eq!(remove["parameters"][0]["schema"]["type"], "integer");
    let report = &document["paths"]["/report"]["get"];
    assert_eq!(report["summary"], "The report");
    let text = "All of it.\n\nNeeds a valid token with role `Admin`.";
    assert_eq!(report["description"], text);
    let components = &document["components"];
    let order = &components["schemas"]["Order"];
    assert_eq!(order["additionalProperties"], false);
    assert_eq!(order["description"], "An order of a customer.");
    let unauthorized = &components["responses"]["Unauthorized"];
    assert!(unauthorized["headers"]["WWW-Authenticate"].is_object());
    let issuer = idp.issuer().as_str();
    let flow = &components["securitySchemes"]["oauth2"]["flows"]["authorizationCode"];
    assert_eq!(flow["authorizationUrl"], format!("{issuer}/authorize"));
    assert_eq!(flow["tokenUrl"], format!("{issuer}/token"));
    let scopes: Vec<&String> = flow["scopes"].as_object().unwrap().keys().collect();
    assert_eq!(scopes, ["admin", "orders:read", "orders:write"]);
    assert_eq!(
        components["securitySchemes"]["openIdConnect"]["openIdConnectUrl"],
        format!("{issuer}/.well-known/openid-configuration")
    );
}

/// The guards' document holds what their answers hold.
#[tokio::test]
async fn a_refusal_has_the_members_of_its_schema() {
    let (app, document, _) = app().await;
    let refusal = call(&app, request("/guarded", None)).await.body;
    let schema = &document.as_value()["components"]["schemas"]["RequestProblem"];
    let described: Vec<&String> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    let found: Vec<&String> = refusal.as_object().unwrap().keys().collect();
    assert_eq!(described, found);
}

/// Two functions may have one name, and one function may serve two paths.
#[tokio::test]
async fn names_of_operations_are_unique() {
    let (_, server) = world().await;
    let (_, document) = ApiRouter::<()>::new()
        .route("/a", get(plain))
        .route("/b", get(plain).post(async || "a closure"))
        .finish(ApiInfo::new("T", "1"), &SecuritySchemes::of(&server));
    let name = |path: &str, method: &str| -> Value {
        document.as_value()["paths"][path][method]["operationId"].clone()
    };
    assert_ne!(name("/a", "get"), name("/b", "get"));
    assert_eq!(name("/b", "post"), Value::Null);
}

/// Without its keys the issuer is described by its discovery document alone.
#[tokio::test]
async fn an_issuer_that_is_down_stops_nobody() {
    let server = ResourceServer::new("http://127.0.0.1:9", "api").unwrap();
    let schemes = SecuritySchemes::discover(&server).await;
    let (_, document) = ApiRouter::new()
        .route("/a", post(any_caller))
        .with_state::<()>(server)
        .finish(ApiInfo::new("T", "1"), &schemes);
    let schemes = &document.as_value()["components"]["securitySchemes"];
    let names: Vec<&String> = schemes.as_object().unwrap().keys().collect();
    assert_eq!(names, ["openIdConnect"]);
}

/// The page fetches nothing from elsewhere, and its policy would not let it.
#[cfg(feature = "swagger-ui")]
#[tokio::test]
async fn the_page_is_complete_and_closed() {
    let (_, document, idp) = app().await;
    let page = portcullis::openapi::DocsPage::new("web").scope("orders:read");
    let app: Router = page.router(&document, "/docs", "/openapi.json");
    let index = call(&app, request("/docs", None)).await;
    let html = index.body.as_str().unwrap();
    assert!(html.contains("<title>Orders</title>"));
    let policy = index.headers["content-security-policy"]
        .to_str()
        .unwrap();
    let origin = idp.issuer().as_str();
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(
        policy.contains(&format!("connect-src 'self' {origin};")),
        "{policy}"
    );
    let mut files = 0;
    for part in html
        .split('"')
        .filter(|part| part.starts_with("/docs/"))
    {
        let file = app.clone().oneshot(request(part, None)).await.unwrap();
        assert_eq!(file.status(), 200, "{part}");
        files += 1;
    }
    assert_eq!(files, 4);
    assert!(
        !html.contains("http:") && !html.contains("https:"),
        "{html}"
    );
    let start = call(&app, request("/docs/start.js", None)).await.body;
    let start = start.as_str().unwrap();
    assert!(
        start.contains(r#""usePkceWithAuthorizationCodeGrant":true"#),
        "{start}"
    );
}

/// The document of a guarded route under these settings.
async fn document_of(
    settings: &str,
    schemes: impl FnOnce(SecuritySchemes) -> SecuritySchemes,
) -> Value {
    let config = portcullis::Config::from_toml(settings).unwrap();
    let settings = portcullis::Settings::try_from(config).unwrap();
    let server = ResourceServer::with_settings(settings);
    let schemes = schemes(SecuritySchemes::of(&server));
    let (_, document) = ApiRouter::new()
        .route("/a", get(any_caller))
        .with_state::<()>(server)
        .finish(ApiInfo::new("T", "1"), &schemes);
    document.as_value().clone()
}

/// A guarded operation is never described as public, whatever the server knows of its issuers.
#[tokio::test]
async fn a_template_of_tenants_is_a_scheme_too() {
    let settings = "[[issuer]]\nurl = \"https://login.example/{tenantid}/v2.0\"\naudience = [\"api\"]\n\
                    tenants = [\"one\"]\n";
    let document = document_of(settings, |schemes| schemes).await;
    let security = &document["paths"]["/a"]["get"]["security"];
    assert_eq!(security, &json!([{ "bearer": [] }]));
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        schemes,
        &json!({ "bearer": { "type": "http", "scheme": "bearer" } })
    );
    let url = |path: &str| {
        format!("https://login.example/common/{path}")
            .parse()
            .unwrap()
    };
    let document = document_of(settings, |schemes| {
        let tenants = "https://login.example/{tenantid}/v2.0";
        schemes.with_code_flow(tenants, &url("authorize"), &url("token"))
    });
    let security = &document.await["paths"]["/a"]["get"]["security"];
    assert_eq!(security, &json!([{ "oauth2": [] }]));
}

/// The same settings give the same document at every start.
#[tokio::test]
async fn issuers_stand_in_the_order_of_their_names() {
    let mut settings = String::new();
    for name in ["d", "b", "a", "c"] {
        settings +=
            &format!("[[issuer]]\nurl = \"https://{name}.example\"\naudience = [\"api\"]\n");
    }
    let document = document_of(&settings, |schemes| schemes).await;
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    let urls: Vec<&Value> = schemes
        .values()
        .map(|it| &it["openIdConnectUrl"])
        .collect();
    let expected = ["a", "b", "c", "d"].map(|name| {
        json!(format!(
            "https://{name}.example/.well-known/openid-configuration"
        ))
    });
    assert_eq!(urls, expected.iter().collect::<Vec<_>>());
}

/// A handler that answers with a status of the guard describes one more body, and hides none.
#[tokio::test]
async fn handler_and_guard_may_answer_with_one_status() {
    struct Busy;
    impl axum::response::IntoResponse for Busy {
        fn into_response(self) -> axum::response::Response {
            http::StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
    impl DescribeResponse for Busy {
        fn describe(operation: &mut Operation, schemas: &mut Schemas) {
            let media_type = "application/problem+json";
            operation.response_of::<Order>("503", "Busy.", media_type, schemas);
        }
    }
    async fn busy(_: AuthorizedCaller) -> Result<String, Busy> {
        Err(Busy)
    }
    let (_, server) = world().await;
    let schemes = SecuritySchemes::of(&server);
    let (_, document) = ApiRouter::new()
        .route("/a", get(busy))
        .with_state::<()>(server)
        .finish(ApiInfo::new("T", "1"), &schemes);
    let response = &document.as_value()["paths"]["/a"]["get"]["responses"]["503"];
    assert!(
        response["description"]
            .as_str()
            .unwrap()
            .starts_with("Busy. It cannot be decided")
    );
    assert!(response["headers"]["Retry-After"].is_object());
    let schema = &response["content"]["application/problem+json"]["schema"];
    let both = json!({ "anyOf": [
        { "$ref": "#/components/schemas/Order" },
        { "$ref": "#/components/schemas/RequestProblem" },
    ]});
    assert_eq!(schema, &both);
}
