//! What a command line says in place of the settings file.

use super::{Config, GatewayConfig};
use std::net::SocketAddr;

/// Settings that come before those of the file, at the start and at every reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overrides {
    /// In place of `gateway.listen`.
    pub listen: Option<SocketAddr>,
    /// In place of `gateway.upstream`.
    pub upstream: Option<String>,
    /// Also if `gateway.danger_plain_http` is not there.
    pub danger_plain_http: bool,
}

impl Overrides {
    /// Another address to listen on.
    #[must_use]
    pub fn with_listen(self, listen: Option<SocketAddr>) -> Self {
        Self { listen, ..self }
    }

    /// Another upstream.
    #[must_use]
    pub fn with_upstream(self, upstream: Option<String>) -> Self {
        Self { upstream, ..self }
    }

    /// Plain HTTP beyond loopback, if `allowed`.
    #[must_use]
    pub fn with_danger_plain_http(self, allowed: bool) -> Self {
        Self {
            danger_plain_http: allowed,
            ..self
        }
    }
}

impl Config {
    /// The same settings, with these in place of their own.
    #[must_use]
    pub fn with_overrides(mut self, overrides: &Overrides) -> Self {
        // A table `[gateway]` that is missing stays a fault where nothing takes its place.
        if *overrides == Overrides::default() {
            return self;
        }
        let gateway = self
            .gateway
            .gateway
            .get_or_insert_with(GatewayConfig::default);
        gateway.listen = overrides.listen.or(gateway.listen);
        // A command line adds this danger, and cannot hide the one of the file.
        gateway.danger_plain_http |= overrides.danger_plain_http;
        if let Some(upstream) = &overrides.upstream {
            gateway.upstream = Some(upstream.clone());
        }
        self
    }
}
