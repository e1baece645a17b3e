//! TLS as this program negotiates it (RFC 9325). What is older than 1.2 it cannot speak, and is not
//! examined.

use super::super::evidence::{spoken, when};
use super::super::handshake::{Door, Leaf};
use super::super::{Check, Rule, Seen, Severity};
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
        check: Check::Issuer(untrusted),
    },
    Rule {
        id: "audit.certificate_expiring",
        severity: Severity::Warning,
        section: "RFC 9325, section 7.1",
        title: "the certificate ends soon",
        cure: "renew it: with its end all tokens are refused",
        check: Check::Issuer(expiring),
    },
    Rule {
        id: "audit.certificate_weak",
        severity: Severity::Warning,
        section: "RFC 9325, section 4.5",
        title: "the certificate's key or signature is weak",
        cure: "use RSA with 2048 bits or more, or ECDSA, and a signature with SHA-256 or more",
        check: Check::Issuer(weak),
    },
    Rule {
        id: "audit.tls13_missing",
        severity: Severity::Note,
        section: "RFC 9325, section 3.1.1",
        title: "TLS 1.3 is not offered",
        cure: "switch it on beside TLS 1.2",
        check: Check::Issuer(no_tls13),
    },
];

fn untrusted(seen: &Seen) -> Vec<String> {
    seen.doors
        .iter()
        .filter_map(|door| Some(format!("{}: {}", door.host, door.untrusted.as_ref()?)))
        .collect()
}

fn leaves(seen: &Seen) -> impl Iterator<Item = (&Door, &Leaf)> {
    seen.doors
        .iter()
        .filter_map(|door| Some((door, door.leaf.as_ref()?)))
}

/// Renewed by a program, a certificate is renewed in the last third of its time; a sixth left is
/// late for any.
fn expiring(seen: &Seen) -> Vec<String> {
    let now = seen.now.seconds();
    let left = |leaf: &Leaf| leaf.not_after.saturating_sub(now);
    let late = |leaf: &Leaf| {
        let sixth = leaf.not_after.saturating_sub(leaf.not_before) / 6;
        left(leaf) >= 0 && left(leaf) < sixth.min(14 * 86_400)
    };
    let told = leaves(seen)
        .filter(|(_, leaf)| late(leaf))
        .map(|(door, leaf)| {
            format!(
                "{}: in {}",
                door.host,
                spoken(Duration::from_secs(left(leaf).unsigned_abs()))
            )
        });
    told.collect()
}

fn weak(seen: &Seen) -> Vec<String> {
    let short = |leaf: &Leaf| leaf.rsa_bits.filter(|bits| *bits < 2_048);
    let told = leaves(seen).filter_map(|(door, leaf)| match (short(leaf), leaf.weak_signature) {
        (Some(bits), _) => Some(format!("{}: RSA with {bits} bits", door.host)),
        (None, Some(name)) => Some(format!("{}: signed with {name}", door.host)),
        (None, None) => None,
    });
    told.collect()
}

fn no_tls13(seen: &Seen) -> Vec<String> {
    let old = seen.doors.iter().filter(|door| door.tls12.is_ok());
    old.flat_map(|door| match &door.tls13 {
        Err(reason) => when(true, || format!("{}: {reason}", door.host)),
        Ok(()) => Vec::new(),
    })
    .collect()
}
