//! A request as Python has it: pairs of bytes (ASGI), or a mapping of texts.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use portcullis_core::Requirement;
use portcullis_core::cookie::CookieRequest;
use portcullis_core::token::AccessToken;
use portcullis_gateway::{EmbeddedRequest, take_subprotocol_token};
use portcullis_resource_server::{DenialResponse, ResourceServer};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::types::{PyAnyMethods as _, PyBytes, PyBytesMethods as _, PyList, PyString};
use pyo3::types::{PyStringMethods as _, PyTuple};
use pyo3::{Bound, PyAny, PyResult};
use std::borrow::Cow;
use std::sync::Arc;

/// Stands for a value that no header can hold. It is no credential.
const UNREADABLE: HeaderValue = HeaderValue::from_static("unreadable");

/// All that a decision needs, so that it can be made on any thread.
pub(crate) struct AccessRequest {
    pub(crate) server: ResourceServer,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Option<String>,
    pub(crate) requirement: Arc<Requirement>,
}

/// The verified token, or the answer to give instead.
pub(crate) type Decision = Result<AccessToken, DenialResponse>;

impl AccessRequest {
    pub(crate) async fn decide(self) -> Decision {
        let query = self.query.as_deref();
        let decision = self
            .server
            .decide(&self.headers, query, &self.requirement);
        match decision.await.into_result() {
            Ok(permit) => Ok(permit.into_token()),
            Err(denial) => Err(DenialResponse::new(denial, &self.server, &self.headers)),
        }
    }
}

/// The headers, with the token of the cookie where the settings name one and it counts.
pub(crate) fn headers(
    given: &Bound<'_, PyAny>,
    method: Option<&str>,
    websocket: bool,
    server: &ResourceServer,
) -> PyResult<HeaderMap> {
    let mut headers = read(given)?;
    if websocket {
        take_subprotocol_token(&mut headers, server.accepts_offered_tokens());
    }
    // Whether a cookie counts depends on the method: without one, none does.
    let Some(Ok(method)) = method.map(|name| Method::from_bytes(name.as_bytes())) else {
        return Ok(headers);
    };
    let with_cookie = server.with_cookie_token(CookieRequest {
        method: &method,
        host: None,
        headers: &headers,
    });
    Ok(with_cookie.unwrap_or(headers))
}

/// A request that is decided about by its route, as the server of the application tells it.
pub(crate) struct RoutedRequest<'r, 'py> {
    pub(crate) method: &'r str,
    pub(crate) target: String,
    pub(crate) headers: &'r Bound<'py, PyAny>,
    pub(crate) client: Option<&'r str>,
    pub(crate) sent_as: Option<String>,
    pub(crate) websocket: bool,
}

impl RoutedRequest<'_, '_> {
    pub(crate) fn read(self) -> PyResult<EmbeddedRequest> {
        // A method that is none is refused like one that is never forwarded.
        let method = Method::from_bytes(self.method.as_bytes()).unwrap_or(Method::TRACE);
        let mut request = EmbeddedRequest::new(method, self.target, read(self.headers)?);
        // A name in place of an address, as test clients have it, is nobody's address.
        if let Some(address) = self.client.and_then(|address| address.parse().ok()) {
            request = request.from_address(address);
        }
        if let Some(sent) = self.sent_as {
            request = request.sent_as(sent);
        }
        if self.websocket {
            request = request.for_websocket();
        }
        Ok(request)
    }
}

/// The headers of a request with this token.
pub(crate) fn authorization(token: &str) -> HeaderMap {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(AUTHORIZATION, value.unwrap_or(UNREADABLE));
    headers
}

pub(crate) fn read(given: &Bound<'_, PyAny>) -> PyResult<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(16);
    if given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
        add_all(&mut headers, given)?;
    } else {
        add_all(&mut headers, &given.call_method0("items")?)?;
    }
    Ok(headers)
}

fn add_all(headers: &mut HeaderMap, pairs: &Bound<'_, PyAny>) -> PyResult<()> {
    for pair in pairs.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
        // A name that is none cannot be the name of a header that counts.
        let Ok(name) = HeaderName::from_bytes(&bytes(&name)?) else {
            continue;
        };
        // Left out, it could turn two credentials into one: so it stays, and is no credential.
        let value = HeaderValue::from_bytes(&bytes(&value)?).unwrap_or(UNREADABLE);
        if headers.try_append(name, value).is_err() {
            return Err(PyValueError::new_err("too many header fields"));
        }
    }
    Ok(())
}

/// The bytes of a name or a value. A text stands for Latin-1, as in WSGI and in Starlette; other
/// characters are no part of HTTP.
fn bytes<'p>(text: &'p Bound<'_, PyAny>) -> PyResult<Cow<'p, [u8]>> {
    if let Ok(bytes) = text.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    let Ok(text) = text.cast::<PyString>() else {
        let message = "header fields are pairs of bytes or of str";
        return Err(PyTypeError::new_err(message));
    };
    let mut bytes = Vec::new();
    for character in text.to_cow()?.chars() {
        // A line feed makes the whole value unreadable, which is what it is.
        bytes.push(u8::try_from(character).unwrap_or(b'\n'));
    }
    Ok(Cow::Owned(bytes))
}
