//! RFC 9728: metadata of protected resources, by the library's router and the gateway's settings.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use portcullis::{Config, ResourceMetadata, ResourceServer, Settings};
use portcullis_core::Limits;
use portcullis_provider::resource_metadata::{MetadataSource, ResourceMetadata as ReadMetadata};
use portcullis_resource_server::ResourceRequest;
use serde_json::Value;
use tower::ServiceExt as _;

const ISSUER: &str = "https://idp.example/realms/a";

/// A server with one resource of this URL; `more` are further members of its table.
fn server(url: &str, more: &str) -> ResourceServer {
    let text = format!(
        "[[issuer]]\nurl = \"{ISSUER}\"\naudience = \"{url}\"\n[[resource]]\nurl = \"{url}\"\n{more}"
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    ResourceServer::with_settings(settings)
}

/// The answer of the router: status, headers, and the document.
async fn asked(server: &ResourceServer, method: &str, path: &str) -> (u16, HeaderMap, Value) {
    let app: Router = ResourceMetadata::of(server).into_router();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "x.example");
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 65_536).await.unwrap();
    let document = serde_json::from_slice(&body).unwrap_or_default();
    (parts.status.as_u16(), parts.headers, document)
}

async fn document(url: &str, more: &str, path: &str) -> Value {
    asked(&server(url, more), "GET", path).await.2
}

/// 2: `resource` is required; `authorization_servers` lists the identifiers of issuers as they are
#[tokio::test]
async fn section_2_resource_and_issuers() {
    let path = "/.well-known/oauth-protected-resource/orders";
    let told = document("https://api.example/orders", "", path).await;
    assert_eq!(told["resource"], "https://api.example/orders");
    assert_eq!(told["authorization_servers"], serde_json::json!([ISSUER]));
    assert_eq!(
        told["bearer_methods_supported"],
        serde_json::json!(["header"])
    );
}

/// 2: members without a value are left out, and further ones have their names
#[tokio::test]
async fn section_2_members() {
    let path = "/.well-known/oauth-protected-resource/orders";
    let url = "https://api.example/orders";
    let bare = document(url, "", path).await;
    for absent in [
        "scopes_supported",
        "resource_name",
        "resource_documentation",
    ] {
        assert_eq!(bare[absent], Value::Null);
    }
    let more = "name = \"Orders\"\nscopes = [\"a\"]\ndocumentation = \"https://d.example\"\n\
                policy = \"https://p.example\"\nterms = \"https://t.example\"\n";
    let full = document(url, more, path).await;
    for (member, value) in [
        ("resource_name", "Orders"),
        ("resource_documentation", "https://d.example"),
        ("resource_policy_uri", "https://p.example"),
        ("resource_tos_uri", "https://t.example"),
    ] {
        assert_eq!(full[member], value);
    }
    assert_eq!(full["scopes_supported"], serde_json::json!(["a"]));
}

/// 3.1: the well-known path stands between host and path; a slash after the host is left out
#[tokio::test]
async fn section_3_1_the_address() {
    for (url, path) in [
        (
            "https://api.example",
            "/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example/",
            "/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example/a/b",
            "/.well-known/oauth-protected-resource/a/b",
        ),
    ] {
        assert_eq!(document(url, "", path).await["resource"], url, "{path}");
    }
    let below = server("https://api.example/a", "");
    let other = asked(&below, "GET", "/.well-known/oauth-protected-resource");
    assert_eq!(other.await.0, 404);
}

/// 3.2: the answer is 200 with `application/json`
#[tokio::test]
async fn section_3_2_the_answer() {
    let server = server("https://api.example", "");
    let (status, headers, _) = asked(&server, "GET", "/.well-known/oauth-protected-resource").await;
    assert_eq!(
        (status, &headers["content-type"].to_str().unwrap()),
        (200, &"application/json")
    );
}

/// 3.3: `resource` is identical to the identifier that was asked about, or the document is not used
#[tokio::test]
async fn section_3_3_the_resource_is_identical() {
    let read = |resource: &str, source| {
        let text = format!(r#"{{"resource":"{resource}","authorization_servers":["{ISSUER}"]}}"#);
        ReadMetadata::parse(text.as_bytes(), source, &Limits::default()).is_ok()
    };
    let own = "https://api.example/orders";
    assert!(read(own, MetadataSource::WellKnown(own)));
    for other in [
        "https://api.example/orders/",
        "https://api.example",
        "https://b.example/orders",
    ] {
        assert!(!read(other, MetadataSource::WellKnown(own)), "{other}");
    }
    let elsewhere = "https://evil.example/orders";
    assert!(!read(
        elsewhere,
        MetadataSource::Challenge("https://api.example/orders/7")
    ));
}

/// 5.1: `resource_metadata` in the challenge is the address of the metadata
#[tokio::test]
async fn section_5_1_the_challenge() {
    let server = server("https://api.example/orders", "");
    let headers = HeaderMap::new();
    let request = ResourceRequest {
        resource: server.resources().find(None, "/orders/7"),
        ..ResourceRequest::of_headers(&headers, None)
    };
    let demand = portcullis::Requirement::scope("orders:read");
    let decision = server.decide_request(&request, &demand).await;
    let portcullis::Decision::Deny(rejection) = decision else {
        panic!("{decision:?}")
    };
    let challenge = portcullis_core::challenge::challenge(&rejection, "api");
    assert_eq!(
        challenge.www_authenticate,
        "Bearer realm=\"api\", resource_metadata=\"https://api.example/.well-known/\
         oauth-protected-resource/orders\", scope=\"orders:read\""
    );
}

/// 7.6: an address inside is not asked because an API on the internet names it
#[tokio::test]
async fn section_7_6_no_address_inside() {
    for issuer in [
        "https://127.0.0.1",
        "https://10.0.0.1/a",
        "https://localhost",
        "http://idp.example",
    ] {
        let text =
            format!(r#"{{"resource":"https://api.example","authorization_servers":["{issuer}"]}}"#);
        let source = MetadataSource::WellKnown("https://api.example");
        let read = ReadMetadata::parse(text.as_bytes(), source, &Limits::default());
        assert!(read.is_err(), "{issuer}");
    }
}
