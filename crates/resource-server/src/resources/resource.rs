//! A protected resource, and the search for the one that a request is for.

use super::path::segments;
use portcullis_core::{EffectiveUrl, Requirement};
use std::sync::Arc;

/// A protected resource: an API with a URL of its own.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    pub(super) url: Box<str>,
    pub(super) host: Box<str>,
    pub(super) path: Box<str>,
    pub(super) segments: Vec<Box<[u8]>>,
    pub(super) audience: Requirement,
    pub(super) metadata_url: Arc<str>,
    pub(super) scopes: Option<Vec<Box<str>>>,
    pub(super) issuers: Vec<Box<str>>,
    pub(super) texts: Vec<(&'static str, Box<str>)>,
    pub(super) dpop_algorithms: Vec<&'static str>,
    /// Whether every token of its issuers must be bound to a key.
    pub(super) demands_dpop: bool,
    /// Whether the settings name the public origin, so that proofs can be checked at any door.
    pub(super) knows_origin: bool,
}

impl ProtectedResource {
    /// Its URL, as configured.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The host of its URL, without a port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path of its URL, `/` if it has none.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The demand that a token is meant for it.
    pub fn audience(&self) -> &Requirement {
        &self.audience
    }

    /// The address of its metadata (RFC 9728, section 3.1).
    pub fn metadata_url(&self) -> &Arc<str> {
        &self.metadata_url
    }

    /// The issuers whose tokens it accepts, as they are configured.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.issuers.iter().map(AsRef::as_ref)
    }

    /// What it demands of a token besides `requirement`: its audience, unless the requirement
    /// names one itself.
    pub fn demand(&self, requirement: &Requirement) -> Requirement {
        if requirement.demanded_audience().is_some() {
            return requirement.clone();
        }
        match requirement {
            Requirement::ValidToken => self.audience.clone(),
            Requirement::All(all) => {
                let rest = all.iter().cloned();
                Requirement::all([self.audience.clone()].into_iter().chain(rest))
            }
            other => Requirement::all([self.audience.clone(), other.clone()]),
        }
    }

    /// Whether a path is beneath it, or its own.
    pub fn holds(&self, path: &str) -> bool {
        let mut own = self.segments.iter();
        let mut found = segments(path);
        own.all(|segment| found.next().as_deref() == Some(&**segment))
    }
}

/// The protected resources of a server.
#[derive(Clone, Debug, Default)]
pub struct ProtectedResources(pub(super) Arc<[ProtectedResource]>);

impl ProtectedResources {
    /// The resource that a request is for, by the host and the path that its client wrote.
    ///
    /// A resource of this host comes first, then the longest path. Where no resource of this host
    /// has the path, others count as well: a proxy in front may rewrite the host, and a client
    /// that makes one up must not get past the demand for an audience.
    pub fn find(&self, authority: Option<&str>, path: &str) -> Option<&ProtectedResource> {
        let host = authority.and_then(host_of);
        let mut found: Option<(&ProtectedResource, bool)> = None;
        for resource in self.0.iter().filter(|it| it.holds(path)) {
            let is_named = host.as_deref() == Some(&*resource.host);
            let rank = (is_named, resource.segments.len());
            let is_better =
                found.is_none_or(|(best, was_named)| rank > (was_named, best.segments.len()));
            if is_better {
                found = Some((resource, is_named));
            }
        }
        found.map(|(resource, _)| resource)
    }

    /// All of them, in the order of the settings.
    pub fn iter(&self) -> impl Iterator<Item = &ProtectedResource> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The host of an authority in its one spelling, without the port.
pub(super) fn host_of(authority: &str) -> Option<Box<str>> {
    let url = EffectiveUrl::parse(&format!("https://{authority}/"))?;
    let authority = url.authority();
    // The address of IPv6 has colons of its own.
    let end = match authority.rfind(']') {
        Some(end) => end + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let host = authority.get(..end)?;
    Some(host.trim_end_matches('.').into())
}
