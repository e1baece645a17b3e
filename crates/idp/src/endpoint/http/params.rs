//! The parameters of a request, each once (RFC 6749, section 3.1).

use crate::endpoint::http::error::{OAuthError, printable};
use crate::token::claims::JsonObject;
use serde_json::Value;
use std::collections::BTreeMap;

/// Decoded parameters; one without a value counts as missing (RFC 6749, section 3.1).
#[derive(Clone, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a query string or a form.
    pub(crate) fn parse(text: &str) -> Result<Self, OAuthError> {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            // Two readers of one request could pick different values of a repeated parameter.
            // The name is shown, because it has to be corrected.
            if params.contains_key(&*name) {
                let told = format!("`{}` is repeated: send it once", printable(&name));
                return Err(OAuthError::invalid_request(&told));
            }
            params.insert(name.into_owned(), value.into_owned());
        }
        Ok(Self(params))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn need(&self, name: &'static str) -> Result<&str, OAuthError> {
        match self.find(name) {
            Some(value) => Ok(value),
            None => Err(OAuthError::invalid_request(&format!("`{name}` is missing"))),
        }
    }

    /// Refuses every parameter but these. A real endpoint must ignore others (RFC 6749, section
    /// 3.1); an order for a test that is misspelled would make a test that proves nothing.
    pub(crate) fn allow_only(&self, known: &[&str]) -> Result<(), OAuthError> {
        for name in self.0.keys() {
            if !known.contains(&name.as_str()) {
                let known = known.join(", ");
                return Err(OAuthError::invalid_request(&format!(
                    "unknown member {name:?}: expected one of {known}"
                )));
            }
        }
        Ok(())
    }

    /// The parameters without the client's credentials.
    pub(crate) fn without_credentials(&self) -> Self {
        let mut rest = self.0.clone();
        for secret in ["client_secret", "client_assertion", "client_assertion_type"] {
            rest.remove(secret);
        }
        Self(rest)
    }

    pub(crate) fn insert(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Form-encoded again.
    pub(crate) fn to_form(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    /// The parameters as a JSON object of texts.
    pub(crate) fn to_object(&self) -> JsonObject {
        let mut object = JsonObject::new();
        for (name, value) in &self.0 {
            object.insert(name.clone(), Value::from(value.as_str()));
        }
        object
    }
}
