//! TLS as this program negotiates it (RFC 9325). What is older than 1.2 it cannot speak, and is not
//! examined.

use crate::evidence::{format_duration, when};
use crate::handshake::{LeafCertificate, TlsHost};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};
use std::time::Duration;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.certificate_untrusted",
        severity: Severity::Error,
        section: "RFC 9325, section 7.1",
        title: "the certificate is not accepted",
        cure: "serve the whole chain of a certificate for this name that is valid now; a private \
            authority is named with \
               `--ca-file`, and `ca_file` in our settings",
        check: RuleCheck::Issuer(untrusted),
    },
    Rule {
        id: "audit.certificate_expiring",
        severity: Severity::Warning,
        section: "RFC 9325, section 7.1",
        title: "the certificate ends soon",
        cure: "renew it: with its end all tokens are refused",
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
        cure: "switch it on beside TLS 1.2",
        check: RuleCheck::Issuer(no_tls13),
    },
];

fn untrusted(observation: &Observation) -> Vec<String> {
    observation
        .hosts
        .iter()
        .filter_map(|host| Some(format!("{}: {}", host.name, host.untrusted.as_ref()?)))
        .collect()
}

fn leaves(observation: &Observation) -> impl Iterator<Item = (&TlsHost, &LeafCertificate)> {
    observation
        .hosts
        .iter()
        .filter_map(|host| Some((host, host.leaf.as_ref()?)))
}

/// Renewed by a program, a certificate is renewed in the last third of its time; a sixth left is
/// late for any.
fn expiring(observation: &Observation) -> Vec<String> {
    let now = observation.now.seconds();
    let left = |leaf: &LeafCertificate| leaf.not_after.saturating_sub(now);
    let late = |leaf: &LeafCertificate| {
        let sixth = leaf.not_after.saturating_sub(leaf.not_before) / 6;
        left(leaf) >= 0 && left(leaf) < sixth.min(14 * 86_400)
    };
    let told = leaves(observation)
        .filter(|(_, leaf)| late(leaf))
        .map(|(host, leaf)| {
            format!(
                "{}: in {}",
                host.name,
                format_duration(Duration::from_secs(left(leaf).unsigned_abs()))
            )
        });
    told.collect()
}

fn weak(observation: &Observation) -> Vec<String> {
    let short = |leaf: &LeafCertificate| leaf.rsa_bits.filter(|bits| *bits < 2_048);
    let told =
        leaves(observation).filter_map(|(host, leaf)| match (short(leaf), leaf.weak_signature) {
            (Some(bits), _) => Some(format!("{}: RSA with {bits} bits", host.name)),
            (None, Some(name)) => Some(format!("{}: signed with {name}", host.name)),
            (None, None) => None,
        });
    told.collect()
}

fn no_tls13(observation: &Observation) -> Vec<String> {
    let old = observation.hosts.iter().filter(|host| host.tls12.is_ok());
    old.flat_map(|host| match &host.tls13 {
        Err(reason) => when(true, || format!("{}: {reason}", host.name)),
        Ok(()) => Vec::new(),
    })
    .collect()
}
