//! Where the endpoints are, and which there are.

use crate::evidence::{quote_list, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use portcullis_core::rejection::quote;
use portcullis_core::token::issuer::is_loopback_host;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.endpoint_plain_http",
        severity: Severity::Error,
        section: "RFC 8414, section 2",
        title: "an endpoint is plain HTTP",
        cure: "serve it by https: codes, secrets and tokens cross the network in clear",
        check: RuleCheck::Issuer(plain_http),
    },
    Rule {
        id: "audit.endpoint_form",
        severity: Severity::Warning,
        section: "RFC 6749, section 3.1",
        title: "the address of an endpoint is malformed",
        cure: "write an absolute URL without a fragment and without user information",
        check: RuleCheck::Issuer(malformed),
    },
    Rule {
        id: "audit.endpoint_inside",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.6",
        title: "a public issuer names an inside address",
        cure: "name the address by which clients reach it; we do not fetch keys from such a one",
        check: RuleCheck::Issuer(inside),
    },
    Rule {
        id: "audit.endpoint_hosts",
        severity: Severity::Note,
        section: "RFC 8414, section 6.2",
        title: "endpoints are on other hosts than the issuer",
        cure: "see that all of them belong to the provider: the metadata sends secrets and users \
            there",
        check: RuleCheck::Issuer(other_hosts),
    },
    Rule {
        id: "audit.loopback_http",
        severity: Severity::Note,
        section: "RFC 8414, section 2",
        title: "the issuer is plain HTTP on this machine",
        cure: "nothing for development; anywhere else it has to be https",
        check: RuleCheck::Issuer(loopback),
    },
    Rule {
        id: "audit.revocation_missing",
        severity: Severity::Note,
        section: "RFC 7009, section 2",
        title: "clients cannot revoke tokens",
        cure: "offer a `revocation_endpoint`, so that a client can give back refresh tokens when a \
            user signs out",
        check: RuleCheck::Issuer(no_revocation),
    },
    Rule {
        id: "audit.introspection_missing",
        severity: Severity::Note,
        section: "RFC 7662, section 2",
        title: "nobody can ask whether a token still counts",
        cure: "offer an `introspection_endpoint`, or keep tokens short-lived and use our own \
            revocations",
        check: RuleCheck::Issuer(no_introspection),
    },
    Rule {
        id: "audit.backchannel_logout_missing",
        severity: Severity::Note,
        section: "OpenID Connect Back-Channel Logout 1.0, section 2.1",
        title: "applications are not told when a user signs out",
        cure: "offer back-channel logout, and say so by `backchannel_logout_supported`",
        check: RuleCheck::Issuer(no_logout),
    },
];

fn plain_http(observation: &Observation) -> Vec<String> {
    let plain = |url: &str| {
        Url::parse(url).is_ok_and(|url| {
            url.scheme() == "http" && !url.host_str().is_some_and(is_loopback_host)
        })
    };
    let wrong = observation
        .endpoints()
        .into_iter()
        .filter(|(_, url)| plain(url));
    wrong
        .map(|(name, url)| format!("{} is {}", quote(&name), quote(url)))
        .collect()
}

fn malformed(observation: &Observation) -> Vec<String> {
    let fault = |text: &str| match Url::parse(text) {
        Err(_) => Some("no absolute URL"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => Some("neither http nor https"),
        Ok(url) if url.fragment().is_some() => Some("has a fragment"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Some("holds user information")
        }
        Ok(_) => None,
    };
    let faults = observation
        .endpoints()
        .into_iter()
        .filter_map(|(name, url)| Some((name, fault(url)?)));
    faults
        .map(|(name, fault)| format!("{}: {fault}", quote(&name)))
        .collect()
}

fn inside(observation: &Observation) -> Vec<String> {
    let is_inside = |url: &Url| match url.host() {
        Some(Host::Ipv4(address)) => is_private(address),
        Some(Host::Ipv6(address)) => address
            .to_ipv4_mapped()
            .map_or_else(|| is_local(address), is_private),
        Some(Host::Domain(name)) => is_loopback_host(name) || name.ends_with(".localhost"),
        None => false,
    };
    let public = Url::parse(observation.issuer.as_str()).is_ok_and(|url| !is_inside(&url));
    let named = observation
        .endpoints()
        .into_iter()
        .filter(|(_, url)| Url::parse(url).is_ok_and(|url| is_inside(&url)));
    named
        .filter(|_| public)
        .map(|(name, url)| format!("{} is {}", quote(&name), quote(url)))
        .collect()
}

fn is_private(address: Ipv4Addr) -> bool {
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
}

fn is_local(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

fn other_hosts(observation: &Observation) -> Vec<String> {
    let host = |url: &str| Url::parse(url).ok()?.host_str().map(str::to_owned);
    let own = host(observation.issuer.as_str());
    let hosts: BTreeSet<String> = observation
        .endpoints()
        .iter()
        .filter_map(|(_, url)| host(url))
        .collect();
    let others: Vec<&str> = hosts
        .iter()
        .filter(|host| own.as_ref() != Some(host))
        .map(String::as_str)
        .collect();
    when(!others.is_empty(), || format!("on {}", quote_list(others)))
}

fn loopback(observation: &Observation) -> Vec<String> {
    let plain = observation.issuer.as_str().starts_with("http://");
    when(plain, || observation.issuer.to_string())
}

fn no_revocation(observation: &Observation) -> Vec<String> {
    let wrong = observation.has("token_endpoint") && !observation.has("revocation_endpoint");
    when(wrong, || "no `revocation_endpoint`".to_owned())
}

fn no_introspection(observation: &Observation) -> Vec<String> {
    let wrong = observation.has("token_endpoint") && !observation.has("introspection_endpoint");
    when(wrong, || "no `introspection_endpoint`".to_owned())
}

fn no_logout(observation: &Observation) -> Vec<String> {
    let wrong = observation.has_users() && !observation.says("backchannel_logout_supported");
    when(wrong, || {
        "`backchannel_logout_supported` is not true".to_owned()
    })
}
