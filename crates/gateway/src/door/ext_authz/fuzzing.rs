//! A doorway for the fuzz targets, to the questions that come by gRPC.

use super::grpc;
use super::message::CheckRequest;
use super::reading::CheckContent;
use crate::refusal::Refusal;
use http::HeaderMap;
use std::net::IpAddr;

/// The request that a question is about.
#[derive(Debug)]
pub struct OriginalRequest {
    /// The method.
    pub method: String,
    /// The host, with its port.
    pub authority: String,
    /// Path and query, in the spelling that is decided on.
    pub target: String,
    /// The header fields.
    pub headers: HeaderMap,
    /// The other end of Envoy's connection.
    pub source: Option<IpAddr>,
    /// The target, if the message has another spelling.
    pub respelled: Option<String>,
}

/// Reads the body of a call.
///
/// # Errors
///
/// Why it cannot be read, or the code of the refusal.
pub fn question(body: &[u8]) -> Result<OriginalRequest, &'static str> {
    let message: CheckRequest = grpc::parse(body)?;
    let CheckContent {
        headers,
        original,
        source,
        respelled,
        ..
    } = CheckContent::read(message, None, &[]);
    let code = |refusal: Refusal| refusal.code();
    let (method, target) = original.map_err(code)?;
    let written = target.path_and_query().map_err(code)?;
    Ok(OriginalRequest {
        method: method.to_string(),
        authority: target.host.authority().to_owned(),
        target: written.to_string(),
        headers,
        source,
        respelled,
    })
}
