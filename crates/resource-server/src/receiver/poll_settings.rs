//! The settings of streams whose events are fetched, as meant.

use crate::config::EventStreamConfig;
use crate::settings::{IssuerSettings, client, fetchable_url};
use portcullis_core::Faults;
use portcullis_provider::client_auth::ClientAuth;
use std::sync::Arc;
use url::Url;

/// How events are fetched.
#[derive(Clone, Debug)]
pub(crate) struct PollSettings {
    pub(crate) url: Url,
    pub(crate) client: Option<Arc<ClientAuth>>,
    pub(crate) token_endpoint: Option<Url>,
    pub(crate) scope: String,
}

/// How events are fetched; `None` where they are pushed.
pub(super) fn poll(
    written: &EventStreamConfig,
    has_authorization: bool,
    issuers: &[IssuerSettings],
    faults: &Faults,
) -> Option<PollSettings> {
    match written.delivery.as_deref() {
        None | Some("push") => return None,
        Some("poll") => {}
        Some(other) => {
            faults
                .expected("delivery", "`push` or `poll`")
                .found(other)
                .help("write `poll` where the transmitter cannot reach this receiver");
            return None;
        }
    }
    let plain = written.danger_plain_http;
    let url = match &written.poll_url {
        Some(url) => fetchable_url("poll_url", url, plain, faults),
        None => {
            faults
                .expected("poll_url", "where events are fetched")
                .found_nothing()
                .help("write the stream's `endpoint_url`: `portcullis events status` shows it");
            None
        }
    };
    let endpoint = written.token_endpoint.as_deref();
    // Where the transmitter is an issuer too, its metadata names the token endpoint.
    let is_transmitter = |issuer: &IssuerSettings| {
        written.issuer.as_deref() == Some(issuer.verifier.issuer().as_str())
    };
    if !has_authorization && endpoint.is_none() && !issuers.iter().any(is_transmitter) {
        faults
            .expected("token_endpoint", "where the client gets its token")
            .found_nothing()
            .given(&["issuer"])
            .help("write it, or `authorization_file` with a value that never changes");
    }
    Some(PollSettings {
        url: url?,
        // Either a value that never changes, or a token of a client.
        client: match has_authorization {
            true => None,
            false => Some(client(&written.client, faults)?),
        },
        token_endpoint: endpoint.and_then(|it| fetchable_url("token_endpoint", it, plain, faults)),
        scope: written
            .scope
            .clone()
            .unwrap_or_else(|| "ssf.manage".to_owned()),
    })
}
