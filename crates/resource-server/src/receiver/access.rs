//! How this receiver proves itself to a transmitter: a header that never changes, or a token of a
//! client.

use crate::client_endpoint::{AssertionAudience, ClientEndpoint, IssuerAccess};
use crate::config::EventStreamConfig;
use crate::groups::ClientToken;
use crate::issuers::TrustedIssuers;
use crate::settings::{IssuerSettings, client, fetchable_url};
use portcullis_core::Faults;
use portcullis_core::token::Issuer;
use portcullis_provider::client_auth::{ClientAuth, Secret};
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::{Authorization, Trust};
use portcullis_provider::keys::meters::KeyMeters;
use portcullis_provider::keys::{KeyCache, KeySettings, KeySource};
use portcullis_provider::shared_signals::{TransmitterFault, TransmitterFaultKind};
use std::sync::Arc;
use url::Url;

/// The client that gets a token for requests to the transmitter.
#[derive(Clone, Debug)]
pub(crate) struct StreamClient {
    client: Arc<ClientAuth>,
    token_endpoint: Option<Url>,
    scope: String,
}

/// How requests to the transmitter are authorized.
#[derive(Clone, Debug)]
pub(crate) enum AccessSettings {
    /// By a value that never changes.
    Fixed(Secret),
    /// By a token of a client.
    Client(StreamClient),
}

/// Where the settings of a stream stand, for reading its access.
pub(super) struct AccessPlace<'p> {
    pub(super) written: &'p EventStreamConfig,
    pub(super) issuers: &'p [IssuerSettings],
    pub(super) faults: &'p Faults,
}

impl AccessPlace<'_> {
    /// The access of a stream; by `fixed` where there is such a value.
    pub(super) fn read(&self, fixed: Option<&Secret>) -> Option<AccessSettings> {
        match fixed {
            Some(fixed) => Some(AccessSettings::Fixed(fixed.clone())),
            None => self.client().map(AccessSettings::Client),
        }
    }

    fn client(&self) -> Option<StreamClient> {
        let (written, faults) = (self.written, self.faults);
        let endpoint = written.token_endpoint.as_deref();
        // Where the transmitter is an issuer too, its metadata names the token endpoint.
        let is_transmitter = |issuer: &IssuerSettings| {
            written.issuer.as_deref() == Some(issuer.verifier.issuer().as_str())
        };
        if endpoint.is_none() && !self.issuers.iter().any(is_transmitter) {
            faults
                .expected("token_endpoint", "where the client gets its token")
                .found_nothing()
                .given(&["issuer"])
                .help("write it, or `authorization_file` with a value that never changes");
        }
        let plain = written.danger_plain_http;
        Some(StreamClient {
            client: client(&written.client, faults)?,
            token_endpoint: endpoint
                .and_then(|it| fetchable_url("token_endpoint", it, plain, faults)),
            scope: written
                .scope
                .clone()
                .unwrap_or_else(|| "ssf.manage".to_owned()),
        })
    }
}

impl StreamClient {
    pub(super) fn id(&self) -> &str {
        &self.client.id
    }

    /// Its token endpoint, where that is written, and its scope.
    #[cfg(test)]
    pub(super) fn terms(&self) -> (Option<String>, String) {
        let endpoint = self.token_endpoint.as_ref().map(Url::to_string);
        (endpoint, self.scope.clone())
    }

    /// Where its token comes from, for people.
    pub(super) fn token_source(&self, transmitter: &Issuer) -> String {
        match &self.token_endpoint {
            Some(url) => url.to_string(),
            None => format!("the token endpoint of {transmitter}"),
        }
    }
}

impl AccessSettings {
    /// The way out to the transmitter, which knows the client by its certificate where it has one.
    pub(super) fn egress(&self, egress: &Egress, trust: &Trust) -> Egress {
        let certificate = match self {
            Self::Fixed(_) => None,
            Self::Client(client) => client.client.certificate(),
        };
        // A way out of its own: a request that waits occupies a slot.
        egress.for_endpoints(&trust.for_endpoints(certificate))
    }
}

/// The authorization of requests to a transmitter.
pub(crate) enum StreamAccess {
    Fixed(Secret),
    Token(Box<ClientToken>),
}

impl StreamAccess {
    pub(super) fn new(
        settings: &AccessSettings,
        transmitter: &Issuer,
        source: &KeySource,
        egress: &Egress,
        issuers: &TrustedIssuers,
    ) -> Self {
        let client = match settings {
            AccessSettings::Fixed(secret) => return Self::Fixed(secret.clone()),
            AccessSettings::Client(client) => client,
        };
        let metadata = match issuers.find(Some(transmitter.as_str())) {
            Ok(issuer) => Arc::clone(&issuer.keys),
            // The settings name the token endpoint then.
            Err(_) => KeyCache::new(
                transmitter.clone(),
                source.clone(),
                KeySettings::default(),
                egress.clone(),
                KeyMeters::new(transmitter.as_str()),
            ),
        };
        let endpoint = ClientEndpoint {
            configured: client.token_endpoint.clone(),
            member: portcullis_provider::metadata::TOKEN,
            client: Arc::clone(&client.client),
            audience: AssertionAudience::Issuer,
            access: IssuerAccess {
                egress: egress.clone(),
                keys: metadata,
            },
        };
        Self::Token(Box::new(ClientToken::of(endpoint, client.scope.clone())))
    }

    /// What a request carries; else why there is nothing.
    pub(super) async fn obtain(&self) -> Result<Authorization, String> {
        match self {
            Self::Fixed(header) => Ok(Authorization::Header(header.clone())),
            Self::Token(token) => token.obtain().await.map(Authorization::Bearer),
        }
    }

    /// Drops a token that the transmitter does not accept.
    pub(super) async fn forget(&self, fault: &TransmitterFault, authorization: &Authorization) {
        if let (Self::Token(token), Authorization::Bearer(refused)) = (self, authorization)
            && fault.kind == TransmitterFaultKind::Unauthorized
        {
            token.forget(refused).await;
        }
    }
}
