//! One issuer, or one settings file, with the facts at the head of its report.

use crate::evidence::format_duration;
use crate::finding::Finding;
use crate::handshake::TlsHost;
use crate::observation::{KeySetResponse, Observation};
use crate::place::SettingPlace;
use crate::resource::ResourceObservation;
use crate::sample::{SampleJwt, SampleToken};
use crate::settings_file::SettingsFile;
use crate::transmitter::TransmitterObservation;
use portcullis_resource_server::KeySettings;
use std::time::Duration;

/// One issuer, or one settings file.
#[derive(Debug)]
pub struct AuditSubject {
    kind: SubjectKind,
    name: String,
    facts: Vec<(&'static str, String)>,
    findings: Vec<Finding>,
}

/// What was audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// An identity provider.
    Issuer,
    /// An API.
    Resource {
        /// Whether requests were sent to it.
        is_probed: bool,
    },
    /// A transmitter of security events.
    Transmitter,
    /// A settings file.
    Settings,
}

impl AuditSubject {
    /// An issuer, with where it stands in our settings, if it was read from there.
    #[must_use]
    pub fn issuer(
        observation: &Observation,
        place: Option<&SettingPlace>,
        findings: Vec<Finding>,
    ) -> Self {
        let mut facts = Vec::new();
        if let Some(place) = place {
            facts.push(("settings", place.to_string()));
        }
        for response in &observation.metadata {
            if response.document.is_some() {
                facts.push(("metadata", response.inspection.url.to_string()));
            }
        }
        if let Some(keys) = observation.keys.as_ref().and_then(keys) {
            facts.push(("keys", keys));
        }
        for host in &observation.hosts {
            facts.push(("TLS", tls(host, observation.now.seconds())));
        }
        if let Some(token) = observation.sample.as_ref().and_then(SampleToken::jwt) {
            facts.push(("token", describe(token)));
        }
        Self {
            kind: SubjectKind::Issuer,
            name: observation.issuer.to_string(),
            facts,
            findings,
        }
    }

    /// A protected resource.
    #[must_use]
    pub fn resource(resource: &ResourceObservation, findings: Vec<Finding>) -> Self {
        let mut facts = vec![("metadata", resource.metadata.url.to_string())];
        for (issuer, _) in &resource.issuers {
            facts.push(("issuer", issuer.clone()));
        }
        for probe in &resource.probes {
            let answer = match probe.status() {
                Some(status) => status.to_string(),
                None => "no answer".to_owned(),
            };
            facts.push((
                "request",
                format!("{}: {answer}", probe.credential.describe()),
            ));
        }
        Self {
            kind: SubjectKind::Resource {
                is_probed: !resource.probes.is_empty(),
            },
            name: resource.asked.clone(),
            facts,
            findings,
        }
    }

    /// A transmitter of security events.
    #[must_use]
    pub fn transmitter(transmitter: &TransmitterObservation, findings: Vec<Finding>) -> Self {
        let mut facts = vec![("metadata", transmitter.metadata.url.to_string())];
        if let Some(keys) = transmitter.keys.as_ref().and_then(keys) {
            facts.push(("keys", keys));
        }
        Self {
            kind: SubjectKind::Transmitter,
            name: transmitter.issuer.to_string(),
            facts,
            findings,
        }
    }

    /// A settings file.
    #[must_use]
    pub fn settings(settings: &SettingsFile, findings: Vec<Finding>) -> Self {
        let issuers = plural("issuer", settings.config.resource_server.issuer.len());
        let routes = plural("route", settings.config.gateway.route.len());
        Self {
            kind: SubjectKind::Settings,
            name: settings.file.clone(),
            facts: vec![("settings", format!("{issuers}, {routes}"))],
            findings,
        }
    }

    /// The same with only the findings that this chooses.
    #[must_use]
    pub fn keep(mut self, chosen: impl Fn(&Finding) -> bool) -> Self {
        self.findings.retain(chosen);
        self
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> SubjectKind {
        self.kind
    }

    /// The issuer, or the file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was examined, each fact with its heading: metadata, keys, TLS, token.
    #[must_use]
    pub fn facts(&self) -> &[(&'static str, String)] {
        &self.facts
    }

    /// Everything that was found, whether it counts or not.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

fn plural(noun: &str, number: usize) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

fn keys(set: &KeySetResponse) -> Option<String> {
    let answer = set.answer()?;
    if answer.status != 200 {
        return None;
    }
    let usable = set
        .keys
        .iter()
        .filter(|key| key.verdict.is_ok())
        .count();
    // The interval of a server with the default settings, which nobody has changed for the audit.
    let interval = format_duration(KeySettings::default().refresh_after(answer.max_age()));
    Some(format!(
        "{} ({usable} of {} usable, fetched every {interval})",
        set.inspection.url,
        set.keys.len()
    ))
}

fn tls(host: &TlsHost, now: i64) -> String {
    let versions = match (&host.tls13, &host.tls12) {
        (Ok(()), Ok(())) => "1.3 and 1.2",
        (Ok(()), Err(_)) => "1.3 only",
        (Err(_), Ok(())) => "1.2 only",
        (Err(_), Err(_)) => "neither 1.3 nor 1.2",
    };
    let Some(leaf) = host.leaf else {
        return format!("{}: {versions}", host.name);
    };
    let end = match u64::try_from(leaf.not_after.saturating_sub(now)) {
        Ok(left) => {
            let left = format_duration(Duration::from_secs(left));
            format!("the certificate ends in {left}")
        }
        Err(_) => "the certificate has ended".to_owned(),
    };
    format!("{}: {versions}; {end}", host.name)
}

/// Only what a token is like, never its claims: it is a secret.
fn describe(token: &SampleJwt) -> String {
    let typ = match token.typ() {
        // A header is foreign text until its signature is verified, so it is escaped and cut.
        Some(typ) => typ.escape_debug().take(32).collect(),
        None => "no typ".to_owned(),
    };
    let lifetime = match token.lifetime().map(u64::try_from) {
        Some(Ok(seconds)) => format!("lives {}", format_duration(Duration::from_secs(seconds))),
        Some(Err(_)) | None => "no lifetime".to_owned(),
    };
    let signature = match token.verified {
        Some(true) => "verified by a published key",
        Some(false) => "not verified by any published key",
        None => "not verified, as there are no keys",
    };
    let (algorithm, bytes) = (token.header.algorithm, token.bytes);
    format!("{algorithm}, {typ}, {lifetime}, {bytes} bytes, {signature}")
}
