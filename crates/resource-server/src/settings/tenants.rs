//! Whose tokens an issuer's entry is for, where its URL is a template.

use crate::config::IssuerConfig;
use crate::guid::is_guid;
use portcullis_core::dialect::{Discovery, TENANT};
use portcullis_core::{Dialect, Faults};
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
pub(super) fn tenants(dialect: &Dialect, written: &IssuerConfig, faults: &Faults) -> Tenants {
    let is_template = written.url.contains(TENANT);
    if is_template {
        check_template(dialect, written, faults);
    } else {
        check_single(dialect, written, faults);
    }
    check_names(dialect, written, faults);
    if !is_template || written.tenant.is_some() {
        return Tenants::One;
    }
    if written.danger_any_tenant {
        return Tenants::Any;
    }
    let listed = written.tenants.iter();
    Tenants::Listed(listed.map(|tenant| tenant.as_str().into()).collect())
}

/// A URL with `{tenantid}` needs exactly one word on who may stand there.
fn check_template(dialect: &Dialect, written: &IssuerConfig, faults: &Faults) {
    let ways = [
        written.tenant.is_some(),
        !written.tenants.is_empty(),
        written.danger_any_tenant,
    ];
    let count = ways.iter().filter(|way| **way).count();
    if count != 1 {
        let help =
            "write `tenant`, or `tenants`, or `danger_any_tenant = true`, and one of them only";
        faults
            .expected("tenants", "to know whose tokens `{tenantid}` stands for")
            .found_as(if count == 0 {
                "nothing"
            } else {
                "several answers"
            })
            .given(&["tenant", "danger_any_tenant", "url"])
            .help(help);
    }
    let shares_keys =
        matches!(dialect.discovery, Discovery::Under(base) if base(&written.url).is_some());
    // Otherwise the text of a token would choose which address is fetched.
    if written.danger_any_tenant && !shares_keys && written.jwks_uri.is_none() {
        let help =
            "list the `tenants`: otherwise a token could make this server fetch any tenant's keys";
        faults
            .expected(
                "danger_any_tenant",
                "a provider whose tenants share their keys",
            )
            .found_as(format!("the profile `{}`", dialect.name))
            .given(&["jwks_uri", "profile", "url"])
            .help(help);
    }
}

/// A URL without `{tenantid}` is one issuer's.
fn check_single(dialect: &Dialect, written: &IssuerConfig, faults: &Faults) {
    if !written.tenants.is_empty() || written.danger_any_tenant {
        faults
            .expected("url", "`{tenantid}` where the tenant stands")
            .found(&written.url)
            .given(&["tenants", "danger_any_tenant"])
            .help("write it there, or leave out `tenants` and `danger_any_tenant`");
    }
    if written.tenant.is_some() && dialect.tenant.is_empty() {
        faults
            .expected(
                "tenant",
                "a provider whose tokens name their tenant in a claim",
            )
            .found_as(format!("the profile `{}`", dialect.name))
            .given(&["url", "profile"])
            .help("leave it out: the issuer's URL already says whose tokens these are");
    }
}

fn check_names(dialect: &Dialect, written: &IssuerConfig, faults: &Faults) {
    let is_guid = dialect.tenant_is_guid && written.url.contains(TENANT);
    let help = match is_guid {
        true => "write the tenant's id, a GUID in lower case",
        false => "write its name or id: letters, digits, `-`, `_` and `.`",
    };
    let expected = "the id of a tenant";
    for (index, tenant) in written.tenants.iter().enumerate() {
        if !is_tenant(tenant, is_guid) {
            faults
                .expected(&format!("tenants[{index}]"), expected)
                .found(tenant)
                .given(&["url", "profile"])
                .help(help);
        }
    }
    if let Some(tenant) = &written.tenant
        && !is_tenant(tenant, is_guid)
    {
        faults
            .expected("tenant", expected)
            .found(tenant)
            .given(&["url", "profile"])
            .help(help);
    }
}

/// Whether a text can stand for a tenant: short, and of letters that mean nothing in a URL.
pub(crate) fn is_tenant(text: &str, guid: bool) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    // `.` and `..` are steps in the path of a URL: they could lead to the keys of somebody else.
    let plain =
        (1..=128).contains(&text.len()) && text.bytes().all(fit) && text.trim_matches('.') == text;
    plain && (!guid || is_guid(text))
}
