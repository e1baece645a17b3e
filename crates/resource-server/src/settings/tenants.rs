//! Whose tokens an issuer's entry is for, where its URL is a template.

use crate::config::IssuerConfig;
use crate::guid::is_guid;
use portcullis_core::dialect::{Discovery, TENANT};
use portcullis_core::{ConfigError, Dialect};
use std::collections::HashSet;

/// Whose tokens an issuer's entry is for.
#[derive(Clone, Debug)]
pub(crate) enum Tenants {
    /// One issuer, exactly as written.
    One,
    /// These tenants of a template.
    Listed(HashSet<Box<str>>),
    /// Every tenant of a template.
    Any,
}

/// Whose tokens the entry is for, and everything that is wrong with that.
pub(super) fn tenants(
    place: &str,
    dialect: &Dialect,
    written: &IssuerConfig,
    faults: &mut Vec<ConfigError>,
) -> Tenants {
    let template = written.url.contains(TENANT);
    let mut fault = |member: &str, expected: &str, cure: &str| {
        let place = format!("{place}.{member}");
        faults.push(ConfigError::new(place, expected, cure));
    };
    let listed = !written.tenants.is_empty();
    let ways = [written.tenant.is_some(), listed, written.danger_any_tenant];
    if template && ways.iter().filter(|way| **way).count() != 1 {
        let cure =
            "write `tenant`, or `tenants`, or `danger_any_tenant = true`, and one of them only";
        let expected = "to know whose tokens are accepted in place of `{tenantid}`";
        fault("tenants", expected, cure);
    }
    if !template && (listed || written.danger_any_tenant) {
        let cure = "write it there, or leave `tenants` out";
        fault("url", "`{tenantid}` where the tenant stands", cure);
    }
    if !template && written.tenant.is_some() && dialect.tenant.is_empty() {
        let cure = "leave it out: the issuer's URL already says whose tokens these are";
        let expected = "a provider whose tokens name their tenant in a claim";
        fault("tenant", expected, cure);
    }
    let shared =
        matches!(dialect.discovery, Discovery::Under(base) if base(&written.url).is_some());
    if template && written.danger_any_tenant && !shared && written.jwks_uri.is_none() {
        let cure =
            "list the `tenants`: otherwise a token could make this server fetch any tenant's keys";
        let expected = "a provider whose tenants share their keys";
        fault("danger_any_tenant", expected, cure);
    }
    let guid = dialect.tenant_is_guid && template;
    let mut all = written.tenants.iter().chain(&written.tenant);
    if let Some(odd) = all.find(|tenant| !is_tenant(tenant, guid)) {
        let cure = if dialect.tenant_is_guid {
            "write the tenant's id, a GUID in lower case"
        } else {
            "write its name or id"
        };
        let expected = format!("tenants, which `{}` is not", odd.escape_debug());
        fault("tenants", &expected, cure);
    }
    if !template || written.tenant.is_some() {
        return Tenants::One;
    }
    if written.danger_any_tenant {
        return Tenants::Any;
    }
    let listed = written.tenants.iter();
    Tenants::Listed(listed.map(|tenant| tenant.as_str().into()).collect())
}

/// Whether a text can stand for a tenant: short, and of letters that mean nothing in a URL.
pub(crate) fn is_tenant(text: &str, guid: bool) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let plain =
        (1..=128).contains(&text.len()) && text.bytes().all(fit) && text.trim_matches('.') == text;
    plain && (!guid || is_guid(text))
}
