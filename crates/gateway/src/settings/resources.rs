//! Resources and audiences, as far as the routes have a say in them.

use super::Settings;
use crate::config::{RequireConfig, RouteConfig};
use crate::decision::routes::{Access, PathPattern, Route, RoutePattern};
use crate::request::host::HostPattern;
use crate::request::path::EscapedSlashes;
use portcullis_core::proof::Binding;
use portcullis_core::{Faults, Requirement};
use portcullis_resource_server::{
    KnownAudiences, ProtectedResource, ResourceDocuments, ResourceTraits,
};

/// Tells audiences of routes that no issuer's tokens have: such a route would refuse everybody.
pub(super) fn check_audiences(routes: &[RouteConfig], audiences: &KnownAudiences, faults: &Faults) {
    for (index, route) in routes.iter().enumerate() {
        let within = faults.at(format!("route[{index}]"));
        if let Some(names) = &route.audience {
            audiences.check("audience", names.as_slice(), &within);
        }
        if let Some(required) = &route.require {
            check_requirement(required, audiences, &within.at("require"));
        }
    }
}

fn check_requirement(required: &RequireConfig, audiences: &KnownAudiences, faults: &Faults) {
    if let Some(names) = &required.audience {
        audiences.check("audience", names.as_slice(), faults);
    }
    for (member, list) in [("all", &required.all), ("any", &required.any)] {
        for (index, part) in list.iter().flatten().enumerate() {
            check_requirement(part, audiences, &faults.at(format!("{member}[{index}]")));
        }
    }
    if let Some(part) = &required.not {
        check_requirement(part, audiences, &faults.at("not"));
    }
}

impl Settings {
    /// The metadata of all resources, with what the routes and the listeners say about them.
    pub(crate) fn resource_documents(&self) -> ResourceDocuments {
        let resources = self.resource_server.resources();
        ResourceDocuments::new(resources, |resource| self.traits(resource))
    }

    fn traits(&self, resource: &ProtectedResource) -> ResourceTraits {
        let listeners = &self.listeners;
        let is_asked = listeners.forward_auth.is_some() || listeners.ext_authz.is_some();
        let tls = listeners.tls.as_ref();
        // Ended here, or at a proxy in front that tells what it saw.
        let takes_certificates = self.client_certificate.is_some()
            || tls.is_some_and(|tls| tls.bound_clients || tls.client_authorities.is_some());
        let mut scopes = Vec::new();
        let mut demands = Vec::new();
        for route in self
            .routes
            .iter()
            .filter(|it| self.is_beneath(it, resource))
        {
            let (Access::Optional(demand) | Access::Required(demand)) = &route.access else {
                continue;
            };
            demands.push(demand.binding());
            for scope in demand.useful_scopes().iter() {
                if !scopes.iter().any(|known| known == scope) {
                    scopes.push(scope.to_owned());
                }
            }
        }
        let is_dpop = |binding: &Option<Binding>| *binding == Some(Binding::Dpop);
        ResourceTraits {
            scopes,
            checks_proofs: listeners.listen.is_some() || is_asked,
            demands_dpop: !demands.is_empty() && demands.iter().all(is_dpop),
            takes_certificates,
        }
    }

    /// Whether all requests of a route are for a resource, and for none within it.
    fn is_beneath(&self, route: &Route, resource: &ProtectedResource) -> bool {
        let terms = &route.terms;
        // The default has no path: its requests may be for any resource.
        if terms.path.is_empty() {
            return false;
        }
        let host = terms.hosts.first().map(String::as_str);
        let found = self
            .resource_server
            .resources()
            .find(host, &terms.path);
        found.is_some_and(|it| it.url() == resource.url())
    }

    /// Patterns for the requests of the resources: they are decided by their audience as well.
    pub(super) fn resource_patterns(&self) -> Vec<RoutePattern> {
        let mut patterns = Vec::new();
        for resource in self.resource_server.resources().iter() {
            let path = format!("{}/**", resource.path().trim_end_matches('/'));
            // What no pattern can say, no request of the gateway can be for.
            if let Ok(path) = PathPattern::parse(&path, EscapedSlashes::Keep) {
                patterns.push(RoutePattern {
                    host: HostPattern::parse(resource.host()),
                    path,
                    method: None,
                });
            }
        }
        patterns
    }
}

impl Access {
    /// The same access for requests to a resource: where a token counts, it must be for that.
    #[must_use]
    pub(crate) fn at(&self, resource: Option<&ProtectedResource>) -> Self {
        let demand = |demand: &Requirement| match resource {
            Some(resource) => resource.demand(demand),
            None => demand.clone(),
        };
        match self {
            Self::Public => Self::Public,
            Self::Optional(required) => Self::Optional(demand(required)),
            Self::Required(required) => Self::Required(demand(required)),
        }
    }
}
