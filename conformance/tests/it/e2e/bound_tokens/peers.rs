//! Who was run with bound tokens, in which version, and what was answered: the suites hold every
//! answer to this table, and `docs/interoperability.md` is made from it.

use serde_json::Value;

/// What is tried with a bound token, and the answer at every door.
pub(crate) const ATTEMPTS: [(&str, &str, u64, &str); 8] = [
    ("good", "as the client sends it", 200, ""),
    (
        "another host",
        "with an `X-Forwarded-Host` of its own",
        200,
        "",
    ),
    ("replayed", "the same request again", 401, "proof.replayed"),
    ("another method", "with another method", 401, "proof.method"),
    ("another URL", "to another path", 401, "proof.url"),
    (
        "as Bearer",
        "with the scheme `Bearer`",
        401,
        "proof.missing",
    ),
    ("without proof", "without the proof", 401, "proof.header"),
    (
        "another key",
        "with a proof by another key",
        401,
        "proof.binding",
    ),
];

/// The answer to an attempt, by its name.
pub(super) fn answer_to(attempt: &str) -> (u64, &'static str) {
    // Other kinds of keys are as good.
    let name = attempt.split(" with ").next().unwrap_or_default();
    let row = ATTEMPTS.iter().find(|row| row.0 == name);
    let row = row.unwrap_or_else(|| panic!("{attempt} is not in the table"));
    (row.2, row.3)
}

/// A program or library of other people.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) role: &'static str,
    pub(crate) what: &'static str,
}

const NPM_CLIENTS: &str = include_str!("../../../../e2e/openid-client/package-lock.json");
const NPM_PROVIDER: &str = include_str!("../../../../e2e/oidc-provider/package-lock.json");
const PROOFS: &str = include_str!("../../../../e2e/proofs/requirements.txt");

pub(crate) fn peers() -> Vec<Peer> {
    let npm = |lock: &str, name: &str| {
        let lock: Value = serde_json::from_str(lock).unwrap();
        let version = &lock["packages"][format!("node_modules/{name}")]["version"];
        version.as_str().unwrap().to_owned()
    };
    let pypi = |name: &str| {
        let line = PROOFS.lines().find(|line| line.starts_with(name));
        let version = line.and_then(|line| line.split("==").nth(1)).unwrap();
        version.trim_end_matches([' ', '\\']).to_owned()
    };
    let peer = |name, version, role, what| Peer {
        name,
        version,
        role,
        what,
    };
    vec![
        peer(
            "npm `oidc-provider`",
            npm(NPM_PROVIDER, "oidc-provider"),
            "provider",
            "JWTs and opaque tokens, bound by DPoP (with nonces) and by certificates (RFC 8705, self-signed and \
             beside a secret)",
        ),
        peer(
            "npm `openid-client`",
            npm(NPM_CLIENTS, "openid-client"),
            "client",
            "keys of ES256, Ed25519, PS256, RS256; asks again by itself where a nonce is wanted",
        ),
        peer(
            "npm `oauth4webapi`",
            npm(NPM_CLIENTS, "oauth4webapi"),
            "client",
            "the same keys; `isDPoPNonceError` tells when to ask again",
        ),
        peer(
            "npm `dpop`",
            npm(NPM_CLIENTS, "dpop"),
            "proofs",
            "the same keys",
        ),
        peer("PyPI `pydpop`", pypi("pydpop"), "proofs", "ES256"),
        peer(
            "PyPI `joserfc`",
            pypi("joserfc"),
            "proofs",
            "ES256, and Ed25519 by both of its names",
        ),
        peer(
            "`curl --cert --key`",
            "Debian's 7.88".to_owned(),
            "client",
            "certificate-bound tokens at `[gateway.tls]` with `bound_clients`",
        ),
        peer(
            "Apache with `mod_oauth2`",
            "Debian's 3.3.1, liboauth2 1.4.5.4".to_owned(),
            "resource server",
            "judges the same proofs: see below",
        ),
    ]
}
