//! Members of the documents of strangers, each of one type, with faults that name them.

use crate::address;
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use std::fmt;
use url::Url;

/// The text of a member; none if it is absent or `null`.
pub(crate) fn text<'o>(object: &'o Object, name: &str) -> Result<Option<&'o str>, String> {
    match object.get(name) {
        // Some providers write null for what they do not have.
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its `{name}` is not a string")),
    }
}

/// The strings of a list; none if it is absent.
pub(crate) fn texts(object: &Object, name: &str) -> Result<Vec<String>, String> {
    let elements = match object.get(name) {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(elements)) => elements,
        Some(_) => return Err(format!("its `{name}` is no list")),
    };
    let mut texts = Vec::new();
    for element in elements {
        match element.as_str() {
            Some(text) => texts.push(text.to_owned()),
            None => return Err(format!("its `{name}` is no list of strings")),
        }
    }
    Ok(texts)
}

/// The address of a member, if there is one and it may be asked.
pub(crate) fn address(
    object: &Object,
    name: &str,
    plain_http: bool,
) -> Result<Option<Url>, String> {
    let Some(text) = text(object, name)? else {
        return Ok(None);
    };
    match address::parse_fetchable(text, plain_http) {
        Ok(url) => Ok(Some(url)),
        Err(reason) => Err(format!("its `{name}` cannot be used: {reason}")),
    }
}

/// The bounds for a document of an issuer, which may hold more than a token.
fn document_limits(limits: &Limits) -> Limits {
    Limits {
        json_values: limits.json_values.saturating_mul(10),
        ..*limits
    }
}

/// A document as strict JSON.
pub(crate) fn parse(document: &[u8], limits: &Limits) -> Result<Json, String> {
    json::parse(document, &document_limits(limits))
        .map_err(|fault| describe_fault(document, &fault))
}

/// What is wrong with a document that cannot be read as JSON.
pub(crate) fn describe_fault(document: &[u8], fault: &impl fmt::Display) -> String {
    // What an application or a proxy answers with where an API has nothing.
    if document.trim_ascii_start().starts_with(b"<") {
        return "expected JSON, found a web page".to_owned();
    }
    format!("the document is {fault}")
}
