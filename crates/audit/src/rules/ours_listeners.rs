//! Our own settings: listeners, bounds, trusted peers, and the files beside them.

use crate::place::SettingEvidence;
use crate::rule::{Rule, RuleCheck, Severity};
use crate::settings_file::SettingsFile;
use portcullis_core::rejection::quote;
use std::net::IpAddr;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.ours_secret_readable",
        severity: Severity::Warning,
        section: "docs/audit.md#our-own-settings",
        title: "every user of the machine can read a file with a secret",
        cure: "chmod o-rwx the file (a mounted secret: `defaultMode: 0440`), and replace the \
            secret if others may have read it; if others can write it, they can choose it",
        check: RuleCheck::Settings(readable),
    },
    Rule {
        id: "audit.ours_trust_writable",
        severity: Severity::Error,
        section: "docs/audit.md#our-own-settings",
        title: "every user of the machine can change a file that decides what is trusted",
        cure: "chmod o-w the file, and check whether it was changed",
        check: RuleCheck::Settings(writable),
    },
    Rule {
        id: "audit.ours_peers_broad",
        severity: Severity::Warning,
        section: "docs/gateway.md",
        title: "everybody who can connect counts as a trusted proxy",
        cure: "list the addresses of the proxies in front, or their network",
        check: RuleCheck::Settings(broad_peers),
    },
    Rule {
        id: "audit.ours_named_away",
        severity: Severity::Note,
        section: "RFC 9110, section 7.6.1",
        title: "the proxy in front drops every header that `Connection` names, identity headers \
            too",
        cure: "check that the site refuses such a `Connection`, as deploy/caddy/Caddyfile does, \
            and that the API refuses requests without `X-Auth-Issuer`",
        check: RuleCheck::Settings(named_away),
    },
    Rule {
        id: "audit.ours_unbounded",
        severity: Severity::Warning,
        section: "docs/gateway.md",
        title: "a bound on requests is disabled",
        cure: "set it as high as the largest legitimate request, or leave it out for the default",
        check: RuleCheck::Settings(missing_bounds),
    },
    Rule {
        id: "audit.ours_hsts_off",
        severity: Severity::Warning,
        section: "RFC 6797, section 7.1",
        title: "browsers are not told to stay with https",
        cure: "leave `hsts` out: the default is a year",
        check: RuleCheck::Settings(hsts_off),
    },
    Rule {
        id: "audit.ours_admin_exposed",
        severity: Severity::Note,
        section: "docs/gateway.md",
        title: "probes and metrics are open to the network",
        cure: "listen on loopback, or check that only the monitoring can reach the port",
        check: RuleCheck::Settings(admin_exposed),
    },
    Rule {
        id: "audit.ours_hosts_any",
        severity: Severity::Note,
        section: "RFC 9110, section 7.4",
        title: "every host is served",
        cure: "list the `hosts` under `[gateway]`, so that requests for others get 421",
        check: RuleCheck::Settings(any_host),
    },
];

/// The files of one kind whose mode has any of these bits. A group may have them: mounted secrets
/// belong to one.
fn open_files(settings: &SettingsFile, secret: bool, bits: u32) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    for file in &settings.files {
        // A missing file stops the start of the gateway, so it is not a finding.
        if let Some(mode) = file.mode
            && file.secret == secret
            && mode & bits != 0
        {
            evidence.push(SettingEvidence::new(
                &file.setting,
                format!(
                    "{} has the mode {:04o}{}",
                    file.path.display(),
                    mode & 0o7777,
                    // The title names reading; writing is worse, and has to be said.
                    if secret && mode & 0o002 != 0 {
                        ": every user can replace it as well"
                    } else {
                        ""
                    }
                ),
            ));
        }
    }
    evidence
}

fn readable(settings: &SettingsFile) -> Vec<SettingEvidence> {
    // Writing counts too: whoever can replace a secret can choose it.
    open_files(settings, true, 0o006)
}

fn writable(settings: &SettingsFile) -> Vec<SettingEvidence> {
    open_files(settings, false, 0o002)
}

fn broad_peers(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut lists: Vec<(&str, &[String])> = Vec::new();
    if let Some(gateway) = settings.gateway() {
        lists.push(("gateway.trusted_proxies", &gateway.trusted_proxies));
    }
    if let Some(door) = &settings.config.gateway.forward_auth {
        lists.push(("forward_auth.trusted_peers", &door.trusted_peers));
    }
    let mut evidence = Vec::new();
    for (name, networks) in lists {
        for (index, network) in networks.iter().enumerate() {
            if is_broad(network) {
                let setting = format!("{name}[{index}]");
                evidence.push(SettingEvidence::new(setting, quote(network)));
            }
        }
    }
    evidence
}

/// Larger than any private network, of which the largest is a /8 (RFC 1918, section 3).
fn is_broad(network: &str) -> bool {
    let Some((address, bits)) = network.split_once('/') else {
        return false;
    };
    match (address.parse::<IpAddr>(), bits.parse::<u8>()) {
        (Ok(IpAddr::V4(_)), Ok(bits)) => bits < 8,
        (Ok(IpAddr::V6(_)), Ok(bits)) => bits < 16,
        _ => false,
    }
}

fn named_away(settings: &SettingsFile) -> Vec<SettingEvidence> {
    // Caddy drops the fields after our answer, and the request to us does not show it.
    match &settings.config.gateway.forward_auth {
        Some(door) if door.proxy == "caddy" => {
            vec![SettingEvidence::new("forward_auth.proxy", "Caddy asks")]
        }
        _ => Vec::new(),
    }
}

fn missing_bounds(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    if let Some(gateway) = settings.gateway() {
        let limits = &gateway.limits;
        let failing_callers = limits.failing_callers == Some(0);
        for (name, is_off) in [
            ("body_bytes", limits.body_bytes == Some(0)),
            ("failing_callers", failing_callers),
        ] {
            if is_off {
                let setting = format!("gateway.limits.{name}");
                evidence.push(SettingEvidence::new(setting, format!("`{name}` is 0")));
            }
        }
    }
    // A route may lift the bound of the gateway for itself.
    for (place, route) in settings.routes() {
        if route.body_bytes == Some(0) {
            evidence.push(SettingEvidence::new(
                format!("{place}.body_bytes"),
                format!("`body_bytes` is 0 at {}", quote(&route.path)),
            ));
        }
    }
    evidence
}

fn hsts_off(settings: &SettingsFile) -> Vec<SettingEvidence> {
    match settings.gateway().map(|gateway| &gateway.tls) {
        Some(Some(tls)) if tls.hsts == Some(0) => {
            vec![SettingEvidence::new("gateway.tls.hsts", "`hsts` is 0")]
        }
        _ => Vec::new(),
    }
}

fn admin_exposed(settings: &SettingsFile) -> Vec<SettingEvidence> {
    match settings.gateway().map(|gateway| &gateway.admin) {
        Some(Some(admin)) if !admin.listen.ip().is_loopback() => vec![SettingEvidence::new(
            "gateway.admin.listen",
            format!("it listens on {}", admin.listen),
        )],
        _ => Vec::new(),
    }
}

fn any_host(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let Some(gateway) = settings.gateway() else {
        return Vec::new();
    };
    // On loopback, the proxy in front decides which hosts there are.
    match gateway.listen {
        Some(listen) if gateway.hosts.is_empty() && !listen.ip().is_loopback() => {
            vec![SettingEvidence::new("gateway.listen", "no `hosts`")]
        }
        _ => Vec::new(),
    }
}
