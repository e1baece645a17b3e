//! What was seen of an identity provider, read by the parsers that a server uses, and judged by
//! nobody yet.

use super::handshake::Door;
use super::key::KeySeen;
use super::sample::Sample;
use http::header::CONTENT_TYPE;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::jose::{Jwks, JwksError};
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_provider::inspect::{InspectedResponse, Inspection};
use url::Url;

/// All that was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) issuer: Issuer,
    pub(crate) now: NumericDate,
    pub(crate) limits: Limits,
    /// Each address where the metadata may be, in a server's order.
    pub(crate) forms: Vec<Form>,
    pub(crate) keys: Option<KeySet>,
    /// The hosts of the documents, where they speak TLS.
    pub(crate) doors: Vec<Door>,
    pub(crate) sample: Option<Sample>,
}

/// One address of the metadata.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) looked: Inspection,
    /// The document, or what is wrong with it; nothing where there was none, or a web page instead.
    pub(crate) document: Option<Result<Object, String>>,
}

/// The key set.
#[derive(Debug)]
pub(crate) struct KeySet {
    pub(crate) looked: Inspection,
    /// The set as a server takes it into use, or why it does not.
    pub(crate) jwks: Result<Jwks, String>,
    /// Each key of the document, in the order published.
    pub(crate) keys: Vec<KeySeen>,
}

impl Form {
    pub(crate) fn read(looked: Inspection, limits: &Limits) -> Self {
        let document = body(&looked).and_then(|body| match json::parse(body, limits) {
            Ok(Json::Object(object)) => Some(Ok(object)),
            Ok(other) => Some(Err(format!("it is {}, not an object", other.type_name()))),
            Err(_) if is_page(&looked) => None,
            Err(fault) => Some(Err(format!("it is {fault}"))),
        });
        Self { looked, document }
    }

    /// Whether a web page stands there: what servers of single-page applications answer to every
    /// path.
    pub(crate) fn is_page(&self) -> bool {
        self.document.is_none() && is_page(&self.looked)
    }

    pub(crate) fn is_openid(&self) -> bool {
        self.looked.url.path().contains("openid-configuration")
    }

    fn object(&self) -> Option<&Object> {
        self.document.as_ref()?.as_ref().ok()
    }
}

impl KeySet {
    pub(crate) fn read(looked: Inspection, limits: &Limits) -> Self {
        let jwks = match (&looked.answer, body(&looked)) {
            (_, Some(body)) => Jwks::parse(body, limits).map_err(|error| error.to_string()),
            (Ok(answer), None) => Err(format!("the answer was {}", answer.status)),
            (Err(reason), _) => Err(reason.clone()),
        };
        let keys = body(&looked)
            .map(|body| keys(body, limits))
            .unwrap_or_default();
        Self { looked, jwks, keys }
    }

    pub(crate) fn answer(&self) -> Option<&InspectedResponse> {
        self.looked.answer.as_ref().ok()
    }
}

/// The elements of a key set that is within the bounds; of others none.
fn keys(body: &[u8], limits: &Limits) -> Vec<KeySeen> {
    match Jwks::parse(body, limits) {
        Ok(_) | Err(JwksError::NoUsableKey(_)) => {}
        Err(_) => return Vec::new(),
    }
    let limits = Limits {
        json_values: limits.json_values.saturating_mul(10),
        ..*limits
    };
    let document = json::parse(body, &limits).ok();
    let elements = document
        .as_ref()
        .and_then(|it| it.as_object()?.get("keys")?.as_array());
    elements
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(index, jwk)| KeySeen::read(index, jwk))
        .collect()
}

fn is_page(looked: &Inspection) -> bool {
    let Some(answer) = looked
        .answer
        .as_ref()
        .ok()
        .filter(|answer| answer.status == 200)
    else {
        return false;
    };
    let kind = answer
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let named = ["text/html", "application/xhtml+xml"].contains(&&*kind);
    named || answer.body.trim_ascii_start().starts_with(b"<")
}

fn body(looked: &Inspection) -> Option<&[u8]> {
    looked
        .answer
        .as_ref()
        .ok()
        .filter(|answer| answer.status == 200)
        .map(|answer| &*answer.body)
}

impl Seen {
    /// The address whose metadata is in use: the first that names this issuer, as for a server;
    /// else the first that there is.
    pub(crate) fn form(&self) -> Option<&Form> {
        let own = self.documents().find(|(_, object)| self.is_own(object));
        own.or_else(|| self.documents().next())
            .map(|(form, _)| form)
    }

    /// The metadata in use.
    pub(crate) fn metadata(&self) -> Option<&Object> {
        self.form()?.object()
    }

    /// A member of the metadata: of the document in use, or of another one of this issuer that
    /// fills its gap, as for a server. What is `null` is absent.
    fn member(&self, name: &str) -> Option<&Json> {
        let own = self
            .documents()
            .map(|(_, object)| object)
            .filter(|object| self.is_own(object));
        let documents = self.metadata().into_iter().chain(own);
        documents
            .filter_map(|object| object.get(name))
            .find(|value| !matches!(value, Json::Null))
    }

    fn is_own(&self, object: &Object) -> bool {
        object.get("issuer").and_then(Json::as_str) == Some(self.issuer.as_str())
    }

    /// The documents of all forms, with their addresses.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&Form, &Object)> {
        self.forms
            .iter()
            .filter_map(|form| Some((form, form.object()?)))
    }

    /// The answers that hold the documents in use: the metadata's and the key set's.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (&Url, &InspectedResponse)> {
        let looked = self.form().map(|form| &form.looked).into_iter();
        let looked = looked.chain(self.keys.as_ref().map(|keys| &keys.looked));
        looked.filter_map(|looked| Some((&looked.url, looked.answer.as_ref().ok()?)))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// A member that lists names; the elements that are none are left out.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let list = self.member(name)?.as_array()?;
        Some(list.iter().filter_map(Json::as_str).collect())
    }

    /// Whether a member lists this name.
    pub(crate) fn lists(&self, member: &str, name: &str) -> bool {
        self.list(member).is_some_and(|list| list.contains(&name))
    }

    /// Whether a member is true.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.member(name)
            .and_then(Json::as_bool)
            .unwrap_or_default()
    }

    /// Whether a member is there, and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// Whether users sign in here: others hand out tokens to machines only.
    pub(crate) fn has_users(&self) -> bool {
        self.has("authorization_endpoint")
    }

    /// The members that are addresses of endpoints, those for clients with certificates too.
    pub(crate) fn endpoints(&self) -> Vec<(String, &str)> {
        let Some(metadata) = self.metadata() else {
            return Vec::new();
        };
        let aliases = metadata
            .get("mtls_endpoint_aliases")
            .and_then(Json::as_object);
        let own = metadata
            .iter()
            .map(|(name, value)| (name.to_owned(), value));
        let others = aliases.into_iter().flat_map(Object::iter);
        let others = others.map(|(name, value)| (format!("mtls_endpoint_aliases.{name}"), value));
        own.chain(others)
            .filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
            .collect()
    }
}
