//! Our own settings: who may call what.

use crate::evidence::quote_list;
use crate::place::SettingEvidence;
use crate::rule::{Rule, RuleCheck, Severity};
use crate::settings_file::SettingsFile;
use portcullis_core::rejection::quote;
use portcullis_core::token::issuer::is_loopback_host;
use portcullis_gateway::RouteConfig;
use url::Url;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.ours_public_write",
        severity: Severity::Warning,
        section: "RFC 9110, section 9.2.1",
        title: "a route without a token takes methods that change things",
        cure: "name the methods that need no token: `methods = [\"GET\"]`",
        check: RuleCheck::Settings(public_write),
    },
    Rule {
        id: "audit.ours_public_wildcard",
        severity: Severity::Warning,
        section: "docs/audit.md#our-own-settings",
        title: "a route without a token covers everything below a path",
        cure: "name the paths that are public: what is added below later is public too",
        check: RuleCheck::Settings(public_wildcard),
    },
    Rule {
        id: "audit.ours_public",
        severity: Severity::Note,
        section: "docs/audit.md#our-own-settings",
        title: "paths need no token",
        cure: "see that each of them is meant to be public",
        check: RuleCheck::Settings(public),
    },
    Rule {
        id: "audit.ours_any_token",
        severity: Severity::Note,
        section: "RFC 9700, section 2.3",
        title: "a route takes any valid token",
        cure: "demand a scope or a role: `require = { scope = \"...\" }`",
        check: RuleCheck::Settings(any_token),
    },
    Rule {
        id: "audit.ours_upstream_plain",
        severity: Severity::Warning,
        section: "RFC 9700, section 4.13",
        title: "an upstream is reached by plain HTTP over a network",
        cure: "use https with `authorities`, or see that nobody else is on that network: who calls \
            is told in headers",
        check: RuleCheck::Settings(plain_upstream),
    },
    Rule {
        id: "audit.ours_token_forwarded",
        severity: Severity::Note,
        section: "RFC 9700, section 4.9.2",
        title: "upstreams get the caller's token",
        cure: "leave `forward_token` out where the identity headers do: an upstream that is broken \
            into can use the token",
        check: RuleCheck::Settings(token_forwarded),
    },
];

fn open(written: &SettingsFile) -> impl Iterator<Item = (String, &RouteConfig)> {
    written
        .routes()
        .filter(|(_, route)| route.access.as_deref() == Some("public"))
}

fn public_write(written: &SettingsFile) -> Vec<SettingEvidence> {
    let safe = ["GET", "HEAD", "OPTIONS"];
    let wide = open(written).filter_map(|(place, route)| {
        let writing: Vec<&str> = route
            .methods
            .iter()
            .map(String::as_str)
            .filter(|it| !safe.contains(it))
            .collect();
        match (route.methods.is_empty(), writing.is_empty()) {
            (true, _) => Some((place, route, "every method".to_owned())),
            (false, false) => Some((place, route, quote_list(writing))),
            (false, true) => None,
        }
    });
    wide.map(|(place, route, what)| {
        SettingEvidence::new(
            format!("{place}.path"),
            format!("{what} at {}", quote(&route.path)),
        )
    })
    .collect()
}

fn public_wildcard(written: &SettingsFile) -> Vec<SettingEvidence> {
    let wide = open(written).filter(|(_, route)| route.path.ends_with("**"));
    wide.map(|(place, route)| SettingEvidence::new(format!("{place}.path"), quote(&route.path)))
        .collect()
}

fn public(written: &SettingsFile) -> Vec<SettingEvidence> {
    let paths: Vec<(String, &str)> = open(written)
        .map(|(place, route)| (place, route.path.as_str()))
        .collect();
    let first = paths.first().map(|(place, _)| format!("{place}.access"));
    first
        .map(|place| SettingEvidence::new(place, quote_list(paths.iter().map(|(_, path)| *path))))
        .into_iter()
        .collect()
}

fn any_token(written: &SettingsFile) -> Vec<SettingEvidence> {
    let wide = written
        .routes()
        .filter(|(_, route)| route.access.as_deref() != Some("public") && route.require.is_none());
    wide.map(|(place, route)| SettingEvidence::new(format!("{place}.path"), quote(&route.path)))
        .collect()
}

/// Every place of a URL that leads to an upstream.
fn plain_upstream(written: &SettingsFile) -> Vec<SettingEvidence> {
    let own = written
        .gateway()
        .and_then(|gateway| gateway.upstream.as_deref());
    let own = own.map(|url| ("gateway.upstream".to_owned(), url));
    let routes = written.routes().filter_map(|(place, route)| {
        Some((format!("{place}.upstream"), route.upstream.as_deref()?))
    });
    let servers =
        written
            .config
            .gateway
            .upstream
            .iter()
            .enumerate()
            .flat_map(|(index, upstream)| {
                let servers = upstream.servers.iter().enumerate();
                servers.map(move |(server, url)| {
                    (format!("upstream[{index}].servers[{server}]"), url.as_str())
                })
            });
    let plain = own
        .into_iter()
        .chain(routes)
        .chain(servers)
        .filter(|(_, url)| is_plain(url));
    plain
        .map(|(place, url)| SettingEvidence::new(place, quote(url)))
        .collect()
}

fn is_plain(url: &str) -> bool {
    Url::parse(url)
        .is_ok_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback_host))
}

fn token_forwarded(written: &SettingsFile) -> Vec<SettingEvidence> {
    let forwarded = written
        .gateway()
        .is_some_and(|gateway| gateway.identity.forward_token);
    forwarded
        .then(|| SettingEvidence::new("gateway.identity.forward_token", "`forward_token` is true"))
        .into_iter()
        .collect()
}
