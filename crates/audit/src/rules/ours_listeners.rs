//! Our own settings: listeners, bounds, whom we believe, and the files beside them.

use crate::place::SettingEvidence;
use crate::rule::{Rule, RuleCheck, Severity};
use crate::settings_file::NamedFile;
use crate::settings_file::SettingsFile;
use portcullis_core::rejection::quote;
use std::net::IpAddr;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.ours_secret_readable",
        severity: Severity::Warning,
        section: "docs/audit.md#our-own-settings",
        title: "every user of the machine can read a file with a secret",
        cure: "chmod o-rwx the file (a mounted secret: `defaultMode: 0440`), and make a new secret \
            where somebody else may have read it",
        check: RuleCheck::Settings(readable),
    },
    Rule {
        id: "audit.ours_trust_writable",
        severity: Severity::Error,
        section: "docs/audit.md#our-own-settings",
        title: "every user of the machine can change a file that decides what is trusted",
        cure: "chmod o-w the file, and look whether it was changed",
        check: RuleCheck::Settings(writable),
    },
    Rule {
        id: "audit.ours_peers_broad",
        severity: Severity::Warning,
        section: "docs/gateway.md",
        title: "whoever can connect is believed about where a request comes from",
        cure: "name the addresses of the proxies in front, or their network",
        check: RuleCheck::Settings(broad_peers),
    },
    Rule {
        id: "audit.ours_named_away",
        severity: Severity::Note,
        section: "RFC 9110, section 7.6.1",
        title: "the proxy in front drops what a client's `Connection` names, identity headers too",
        cure: "see that the site refuses such a `Connection`, as deploy/caddy/Caddyfile does, and \
            that the API refuses what comes without `X-Auth-Issuer`",
        check: RuleCheck::Settings(named_away),
    },
    Rule {
        id: "audit.ours_unbounded",
        severity: Severity::Warning,
        section: "docs/gateway.md",
        title: "a bound on what callers can send is switched off",
        cure: "set it as high as the largest request that is needed, or leave it out for the \
            default",
        check: RuleCheck::Settings(unbounded),
    },
    Rule {
        id: "audit.ours_hsts_off",
        severity: Severity::Warning,
        section: "RFC 6797, section 7.1",
        title: "browsers are not told to stay with https",
        cure: "leave `hsts` out: a year is the default",
        check: RuleCheck::Settings(hsts_off),
    },
    Rule {
        id: "audit.ours_admin_exposed",
        severity: Severity::Note,
        section: "docs/gateway.md",
        title: "probes and metrics are open to the network",
        cure: "listen on loopback, or see that only the monitoring can reach the port",
        check: RuleCheck::Settings(admin_exposed),
    },
    Rule {
        id: "audit.ours_hosts_any",
        severity: Severity::Note,
        section: "RFC 9110, section 7.4",
        title: "every host is served",
        cure: "name the `hosts` under `[gateway]`, so that requests for others get 421",
        check: RuleCheck::Settings(any_host),
    },
];

/// Told by the mode, where the file is there; a group may have it, as secrets that are mounted do.
fn those(written: &SettingsFile, secret: bool, bits: u32) -> Vec<SettingEvidence> {
    let open =
        |file: &&NamedFile| file.secret == secret && file.mode.is_some_and(|mode| mode & bits != 0);
    let told = |file: &NamedFile| {
        let mode = file.mode.unwrap_or_default() & 0o7777;
        SettingEvidence::new(
            &file.setting,
            format!("{} has the mode {mode:04o}", file.path.display()),
        )
    };
    written.files.iter().filter(open).map(told).collect()
}

fn readable(written: &SettingsFile) -> Vec<SettingEvidence> {
    those(written, true, 0o006)
}

fn writable(written: &SettingsFile) -> Vec<SettingEvidence> {
    those(written, false, 0o002)
}

/// Larger than any network of one's own: a private block is at most a /8.
fn broad_peers(written: &SettingsFile) -> Vec<SettingEvidence> {
    let proxies = written
        .gateway()
        .map(|gateway| gateway.trusted_proxies.as_slice())
        .unwrap_or_default();
    let peers = written
        .config
        .gateway
        .forward_auth
        .as_ref()
        .map(|host| host.trusted_peers.as_slice());
    let of = |name: &str, list: &[String]| -> Vec<SettingEvidence> {
        let broad = list
            .iter()
            .enumerate()
            .filter(|(_, network)| is_broad(network));
        broad
            .map(|(index, network)| {
                SettingEvidence::new(format!("{name}[{index}]"), quote(network))
            })
            .collect()
    };
    [
        of("gateway.trusted_proxies", proxies),
        of("forward_auth.trusted_peers", peers.unwrap_or_default()),
    ]
    .concat()
}

/// Caddy does it behind our answer, and tells nothing of it in its question.
fn named_away(written: &SettingsFile) -> Vec<SettingEvidence> {
    let host = written
        .config
        .gateway
        .forward_auth
        .as_ref()
        .filter(|host| host.proxy == "caddy");
    host.map(|_| SettingEvidence::new("forward_auth.proxy", "Caddy asks"))
        .into_iter()
        .collect()
}

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

fn unbounded(written: &SettingsFile) -> Vec<SettingEvidence> {
    let limits = written.gateway().map(|gateway| &gateway.limits);
    let body = limits.is_some_and(|limits| limits.body_bytes == Some(0));
    let failing = limits.is_some_and(|limits| limits.failing_callers == Some(0));
    let own = [("body_bytes", body), ("failing_callers", failing)]
        .into_iter()
        .filter(|(_, off)| *off);
    let own = own.map(|(name, _)| {
        SettingEvidence::new(format!("gateway.limits.{name}"), format!("`{name}` is 0"))
    });
    let routes = written
        .routes()
        .filter(|(_, route)| route.body_bytes == Some(0));
    let routes = routes.map(|(place, route)| {
        SettingEvidence::new(
            format!("{place}.body_bytes"),
            format!("`body_bytes` is 0 at {}", quote(&route.path)),
        )
    });
    own.chain(routes).collect()
}

fn hsts_off(written: &SettingsFile) -> Vec<SettingEvidence> {
    let tls = written.gateway().and_then(|gateway| gateway.tls.as_ref());
    let off = tls.is_some_and(|tls| tls.hsts == Some(0));
    off.then(|| SettingEvidence::new("gateway.tls.hsts", "`hsts` is 0"))
        .into_iter()
        .collect()
}

fn admin_exposed(written: &SettingsFile) -> Vec<SettingEvidence> {
    let admin = written.gateway().and_then(|gateway| gateway.admin.as_ref());
    let open = admin.filter(|admin| !admin.listen.ip().is_loopback());
    open.map(|admin| {
        SettingEvidence::new(
            "gateway.admin.listen",
            format!("it listens on {}", admin.listen),
        )
    })
    .into_iter()
    .collect()
}

/// On loopback somebody in front decides about hosts.
fn any_host(written: &SettingsFile) -> Vec<SettingEvidence> {
    let open = written.gateway().filter(|gateway| {
        gateway.hosts.is_empty()
            && gateway
                .listen
                .is_some_and(|listen| !listen.ip().is_loopback())
    });
    open.map(|_| SettingEvidence::new("gateway.listen", "no `hosts`"))
        .into_iter()
        .collect()
}
