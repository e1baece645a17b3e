//! What a receiver can do with the streams of a transmitter (SSF 1.0, section 8), and what the CAEP
//! Interoperability Profile 1.0 demands of them.

use super::transmitter::{absence, evidence};
use crate::rule::{Rule, RuleCheck, Severity};
use crate::transmitter::TransmitterObservation;
use portcullis_core::jose::json::Json;
use portcullis_core::rejection::quote;
use portcullis_provider::shared_signals::DeliveryMethod;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.ssf_delivery",
        severity: Severity::Error,
        section: "SSF 1.0, section 6.1",
        title: "the transmitter has no usable delivery method",
        cure: "offer `urn:ietf:rfc:8935` (push) or `urn:ietf:rfc:8936` (poll)",
        check: RuleCheck::Transmitter(no_delivery),
    },
    Rule {
        id: "audit.ssf_delivery_missing",
        severity: Severity::Warning,
        section: "CAEP Interoperability Profile 1.0, section 2.3",
        title: "the metadata does not say how events are delivered",
        cure: "list `urn:ietf:rfc:8935`, `urn:ietf:rfc:8936` or both in \
            `delivery_methods_supported`",
        check: RuleCheck::Transmitter(silent_delivery),
    },
    Rule {
        id: "audit.ssf_poll_missing",
        severity: Severity::Note,
        section: "SSF 1.0, section 8.1.1.1",
        title: "receivers behind a firewall get no events",
        cure: "offer poll (`urn:ietf:rfc:8936`) as well: it is the method of a stream that names \
            none",
        check: RuleCheck::Transmitter(no_poll),
    },
    Rule {
        id: "audit.ssf_configuration_missing",
        severity: Severity::Warning,
        section: "CAEP Interoperability Profile 1.0, section 2.3",
        title: "receivers cannot create streams by themselves",
        cure: "offer `configuration_endpoint`",
        check: RuleCheck::Transmitter(no_configuration),
    },
    Rule {
        id: "audit.ssf_verification_missing",
        severity: Severity::Warning,
        section: "CAEP Interoperability Profile 1.0, section 2.3",
        title: "receivers cannot tell a silent stream from a broken one",
        cure: "offer `verification_endpoint`",
        check: RuleCheck::Transmitter(no_verification),
    },
    Rule {
        id: "audit.ssf_status_missing",
        severity: Severity::Note,
        section: "SSF 1.0, section 8.1.2",
        title: "receivers cannot ask whether a stream is enabled",
        cure: "offer `status_endpoint`",
        check: RuleCheck::Transmitter(no_status),
    },
    Rule {
        id: "audit.ssf_authorization",
        severity: Severity::Warning,
        section: "CAEP Interoperability Profile 1.0, section 2.3",
        title: "the metadata does not say that streams are managed with OAuth tokens",
        cure: "list `{\"spec_urn\": \"urn:ietf:rfc:6749\"}` in `authorization_schemes`",
        check: RuleCheck::Transmitter(authorization),
    },
    Rule {
        id: "audit.ssf_default_subjects",
        severity: Severity::Warning,
        section: "CAEP Interoperability Profile 1.0, section 2.4.2",
        title: "a new stream is about nobody",
        cure: "write `\"default_subjects\": \"ALL\"`: receivers do not add subjects one by one, \
            and get no events otherwise",
        check: RuleCheck::Transmitter(subjects),
    },
    Rule {
        id: "audit.ssf_critical_members",
        severity: Severity::Warning,
        section: "SSF 1.0, section 3.5",
        title: "receivers discard events for a member of their subject",
        cure: "take the member out of `critical_subject_members`, or see that your receivers \
            understand it: ours know `user` and `session`",
        check: RuleCheck::Transmitter(critical),
    },
];

fn no_delivery(transmitter: &TransmitterObservation) -> Vec<String> {
    let methods = transmitter.texts("delivery_methods_supported");
    let is_usable = |uri: &&str| DeliveryMethod::of_uri(uri).is_some();
    // No list is a finding of its own: nobody can tell what stands behind it.
    if methods.is_empty() || methods.iter().any(is_usable) {
        return Vec::new();
    }
    vec![format!(
        "`delivery_methods_supported` has only {}",
        quote(&methods.join(", "))
    )]
}

fn silent_delivery(transmitter: &TransmitterObservation) -> Vec<String> {
    match transmitter.member("delivery_methods_supported") {
        Some(Json::Array(methods)) => {
            evidence(methods.is_empty(), "`delivery_methods_supported` is empty")
        }
        _ => absence(transmitter, "delivery_methods_supported"),
    }
}

fn no_poll(transmitter: &TransmitterObservation) -> Vec<String> {
    let methods = transmitter.texts("delivery_methods_supported");
    let has = |method| {
        methods
            .iter()
            .any(|uri| DeliveryMethod::of_uri(uri) == Some(method))
    };
    // Without either, the rule on usable methods says enough.
    let lacks = has(DeliveryMethod::Push) && !has(DeliveryMethod::Poll);
    evidence(lacks, "`delivery_methods_supported` has push only")
}

fn no_configuration(transmitter: &TransmitterObservation) -> Vec<String> {
    absence(transmitter, "configuration_endpoint")
}

fn no_verification(transmitter: &TransmitterObservation) -> Vec<String> {
    absence(transmitter, "verification_endpoint")
}

fn no_status(transmitter: &TransmitterObservation) -> Vec<String> {
    absence(transmitter, "status_endpoint")
}

fn authorization(transmitter: &TransmitterObservation) -> Vec<String> {
    let Some(Json::Array(schemes)) = transmitter.member("authorization_schemes") else {
        return absence(transmitter, "authorization_schemes");
    };
    // Others may stand beside it: a receiver takes the one that it has.
    let is_oauth = |scheme: &Json| {
        let urn = scheme.as_object().and_then(|it| it.get("spec_urn"));
        urn.and_then(Json::as_str) == Some("urn:ietf:rfc:6749")
    };
    let lacks = !schemes.iter().any(is_oauth);
    evidence(lacks, "`authorization_schemes` lacks `urn:ietf:rfc:6749`")
}

fn subjects(transmitter: &TransmitterObservation) -> Vec<String> {
    // Absent means all, by the specification.
    let nobody = transmitter.text("default_subjects") == Some("NONE");
    evidence(nobody, "`default_subjects` is `NONE`")
}

fn critical(transmitter: &TransmitterObservation) -> Vec<String> {
    let mut found = Vec::new();
    for member in transmitter.texts("critical_subject_members") {
        // What core's table of checks understands: whoever adds one there adds it here.
        if !["user", "session"].contains(&member) {
            found.push(format!("`critical_subject_members` has {}", quote(member)));
        }
    }
    found
}
