//! What is asked of an issuer and of a directory, as meant.

use super::client::client;
use crate::config::{IntrospectionConfig, IssuerConfig};
use crate::groups::GroupsSettings;
use crate::introspection::{AskedTokens, IntrospectionSettings};
use portcullis_core::dialect::TENANT;
use portcullis_core::{Dialect, Faults};
use portcullis_provider::address;
use std::time::Duration;
use url::Url;

/// What an address is that this server may ask.
pub(super) const FETCHABLE: &str =
    "an https URL, or an http one on loopback, without user information";
const NO_METADATA: &str = "an address, as without metadata nothing else names it";

/// Introspection as meant.
pub(super) fn introspection(
    issuer: &IssuerConfig,
    has_metadata: bool,
    faults: &Faults,
) -> Option<IntrospectionSettings> {
    let written = issuer.introspection.as_ref()?;
    let outer = faults;
    let faults = &outer.at("introspection");
    let (url, jwks_uri) = (outer.place("url"), outer.place("jwks_uri"));
    let (jwks_file, tenant) = (outer.place("jwks_file"), outer.place("tenant"));
    if issuer.url.contains(TENANT) && issuer.tenant.is_none() {
        faults
            .expected("", "one issuer: an opaque token does not say its tenant")
            .found_as("`{tenantid}` in its URL")
            .given_elsewhere(&[&url, &tenant])
            .help("write one issuer for each tenant, each with its introspection");
    }
    if written.endpoint.is_none() && !has_metadata {
        faults
            .expected("endpoint", NO_METADATA)
            .found_nothing()
            .given_elsewhere(&[&url, &jwks_uri, &jwks_file])
            .help("write where the issuer answers about tokens");
    }
    let endpoint = match &written.endpoint {
        Some(text) => fetchable("introspection.endpoint", text, issuer, outer),
        None => None,
    };
    let jwts_too = match written.tokens.as_deref() {
        None | Some("opaque") => false,
        Some("all") => true,
        Some(other) => {
            faults
                .expected("tokens", "`opaque` or `all`")
                .found(other)
                .help("write `opaque`, or `all` to hear of revocation at once");
            false
        }
    };
    let prefix = prefix(written, faults);
    // RFC 7662, section 4: a cached answer spares the issuer, and hides a revocation for as long.
    let cap = seconds(written.cache_seconds, 60, faults);
    Some(IntrospectionSettings {
        endpoint,
        client: client(&written.client, faults)?,
        signed: written.signed,
        asked: AskedTokens { prefix, jwts_too },
        cap,
    })
}

fn prefix(written: &IntrospectionConfig, faults: &Faults) -> Option<Box<str>> {
    let prefix = written.prefix.as_deref()?;
    // RFC 6750, section 2.1: `b64token`.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if prefix.is_empty() || !prefix.bytes().all(is_plain) {
        faults
            .expected("prefix", "the characters of a bearer token")
            .found(prefix)
            .help("write what every opaque token of this issuer begins with, or leave it out");
    }
    Some(prefix.into())
}

/// Finds opaque tokens that two issuers would be asked about.
pub(super) fn check_prefixes<'s>(
    issuers: impl Iterator<Item = (usize, &'s IntrospectionSettings)>,
    faults: &Faults,
) {
    let mut taken: Vec<(usize, Option<&str>)> = Vec::new();
    for (index, settings) in issuers {
        let prefix = settings.asked.prefix.as_deref();
        if let Some((first, _)) = taken.iter().find(|(_, other)| *other == prefix) {
            let others = format!("issuer[{first}].introspection.prefix");
            let found = match prefix {
                Some(prefix) => format!("{prefix:?}, as at `issuer[{first}]`"),
                None => format!("nothing, as at `issuer[{first}]`"),
            };
            let help =
                "write what the opaque tokens of each issuer begin with; one issuer can go without";
            faults
                .at(format!("issuer[{index}].introspection"))
                .expected("prefix", "a prefix that no other issuer has")
                .found_as(found)
                .given_elsewhere(&[&others])
                .help(help);
        }
        taken.push((index, prefix));
    }
}

/// The lookup of groups as meant.
pub(super) fn groups(
    issuer: &IssuerConfig,
    dialect: &Dialect,
    has_metadata: bool,
    faults: &Faults,
) -> Option<GroupsSettings> {
    let written = issuer.groups_lookup.as_ref()?;
    let outer = faults;
    let faults = &outer.at("groups_lookup");
    let (url, profile) = (outer.place("url"), outer.place("profile"));
    let (tenant, jwks_uri) = (outer.place("tenant"), outer.place("jwks_uri"));
    if !dialect.group_overage {
        faults
            .expected("", "a provider that leaves groups out of tokens")
            .found_as(format!("the profile `{}`", dialect.name))
            .given_elsewhere(&[&url, &profile])
            .help("leave it out, or choose the `profile` that fits");
    }
    let is_for_many = issuer.url.contains(TENANT) && issuer.tenant.is_none();
    let token_endpoint = written.token_endpoint.as_deref();
    match token_endpoint {
        Some(endpoint) if is_for_many && !endpoint.contains(TENANT) => faults
            .expected("token_endpoint", "an address with `{tenantid}` in it")
            .found(endpoint)
            .given_elsewhere(&[&url, &tenant])
            .help(TENANT_ENDPOINT),
        None if is_for_many => faults
            .expected("token_endpoint", "an address with `{tenantid}` in it")
            .found_nothing()
            .given_elsewhere(&[&url, &tenant])
            .help(TENANT_ENDPOINT),
        None if !has_metadata => faults
            .expected("token_endpoint", NO_METADATA)
            .found_nothing()
            .given_elsewhere(&[&url, &jwks_uri])
            .help("write where clients get their tokens"),
        _ => {}
    }
    if let Some(endpoint) = token_endpoint {
        // What stands in for the tenant here only has to make a URL; the tenant itself comes with
        // the token.
        let tried = endpoint.replace(TENANT, "tenant");
        fetchable("groups_lookup.token_endpoint", &tried, issuer, outer);
    }
    let graph = written.url.as_deref().unwrap_or(GRAPH);
    let graph = graph_url(graph.trim_end_matches('/'), faults);
    let lasting = seconds(written.cache_seconds, 300, faults);
    let client = client(&written.client, faults)?;
    Some(GroupsSettings {
        graph: graph?,
        token_endpoint: token_endpoint.map(Into::into),
        client,
        lasting,
    })
}

const GRAPH: &str = "https://graph.microsoft.com";
const TENANT_ENDPOINT: &str =
    "write it, such as `https://login.microsoftonline.com/{tenantid}/oauth2/v2.0/token`";

fn fetchable(member: &str, text: &str, issuer: &IssuerConfig, faults: &Faults) -> Option<Url> {
    fetchable_url(member, text, issuer.danger_plain_http, faults)
}

/// An address that this server may ask; over plain http where the settings say so.
pub(crate) fn fetchable_url(
    member: &str,
    text: &str,
    plain_http: bool,
    faults: &Faults,
) -> Option<Url> {
    let url = address::parse_fetchable(text, plain_http).ok();
    if url.is_none() {
        let help = "write an https address; http is for loopback, or for an issuer with \
            `danger_plain_http`";
        faults
            .expected(member, FETCHABLE)
            .found(text)
            .given(&["danger_plain_http"])
            .help(help);
    }
    url
}

/// The directory is on the internet, so `danger_plain_http` of the issuer does not count for it.
fn graph_url(text: &str, faults: &Faults) -> Option<Url> {
    let url = address::parse_fetchable(text, false).ok();
    if url.is_none() {
        faults
            .expected("url", FETCHABLE)
            .found(text)
            .help("write the https address of Microsoft Graph, or leave it out");
    }
    url
}

fn seconds(written: Option<u64>, default: u64, faults: &Faults) -> Duration {
    let seconds = written.unwrap_or(default);
    if seconds > 3_600 {
        faults
            .expected("cache_seconds", "at most 3,600 seconds")
            .found(seconds)
            .help("keep it short: what was revoked meanwhile is seen only after that time");
    }
    Duration::from_secs(seconds)
}
