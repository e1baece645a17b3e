//! Resources, from as written to as meant.

use super::audiences::KnownAudiences;
use super::config::ResourceConfig;
use super::document::WELL_KNOWN;
use super::path::segments;
use super::resource::{ProtectedResource, ProtectedResources, host_of};
use crate::config::OneOrMore;
use crate::possession::PossessionSettings;
use crate::settings::{IssuerSettings, Tenants};
use portcullis_core::dialect::TENANT;
use portcullis_core::proof::Binding;
use portcullis_core::token::Scopes;
use portcullis_core::{EffectiveUrl, Faults, Requirement};
use portcullis_provider::address;

const URL_HELP: &str = "write the https URL that clients are given, in small letters up to its \
    path, without a default port, query or fragment: `https://api.example/orders`";

/// What the other settings say about every resource.
pub(crate) struct Surroundings<'s> {
    pub(crate) issuers: &'s [IssuerSettings],
    pub(crate) audiences: &'s KnownAudiences,
    pub(crate) possession: &'s PossessionSettings,
    pub(crate) has_origin: bool,
}

/// All resources. `faults` are those of the document.
pub(crate) fn resources(
    written: Vec<ResourceConfig>,
    around: &Surroundings<'_>,
    faults: &Faults,
) -> ProtectedResources {
    let mut resources: Vec<ProtectedResource> = Vec::new();
    for (index, written) in written.into_iter().enumerate() {
        let within = faults.at(format!("resource[{index}]"));
        let Some(meant) = resource(&written, around, &within) else {
            continue;
        };
        // Two of them would answer at one address.
        let is_same =
            |it: &ProtectedResource| it.host == meant.host && it.segments == meant.segments;
        if resources.iter().any(is_same) {
            within
                .expected("url", "a resource that is not named before")
                .found(&written.url)
                .given_elsewhere(&["resource[*].url"])
                .help("name each resource once, with all its audiences");
        }
        resources.push(meant);
    }
    ProtectedResources(resources.into())
}

fn resource(
    written: &ResourceConfig,
    around: &Surroundings<'_>,
    faults: &Faults,
) -> Option<ProtectedResource> {
    let url = url(&written.url);
    if url.is_none() {
        let expected = "an https URL in its usual spelling, or an http one of this machine";
        let fault = faults.expected("url", expected);
        fault.found(&written.url).help(URL_HELP);
    }
    let scopes = written
        .scopes
        .as_deref()
        .map(|names| scopes(names, faults));
    let texts = texts(written, faults);
    // A URL at fault is no audience either, and that needs no fault of its own.
    if url.is_none() && written.audience.is_none() {
        return None;
    }
    let audience = audience(written, around, faults);
    let url = url?;
    let issuers = accepting(&audience, around.issuers);
    let demands_dpop = |it: &&IssuerSettings| it.verifier.profile().bound == Some(Binding::Dpop);
    let algorithms = around.possession.terms.algorithms.iter();
    Some(ProtectedResource {
        host: host_of(&url.authority())?,
        path: url.path().into(),
        segments: segments(url.path()).map(|it| it.into()).collect(),
        metadata_url: metadata_url(&written.url, &url).into(),
        audience: Requirement::audience(audience),
        scopes,
        texts,
        dpop_algorithms: algorithms.map(|it| it.name()).collect(),
        demands_dpop: !issuers.is_empty() && issuers.iter().all(demands_dpop),
        issuers: issuers.iter().flat_map(|it| names_of(it)).collect(),
        knows_origin: around.has_origin,
        url: written.url.as_str().into(),
    })
}

/// The URL, if this is its one spelling: clients compare it code point for code point (RFC 9728,
/// section 3.3).
fn url(written: &str) -> Option<EffectiveUrl> {
    let url = EffectiveUrl::parse(written)?;
    let normal = url.to_string();
    let is_normal = normal == written || (url.path() == "/" && normal == format!("{written}/"));
    // Two slashes in a row, and what routes take for a pattern, are no path of a request.
    let is_plain = !url.path().contains("//") && !url.path().contains('*');
    let is_fetchable = address::parse_fetchable(written, false).is_ok();
    (is_normal && is_plain && is_fetchable).then_some(url)
}

/// The well-known path stands between the host and the path (RFC 9728, section 3.1).
fn metadata_url(written: &str, url: &EffectiveUrl) -> String {
    let origin = format!("{}://{}", url.scheme().name(), url.authority());
    let path = written.strip_prefix(&*origin).unwrap_or_default();
    let path = if path == "/" { "" } else { path };
    format!("{origin}{WELL_KNOWN}{path}")
}

/// The names that tokens for the resource have. Each must be one that an issuer's tokens may have:
/// any other could never be met.
fn audience(written: &ResourceConfig, around: &Surroundings<'_>, faults: &Faults) -> Vec<Box<str>> {
    let own = OneOrMore::One(written.url.clone());
    let (member, names) = match &written.audience {
        Some(names) => ("audience", names),
        None => ("url", &own),
    };
    around
        .audiences
        .check(member, names.as_slice(), faults);
    names
        .as_slice()
        .iter()
        .map(|it| it.as_str().into())
        .collect()
}

/// The issuers that accept one of the audiences.
fn accepting<'s>(audience: &[Box<str>], issuers: &'s [IssuerSettings]) -> Vec<&'s IssuerSettings> {
    let accepts = |it: &&IssuerSettings| {
        let mut own = it.verifier.audiences().iter();
        own.any(|own| audience.iter().any(|name| **name == *own))
    };
    issuers.iter().filter(accepts).collect()
}

/// The issuers that an entry stands for, exactly as their tokens name them. Of every tenant, there
/// is no list.
fn names_of(issuer: &IssuerSettings) -> Vec<Box<str>> {
    let name = issuer.verifier.issuer().as_str();
    match &issuer.tenants {
        Tenants::One => vec![name.into()],
        Tenants::Listed(tenants) => {
            let mut names: Vec<Box<str>> = Vec::new();
            for tenant in tenants {
                names.push(name.replace(TENANT, tenant).into());
            }
            names.sort_unstable();
            names
        }
        Tenants::Any => Vec::new(),
    }
}

fn scopes(names: &[String], faults: &Faults) -> Vec<Box<str>> {
    for name in names {
        // A client that asks for it by default would keep a grant for ever.
        if !Scopes::is_token(name) || name == "offline_access" {
            faults
                .expected("scopes", "scopes of this resource")
                .found(name)
                .help("list what the operations need; `offline_access` is the client's choice");
        }
    }
    names.iter().map(|it| it.as_str().into()).collect()
}

/// The members for people (RFC 9728, section 2).
fn texts(written: &ResourceConfig, faults: &Faults) -> Vec<(&'static str, Box<str>)> {
    let mut texts: Vec<(&'static str, Box<str>)> = Vec::new();
    if let Some(name) = &written.name {
        texts.push(("resource_name", name.as_str().into()));
    }
    for (member, name, url) in [
        (
            "documentation",
            "resource_documentation",
            &written.documentation,
        ),
        ("policy", "resource_policy_uri", &written.policy),
        ("terms", "resource_tos_uri", &written.terms),
    ] {
        let Some(url) = url else { continue };
        if EffectiveUrl::parse(url).is_none() {
            faults
                .expected(member, "the address of a page")
                .found(url)
                .help("write an https address, or leave it out");
        }
        texts.push((name, url.as_str().into()));
    }
    texts
}
