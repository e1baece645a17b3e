//! The part of a provider's metadata that a client uses (RFC 8414, section 2, and the standards
//! that extend it).
//!
//! An address with another scheme than https, except on loopback, makes the whole document invalid.

use portcullis_core::jose::json::{Json, Object};
use portcullis_provider::metadata::endpoint;
use url::Url;

/// The metadata of a provider, as far as a client needs it.
#[derive(Clone, Debug, Default)]
pub struct ServerMetadata {
    issuer: String,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    device_authorization_endpoint: Option<Url>,
    pushed_authorization_request_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
    end_session_endpoint: Option<Url>,
    requires_pushed_requests: bool,
    sends_issuer_in_callbacks: bool,
    code_challenge_methods: Option<Vec<String>>,
    dpop_algorithms: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    authentication_methods: Option<Vec<String>>,
    /// The endpoints for clients that authenticate with a certificate: `mtls_endpoint_aliases`
    /// (RFC 8705, section 5).
    mutual_tls: Option<Box<ServerMetadata>>,
}

/// The lists are `None` if the provider does not publish them.
impl ServerMetadata {
    /// `issuer`: the provider's name in ID tokens and callbacks. AD FS has another one in access
    /// tokens, `access_token_issuer`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `authorization_endpoint`: the page where people sign in.
    pub fn authorization_endpoint(&self) -> Option<&Url> {
        self.authorization_endpoint.as_ref()
    }

    /// `token_endpoint`.
    pub fn token_endpoint(&self) -> Option<&Url> {
        self.token_endpoint.as_ref()
    }

    /// `device_authorization_endpoint` (RFC 8628, section 4).
    pub fn device_authorization_endpoint(&self) -> Option<&Url> {
        self.device_authorization_endpoint.as_ref()
    }

    /// `pushed_authorization_request_endpoint` (RFC 9126, section 5).
    pub fn pushed_authorization_request_endpoint(&self) -> Option<&Url> {
        self.pushed_authorization_request_endpoint.as_ref()
    }

    /// `revocation_endpoint` (RFC 7009).
    pub fn revocation_endpoint(&self) -> Option<&Url> {
        self.revocation_endpoint.as_ref()
    }

    /// `end_session_endpoint` (OpenID Connect RP-Initiated Logout 1.0, section 2.1).
    pub fn end_session_endpoint(&self) -> Option<&Url> {
        self.end_session_endpoint.as_ref()
    }

    /// `require_pushed_authorization_requests` (RFC 9126, section 5).
    pub fn requires_pushed_requests(&self) -> bool {
        self.requires_pushed_requests
    }

    /// `authorization_response_iss_parameter_supported` (RFC 9207, section 3).
    pub fn sends_issuer_in_callbacks(&self) -> bool {
        self.sends_issuer_in_callbacks
    }

    /// `code_challenge_methods_supported` (RFC 8414, section 2).
    pub fn code_challenge_methods(&self) -> Option<&[String]> {
        self.code_challenge_methods.as_deref()
    }

    /// `dpop_signing_alg_values_supported` (RFC 9449, section 5.1).
    pub fn dpop_algorithms(&self) -> Option<&[String]> {
        self.dpop_algorithms.as_deref()
    }

    /// `grant_types_supported` (RFC 8414, section 2).
    pub fn grant_types(&self) -> Option<&[String]> {
        self.grant_types.as_deref()
    }

    /// `scopes_supported`. A provider may support more scopes than it lists (RFC 8414, section 2).
    pub fn scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }

    /// `token_endpoint_auth_methods_supported` (RFC 8414, section 2).
    pub fn authentication_methods(&self) -> Option<&[String]> {
        self.authentication_methods.as_deref()
    }
}

/// The endpoints that a client calls itself, without a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProviderEndpoint {
    Token,
    Device,
    Pushed,
    Revocation,
}

impl ServerMetadata {
    pub(crate) fn read(document: &Object) -> Result<Self, String> {
        let mut metadata = Self::endpoints(document)?;
        // The document was accepted by this name, or by its `access_token_issuer`.
        let issuer = document.get("issuer").and_then(Json::as_str);
        metadata.issuer = issuer.unwrap_or_default().to_owned();
        // Both flags make the client stricter, so a malformed one is an error. Read as `false`, it
        // would switch a protection off.
        metadata.requires_pushed_requests =
            flag(document, "require_pushed_authorization_requests")?;
        metadata.sends_issuer_in_callbacks =
            flag(document, "authorization_response_iss_parameter_supported")?;
        metadata.code_challenge_methods = texts(document, "code_challenge_methods_supported")?;
        metadata.dpop_algorithms = texts(document, "dpop_signing_alg_values_supported")?;
        metadata.grant_types = texts(document, "grant_types_supported")?;
        metadata.scopes = texts(document, "scopes_supported")?;
        metadata.authentication_methods = texts(document, "token_endpoint_auth_methods_supported")?;
        if let Some(aliases) = document.get("mtls_endpoint_aliases") {
            let aliases = aliases
                .as_object()
                .ok_or("its `mtls_endpoint_aliases` is not an object")?;
            metadata.mutual_tls = Some(Box::new(Self::endpoints(aliases)?));
        }
        Ok(metadata)
    }

    fn endpoints(document: &Object) -> Result<Self, String> {
        Ok(Self {
            authorization_endpoint: endpoint(document, "authorization_endpoint")?,
            token_endpoint: endpoint(document, "token_endpoint")?,
            device_authorization_endpoint: endpoint(document, "device_authorization_endpoint")?,
            pushed_authorization_request_endpoint: endpoint(
                document,
                "pushed_authorization_request_endpoint",
            )?,
            revocation_endpoint: endpoint(document, "revocation_endpoint")?,
            end_session_endpoint: endpoint(document, "end_session_endpoint")?,
            ..Self::default()
        })
    }

    /// The address of an endpoint, for a client with or without a certificate.
    pub(crate) fn locate(&self, endpoint: ProviderEndpoint, by_certificate: bool) -> Option<&Url> {
        // RFC 8705, section 5: an endpoint without an alias has one address for all clients.
        if by_certificate
            && let Some(aliases) = &self.mutual_tls
            && let Some(alias) = aliases.locate(endpoint, false)
        {
            return Some(alias);
        }
        let url = match endpoint {
            ProviderEndpoint::Token => &self.token_endpoint,
            ProviderEndpoint::Device => &self.device_authorization_endpoint,
            ProviderEndpoint::Pushed => &self.pushed_authorization_request_endpoint,
            ProviderEndpoint::Revocation => &self.revocation_endpoint,
        };
        url.as_ref()
    }
}

impl ProviderEndpoint {
    /// Its name in the metadata.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Token => "token_endpoint",
            Self::Device => "device_authorization_endpoint",
            Self::Pushed => "pushed_authorization_request_endpoint",
            Self::Revocation => "revocation_endpoint",
        }
    }

    /// Whether its requests carry a DPoP proof (RFC 9449, sections 5 and 10.1).
    pub(crate) fn takes_proof(self) -> bool {
        matches!(self, Self::Token | Self::Pushed)
    }
}

fn flag(document: &Object, name: &str) -> Result<bool, String> {
    match document.get(name) {
        None => Ok(false),
        Some(Json::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("its `{name}` is not a boolean")),
    }
}

fn texts(document: &Object, name: &str) -> Result<Option<Vec<String>>, String> {
    let Some(value) = document.get(name) else {
        return Ok(None);
    };
    let fault = format!("its `{name}` is not a list of strings");
    let Some(values) = value.as_array() else {
        return Err(fault);
    };
    let mut texts = Vec::new();
    for value in values {
        match value.as_str() {
            Some(text) => texts.push(text.to_owned()),
            None => return Err(fault),
        }
    }
    Ok(Some(texts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::json;

    fn read(text: &str) -> Result<ServerMetadata, String> {
        let document = json::parse(text.as_bytes(), &Limits::default()).unwrap();
        ServerMetadata::read(document.as_object().unwrap())
    }

    #[test]
    fn a_client_with_a_certificate_goes_to_the_aliases() {
        let metadata = read(
            r#"{"token_endpoint":"https://a.example/token","revocation_endpoint":"https://a.example/revoke",
                "mtls_endpoint_aliases":{"token_endpoint":"https://mtls.a.example/token"}}"#,
        )
        .unwrap();
        let at = |endpoint, by_certificate| {
            metadata
                .locate(endpoint, by_certificate)
                .map(Url::as_str)
        };
        assert_eq!(
            at(ProviderEndpoint::Token, true),
            Some("https://mtls.a.example/token")
        );
        assert_eq!(
            at(ProviderEndpoint::Token, false),
            Some("https://a.example/token")
        );
        assert_eq!(at(ProviderEndpoint::Device, true), None);
        assert_eq!(
            at(ProviderEndpoint::Revocation, true),
            Some("https://a.example/revoke")
        );
    }

    #[test]
    fn members_of_other_types_and_addresses_in_clear_are_refused() {
        for text in [
            r#"{"token_endpoint":"http://a.example/token"}"#,
            r#"{"token_endpoint":7}"#,
            r#"{"end_session_endpoint":"javascript:alert(1)"}"#,
            r#"{"require_pushed_authorization_requests":"true"}"#,
            r#"{"code_challenge_methods_supported":"S256"}"#,
            r#"{"dpop_signing_alg_values_supported":[1]}"#,
            r#"{"mtls_endpoint_aliases":{"token_endpoint":"/token"}}"#,
            r#"{"mtls_endpoint_aliases":[]}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read("{}").unwrap().code_challenge_methods, None);
    }
}
