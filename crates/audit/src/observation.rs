//! What was observed of an identity provider, read by the parsers that a server uses, and not
//! judged yet.

use crate::handshake::TlsHost;
use crate::key::PublishedKey;
use crate::sample::SampleToken;
use http::header::CONTENT_TYPE;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::jose::{Jwks, JwksError};
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_provider::inspect::{InspectedResponse, Inspection};
use url::Url;

/// Everything that was observed of one issuer.
#[derive(Debug)]
pub struct Observation {
    /// The issuer, as it was given.
    pub issuer: Issuer,
    /// The time of the audit.
    pub now: NumericDate,
    /// The bounds within which documents are read.
    pub limits: Limits,
    /// The response from each address where the metadata may be, in a server's order.
    pub metadata: Vec<MetadataResponse>,
    /// The response from `jwks_uri`, if there is one.
    pub keys: Option<KeySetResponse>,
    /// The hosts of the documents, where they speak TLS.
    pub hosts: Vec<TlsHost>,
    /// A sample token, if one was given.
    pub sample: Option<SampleToken>,
}

/// The response from one address of the metadata.
#[derive(Debug)]
pub struct MetadataResponse {
    /// The address and what it answered.
    pub inspection: Inspection,
    /// The document, or the fault in it; nothing if there was none, or a web page instead.
    pub document: Option<Result<Object, String>>,
}

/// The response with the key set.
#[derive(Debug)]
pub struct KeySetResponse {
    /// The address and what it answered.
    pub inspection: Inspection,
    /// The set as a server takes it into use, or the reason why it does not.
    pub jwks: Result<Jwks, String>,
    /// Each key of the document, in the order published.
    pub keys: Vec<PublishedKey>,
}

impl MetadataResponse {
    /// Reads what an address answered.
    #[must_use]
    pub fn read(inspection: Inspection, limits: &Limits) -> Self {
        let document = match body(&inspection) {
            Some(body) => match json::parse(body, limits) {
                Ok(Json::Object(object)) => Some(Ok(object)),
                Ok(other) => Some(Err(format!("it is {}, not an object", other.type_name()))),
                // A page is no attempt at metadata, so it is no fault of a document.
                Err(_) if is_page(&inspection) => None,
                Err(fault) => Some(Err(format!("it is {fault}"))),
            },
            None if inspection.is_too_large() => inspection.answer.as_ref().err().cloned().map(Err),
            None => None,
        };
        Self {
            inspection,
            document,
        }
    }

    /// Whether a web page stands there: servers of single-page applications answer every path with
    /// one.
    pub(crate) fn is_page(&self) -> bool {
        self.document.is_none() && is_page(&self.inspection)
    }

    pub(crate) fn is_openid(&self) -> bool {
        self.inspection
            .url
            .path()
            .contains("openid-configuration")
    }

    fn object(&self) -> Option<&Object> {
        self.document.as_ref()?.as_ref().ok()
    }
}

impl KeySetResponse {
    /// Reads what the address of the key set answered.
    #[must_use]
    pub fn read(inspection: Inspection, limits: &Limits) -> Self {
        let (jwks, keys) = match (body(&inspection), &inspection.answer) {
            (Some(body), _) => {
                let jwks = Jwks::parse(body, limits);
                let keys = keys(body, &jwks, limits);
                (jwks.map_err(|error| error.to_string()), keys)
            }
            (None, Ok(answer)) => (Err(format!("the answer was {}", answer.status)), Vec::new()),
            (None, Err(reason)) => (Err(reason.clone()), Vec::new()),
        };
        Self {
            inspection,
            jwks,
            keys,
        }
    }

    /// The answer, if there was one.
    #[must_use]
    pub fn answer(&self) -> Option<&InspectedResponse> {
        self.inspection.answer.as_ref().ok()
    }
}

/// The elements of a key set that is within the bounds; none of any other.
fn keys(body: &[u8], jwks: &Result<Jwks, JwksError>, limits: &Limits) -> Vec<PublishedKey> {
    // The bounds limit the work on foreign input: a set beyond them is not parsed a second time.
    if !matches!(jwks, Ok(_) | Err(JwksError::NoUsableKey(_))) {
        return Vec::new();
    }
    // The members of a set count one by one here, but all at once when a server reads it.
    let limits = Limits {
        json_values: limits.json_values.saturating_mul(10),
        ..*limits
    };
    let mut keys = Vec::new();
    if let Ok(Json::Object(document)) = json::parse(body, &limits)
        && let Some(elements) = document.get("keys").and_then(Json::as_array)
    {
        for (index, jwk) in elements.iter().enumerate() {
            keys.push(PublishedKey::read(index, jwk));
        }
    }
    keys
}

fn is_page(inspection: &Inspection) -> bool {
    let Some(body) = body(inspection) else {
        return false;
    };
    let media_type = inspection.answer.as_ref().ok().map_or("", media_type);
    // Some servers send a page without its media type, and no JSON begins with `<`.
    media_type.eq_ignore_ascii_case("text/html")
        || media_type.eq_ignore_ascii_case("application/xhtml+xml")
        || body.trim_ascii_start().starts_with(b"<")
}

/// The media type without its parameters.
fn media_type(answer: &InspectedResponse) -> &str {
    let Some(Ok(value)) = answer
        .headers
        .get(CONTENT_TYPE)
        .map(|value| value.to_str())
    else {
        return "";
    };
    match value.split_once(';') {
        Some((media_type, _)) => media_type.trim(),
        None => value.trim(),
    }
}

/// The body of an answer with status 200.
fn body(inspection: &Inspection) -> Option<&[u8]> {
    match &inspection.answer {
        Ok(answer) if answer.status == 200 => Some(&answer.body),
        Ok(_) | Err(_) => None,
    }
}

impl Observation {
    /// The response whose metadata is in use: the first that names this issuer, as for a server;
    /// else the first with a document.
    pub(crate) fn metadata_in_use(&self) -> Option<&MetadataResponse> {
        for (response, object) in self.documents() {
            if self.is_own(object) {
                return Some(response);
            }
        }
        self.documents().next().map(|(response, _)| response)
    }

    /// The metadata in use.
    pub(crate) fn metadata_object(&self) -> Option<&Object> {
        self.metadata_in_use()?.object()
    }

    /// A member of the metadata: of the document in use, or of another one of this issuer that
    /// fills its gap, as for a server. A `null` counts as absent.
    fn member(&self, name: &str) -> Option<&Json> {
        if let Some(value) = self
            .metadata_object()
            .and_then(|object| value(object, name))
        {
            return Some(value);
        }
        for (_, object) in self.documents() {
            if self.is_own(object)
                && let Some(value) = value(object, name)
            {
                return Some(value);
            }
        }
        None
    }

    fn is_own(&self, object: &Object) -> bool {
        // RFC 8414, section 3.3: the identifiers must be identical. Normalising would hide a
        // mismatch that servers refuse.
        object.get("issuer").and_then(Json::as_str) == Some(self.issuer.as_str())
    }

    /// The documents of all addresses.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&MetadataResponse, &Object)> {
        let responses = self.metadata.iter();
        responses.filter_map(|response| Some((response, response.object()?)))
    }

    /// Whether a host presents a certificate that is not trusted.
    pub(crate) fn is_untrusted(&self) -> bool {
        self.hosts.iter().any(|host| host.untrusted.is_some())
    }

    /// Everything that was asked for: all forms of the metadata, and the key set.
    pub(crate) fn requests(&self) -> Vec<&Inspection> {
        let mut requests: Vec<&Inspection> = Vec::new();
        for response in &self.metadata {
            requests.push(&response.inspection);
        }
        if let Some(keys) = &self.keys {
            requests.push(&keys.inspection);
        }
        requests
    }

    /// The answers that hold the documents in use: the metadata's and the key set's.
    pub(crate) fn answers(&self) -> Vec<(&Url, &InspectedResponse)> {
        let metadata = self
            .metadata_in_use()
            .map(|response| &response.inspection);
        let keys = self.keys.as_ref().map(|keys| &keys.inspection);
        let mut answers = Vec::new();
        for inspection in [metadata, keys].into_iter().flatten() {
            if let Ok(answer) = &inspection.answer {
                answers.push((&inspection.url, answer));
            }
        }
        answers
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// A member that lists names, without the elements of another type.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let list = self.member(name)?.as_array()?;
        Some(list.iter().filter_map(Json::as_str).collect())
    }

    /// Whether a member lists this name.
    pub(crate) fn lists(&self, member: &str, name: &str) -> bool {
        self.list(member)
            .is_some_and(|list| list.contains(&name))
    }

    /// Whether a member is true.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.member(name).and_then(Json::as_bool) == Some(true)
    }

    /// Whether a member is there, and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// Whether users sign in here: other issuers give tokens to machines only.
    pub(crate) fn has_users(&self) -> bool {
        self.has("authorization_endpoint")
    }

    /// The members that are addresses of endpoints, those for clients with certificates too
    /// (RFC 8705, section 5).
    pub(crate) fn endpoints(&self) -> Vec<(String, &str)> {
        let mut endpoints = Vec::new();
        let Some(metadata) = self.metadata_object() else {
            return endpoints;
        };
        collect_endpoints(metadata, "", &mut endpoints);
        if let Some(aliases) = metadata
            .get("mtls_endpoint_aliases")
            .and_then(Json::as_object)
        {
            collect_endpoints(aliases, "mtls_endpoint_aliases.", &mut endpoints);
        }
        endpoints
    }
}

fn value<'o>(object: &'o Object, name: &str) -> Option<&'o Json> {
    match object.get(name) {
        Some(Json::Null) | None => None,
        value => value,
    }
}

fn collect_endpoints<'o>(object: &'o Object, prefix: &str, endpoints: &mut Vec<(String, &'o str)>) {
    for (name, value) in object.iter() {
        let is_endpoint = name.ends_with("_endpoint") || name == "jwks_uri";
        if let (true, Some(url)) = (is_endpoint, value.as_str()) {
            endpoints.push((format!("{prefix}{name}"), url));
        }
    }
}
