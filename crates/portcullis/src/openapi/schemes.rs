//! The security schemes of a document: how a client gets the tokens of the operations.

use portcullis_core::token::Issuer;
use portcullis_resource_server::ResourceServer;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use url::Url;

/// The schemes that a document declares, one or two for each issuer (OpenAPI 3.1, section 4.8.27).
///
/// - `openIdConnect` names the issuer's discovery document. A client finds the rest there.
/// - `oauth2` names the endpoints of the authorization code flow with PKCE, which pages such as
///   Swagger UI need for their Authorize button.
///
/// Where there are several issuers, the names of the further ones end in `-2`, `-3` and so on.
#[derive(Clone, Debug)]
#[must_use]
pub struct SecuritySchemes {
    schemes: Vec<SecurityScheme>,
}

/// The scheme of one issuer.
#[derive(Clone, Debug)]
struct SecurityScheme {
    issuer: Issuer,
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
        let mut schemes = Vec::new();
        for (issuer, _) in server.status().keys {
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

    /// Names the endpoints of an issuer, where its metadata do not or shall not be asked.
    pub fn with_code_flow(mut self, issuer: &str, authorization: &Url, token: &Url) -> Self {
        for scheme in &mut self.schemes {
            if scheme.issuer.as_str() == issuer {
                let (authorization, token) = (authorization.clone(), token.clone());
                scheme.flow = Some(CodeFlow {
                    authorization,
                    token,
                });
            }
        }
        self
    }

    /// The names of the schemes.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (index, scheme) in self.schemes.iter().enumerate() {
            if scheme.flow.is_some() {
                names.push(name_of("oauth2", index));
            }
            names.push(name_of("openIdConnect", index));
        }
        names
    }

    /// The schemes as they stand in the document; `scopes` are those that any operation names.
    pub(super) fn to_object(&self, scopes: &BTreeSet<String>) -> Map<String, Value> {
        // A scope has no text of ours, and the specification wants one.
        let scopes: Map<String, Value> = scopes
            .iter()
            .map(|scope| (scope.clone(), "".into()))
            .collect();
        let mut object = Map::new();
        for (index, scheme) in self.schemes.iter().enumerate() {
            let url = discovery_url(&scheme.issuer);
            let discovery = json!({ "type": "openIdConnect", "openIdConnectUrl": url });
            object.insert(name_of("openIdConnect", index), discovery);
            if let Some(flow) = &scheme.flow {
                let flow = json!({ "authorizationCode": {
                    "authorizationUrl": flow.authorization.as_str(),
                    "tokenUrl": flow.token.as_str(),
                    "scopes": scopes,
                }});
                let oauth2 = json!({ "type": "oauth2", "flows": flow });
                object.insert(name_of("oauth2", index), oauth2);
            }
        }
        object
    }
}

fn name_of(name: &str, index: usize) -> String {
    match index {
        0 => name.to_owned(),
        _ => format!("{name}-{}", index + 1),
    }
}

/// OpenID Connect Discovery 1.0, section 4.
fn discovery_url(issuer: &Issuer) -> String {
    let issuer = issuer.as_str().trim_end_matches('/');
    format!("{issuer}/.well-known/openid-configuration")
}
