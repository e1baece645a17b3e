//! The parameters of a request, each once (RFC 6749, section 3.1).

use crate::endpoint::http::error::OAuthError;
use std::collections::BTreeMap;

/// Parameters with their values decoded; those without a value do not count.
#[derive(Clone)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a query string or a form.
    pub(crate) fn parse(text: &str) -> Result<Self, OAuthError> {
        let mut params = BTreeMap::new();
        for (name, value) in
            form_urlencoded::parse(text.as_bytes()).filter(|(_, value)| !value.is_empty())
        {
            if params
                .insert(name.to_string(), value.into_owned())
                .is_some()
            {
                return Err(OAuthError::invalid_request("a parameter is repeated"));
            }
        }
        Ok(Self(params))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn need(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.find(name)
            .ok_or_else(|| OAuthError::invalid_request(&format!("`{name}` is missing")))
    }

    /// Without what proves the client's identity.
    pub(crate) fn without_credentials(&self) -> Self {
        let secret = ["client_secret", "client_assertion", "client_assertion_type"];
        let rest = self
            .0
            .iter()
            .filter(|(name, _)| !secret.contains(&name.as_str()));
        Self(
            rest.map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
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
}
