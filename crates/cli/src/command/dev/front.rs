//! The gateway of `portcullis dev`, and what is behind it: an API that has no protection of its
//! own.

use super::listener;
use crate::exit::Failure;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use portcullis_gateway::{Config, Gateway, Settings};
use portcullis_idp::Idp;

/// What the enterprise API demands, said in settings.
pub(super) const EXAMPLE_ROUTES: &str = r#"
[[route]]
path = "/public-data"
access = "public"
[[route]]
path = "/admin-dashboard"
require = { role = "Admin" }
"#;

/// A gateway that trusts this provider, at the usual port or any free one. What no route matches
/// needs a token.
pub(super) async fn open(idp: &Idp, upstream: &str, routes: &str) -> Result<Gateway, Failure> {
    // Found out and given back at once: the gateway opens its socket by itself.
    let address = listener(8080).await?.local_addr()?;
    let (issuer, audience) = (quoted(idp.issuer().as_str()), idp.audiences());
    let audience = audience
        .iter()
        .map(|audience| quoted(audience))
        .collect::<Vec<_>>()
        .join(", ");
    let profile = quoted(idp.dialect().profile());
    let condition = idp.dialect().condition();
    let claims = condition.map(|(claim, value)| format!("{} = {}", quoted(claim), quoted(value)));
    let text = format!(
        "[[issuer]]\nurl = {issuer}\naudience = [{audience}]\nprofile = {profile}\nclaims = {{ {} \
            }}\n\
         [gateway]\nlisten = \"{address}\"\nupstream = {}\n{routes}",
        claims.unwrap_or_default(),
        quoted(upstream)
    );
    let settings = Config::from_toml(&text).and_then(Settings::try_from)?;
    Ok(Gateway::bind(settings).await?)
}

/// A text between quotes: JSON's are TOML's too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The enterprise API without a line about tokens: who calls is what the gateway says.
pub(super) fn unprotected() -> Router {
    Router::new()
        .route("/public-data", get(|| async { "anyone may read this\n" }))
        .route("/protected-data", get(protected_data))
        .route(
            "/admin-dashboard",
            get(|| async { "Welcome to the admin dashboard!\n" }),
        )
}

async fn protected_data(headers: HeaderMap) -> String {
    let told = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let caller = told("x-auth-subject").or_else(|| told("x-auth-client"));
    format!("Hello, {}!\n", caller.unwrap_or("nobody"))
}
