//! TLS as this program negotiates it (RFC 9325). It cannot speak, and so cannot examine, versions
//! older than 1.2.

use crate::evidence::format_duration;
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use std::time::Duration;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.certificate_untrusted",
        severity: Severity::Error,
        section: "RFC 9325, section 7.1",
        title: "the certificate is not trusted",
        cure: "serve the whole chain of a valid certificate for this name; name a private \
            authority with `--ca-file`, and `ca_file` in our settings",
        check: RuleCheck::Issuer(untrusted_hosts),
    },
    Rule {
        id: "audit.certificate_expiring",
        severity: Severity::Warning,
        section: "RFC 9325, section 7.1",
        title: "the certificate expires soon",
        cure: "renew it: after its expiry all tokens are refused",
        check: RuleCheck::Issuer(expiring),
    },
    Rule {
        id: "audit.certificate_weak",
        severity: Severity::Warning,
        section: "RFC 9325, section 4.5",
        title: "the certificate's key or signature is weak",
        cure: "use RSA with 2048 bits or more, or ECDSA, and a signature with SHA-256 or more",
        check: RuleCheck::Issuer(weak),
    },
    Rule {
        id: "audit.tls13_missing",
        severity: Severity::Note,
        section: "RFC 9325, section 3.1.1",
        title: "TLS 1.3 is not offered",
        cure: "enable it beside TLS 1.2",
        check: RuleCheck::Issuer(no_tls13),
    },
];

fn untrusted_hosts(observation: &Observation) -> Vec<String> {
    // The reason names its host already.
    let hosts = observation.hosts.iter();
    hosts
        .filter_map(|host| host.untrusted.clone())
        .collect()
}

fn expiring(observation: &Observation) -> Vec<String> {
    let now = observation.now.seconds();
    let mut evidence = Vec::new();
    for host in &observation.hosts {
        let Some(leaf) = host.leaf else {
            continue;
        };
        // Programs renew a certificate in the last third of its time; a sixth left is late for all.
        let sixth = leaf.not_after.saturating_sub(leaf.not_before) / 6;
        let left = leaf.not_after.saturating_sub(now);
        if (0..sixth.min(14 * 86_400)).contains(&left) {
            let left = format_duration(Duration::from_secs(left.unsigned_abs()));
            evidence.push(format!("{}: in {left}", host.name));
        }
    }
    evidence
}

fn weak(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for host in &observation.hosts {
        let Some(leaf) = host.leaf else {
            continue;
        };
        // Verifiers of the platform may still accept these for a private authority.
        match (leaf.rsa_bits, leaf.weak_signature) {
            (Some(bits), _) if bits < 2_048 => {
                evidence.push(format!("{}: RSA with {bits} bits", host.name));
            }
            (_, Some(hash)) => evidence.push(format!("{}: signed with {hash}", host.name)),
            _ => {}
        }
    }
    evidence
}

fn no_tls13(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for host in &observation.hosts {
        if let (Ok(()), Err(reason)) = (&host.tls12, &host.tls13) {
            evidence.push(format!("{}: {reason}", host.name));
        }
    }
    evidence
}
