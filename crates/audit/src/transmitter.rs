//! What a transmitter of security events says about itself (SSF 1.0), gathered for the rules.

use crate::observation::KeySetResponse;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::token::Issuer;
use portcullis_provider::address;
use portcullis_provider::egress::Egress;
use portcullis_provider::inspect::{InspectedResponse, Inspection, Inspector, look};
use portcullis_provider::keys::KeySource;
use portcullis_provider::shared_signals::TransmitterSource;

/// A transmitter as it was observed.
#[derive(Debug)]
pub struct TransmitterObservation {
    /// The issuer that was asked about.
    pub issuer: Issuer,
    /// The address of the metadata, and what it answered.
    pub metadata: Inspection,
    /// The document; or why there is none.
    pub document: Result<Object, String>,
    /// The key set, if the document names one that may be asked.
    pub keys: Option<KeySetResponse>,
}

/// Every endpoint in the metadata.
pub(crate) const ENDPOINTS: [&str; 6] = [
    "jwks_uri",
    "configuration_endpoint",
    "status_endpoint",
    "verification_endpoint",
    "add_subject_endpoint",
    "remove_subject_endpoint",
];

impl TransmitterObservation {
    /// The response, if there was one.
    pub fn answer(&self) -> Option<&InspectedResponse> {
        self.metadata.answer.as_ref().ok()
    }

    /// A member of the document; `null` counts as absent.
    pub fn member(&self, name: &str) -> Option<&Json> {
        let member = self.document.as_ref().ok()?.get(name);
        member.filter(|value| !matches!(value, Json::Null))
    }

    /// A member of the document that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// The strings of a list in the document.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.member(name) {
            Some(Json::Array(elements)) => elements.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// Observes a transmitter: its metadata, and the key set that it names.
///
/// # Errors
///
/// The metadata cannot be asked for, or nothing answered there.
pub async fn gather_transmitter(
    egress: &Egress,
    issuer: Issuer,
    source: &TransmitterSource,
) -> Result<TransmitterObservation, String> {
    let Some(url) = source.address(&issuer) else {
        return Err(format!("{issuer}: it is no URL, so it has no metadata"));
    };
    let metadata = look(egress, url).await;
    if let Err(reason) = &metadata.answer {
        return Err(reason.clone());
    }
    let mut observation = TransmitterObservation {
        document: document(&metadata, &egress.limits),
        metadata,
        keys: None,
        issuer: issuer.clone(),
    };
    let keys = observation.text("jwks_uri");
    if let Some(Ok(url)) = keys.map(|text| address::parse_fetchable(text, false)) {
        // By its way of asking: the address is a stranger's, and may not lead inside.
        let inspector = Inspector::new(issuer, KeySource::Discovered, egress.clone());
        let response = inspector.keys(Some(url)).await;
        observation.keys = response.map(|it| KeySetResponse::read(it, &egress.limits));
    }
    Ok(observation)
}

fn document(inspection: &Inspection, limits: &Limits) -> Result<Object, String> {
    let answer = inspection.answer.as_ref().map_err(Clone::clone)?;
    if answer.status != 200 {
        return Err(format!("the status is {}", answer.status));
    }
    match json::parse(&answer.body, limits) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err("the document is not an object".to_owned()),
        Err(fault) => Err(format!("the document is {fault}")),
    }
}
