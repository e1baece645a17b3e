//! The gateway of `portcullis dev`, and the unprotected API behind it.

use super::listener::{GATEWAY_PORT, listener};
use crate::exit::CommandError;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use portcullis_gateway::{Config, Gateway, Settings};
use portcullis_idp::Idp;
use std::net::SocketAddr;

/// The requirements of the example API, as routes of the gateway.
pub(super) const EXAMPLE_ROUTES: &str = r#"
[[route]]
path = "/public-data"
access = "public"
[[route]]
path = "/admin-dashboard"
require = { role = "Admin" }
"#;

/// A gateway that trusts this provider, at this address, else at the default port or a free one.
/// Requests that match no route need a valid token.
pub(super) async fn open(
    idp: &Idp,
    upstream: &str,
    listen: Option<SocketAddr>,
    routes: &str,
) -> Result<Gateway, CommandError> {
    let address = match listen {
        Some(address) => address,
        // Closed again at once, since the gateway opens its socket by itself. Another program may
        // take the port in between; then the gateway says so.
        None => listener(GATEWAY_PORT).await?.local_addr()?,
    };
    let text = settings(idp, &address.to_string(), upstream, routes);
    let settings = Config::from_toml(&text).and_then(Settings::try_from)?;
    Ok(Gateway::bind(settings).await?)
}

fn settings(idp: &Idp, address: &str, upstream: &str, routes: &str) -> String {
    let audiences = serde_json::Value::from(idp.audiences());
    let claims = match idp.dialect().condition() {
        Some((claim, value)) => format!("{} = {}", quote(claim), quote(value)),
        None => String::new(),
    };
    format!(
        "[[issuer]]\nurl = {}\naudience = {audiences}\nprofile = {}\nclaims = {{ {claims} }}\n\
         [gateway]\nlisten = {}\nupstream = {}\n{routes}",
        quote(idp.issuer().as_str()),
        quote(idp.dialect().profile()),
        quote(address),
        quote(upstream),
    )
}

/// A string of TOML: those of JSON are.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The example API without a line about tokens. The gateway names the caller in headers.
pub(super) fn unprotected_api() -> Router {
    Router::new()
        .route("/public-data", get(public_data))
        .route("/protected-data", get(protected_data))
        .route("/admin-dashboard", get(admin_dashboard))
}

async fn public_data() -> &'static str {
    "anyone may read this\n"
}

async fn protected_data(headers: HeaderMap) -> String {
    // A service has no subject of its own, only a client.
    let caller = header(&headers, "x-auth-subject").or_else(|| header(&headers, "x-auth-client"));
    format!("Hello, {}!\n", caller.unwrap_or("nobody"))
}

async fn admin_dashboard() -> &'static str {
    "Welcome to the admin dashboard!\n"
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
