//! Our own settings: proofs of possession, where tokens are demanded to be bound.

use crate::place::SettingEvidence;
use crate::rule::{Rule, RuleCheck, Severity};
use crate::settings_file::SettingsFile;
use portcullis_core::proof::Binding;
use portcullis_gateway::RequireConfig;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.ours_proofs_unshared",
        severity: Severity::Note,
        section: "RFC 9449, section 11.1",
        title: "used proofs are not shared between replicas",
        cure: "with several replicas, set `store` under `[revocation]`: otherwise a stolen request \
            passes once at each",
        check: RuleCheck::Settings(no_shared_memory),
    },
    Rule {
        id: "audit.ours_nonce_secret_missing",
        severity: Severity::Warning,
        section: "RFC 9449, section 8",
        title: "replicas do not know each other's nonces",
        cure: "put random bytes into a file that all replicas have, and name it with \
            `nonce_secret_file`",
        check: RuleCheck::Settings(own_nonces),
    },
    Rule {
        id: "audit.ours_proof_age",
        severity: Severity::Note,
        section: "RFC 9449, section 11.1",
        title: "proofs are accepted for minutes",
        cure: "leave `max_age` out, and set `nonces = true` for clients whose clocks are wrong",
        check: RuleCheck::Settings(old_proofs),
    },
];

/// A proof is made for one request, so it is seconds old.
const USUAL_AGE: u32 = 120;

fn no_shared_memory(settings: &SettingsFile) -> Vec<SettingEvidence> {
    if has_store(settings) {
        return Vec::new();
    }
    let mut evidence = Vec::new();
    let issuers = &settings.config.resource_server.issuer;
    for (index, issuer) in issuers.iter().enumerate() {
        if takes_proofs(issuer.bound.as_deref()) {
            evidence.push(evidence_at(format!("issuer[{index}].bound")));
        }
    }
    for (place, route) in settings.routes() {
        if route.require.as_ref().is_some_and(demands_proofs) {
            evidence.push(evidence_at(format!("{place}.require")));
        }
    }
    evidence
}

fn evidence_at(place: String) -> SettingEvidence {
    SettingEvidence::new(place, "proofs are remembered by each replica alone")
}

/// Whether tokens that are bound to a key are demanded, here or further in.
fn demands_proofs(require: &RequireConfig) -> bool {
    let all = require.all.iter().flatten();
    let mut inner = all.chain(require.any.iter().flatten());
    takes_proofs(require.bound.as_deref()) || inner.any(demands_proofs)
}

fn takes_proofs(bound: Option<&str>) -> bool {
    let binding = bound.and_then(Binding::from_name);
    binding.is_some_and(Binding::allows_dpop)
}

fn own_nonces(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let dpop = &settings.config.resource_server.dpop;
    // A store is there because there are replicas.
    if !dpop.nonces || dpop.nonce_secret_file.is_some() || !has_store(settings) {
        return Vec::new();
    }
    vec![SettingEvidence::new(
        "dpop.nonces",
        "no `nonce_secret_file`, so a client is asked for another nonce at each replica",
    )]
}

fn old_proofs(settings: &SettingsFile) -> Vec<SettingEvidence> {
    let dpop = &settings.config.resource_server.dpop;
    match dpop.max_age {
        // With nonces, these tell the age.
        Some(seconds) if seconds > USUAL_AGE && !dpop.nonces => {
            let found = format!("{seconds} seconds; 60 is usual");
            vec![SettingEvidence::new("dpop.max_age", found)]
        }
        _ => Vec::new(),
    }
}

fn has_store(settings: &SettingsFile) -> bool {
    let revocation = &settings.config.resource_server.revocation;
    revocation.store.is_some() || revocation.store_url_file.is_some()
}
