//! What providers send to a receiver, and the answer, as Python has them.

use crate::pending::{Answer, Pending};
use crate::request;
use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use portcullis_gateway::EmbeddedGateway;
use portcullis_resource_server::ReceiverRequest;
use pyo3::types::PyBytes;
use pyo3::{Bound, IntoPyObjectExt as _, PyAny, PyResult, Python};
use std::net::IpAddr;
use std::sync::Arc;

/// A request to a receiver, so that it can be answered on any thread.
pub(crate) struct SentRequest {
    path: String,
    method: Method,
    headers: HeaderMap,
    body: Vec<u8>,
    address: Option<IpAddr>,
}

impl SentRequest {
    pub(crate) fn read(
        path: &str,
        method: &str,
        headers: &Bound<'_, PyAny>,
        body: &[u8],
        client: Option<&str>,
    ) -> PyResult<Self> {
        Ok(Self {
            path: path.to_owned(),
            // A method that HTTP does not know is not allowed, like all but one.
            method: Method::from_bytes(method.as_bytes()).unwrap_or(Method::TRACE),
            headers: request::read(headers)?,
            body: body.to_owned(),
            // A name in place of an address, as test clients have it, is nobody's address.
            address: client.and_then(|address| address.parse().ok()),
        })
    }

    pub(crate) fn send_to(self, gateway: Arc<EmbeddedGateway>) -> Pending<Response<Bytes>> {
        Box::pin(async move {
            let request = ReceiverRequest {
                path: &self.path,
                method: &self.method,
                headers: &self.headers,
                body: &self.body,
            };
            gateway.receive(&request, self.address).await
        })
    }
}

/// The status, the fields and the body.
pub(crate) type ResponseTuple<'py> = (u16, Vec<(String, String)>, Bound<'py, PyBytes>);

/// A response as Python gets it.
pub(crate) fn describe(py: Python<'_>, response: Response<Bytes>) -> ResponseTuple<'_> {
    let (parts, body) = response.into_parts();
    let mut fields = Vec::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        fields.push((name.to_string(), value));
    }
    (parts.status.as_u16(), fields, PyBytes::new(py, &body))
}

impl Answer for Response<Bytes> {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        describe(py, self).into_bound_py_any(py)
    }
}
