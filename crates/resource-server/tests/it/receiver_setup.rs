//! Senders to the receivers of a server: what a provider posts, and what it hears.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use portcullis_idp::Idp;
use portcullis_resource_server::{
    Config, ReceiverAnswer, ReceiverRequest, ResourceServer, Settings,
};
use portcullis_testkit::AUDIENCE;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const SET: &str = "application/secevent+jwt";

/// Settings that receive logouts of the client `web`, and a stream `idp` for `receiver`.
pub(crate) fn settings(idp: &Idp, logout: &str, stream: &str) -> Settings {
    let issuer = idp.issuer();
    let text = format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = \"{AUDIENCE}\"\n\
         [issuer.logout]\nclients = [\"web\"]\n{logout}\n\
         [[events]]\nname = \"idp\"\nissuer = \"{issuer}\"\naudience = \"receiver\"\n{stream}\n"
    );
    Settings::try_from(Config::from_toml(&text).unwrap()).unwrap()
}

pub(crate) fn headers(media: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers
}

pub(crate) async fn post(
    server: &ResourceServer,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> ReceiverAnswer {
    let request = ReceiverRequest {
        path,
        method: &Method::POST,
        headers,
        body,
    };
    server.answer_receiver(&request).await
}

pub(crate) async fn send_logout(server: &ResourceServer, token: &str) -> ReceiverAnswer {
    let form = format!("logout_token={token}");
    post(server, "/logout", &headers(FORM), form.as_bytes()).await
}

pub(crate) async fn send_event(server: &ResourceServer, token: &str) -> ReceiverAnswer {
    post(server, "/events/idp", &headers(SET), token.as_bytes()).await
}
