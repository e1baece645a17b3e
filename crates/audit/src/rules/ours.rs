//! Our own settings: whose tokens are accepted, and how strictly.

use crate::place::SettingEvidence;
use crate::rule::{Rule, RuleCheck, Severity};
use crate::settings_file::SettingsFile;
use portcullis_gateway::RequireConfig;
use std::collections::BTreeSet;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.ours_danger",
        severity: Severity::Warning,
        section: "docs/reference/danger.md",
        title: "a setting that loosens security is switched on",
        cure: "remove it; or keep it, and give the reason with `--ignore`",
        check: RuleCheck::Settings(dangers),
    },
    Rule {
        id: "audit.ours_leeway",
        severity: Severity::Warning,
        section: "RFC 7519, section 4.1.4",
        title: "the leeway for clocks is long",
        cure: "set the clocks by NTP and leave `leeway` out: expired tokens are accepted for \
            that long",
        check: RuleCheck::Settings(leeway),
    },
    Rule {
        id: "audit.ours_lifetime",
        severity: Severity::Warning,
        section: "RFC 9700, section 4.10",
        title: "tokens may live for days",
        cure: "leave `max_lifetime` out, or set it a little above the lifetime of the provider's \
            tokens",
        check: RuleCheck::Settings(lifetime),
    },
    Rule {
        id: "audit.ours_role_of_any_issuer",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.3",
        title: "a role or group counts from every issuer",
        cure: "require the issuer too, as `claim = { iss = \"https://...\" }`: otherwise each \
            provider decides about all users",
        check: RuleCheck::Settings(role_of_any_issuer),
    },
    Rule {
        id: "audit.ours_revocation_missing",
        severity: Severity::Note,
        section: "docs/revocation.md",
        title: "revocations are not shared between replicas",
        cure: "set `store` under `[revocation]`; without it, a restart forgets all revocations",
        check: RuleCheck::Settings(no_store),
    },
    Rule {
        id: "audit.ours_secret_written",
        severity: Severity::Warning,
        section: "docs/audit.md#our-own-settings",
        title: "the settings hold a password",
        cure: "put the URL into a file, and name that with `store_url_file`, or set \
            PORTCULLIS_STORE",
        check: RuleCheck::Settings(secret_written),
    },
];

const USUAL_LEEWAY: u64 = 120;
const DAY: u64 = 86_400;

fn dangers(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    for setting in &settings.dangers {
        let name = setting.rsplit('.').next().unwrap_or_default();
        evidence.push(SettingEvidence::new(setting, format!("`{name}`")));
    }
    evidence
}

fn leeway(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    for (index, issuer) in settings
        .config
        .resource_server
        .issuer
        .iter()
        .enumerate()
    {
        // Each second of leeway is a second in which a revoked or stolen token still works.
        if let Some(seconds) = issuer.leeway
            && seconds > USUAL_LEEWAY
        {
            evidence.push(SettingEvidence::new(
                format!("issuer[{index}].leeway"),
                format!("{seconds} seconds; 60 is usual"),
            ));
        }
    }
    evidence
}

fn lifetime(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    for (index, issuer) in settings
        .config
        .resource_server
        .issuer
        .iter()
        .enumerate()
    {
        if let Some(seconds) = issuer.max_lifetime
            && seconds > DAY
        {
            evidence.push(SettingEvidence::new(
                format!("issuer[{index}].max_lifetime"),
                format!("{} hours", seconds / 3_600),
            ));
        }
    }
    evidence
}

fn role_of_any_issuer(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut issuers = BTreeSet::new();
    for issuer in &settings.config.resource_server.issuer {
        issuers.insert(issuer.url.as_str());
    }
    // The roles of one issuer cannot be confused with another's.
    if issuers.len() < 2 {
        return Vec::new();
    }
    let mut evidence = Vec::new();
    for (place, route) in settings.routes() {
        if let Some(require) = &route.require
            && is_wide(require, false)
        {
            evidence.push(SettingEvidence::new(
                format!("{place}.require"),
                format!("{} issuers are trusted", issuers.len()),
            ));
        }
    }
    evidence
}

/// Whether a role or a group is required without an issuer, here or further out.
fn is_wide(require: &RequireConfig, outer_names_issuer: bool) -> bool {
    let all = require.all.as_deref().unwrap_or_default();
    // Every part of `all` must hold, so an issuer in one binds its neighbours; in `any` it binds
    // none.
    let names_issuer =
        outer_names_issuer || demands_issuer(require) || all.iter().any(demands_issuer);
    if (require.role.is_some() || require.group.is_some()) && !names_issuer {
        return true;
    }
    for inner in all
        .iter()
        .chain(require.any.as_deref().unwrap_or_default())
    {
        if is_wide(inner, names_issuer) {
            return true;
        }
    }
    false
}

fn demands_issuer(require: &RequireConfig) -> bool {
    require.claim.contains_key("iss")
}

fn no_store(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let revocation = &settings.config.resource_server.revocation;
    if revocation.store.is_some() || revocation.store_url_file.is_some() {
        return Vec::new();
    }
    vec![SettingEvidence::new("revocation", "no `store`")]
}

fn secret_written(settings: &SettingsFile) -> Vec<SettingEvidence> {
    match &settings.config.resource_server.revocation.store {
        Some(store) if store.holds_password() => vec![SettingEvidence::new(
            "revocation.store",
            "the URL has a password in it",
        )],
        _ => Vec::new(),
    }
}
