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
        section: "docs/audit.md#our-own-settings",
        title: "a setting that loosens security is switched on",
        cure: "take it out; or keep it, and say why by `--ignore`",
        check: RuleCheck::Settings(dangers),
    },
    Rule {
        id: "audit.ours_leeway",
        severity: Severity::Warning,
        section: "RFC 7519, section 4.1.4",
        title: "clocks may be far apart",
        cure: "set the clocks by NTP and leave `leeway` out: for as long, ended tokens are \
            accepted",
        check: RuleCheck::Settings(leeway),
    },
    Rule {
        id: "audit.ours_lifetime",
        severity: Severity::Warning,
        section: "RFC 9700, section 4.10",
        title: "tokens may live for days",
        cure: "leave `max_lifetime` out, or set it a little above what the provider gives out",
        check: RuleCheck::Settings(lifetime),
    },
    Rule {
        id: "audit.ours_role_of_any_issuer",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.3",
        title: "a role or group counts from every issuer",
        cure: "demand the issuer beside it, as `claim = { iss = \"https://...\" }`: who runs one \
            provider decides what its \
               users may do everywhere",
        check: RuleCheck::Settings(role_of_any_issuer),
    },
    Rule {
        id: "audit.ours_revocation_missing",
        severity: Severity::Note,
        section: "docs/revocation.md",
        title: "revocations are not shared between replicas",
        cure: "set `store` under `[revocation]`; without it, what was revoked is forgotten by a \
            restart",
        check: RuleCheck::Settings(no_store),
    },
    Rule {
        id: "audit.ours_secret_written",
        severity: Severity::Warning,
        section: "docs/audit.md#our-own-settings",
        title: "the settings hold a password",
        cure: "put the URL into a file of its own and name it by `store_url_file`, or set \
            PORTCULLIS_STORE",
        check: RuleCheck::Settings(secret_written),
    },
];

const USUAL_LEEWAY: u64 = 120;
const DAY: u64 = 86_400;

fn dangers(written: &SettingsFile) -> Vec<SettingEvidence> {
    let name = |place: &String| place.rsplit('.').next().unwrap_or_default().to_owned();
    written
        .dangers
        .iter()
        .map(|place| SettingEvidence::new(place, format!("`{}`", name(place))))
        .collect()
}

fn leeway(written: &SettingsFile) -> Vec<SettingEvidence> {
    let issuers = written.config.resource_server.issuer.iter().enumerate();
    let long = issuers.filter_map(|(index, issuer)| Some((index, issuer.leeway?)));
    long.filter(|(_, seconds)| *seconds > USUAL_LEEWAY)
        .map(|(index, seconds)| {
            SettingEvidence::new(
                format!("issuer[{index}].leeway"),
                format!("{seconds} seconds; 60 is usual"),
            )
        })
        .collect()
}

fn lifetime(written: &SettingsFile) -> Vec<SettingEvidence> {
    let issuers = written.config.resource_server.issuer.iter().enumerate();
    let long = issuers.filter_map(|(index, issuer)| Some((index, issuer.max_lifetime?)));
    long.filter(|(_, seconds)| *seconds > DAY)
        .map(|(index, seconds)| {
            SettingEvidence::new(
                format!("issuer[{index}].max_lifetime"),
                format!("{} hours", seconds / 3_600),
            )
        })
        .collect()
}

fn role_of_any_issuer(written: &SettingsFile) -> Vec<SettingEvidence> {
    let issuers: BTreeSet<&str> = written
        .config
        .resource_server
        .issuer
        .iter()
        .map(|issuer| issuer.url.as_str())
        .collect();
    if issuers.len() < 2 {
        return Vec::new();
    }
    let asking = written
        .routes()
        .filter_map(|(place, route)| Some((place, route.require.as_ref()?)));
    asking
        .filter(|(_, require)| is_wide(require, false))
        .map(|(place, _)| {
            SettingEvidence::new(
                format!("{place}.require"),
                format!("{} issuers are trusted", issuers.len()),
            )
        })
        .collect()
}

/// Whether a role or a group is demanded where no issuer is, be it further out.
fn is_wide(require: &RequireConfig, issuer_demanded: bool) -> bool {
    let all = require.all.as_deref().unwrap_or_default();
    let demands = |require: &RequireConfig| require.claim.contains_key("iss");
    let demanded = issuer_demanded || demands(require) || all.iter().any(demands);
    let here = require.role.is_some() || require.group.is_some();
    let inner = all.iter().chain(require.any.as_deref().unwrap_or_default());
    (here && !demanded) || inner.into_iter().any(|inner| is_wide(inner, demanded))
}

fn no_store(written: &SettingsFile) -> Vec<SettingEvidence> {
    let revocation = &written.config.resource_server.revocation;
    let none = revocation.store.is_none() && revocation.store_url_file.is_none();
    none.then(|| SettingEvidence::new("revocation", "no `store`"))
        .into_iter()
        .collect()
}

fn secret_written(written: &SettingsFile) -> Vec<SettingEvidence> {
    let store = written.config.resource_server.revocation.store.as_ref();
    let held = store.is_some_and(|store| store.holds_password());
    held.then(|| SettingEvidence::new("revocation.store", "the URL has a password in it"))
        .into_iter()
        .collect()
}
