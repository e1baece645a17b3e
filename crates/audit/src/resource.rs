//! What a protected resource says about itself (RFC 9728), gathered for the rules.

use crate::probe::Probe;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::token::Issuer;
use portcullis_provider::address;
use portcullis_provider::egress::Egress;
use portcullis_provider::inspect::{InspectedResponse, Inspection, look};
use portcullis_provider::metadata::Metadata;
use url::Url;

/// Most issuers that are asked: a document of a stranger lists as many as it likes.
const MOST_ISSUERS: usize = 8;

/// A resource as it was observed.
#[derive(Debug)]
pub struct ResourceObservation {
    /// The URL that was asked about.
    pub asked: String,
    /// The address of the metadata, and what it answered.
    pub metadata: Inspection,
    /// The document; or why there is none.
    pub document: Result<Object, String>,
    /// The issuers that it names, each with the reason why its own metadata cannot be used.
    pub issuers: Vec<(String, Result<(), String>)>,
    /// How it answers requests, if they were asked for ([`probe_resource`](crate::probe_resource)).
    pub probes: Vec<Probe>,
}

impl ResourceObservation {
    /// The response, if there was one.
    pub fn answer(&self) -> Option<&InspectedResponse> {
        self.metadata.answer.as_ref().ok()
    }

    /// The URL that was asked about.
    pub(crate) fn asked_url(&self) -> Result<Url, String> {
        Ok(address::parse_fetchable(&self.asked, false)?)
    }

    /// A member of the document that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.document.as_ref().ok()?.get(name)?.as_str()
    }

    /// The strings of a list in the document.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.document.as_ref().ok().and_then(|it| it.get(name));
        match list {
            Some(Json::Array(elements)) => elements.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// Observes a resource, and asks the issuers that it names for their metadata.
///
/// # Errors
///
/// The URL cannot be asked, or nothing answered there.
pub async fn gather_resource(egress: &Egress, asked: &str) -> Result<ResourceObservation, String> {
    address::parse_fetchable(asked, false)?;
    let address = metadata_address(asked);
    let url = address::parse_fetchable(&address, false)?;
    let metadata = look(egress, url).await;
    if let Err(reason) = &metadata.answer {
        return Err(reason.clone());
    }
    let mut observation = ResourceObservation {
        asked: asked.to_owned(),
        document: document(&metadata, &egress.limits),
        metadata,
        issuers: Vec::new(),
        probes: Vec::new(),
    };
    let named: Vec<String> = observation
        .texts("authorization_servers")
        .into_iter()
        .take(MOST_ISSUERS)
        .map(str::to_owned)
        .collect();
    for name in named {
        let found = match Issuer::parse(&name) {
            Ok(issuer) => match Metadata::discover(&issuer).await {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            },
            Err(fault) => Err(fault.to_string()),
        };
        observation.issuers.push((name, found));
    }
    Ok(observation)
}

/// Where the resource describes itself (RFC 9728, section 3.1).
fn metadata_address(asked: &str) -> String {
    let start = asked.find("://").map_or(0, |at| at + "://".len());
    let slash = asked.get(start..).and_then(|rest| rest.find('/'));
    let (origin, path) = match slash.and_then(|at| asked.split_at_checked(start + at)) {
        Some((origin, "/")) => (origin, ""),
        Some(parts) => parts,
        None => (asked, ""),
    };
    format!("{origin}/.well-known/oauth-protected-resource{path}")
}

fn document(inspection: &Inspection, limits: &Limits) -> Result<Object, String> {
    let answer = inspection.answer.as_ref().map_err(Clone::clone)?;
    if answer.status != 200 {
        return Err(format!("the status is {}", answer.status));
    }
    match json::parse(&answer.body, limits) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err("the document is not an object".to_owned()),
        Err(_) => Err("the document is no JSON".to_owned()),
    }
}
