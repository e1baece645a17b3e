//! Which requests two settings decide otherwise: both are asked about requests that stand for all.
//!
//! The comparison is whether a request passes: its host, its route, and the demand of the route.
//! Settings of tokens, policies, callers and pages are compared as written: if they differ, many
//! requests may be decided otherwise. It leaves out upstreams, headers for them, bodies, timeouts,
//! and the peers that may connect or ask.

use super::Settings;
use crate::decision::cors::CorsRules;
use crate::decision::routes::{Access, RoutePattern, sample_hosts, sample_methods, sample_paths};
use crate::request::host::{Host, HostPattern};
use crate::request::path::RequestPath;
use http::Method;
use portcullis_core::ConfigError;
use std::borrow::Cow;
use std::fmt;

/// How a request is decided otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DemandChange {
    /// Less is demanded: callers pass who were refused.
    Opened,
    /// Some callers pass who were refused, and others are refused who passed; or neither could be
    /// ruled out.
    Changed,
    /// More is demanded: callers are refused who passed.
    Tightened,
    /// The same callers pass.
    Same,
}

/// The decision of one of the settings about a request, as far as the token is not known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequestDemand<'s> {
    /// 421: the host is not served.
    Misdirected,
    /// 400: the route takes no escaped slash.
    PathRefused,
    /// The route with this name demands this.
    Route(&'s str, Cow<'s, Access>),
}

/// A request that both settings were asked about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ComparedRequest<'s> {
    /// The method.
    pub method: Method,
    /// The host.
    pub host: String,
    /// The path.
    pub path: String,
    /// The decision of the old settings.
    pub old: RequestDemand<'s>,
    /// The decision of the new settings.
    pub new: RequestDemand<'s>,
    /// How the new one differs.
    pub change: DemandChange,
}

/// Two settings side by side.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SettingsComparison<'s> {
    /// All requests that stand for others, with both decisions.
    pub requests: Vec<ComparedRequest<'s>>,
    /// The routes of the new settings whose patterns the old ones do not have.
    pub added: Vec<&'s str>,
    /// The routes of the old settings whose patterns the new ones do not have.
    pub removed: Vec<&'s str>,
    /// Other settings that decide, and differ: their names.
    pub others: Vec<String>,
}

impl Settings {
    /// Compares these settings with new ones: which requests are decided otherwise.
    ///
    /// # Errors
    ///
    /// The routes overlap in too many ways.
    pub fn compare<'s>(&'s self, new: &'s Self) -> Result<SettingsComparison<'s>, ConfigError> {
        // A resource has demands of its own, so its requests need samples too.
        let mut of_resources = self.resource_patterns();
        of_resources.extend(new.resource_patterns());
        let patterns = || {
            let routes = self.patterns().chain(new.patterns());
            routes.chain(&of_resources)
        };
        let served = self.hosts.iter().chain(&new.hosts);
        let hosts = sample_hosts(
            patterns()
                .filter_map(|it| it.host.as_ref())
                .chain(served),
        );
        let methods = sample_methods(patterns());
        let paths = sample_paths(patterns()).ok_or_else(|| {
            ConfigError::wrong("route", "routes that overlap in too many ways to compare")
                .help("write fewer routes with `*` in the same places")
        })?;
        let mut requests = Vec::new();
        for (path, host) in paths
            .iter()
            .flat_map(|it| hosts.iter().map(move |h| (it, h)))
        {
            // Samples are made of what the settings have read, so they can be read again.
            let (Ok(path), Some(host)) = (RequestPath::parse(path), Host::parse(host)) else {
                continue;
            };
            for method in &methods {
                requests.push(self.compare_request(new, &host, &path, method));
            }
        }
        Ok(SettingsComparison {
            requests,
            added: new.routes_beyond(self),
            removed: self.routes_beyond(new),
            others: self.other_differences(new),
        })
    }

    fn compare_request<'s>(
        &'s self,
        new: &'s Self,
        host: &Host,
        path: &RequestPath,
        method: &Method,
    ) -> ComparedRequest<'s> {
        let demand = self.demand(host, path, method);
        let new_demand = new.demand(host, path, method);
        let resource = self.policy_resource(host, path, method);
        let new_resource = new.policy_resource(host, path, method);
        // Policies read the name and the path of a route, so one demand can have two answers.
        let change = match (resource, new_resource) {
            (Some(old), Some(new)) if old != new => DemandChange::Changed,
            _ => demand.compare(&new_demand),
        };
        ComparedRequest {
            method: method.clone(),
            host: host.name().to_owned(),
            path: path.as_str().to_owned(),
            old: demand,
            new: new_demand,
            change,
        }
    }

    /// The route of a request as policies see it: its name and its path. `None` if it asks none.
    fn policy_resource(
        &self,
        host: &Host,
        path: &RequestPath,
        method: &Method,
    ) -> Option<(&str, &str)> {
        let route = self.routes.find(host, path, method).ok()?;
        let resource = route.resource.as_ref()?;
        Some((&*resource.id, route.terms.path.as_str()))
    }

    fn patterns(&self) -> impl Iterator<Item = &RoutePattern> {
        self.routes
            .with_patterns()
            .flat_map(|(_, patterns)| patterns)
    }

    /// The routes of which no pattern is in other settings.
    fn routes_beyond<'s>(&'s self, other: &Self) -> Vec<&'s str> {
        // By pattern, and not by name: a renamed route decides the same requests.
        let is_new = |patterns: &[RoutePattern]| {
            let mut theirs = other.patterns();
            !theirs.any(|it| patterns.contains(it))
        };
        let routes = self.routes.with_patterns();
        let beyond = routes.filter(|(_, patterns)| is_new(patterns));
        beyond.map(|(route, _)| &*route.name).collect()
    }

    /// What these settings demand of a request.
    fn demand(&self, host: &Host, path: &RequestPath, method: &Method) -> RequestDemand<'_> {
        if !HostPattern::serves(&self.hosts, host) {
            return RequestDemand::Misdirected;
        }
        match self.routes.find(host, path, method) {
            Ok(route) => {
                let resources = self.resource_server.resources();
                let access = match resources.find(Some(host.authority()), path.as_str()) {
                    None => Cow::Borrowed(&route.access),
                    some => Cow::Owned(route.access.at(some)),
                };
                RequestDemand::Route(&route.name, access)
            }
            Err(_) => RequestDemand::PathRefused,
        }
    }

    /// The names of settings besides routes and hosts that decide, and differ.
    fn other_differences(&self, new: &Self) -> Vec<String> {
        let mut names = Vec::new();
        let (old_table, new_table) = (&self.token_settings, &new.token_settings);
        let mut keys: Vec<&String> = old_table.keys().chain(new_table.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            differing(key, old_table.get(key), new_table.get(key), &mut names);
        }
        let is_other = [
            (
                "gateway.public_preflight",
                self.public_preflight != new.public_preflight,
            ),
            // With CORS the gateway answers preflights, and pages of other origins read the rest.
            ("gateway.cors", self.cors != new.cors),
            ("route.cors", self.route_pages() != new.route_pages()),
            // Policies read the caller's address, and a DPoP proof names the scheme (RFC 9449).
            (
                "gateway.client_address",
                self.client_address != new.client_address,
            ),
            // A token that is bound to a certificate needs it (RFC 8705).
            (
                "gateway.client_certificate",
                self.client_certificate != new.client_certificate,
            ),
            ("cedar", self.policy_files != new.policy_files),
        ];
        let others = is_other.iter().filter(|(_, differs)| *differs);
        names.extend(others.map(|(name, _)| (*name).to_owned()));
        names
    }

    /// The routes with CORS rules of their own, by path.
    fn route_pages(&self) -> Vec<(&str, &CorsRules)> {
        let routes = self.routes.iter();
        let own = routes.filter_map(|route| Some((&*route.terms.path, route.cors.as_deref()?)));
        own.collect()
    }
}

/// Adds the names of what differs within two values. The values are not shown: some are secret.
fn differing(
    name: &str,
    old: Option<&toml::Value>,
    new: Option<&toml::Value>,
    names: &mut Vec<String>,
) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(toml::Value::Table(old)), Some(toml::Value::Table(new))) => {
            let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                differing(&format!("{name}.{key}"), old.get(key), new.get(key), names);
            }
        }
        (Some(toml::Value::Array(old)), Some(toml::Value::Array(new)))
            if old.iter().chain(new).all(toml::Value::is_table) =>
        {
            // By place: after a swap both entries are named, which is too much, never too little.
            for index in 0..old.len().max(new.len()) {
                let place = format!("{name}[{index}]");
                differing(&place, old.get(index), new.get(index), names);
            }
        }
        _ => names.push(name.to_owned()),
    }
}

impl RequestDemand<'_> {
    /// How another decision about the same request differs from this one.
    fn compare(&self, new: &RequestDemand<'_>) -> DemandChange {
        // A new demand can be looser for one caller and stricter for another.
        match (self.is_met_wherever(new), new.is_met_wherever(self)) {
            (true, true) => DemandChange::Same,
            (true, false) => DemandChange::Tightened,
            (false, true) => DemandChange::Opened,
            (false, false) => DemandChange::Changed,
        }
    }

    /// Whether every request that the other decision lets pass is let pass by this one.
    fn is_met_wherever(&self, other: &RequestDemand<'_>) -> bool {
        let (own, theirs) = match (self, other) {
            // The other one lets nothing pass, so nothing can be lost.
            (_, RequestDemand::Misdirected | RequestDemand::PathRefused) => return true,
            (RequestDemand::Misdirected | RequestDemand::PathRefused, _) => return false,
            (RequestDemand::Route(_, own), RequestDemand::Route(_, theirs)) => (own, theirs),
        };
        match (&**own, &**theirs) {
            (Access::Public, _) => true,
            (_, Access::Public) | (Access::Required(_), Access::Optional(_)) => false,
            (
                Access::Optional(own) | Access::Required(own),
                Access::Optional(theirs) | Access::Required(theirs),
            ) => theirs.implies(own),
        }
    }
}

impl fmt::Display for RequestDemand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misdirected => f.write_str("421: the host is not served"),
            Self::PathRefused => f.write_str("400: an escaped slash"),
            Self::Route(name, access) => write!(f, "{access}, by {name}"),
        }
    }
}

#[cfg(test)]
#[path = "comparison_tests.rs"]
mod tests;
