//! Our own settings: access to each route.

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
        title: "a route without a token accepts methods that change things",
        cure: "list the methods that need no token: `methods = [\"GET\"]`",
        check: RuleCheck::Settings(public_write),
    },
    Rule {
        id: "audit.ours_public_wildcard",
        severity: Severity::Warning,
        section: "docs/audit.md#our-own-settings",
        title: "a route without a token covers everything below a path",
        cure: "list the public paths: paths that are added below this one later are public too",
        check: RuleCheck::Settings(public_wildcard),
    },
    Rule {
        id: "audit.ours_public",
        severity: Severity::Note,
        section: "docs/audit.md#our-own-settings",
        title: "paths need no token",
        cure: "check that each of them is public on purpose",
        check: RuleCheck::Settings(public),
    },
    Rule {
        id: "audit.ours_any_token",
        severity: Severity::Note,
        section: "RFC 9700, section 2.3",
        title: "a route accepts any valid token",
        cure: "require a scope or a role: `require = { scope = \"...\" }`",
        check: RuleCheck::Settings(any_token),
    },
    Rule {
        id: "audit.ours_upstream_plain",
        severity: Severity::Warning,
        section: "RFC 9700, section 4.13",
        title: "an upstream is reached by plain HTTP over a network",
        cure: "use https with `authorities`, or check that the network is private: headers there \
            name the caller",
        check: RuleCheck::Settings(plain_upstream),
    },
    Rule {
        id: "audit.ours_token_forwarded",
        severity: Severity::Note,
        section: "RFC 9700, section 4.9.2",
        title: "upstreams get the caller's token",
        cure: "leave `forward_token` out if the identity headers suffice: a compromised upstream \
            can use the token",
        check: RuleCheck::Settings(token_forwarded),
    },
];

/// The routes that need no token.
fn open(settings: &SettingsFile) -> Vec<(String, &RouteConfig)> {
    let mut open = Vec::new();
    for (place, route) in settings.routes() {
        if is_public(route) {
            open.push((place, route));
        }
    }
    open
}

fn is_public(route: &RouteConfig) -> bool {
    route.access.as_deref() == Some("public")
}

fn public_write(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    for (place, route) in open(settings) {
        let mut writing = Vec::new();
        for method in &route.methods {
            // The safe methods (RFC 9110, section 9.2.1) without TRACE, which no API needs.
            if !["GET", "HEAD", "OPTIONS"].contains(&method.as_str()) {
                writing.push(method.as_str());
            }
        }
        let methods = if route.methods.is_empty() {
            "every method".to_owned()
        } else if writing.is_empty() {
            continue;
        } else {
            quote_list(writing)
        };
        evidence.push(SettingEvidence::new(
            format!("{place}.path"),
            format!("{methods} at {}", quote(&route.path)),
        ));
    }
    evidence
}

fn public_wildcard(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    for (place, route) in open(settings) {
        // Every path that is added below later is public too, without a word in a review.
        if route.path.ends_with("**") {
            evidence.push(SettingEvidence::new(
                format!("{place}.path"),
                quote(&route.path),
            ));
        }
    }
    evidence
}

fn public(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let open = open(settings);
    let Some((first, _)) = open.first() else {
        return Vec::new();
    };
    let paths = open.iter().map(|(_, route)| route.path.as_str());
    vec![SettingEvidence::new(
        format!("{first}.access"),
        quote_list(paths),
    )]
}

fn any_token(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    for (place, route) in settings.routes() {
        if !is_public(route) && route.require.is_none() {
            evidence.push(SettingEvidence::new(
                format!("{place}.path"),
                quote(&route.path),
            ));
        }
    }
    evidence
}

fn plain_upstream(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let mut evidence = Vec::new();
    // The token of the caller may travel there, and the identity headers do.
    for (place, url) in upstream_urls(settings) {
        if is_plain(url) {
            evidence.push(SettingEvidence::new(place, quote(url)));
        }
    }
    evidence
}

/// Every URL of an upstream, with its place.
fn upstream_urls(settings: &SettingsFile) -> Vec<(String, &str)> {
    let mut urls = Vec::new();
    if let Some(gateway) = settings.gateway()
        && let Some(url) = &gateway.upstream
    {
        urls.push(("gateway.upstream".to_owned(), url.as_str()));
    }
    for (place, route) in settings.routes() {
        if let Some(url) = &route.upstream {
            urls.push((format!("{place}.upstream"), url.as_str()));
        }
    }
    for (index, upstream) in settings.config.gateway.upstream.iter().enumerate() {
        for (server, url) in upstream.servers.iter().enumerate() {
            let place = format!("upstream[{index}].servers[{server}]");
            urls.push((place, url.as_str()));
        }
    }
    urls
}

fn is_plain(url: &str) -> bool {
    match Url::parse(url) {
        Ok(url) => url.scheme() == "http" && !url.host_str().is_some_and(is_loopback_host),
        Err(_) => false,
    }
}

fn token_forwarded(settings: &SettingsFile) -> Vec<SettingEvidence> {
    match settings.gateway() {
        Some(gateway) if gateway.identity.forward_token => vec![SettingEvidence::new(
            "gateway.identity.forward_token",
            "`forward_token` is true",
        )],
        _ => Vec::new(),
    }
}
