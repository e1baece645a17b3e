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
        title: "an endpoint uses plain HTTP",
        cure: "serve it over https: codes, secrets and tokens cross the network unencrypted",
        check: RuleCheck::Issuer(plain_http),
    },
    Rule {
        id: "audit.endpoint_form",
        severity: Severity::Warning,
        section: "RFC 6749, section 3.1",
        title: "the address of an endpoint is malformed",
        cure: "write an absolute URL without a fragment and without user information",
        check: RuleCheck::Issuer(url_faults),
    },
    Rule {
        id: "audit.endpoint_inside",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.6",
        title: "a public issuer names an address inside a network",
        cure: "publish the address that clients can reach; we fetch no keys from inside addresses",
        check: RuleCheck::Issuer(inside),
    },
    Rule {
        id: "audit.endpoint_hosts",
        severity: Severity::Note,
        section: "RFC 8414, section 6.2",
        title: "endpoints have other hosts than the issuer",
        cure: "check that all of them belong to the provider: clients send secrets and users there",
        check: RuleCheck::Issuer(other_hosts),
    },
    Rule {
        id: "audit.loopback_http",
        severity: Severity::Note,
        section: "RFC 8414, section 2",
        title: "the issuer uses plain HTTP on this machine",
        cure: "leave it for development; in production the issuer must use https",
        check: RuleCheck::Issuer(loopback),
    },
    Rule {
        id: "audit.revocation_missing",
        severity: Severity::Note,
        section: "RFC 7009, section 2",
        title: "clients cannot revoke tokens",
        cure: "offer a `revocation_endpoint`, so that a client can revoke refresh tokens at \
            sign-out",
        check: RuleCheck::Issuer(no_revocation),
    },
    Rule {
        id: "audit.introspection_missing",
        severity: Severity::Note,
        section: "RFC 7662, section 2",
        title: "nobody can ask whether a token is still active",
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
    // A development server on loopback has no network that could listen.
    endpoints_that(observation, |url| {
        url.scheme() == "http" && !url.host_str().is_some_and(is_loopback_host)
    })
}

/// The endpoints whose URL is wrong in this way, with the URL.
fn endpoints_that(observation: &Observation, is_wrong: fn(&Url) -> bool) -> Vec<String> {
    let mut evidence = Vec::new();
    for (name, text) in observation.endpoints() {
        if let Ok(url) = Url::parse(text)
            && is_wrong(&url)
        {
            evidence.push(format!("{} is {}", quote(&name), quote(text)));
        }
    }
    evidence
}

fn url_faults(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for (name, text) in observation.endpoints() {
        // The parser accepts more than RFC 8414 allows, so each part is looked at.
        if let Some(fault) = url_fault(text) {
            evidence.push(format!("{}: {fault}", quote(&name)));
        }
    }
    evidence
}

fn url_fault(text: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(text) else {
        return Some("not an absolute URL");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some("neither http nor https");
    }
    // RFC 6749, sections 3.1 and 3.2: an endpoint has no fragment.
    if url.fragment().is_some() {
        return Some("has a fragment");
    }
    // RFC 9110, section 4.2.4: user information can disguise the host that a URL leads to.
    if !url.username().is_empty() || url.password().is_some() {
        return Some("holds user information");
    }
    None
}

fn inside(observation: &Observation) -> Vec<String> {
    // An issuer inside a network may name endpoints there; a public one leads clients astray.
    match Url::parse(observation.issuer.as_str()) {
        Ok(issuer) if !is_inside(&issuer) => endpoints_that(observation, is_inside),
        Ok(_) | Err(_) => Vec::new(),
    }
}

fn is_inside(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_private(address),
        // An IPv4 address in IPv6 clothes leads to the same place.
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(address) => is_private(address),
            None => is_local(address),
        },
        // RFC 6761, section 6.3: every name under `localhost` is loopback.
        Some(Host::Domain(name)) => is_loopback_host(name) || name.ends_with(".localhost"),
        None => false,
    }
}

fn is_private(address: Ipv4Addr) -> bool {
    // Link-local holds 169.254.169.254, where clouds give credentials to whoever asks.
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
    // Large providers spread their endpoints over hosts, so this is only worth a note.
    let own = host(observation.issuer.as_str());
    let mut others = BTreeSet::new();
    for (_, url) in observation.endpoints() {
        if let Some(host) = host(url)
            && own.as_ref() != Some(&host)
        {
            others.insert(host);
        }
    }
    if others.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "on {}",
        quote_list(others.iter().map(String::as_str))
    )]
}

fn host(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.host_str()?.to_owned())
}

fn loopback(observation: &Observation) -> Vec<String> {
    let issuer = observation.issuer.as_str();
    when(issuer.starts_with("http://"), issuer)
}

fn no_revocation(observation: &Observation) -> Vec<String> {
    when(
        observation.has("token_endpoint") && !observation.has("revocation_endpoint"),
        "no `revocation_endpoint`",
    )
}

fn no_introspection(observation: &Observation) -> Vec<String> {
    when(
        observation.has("token_endpoint") && !observation.has("introspection_endpoint"),
        "no `introspection_endpoint`",
    )
}

fn no_logout(observation: &Observation) -> Vec<String> {
    when(
        observation.has_users() && !observation.says("backchannel_logout_supported"),
        "`backchannel_logout_supported` is not true",
    )
}
