//! What is asked of an issuer and of a directory, as meant.

use super::client::client;
use super::noted;
use crate::config::{GroupsConfig, IntrospectionConfig, IssuerConfig};
use crate::groups::GroupsSettings;
use crate::introspection::{AskedTokens, IntrospectionSettings};
use portcullis_core::dialect::TENANT;
use portcullis_core::{ConfigError, Dialect};
use portcullis_provider::address;
use std::time::Duration;
use url::Url;

/// Introspection as meant; faults are added to the list.
pub(super) fn introspection(
    place: &str,
    issuer: &IssuerConfig,
    has_metadata: bool,
    faults: &mut Vec<ConfigError>,
) -> Option<IntrospectionSettings> {
    let written = issuer.introspection.as_ref()?;
    let place = format!("{place}.introspection");
    let at = |member: &str| format!("{place}.{member}");
    if issuer.url.contains(TENANT) && issuer.tenant.is_none() {
        let cure = "write one issuer for each tenant, each with its introspection";
        faults.push(ConfigError::new(
            &place,
            "one issuer: an opaque token does not say its tenant",
            cure,
        ));
    }
    if written.endpoint.is_none() && !has_metadata {
        let cure = "write where the issuer answers about tokens";
        let expected = "an address, as without metadata nothing else names it";
        faults.push(ConfigError::new(at("endpoint"), expected, cure));
    }
    let plain_http = issuer.danger_plain_http;
    let endpoint = optional_url(
        &at("endpoint"),
        written.endpoint.as_deref(),
        plain_http,
        faults,
    );
    let jwts_too = match written.tokens.as_deref() {
        None | Some("opaque") => false,
        Some("all") => true,
        Some(_) => {
            let cure = "write `opaque`, or `all` to hear of revocation at once";
            faults.push(ConfigError::new(
                at("tokens"),
                "the tokens to ask about",
                cure,
            ));
            false
        }
    };
    let prefix = prefix(&at("prefix"), written, faults);
    let cap = seconds(&at("cache_seconds"), written.cache_seconds, 60, faults);
    Some(IntrospectionSettings {
        endpoint,
        client: client(&place, &written.client(), faults)?,
        signed: written.signed,
        asked: AskedTokens { prefix, jwts_too },
        cap,
    })
}

fn prefix(
    place: &str,
    written: &IntrospectionConfig,
    faults: &mut Vec<ConfigError>,
) -> Option<Box<str>> {
    let prefix = written.prefix.as_deref()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if prefix.is_empty() || !prefix.bytes().all(plain) {
        let cure = "write what every opaque token of this issuer begins with, or leave it out";
        faults.push(ConfigError::new(
            place,
            "the characters of a bearer token",
            cure,
        ));
    }
    Some(prefix.into())
}

/// Finds opaque tokens that two issuers would be asked about.
pub(super) fn check_prefixes<'s>(
    issuers: impl Iterator<Item = (usize, &'s IntrospectionSettings)>,
    faults: &mut Vec<ConfigError>,
) {
    let mut taken: Vec<Option<&str>> = Vec::new();
    for (index, settings) in issuers {
        let prefix = settings.asked.prefix.as_deref();
        if taken.contains(&prefix) {
            let cure =
                "write what the opaque tokens of each issuer begin with; one issuer can go without";
            let place = format!("issuer[{index}].introspection.prefix");
            faults.push(ConfigError::new(
                place,
                "opaque tokens that belong to one issuer",
                cure,
            ));
        }
        taken.push(prefix);
    }
}

/// The lookup of groups as meant; faults are added to the list.
pub(super) fn groups(
    place: &str,
    issuer: &IssuerConfig,
    dialect: &Dialect,
    has_metadata: bool,
    faults: &mut Vec<ConfigError>,
) -> Option<GroupsSettings> {
    let written: &GroupsConfig = issuer.groups_lookup.as_ref()?;
    let place = format!("{place}.groups_lookup");
    let at = |member: &str| format!("{place}.{member}");
    if !dialect.group_overage {
        let cure = "leave it out, or choose the `profile` that fits";
        let expected = "a provider that leaves groups out of tokens";
        faults.push(ConfigError::new(&place, expected, cure));
    }
    let many = issuer.url.contains(TENANT) && issuer.tenant.is_none();
    let token_endpoint = written.token_endpoint.as_deref();
    if many && !token_endpoint.is_some_and(|endpoint| endpoint.contains(TENANT)) {
        let cure =
            "write it, such as `https://login.microsoftonline.com/{tenantid}/oauth2/v2.0/token`";
        let expected = "an address with `{tenantid}` in it";
        faults.push(ConfigError::new(at("token_endpoint"), expected, cure));
    }
    if !many && written.token_endpoint.is_none() && !has_metadata {
        let expected = "an address, as without metadata nothing else names it";
        let cure = "write where clients get their tokens";
        faults.push(ConfigError::new(at("token_endpoint"), expected, cure));
    }
    let graph = written
        .url
        .as_deref()
        .unwrap_or("https://graph.microsoft.com");
    let graph = noted(faults, url(&at("url"), graph.trim_end_matches('/'), false));
    // What stands in for the tenant here only has to make a URL; the tenant itself comes with the
    // token.
    let tried = token_endpoint.map(|text| text.replace(TENANT, "tenant"));
    let (place_of_endpoint, plain_http) = (at("token_endpoint"), issuer.danger_plain_http);
    optional_url(&place_of_endpoint, tried.as_deref(), plain_http, faults);
    let lasting = seconds(&at("cache_seconds"), written.cache_seconds, 300, faults);
    let client = client(&place, &written.client(), faults)?;
    let token_endpoint = token_endpoint.map(Into::into);
    Some(GroupsSettings {
        graph: graph?,
        token_endpoint,
        client,
        lasting,
    })
}

fn optional_url(
    place: &str,
    text: Option<&str>,
    plain_http: bool,
    faults: &mut Vec<ConfigError>,
) -> Option<Url> {
    noted(faults, url(place, text?, plain_http))
}

fn url(place: &str, text: &str, plain_http: bool) -> Result<Url, ConfigError> {
    address::parse_fetchable(text, plain_http).map_err(|reason| {
        let cure = "write an https address; http is for loopback, or for an issuer with \
            `danger_plain_http`";
        ConfigError::new(place, reason, cure)
    })
}

fn seconds(
    place: &str,
    written: Option<u64>,
    default: u64,
    faults: &mut Vec<ConfigError>,
) -> Duration {
    let seconds = written.unwrap_or(default);
    if seconds > 3_600 {
        let cure = "what was taken back meanwhile is seen only after that time: keep it short";
        faults.push(ConfigError::new(place, "at most 3,600 seconds", cure));
    }
    Duration::from_secs(seconds)
}
