//! The security schemes of a document: how a client gets the tokens of the operations.

use portcullis_resource_server::ResourceServer;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use url::Url;

/// The schemes that a document declares, one or two for each issuer (OpenAPI 3.1, section 4.8.27).
///
/// - `openIdConnect` names the issuer's discovery document. A client finds the rest there.
/// - `oauth2` names the endpoints of the authorization code flow with PKCE, which pages such as
///   Swagger UI need for their Authorize button.
/// - `bearer` (RFC 6750) stands alone where no issuer has an address of its own: a template for
///   many tenants, for example. An operation with a guard is never described as public.
///
/// Issuers stand in the order of their names. The schemes of the second one end in `-2`, and so on.
#[derive(Clone, Debug)]
#[must_use]
pub struct SecuritySchemes {
    schemes: Vec<SecurityScheme>,
}

/// The scheme of one issuer.
#[derive(Clone, Debug)]
struct SecurityScheme {
    issuer: String,
    flow: Option<CodeFlow>,
}

/// Where the authorization code flow begins and ends (RFC 6749, section 4.1; RFC 7636).
#[derive(Clone, Debug)]
struct CodeFlow {
    authorization: Url,
    token: Url,
}

impl SecuritySchemes {
    /// The discovery document of each issuer of a server. Nothing is fetched.
    pub fn of(server: &ResourceServer) -> Self {
        // Sorted: the same settings give the same document at every start.
        let mut issuers = BTreeSet::new();
        for (issuer, _) in server.status().keys {
            issuers.insert(issuer.to_string());
        }
        let mut schemes = Vec::new();
        for issuer in issuers {
            schemes.push(SecurityScheme { issuer, flow: None });
        }
        Self { schemes }
    }

    /// The same, and the endpoints that each issuer's metadata name. Issuers whose metadata cannot
    /// be had now are left without: the document is no reason not to start.
    pub async fn discover(server: &ResourceServer) -> Self {
        let mut schemes = Self::of(server);
        for (issuer, metadata) in server.metadata().await {
            if let Ok(metadata) = metadata
                && let Some(authorization) = metadata.authorization_endpoint
                && let Some(token) = metadata.token_endpoint
            {
                schemes = schemes.with_code_flow(issuer.as_str(), &authorization, &token);
            }
        }
        schemes
    }

    /// Names the endpoints of an issuer, where its metadata lack them or are not to be asked. An
    /// issuer that the server does not list is added: one tenant of many, for example.
    pub fn with_code_flow(mut self, issuer: &str, authorization: &Url, token: &Url) -> Self {
        let flow = Some(CodeFlow {
            authorization: authorization.clone(),
            token: token.clone(),
        });
        match self.schemes.iter_mut().find(|it| it.issuer == issuer) {
            Some(scheme) => scheme.flow = flow,
            None => self.schemes.push(SecurityScheme {
                issuer: issuer.to_owned(),
                flow,
            }),
        }
        self
    }

    /// The names of the schemes; never none.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (index, scheme) in self.schemes.iter().enumerate() {
            if scheme.flow.is_some() {
                names.push(name_of("oauth2", index));
            }
            if scheme.discovery_url().is_some() {
                names.push(name_of("openIdConnect", index));
            }
        }
        if names.is_empty() {
            names.push(BEARER.to_owned());
        }
        names
    }

    /// The schemes as they stand in the document; `scopes` are those that any operation names.
    pub(super) fn to_object(&self, scopes: &BTreeSet<String>) -> Map<String, Value> {
        let mut object = Map::new();
        for (index, scheme) in self.schemes.iter().enumerate() {
            // First what Swagger UI signs in by: it shows them in this order.
            if let Some(flow) = &scheme.flow {
                object.insert(name_of("oauth2", index), flow.to_value(scopes));
            }
            if let Some(url) = scheme.discovery_url() {
                let discovery = json!({ "type": "openIdConnect", "openIdConnectUrl": url });
                object.insert(name_of("openIdConnect", index), discovery);
            }
        }
        if object.is_empty() {
            let bearer = json!({ "type": "http", "scheme": "bearer" });
            object.insert(BEARER.to_owned(), bearer);
        }
        object
    }
}

const BEARER: &str = "bearer";

impl SecurityScheme {
    /// The address of the metadata (OpenID Connect Discovery 1.0, section 4). A template for
    /// tenants has none.
    fn discovery_url(&self) -> Option<String> {
        let issuer = self.issuer.trim_end_matches('/');
        let is_template = issuer.contains(['{', '}']);
        (!is_template).then(|| format!("{issuer}/.well-known/openid-configuration"))
    }
}

impl CodeFlow {
    fn to_value(&self, scopes: &BTreeSet<String>) -> Value {
        let mut described = Map::new();
        for scope in scopes {
            // The specification wants a text, and a scope has none here.
            described.insert(scope.clone(), "".into());
        }
        json!({ "type": "oauth2", "flows": { "authorizationCode": {
            "authorizationUrl": self.authorization.as_str(),
            "tokenUrl": self.token.as_str(),
            "scopes": described,
        }}})
    }
}

fn name_of(name: &str, index: usize) -> String {
    match index {
        0 => name.to_owned(),
        _ => format!("{name}-{}", index + 1),
    }
}
