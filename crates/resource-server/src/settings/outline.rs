//! The settings in a few lines: who is trusted, and what leaves this machine. For people.

use super::{IssuerSettings, Settings, Tenants};
use portcullis_core::token::Issuer;
use portcullis_provider::keys::KeySource;

/// A trusted issuer, for showing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuerOutline {
    /// The issuer; of a template, with its `{tenantid}`.
    pub issuer: Issuer,
    /// What else is demanded of its tokens, and where its keys are, in words.
    pub facts: Vec<String>,
}

/// Requests that leave this machine, for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboundRequest {
    /// Where they go.
    pub address: String,
    /// What they say, and what for.
    pub content: String,
}

impl OutboundRequest {
    /// Requests to this address with this content.
    pub fn new(address: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            content: content.into(),
        }
    }
}

impl Settings {
    /// The trusted issuers, in the order of the settings.
    pub fn outlines(&self) -> impl Iterator<Item = IssuerOutline> {
        self.issuers.iter().map(IssuerOutline::from)
    }

    /// Everything that these settings send anywhere. A password in an address is left out.
    pub fn outbound_requests(&self) -> Vec<OutboundRequest> {
        let mut requests = Vec::new();
        for issuer in &self.issuers {
            issuer.list_outbound(&mut requests);
        }
        for stream in &self.streams {
            stream.list_outbound(&mut requests);
        }
        if let Some(store) = &self.revocation.store {
            let content = "revocations, written and read: hashes of subjects, sessions and tokens";
            requests.push(OutboundRequest::new(store.url.without_password(), content));
        }
        requests
    }
}

impl From<&IssuerSettings> for IssuerOutline {
    fn from(settings: &IssuerSettings) -> Self {
        let verifier = &settings.verifier;
        let profile = verifier.profile();
        let audiences: Vec<&str> = verifier.audiences().iter().collect();
        let mut facts = vec![
            format!("profile {}", profile.name()),
            format!("audience {}", audiences.join(" or ")),
        ];
        match (&settings.tenants, verifier.tenant()) {
            (Tenants::Any, _) => facts.push("every tenant".to_owned()),
            (Tenants::Listed(tenants), _) => {
                let mut names: Vec<&str> = tenants.iter().map(AsRef::as_ref).collect();
                names.sort_unstable();
                facts.push(format!("tenant {}", names.join(" or ")));
            }
            (Tenants::One, Some(tenant)) => facts.push(format!("tenant {tenant}")),
            (Tenants::One, None) => {}
        }
        for condition in &profile.conditions {
            facts.push(format!("claim {condition}"));
        }
        if let KeySource::File(path) = &settings.source {
            facts.push(format!("keys of the file {}", path.display()));
        }
        Self {
            issuer: verifier.issuer().clone(),
            facts,
        }
    }
}

impl IssuerSettings {
    fn list_outbound(&self, requests: &mut Vec<OutboundRequest>) {
        let issuer = self.verifier.issuer();
        if let Some(address) = self.source.first_address(issuer) {
            let content = match &self.source {
                KeySource::Uri(_) => "the keys of the issuer are fetched; nothing is sent",
                _ => {
                    "the metadata of the issuer is fetched, and the keys that it names; nothing is \
                     sent"
                }
            };
            requests.push(OutboundRequest::new(address, content));
        }
        if let Some(asked) = &self.introspection {
            let address = match &asked.endpoint {
                Some(url) => url.to_string(),
                None => format!("the introspection endpoint of {issuer}"),
            };
            let tokens = match asked.asked.jwts_too {
                true => "every token",
                false => "opaque tokens",
            };
            let content = format!("{tokens}, as the client `{}`", asked.client.id);
            requests.push(OutboundRequest::new(address, content));
        }
        if let Some(groups) = &self.groups {
            let address = match &groups.token_endpoint {
                Some(url) => url.to_string(),
                None => format!("the token endpoint of {issuer}"),
            };
            let content = format!("the client `{}`, for a token of its own", groups.client.id);
            requests.push(OutboundRequest::new(address, content));
            let content = "object ids of callers, whose groups do not fit into a token";
            requests.push(OutboundRequest::new(groups.graph.clone(), content));
        }
    }
}
