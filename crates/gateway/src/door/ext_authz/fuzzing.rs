//! A doorway for the fuzz targets, to the questions that come by gRPC.

use super::grpc;
use super::message::CheckRequest;
use super::reading::Told;
use http::HeaderMap;
use std::net::IpAddr;

/// The request that a question is about.
#[derive(Debug)]
pub struct AskedAbout {
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
    /// The target, where it was told in another spelling.
    pub respelled: Option<String>,
}

/// Reads the body of a call.
///
/// # Errors
///
/// Why it cannot be read, or the code of the refusal.
pub fn question(body: &[u8]) -> Result<AskedAbout, &'static str> {
    let message: CheckRequest = grpc::framed(body)?;
    let Told {
        headers,
        original,
        source,
        respelled,
    } = Told::read(message, None, &[]);
    let (method, target) = original.map_err(|refusal| refusal.code())?;
    let written = target.path_and_query().map_err(|refusal| refusal.code())?;
    Ok(AskedAbout {
        method: method.to_string(),
        authority: target.host.authority().to_owned(),
        target: written.to_string(),
        headers,
        source,
        respelled,
    })
}
