//! Each rule about our own settings has a case in which it fires; in the sound settings none does.

use portcullis_audit::{Finding, SettingsFile, Severity, examine_settings, find};
use std::path::Path;

/// Nothing can be faulted here.
const SOUND: &str = r#"
[[issuer]]
url = "https://idp.example"
audience = "api"
[revocation]
store = "rediss://redis.example:6380"
[gateway]
listen = "0.0.0.0:8443"
upstream = "https://api.internal"
hosts = ["api.example.com"]
trusted_proxies = ["10.0.0.0/8"]
tls = { certificate = "/tls/gateway.crt", key = "/tls/gateway.key" }
[[route]]
path = "/orders/**"
require = { scope = "orders:read" }
"#;

/// The rule, what is replaced in the sound settings, and by what.
type Change = (&'static str, &'static str);

#[rustfmt::skip] // A table, a line each.
pub(crate) const CASES: &[(&str, Change)] = &[
    ("audit.ours_danger", ("[revocation]\n", "[revocation]\ndanger_serve_without_store = true\n")),
    ("audit.ours_leeway", ("audience = \"api\"", "audience = \"api\"\nleeway = 300")),
    ("audit.ours_lifetime", ("audience = \"api\"", "audience = \"api\"\nmax_lifetime = 864000")),
    ("audit.ours_role_of_any_issuer", ("[revocation]\n", "[[issuer]]\nurl = \
        \"https://b.example\"\naudience = \"api\"\n[[route]]\npath = \"/admin\"\nrequire = { all = \
        [{ role = \"Admin\" }] }\n[revocation]\n")),
    ("audit.ours_revocation_missing", ("store = \"rediss://redis.example:6380\"", "")),
    ("audit.ours_secret_written", ("rediss://redis", "rediss://user:marked-secret@redis")),
    ("audit.ours_public_write", ("[[route]]", "[[route]]\npath = \"/open\"\naccess = \
        \"public\"\nmethods = [\"GET\", \"POST\"]\n[[route]]")),
    ("audit.ours_public_wildcard", ("[[route]]", "[[route]]\npath = \"/open/**\"\naccess = \
        \"public\"\nmethods = [\"GET\"]\n[[route]]")),
    ("audit.ours_public", ("[[route]]", "[[route]]\npath = \"/open\"\naccess = \"public\"\nmethods \
        = [\"GET\"]\n[[route]]")),
    ("audit.ours_any_token", ("[[route]]", "[[route]]\npath = \"/me\"\n[[route]]")),
    ("audit.ours_upstream_plain", ("https://api.internal", "http://10.0.0.7:8000")),
    ("audit.ours_token_forwarded", ("hosts = ", "identity = { forward_token = true }\nhosts = ")),
    ("audit.ours_proofs_unshared", ("store = \"rediss://redis.example:6380\"\n[gateway]",
        "[[route]]\npath = \"/pay\"\nrequire = { scope = \"pay\", any = [{ bound = \"dpop\" }, { role = \
        \"A\" }] }\n[gateway]")),
    ("audit.ours_nonce_secret_missing", ("[revocation]\n", "[dpop]\nnonces = true\n[revocation]\n")),
    ("audit.ours_proof_age", ("[revocation]\n", "[dpop]\nmax_age = 300\n[revocation]\n")),
    ("audit.ours_secret_readable", ("/tls/gateway.key", "/open/gateway.key")),
    ("audit.ours_trust_writable", ("audience = \"api\"", "audience = \"api\"\nkey_snapshot = \
        \"/open/keys\"")),
    ("audit.ours_peers_broad", ("10.0.0.0/8", "0.0.0.0/0")),
    ("audit.ours_named_away", ("[[route]]", "[forward_auth]\nlisten = \"127.0.0.1:8081\"\nproxy = \
        \"caddy\"\ntrusted_peers = [\"127.0.0.1\"]\n[[route]]")),
    ("audit.ours_unbounded", ("hosts = ", "limits = { body_bytes = 0 }\nhosts = ")),
    ("audit.ours_hsts_off", ("key = \"/tls/gateway.key\"", "key = \"/tls/gateway.key\", hsts = 0")),
    ("audit.ours_admin_exposed", ("hosts = ", "admin = { listen = \"0.0.0.0:9901\" }\nhosts = ")),
    ("audit.ours_hosts_any", ("hosts = [\"api.example.com\"]", "")),
];

fn found(text: &str) -> Vec<Finding> {
    // What lies under /open is open to everybody, and the rest to a group.
    let mode = |path: &Path| {
        Some(if path.starts_with("/open") {
            0o100_666
        } else {
            0o100_640
        })
    };
    let written = SettingsFile::read(Path::new("p.toml"), text.to_owned(), mode)
        .unwrap_or_else(|errors| panic!("{errors}"));
    examine_settings(&written)
}

fn ids(findings: &[Finding]) -> Vec<&'static str> {
    findings
        .iter()
        .map(|finding| finding.rule.id)
        .collect()
}

#[test]
fn nothing_fires_at_sound_settings() {
    assert_eq!(ids(&found(SOUND)), Vec::<&str>::new());
}

#[test]
fn every_rule_fires_in_its_case_and_says_where() {
    for (id, (from, to)) in CASES {
        assert!(SOUND.contains(from), "{id}");
        let findings = found(&SOUND.replacen(from, to, 1));
        let finding = findings.iter().find(|finding| finding.rule.id == *id);
        let finding = finding.unwrap_or_else(|| panic!("{id}: {:?}", ids(&findings)));
        let line = finding.place.as_ref().and_then(|place| place.line);
        assert!(line.is_some(), "{id}: {:?}", finding.place);
        assert!(!finding.evidence.contains("marked-secret"), "{id}");
    }
}

#[test]
fn rules_keep_quiet_where_nothing_is_wrong() {
    for (id, from, to) in [
        (
            "audit.ours_danger",
            "[revocation]\n",
            "[revocation]\ndanger_serve_without_store = false\n",
        ),
        (
            "audit.ours_leeway",
            "audience = \"api\"",
            "audience = \"api\"\nleeway = 120",
        ),
        (
            "audit.ours_upstream_plain",
            "https://api.internal",
            "http://127.0.0.1:8000",
        ),
        ("audit.ours_peers_broad", "10.0.0.0/8", "10.0.0.7"),
        (
            "audit.ours_named_away",
            "[[route]]",
            "[forward_auth]\nlisten = \"127.0.0.1:8081\"\nproxy = \"nginx\"\ntrusted_peers = \
                [\"127.0.0.1\"]\n[[route]]",
        ),
        (
            "audit.ours_hosts_any",
            "0.0.0.0:8443\"\nupstream",
            "127.0.0.1:8443\"\nupstream",
        ),
        (
            "audit.ours_role_of_any_issuer",
            "[revocation]\n",
            "[[issuer]]\nurl = \"https://b.example\"\naudience = \"api\"\n[[route]]\npath = \
                \"/admin\"\n\
             require = { all = [{ role = \"Admin\" }, { claim = { iss = \"https://b.example\" } }] \
             }\n[revocation]\n",
        ),
    ] {
        let findings = found(&SOUND.replacen(from, to, 1));
        assert!(!ids(&findings).contains(&id), "{id}: {:?}", ids(&findings));
    }
}

#[test]
fn the_starter_of_the_gateway_is_fit_to_begin_with() {
    let findings = found(portcullis_gateway::STARTER);
    let loud: Vec<&str> = ids(&findings)
        .into_iter()
        .filter(|id| find(id).unwrap().severity > Severity::Note)
        .collect();
    assert_eq!(loud, Vec::<&str>::new());
}
