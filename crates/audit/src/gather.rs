//! Everything of an audit that goes out: the documents as a server fetches them, and handshakes
//! with their hosts.

use crate::handshake::{TlsHost, probe};
use crate::observation::{KeySetResponse, MetadataResponse, Observation};
use crate::sample::SampleToken;
use portcullis_provider::inspect::{Inspection, Inspector};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::BTreeSet;
use std::path::Path;
use url::Url;

/// Observes an identity provider. The sample token stays on this machine.
///
/// # Errors
///
/// The provider did not answer, and no handshake gave the reason: then there is nothing to audit.
pub async fn gather(
    inspector: &Inspector,
    authorities: Option<&Path>,
    sample: Option<&str>,
) -> Result<Observation, String> {
    let limits = *inspector.limits();
    let mut observation = Observation {
        issuer: inspector.issuer().clone(),
        now: inspector.clock().now(),
        limits,
        metadata: Vec::new(),
        keys: None,
        hosts: Vec::new(),
        sample: None,
    };
    for inspection in inspector.metadata().await {
        let response = MetadataResponse::read(inspection, &limits);
        observation.metadata.push(response);
    }
    let jwks_uri = match observation.text("jwks_uri") {
        Some(uri) => Url::parse(uri).ok(),
        None => None,
    };
    if let Some(inspection) = inspector.keys(jwks_uri).await {
        observation.keys = Some(KeySetResponse::read(inspection, &limits));
    }
    observation.hosts = hosts(&observation, authorities).await;
    if let Some(text) = sample {
        let keys = observation.keys.as_ref();
        let jwks = keys.and_then(|keys| keys.jwks.as_ref().ok());
        observation.sample = Some(SampleToken::read(text, jwks, &limits));
    }
    // A host that answers nothing, but shows a bad certificate, has shown the fault itself.
    let has_answer = observation
        .requests()
        .iter()
        .any(|it| it.answer.is_ok() || it.is_too_large());
    if !has_answer && !observation.is_untrusted() {
        return Err(silence(&observation));
    }
    match outage(&observation) {
        Some(reason) => Err(reason),
        None => Ok(observation),
    }
}

/// A provider that is down or overloaded at the moment: what it answers then is no finding.
fn outage(observation: &Observation) -> Option<String> {
    let mut failing = None;
    // One good address of the metadata is enough.
    let has_document = observation
        .metadata
        .iter()
        .any(|it| it.document.is_some());
    if !has_document {
        let mut metadata = observation.metadata.iter();
        failing = metadata.find_map(|response| failing_status(&response.inspection));
    }
    let keys = observation.keys.as_ref();
    let failing = failing.or_else(|| failing_status(&keys?.inspection));
    let (url, status) = failing?;
    Some(format!(
        "{url}: the answer was {status}, which says to come back later"
    ))
}

/// The address and the status, where that says that the server fails or has too much to do.
fn failing_status(inspection: &Inspection) -> Option<(&Url, u16)> {
    let status = inspection.answer.as_ref().ok()?.status;
    // RFC 6585, section 4: 429 is about us, who ask too often, not about the document.
    (status >= 500 || status == 429).then_some((&inspection.url, status))
}

/// The reason why nothing was answered. The first is enough: one server that is down is asked at
/// several addresses.
fn silence(observation: &Observation) -> String {
    let mut text = format!("{} does not answer", observation.issuer);
    for inspection in observation.requests() {
        if let Err(reason) = &inspection.answer {
            text.push_str(&format!(": {reason}"));
            if let Some(cure) = inspection.cure {
                text.push_str(&format!("\n    help: {cure}"));
            }
            break;
        }
    }
    text
}

/// The hosts of the issuer and of the key set, each once.
async fn hosts(observation: &Observation, authorities: Option<&Path>) -> Vec<TlsHost> {
    let authorities = authorities.map(certificates).unwrap_or_default();
    let mut urls = Vec::new();
    if let Ok(issuer) = Url::parse(observation.issuer.as_str()) {
        urls.push(issuer);
    }
    // A key set that was not fetched because of its address must not be connected to either.
    if let Some(keys) = &observation.keys
        && keys.inspection.answer.is_ok()
    {
        urls.push(keys.inspection.url.clone());
    }
    let (mut known, mut hosts) = (BTreeSet::new(), Vec::new());
    for url in urls {
        let host = url.host_str().map(str::to_owned);
        if known.insert((host, url.port_or_known_default())) {
            hosts.extend(probe(&url, &authorities).await);
        }
    }
    hosts
}

/// The certificates of a file that the inspector has read before, and found in order.
fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    match CertificateDer::pem_file_iter(file) {
        Ok(certificates) => certificates.filter_map(Result::ok).collect(),
        Err(_) => Vec::new(),
    }
}
