//! The settings of streams of events, as meant.

use super::access::AccessPlace;
use super::effect::{EffectTable, EventEffect};
use super::poll_settings::{PollSettings, poll};
use super::target::TargetIssuers;
use super::watch_settings::{WatchSettings, watch};
use crate::config::EventStreamConfig;
use crate::settings::{IssuerSettings, authorities, fetchable_url};
use portcullis_core::Faults;
use portcullis_core::event::{EventProfile, EventTerms, EventType};
use portcullis_core::token::Issuer;
use portcullis_provider::client_auth::Secret;
use portcullis_provider::fetch::Trust;
use portcullis_provider::keys::KeySource;
use portcullis_provider::shared_signals::well_known;
use std::path::Path;
use std::time::Duration;

/// One stream of events.
#[derive(Clone, Debug)]
pub(crate) struct StreamSettings {
    pub(crate) name: String,
    pub(crate) terms: EventTerms,
    /// The issuers whose tokens end.
    pub(crate) tokens_of: TargetIssuers,
    pub(crate) effects: EffectTable,
    pub(crate) source: KeySource,
    pub(crate) trust: Trust,
    pub(crate) authorization: Option<Secret>,
    pub(crate) poll: Option<PollSettings>,
    pub(crate) watch: Option<WatchSettings>,
    pub(crate) silent_after: Option<Duration>,
}

/// What a name may consist of: it stands in an address, in logs and in metrics.
const NAME: &str = "up to 64 lower-case letters, digits, `-` and `_`";

pub(crate) fn streams(
    written: Vec<EventStreamConfig>,
    issuers: &[IssuerSettings],
    faults: &Faults,
) -> Vec<StreamSettings> {
    let mut streams: Vec<(usize, StreamSettings)> = Vec::new();
    for (index, written) in written.into_iter().enumerate() {
        let faults = faults.at(format!("events[{index}]"));
        let Some(stream) = stream(&written, issuers, &faults) else {
            continue;
        };
        // The name is an address: of two streams, one would never hear anything.
        let same = streams
            .iter()
            .find(|(_, other)| other.name == stream.name);
        if let Some((first, _)) = same {
            faults
                .expected("name", "a name that no other stream has")
                .found_as(format!("{:?}, as at `events[{first}]`", stream.name))
                .given_elsewhere(&[&format!("events[{first}].name")])
                .help("give each stream a name of its own");
        }
        streams.push((index, stream));
    }
    streams.into_iter().map(|(_, stream)| stream).collect()
}

fn stream(
    written: &EventStreamConfig,
    issuers: &[IssuerSettings],
    faults: &Faults,
) -> Option<StreamSettings> {
    // Everything is read before the first `?`, so that one start tells all faults.
    let name = name(written.name.as_deref(), faults);
    let transmitter = transmitter(written, faults);
    let audiences = audiences(written, faults);
    let effects = effects(written, faults);
    let profile = profile(written.profile.as_deref(), faults);
    let leeway = leeway(written.leeway, faults);
    let authorization = authorization(written.authorization_file.as_deref(), faults);
    let place = AccessPlace {
        written,
        issuers,
        faults,
    };
    let poll = poll(&place, authorization.as_ref());
    let watch = watch(&place, poll.as_ref());
    let trust = trust(written, faults);
    let source = source(written, transmitter.as_ref(), faults);
    let transmitter = transmitter?;
    let tokens_of = tokens_of(written, &transmitter, issuers, faults);
    let mut terms = EventTerms::new(transmitter, audiences);
    for issuer in tokens_of
        .iter()
        .cloned()
        .chain(subject_issuers(written, faults))
    {
        if !terms.subject_issuers.contains(&issuer) {
            terms.subject_issuers.push(issuer);
        }
    }
    terms.profile = profile?;
    terms.leeway = leeway?;
    Some(StreamSettings {
        name: name?,
        terms,
        tokens_of: TargetIssuers {
            with_email: with_email(&tokens_of, issuers),
            all: tokens_of,
        },
        effects,
        source: source?,
        trust: trust?,
        authorization,
        poll,
        watch,
        silent_after: written.silent_after.map(Duration::from_secs),
    })
}

fn name(written: Option<&str>, faults: &Faults) -> Option<String> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    match written {
        Some(name) if (1..=64).contains(&name.len()) && name.bytes().all(is_plain) => {
            Some(name.to_owned())
        }
        Some(other) => {
            let cure = "write a short name, such as `okta`";
            faults.expected("name", NAME).found(other).help(cure);
            None
        }
        None => {
            let cure = "write a short name: it ends the address that the transmitter sends to";
            faults
                .expected("name", NAME)
                .found_nothing()
                .help(cure);
            None
        }
    }
}

fn transmitter(written: &EventStreamConfig, faults: &Faults) -> Option<Issuer> {
    let Some(text) = &written.issuer else {
        faults
            .expected("issuer", "the transmitter of the events")
            .found_nothing()
            .help("write what stands in the events' `iss`");
        return None;
    };
    let issuer = match written.danger_plain_http {
        true => Issuer::parse_plain(text.as_str()),
        false => Issuer::parse(text.as_str()),
    };
    match issuer {
        Ok(issuer) => Some(issuer),
        Err(error) => {
            let cure = "write what stands in the events' `iss`, an https URL";
            faults.wrong("issuer", error.to_string()).help(cure);
            None
        }
    }
}

fn audiences(written: &EventStreamConfig, faults: &Faults) -> Vec<String> {
    let audiences = written.audience.clone();
    let audiences = audiences.map(|it| it.into_vec()).unwrap_or_default();
    // Without one, an event for another receiver of the same transmitter would count here.
    if audiences.is_empty() || audiences.iter().any(|it| it.trim().is_empty()) {
        faults
            .expected("audience", "what the events' `aud` holds")
            .found_nothing()
            .help("write the `aud` of the stream: `portcullis events status` shows it");
    }
    audiences
}

fn effects(written: &EventStreamConfig, faults: &Faults) -> EffectTable {
    let mut table = EffectTable::default();
    for (name, effect) in &written.effects {
        let place = format!("effects.{name}");
        let Some(event) = EventType::from_name(name).filter(|known| !known.is_about_stream())
        else {
            faults
                .expected(&place, "the name of a security event")
                .found(name)
                .help("write the last part of an event type's URI, such as `session-revoked`");
            continue;
        };
        // A slip must not turn an end into nothing.
        match EventEffect::parse(effect) {
            Some(effect) => table.0.push((event, effect)),
            None => {
                let choices: Vec<_> = EventEffect::CHOICES
                    .iter()
                    .map(|it| it.as_str())
                    .collect();
                faults
                    .expected(&place, format!("one of `{}`", choices.join("`, `")))
                    .found(effect)
                    .help("write what the event ends");
            }
        }
    }
    table
}

fn profile(written: Option<&str>, faults: &Faults) -> Option<EventProfile> {
    match written {
        None | Some("final") => Some(EventProfile::Final),
        Some("draft") => Some(EventProfile::Draft),
        Some("google") => Some(EventProfile::Google),
        Some(other) => {
            faults
                .expected("profile", "`final`, `draft` or `google`")
                .found(other)
                .help("write `draft` where subjects stand in the events");
            None
        }
    }
}

fn leeway(written: Option<u64>, faults: &Faults) -> Option<Duration> {
    // The bound of issuers: whoever needs more has no clock.
    match written.unwrap_or(60) {
        seconds @ 0..=300 => Some(Duration::from_secs(seconds)),
        other => {
            faults
                .expected("leeway", "0 to 300 seconds")
                .found(other)
                .help("keep the clocks together by NTP");
            None
        }
    }
}

/// The whole value of a header, from a file.
fn authorization(file: Option<&Path>, faults: &Faults) -> Option<Secret> {
    let file = file?;
    let problem = match std::fs::read_to_string(file) {
        // An editor ends a file with a line break, which is no part of the value.
        Ok(text) => match text.trim() {
            "" => "it is empty".to_owned(),
            value if http::HeaderValue::try_from(value).is_err() => {
                "it is not the value of a header".to_owned()
            }
            value => return Some(Secret::new(value)),
        },
        Err(error) => error.to_string(),
    };
    faults
        .wrong(
            "authorization_file",
            format!("{}: {problem}", file.display()),
        )
        .help("write a file with the whole value, such as `Bearer 5f0c...`");
    None
}

fn trust(written: &EventStreamConfig, faults: &Faults) -> Option<Trust> {
    let trust = match &written.ca_file {
        Some(file) => authorities(file, faults)?,
        None => Trust::default(),
    };
    Some(trust.with_danger_plain_http(written.danger_plain_http))
}

/// Where the transmitter's keys are.
fn source(
    written: &EventStreamConfig,
    transmitter: Option<&Issuer>,
    faults: &Faults,
) -> Option<KeySource> {
    let plain = written.danger_plain_http;
    if let Some(text) = &written.jwks_uri {
        return fetchable_url("jwks_uri", text, plain, faults).map(KeySource::Uri);
    }
    if let Some(text) = &written.metadata_url {
        return fetchable_url("metadata_url", text, plain, faults).map(KeySource::Metadata);
    }
    // The transmitter's metadata names its keys; they need not be those of its tokens.
    let metadata = well_known(transmitter?);
    if metadata.is_none() {
        faults
            .expected("metadata_url", "where the transmitter's metadata is")
            .found_nothing()
            .help("write the address of its metadata, or `jwks_uri`");
    }
    metadata.map(KeySource::Metadata)
}

/// The issuers whose tokens end.
fn tokens_of(
    written: &EventStreamConfig,
    transmitter: &Issuer,
    issuers: &[IssuerSettings],
    faults: &Faults,
) -> Vec<Issuer> {
    let known = |text: &str| {
        let mut known = issuers.iter().map(|issuer| issuer.verifier.issuer());
        known.find(|known| known.as_str() == text).cloned()
    };
    let cure = "write the `url` of an `[[issuer]]` of these settings";
    // Never all issuers by default: a transmitter would end tokens of its neighbours.
    let Some(chosen) = &written.tokens_of else {
        let Some(same) = known(transmitter.as_str()) else {
            faults
                .expected("tokens_of", "the issuer whose tokens the events end")
                .found_nothing()
                .given(&["issuer"])
                .help(cure);
            return Vec::new();
        };
        return vec![same];
    };
    let mut found = Vec::new();
    for text in chosen.clone().into_vec() {
        match known(&text) {
            Some(issuer) => found.push(issuer),
            None => {
                faults
                    .expected("tokens_of", "an issuer of these settings")
                    .found(&text)
                    .help(cure);
            }
        }
    }
    found
}

/// Those of these issuers whose tokens have the user's email address.
fn with_email(tokens_of: &[Issuer], issuers: &[IssuerSettings]) -> Vec<Issuer> {
    let has_email = |name: &Issuer| {
        let mut issuers = issuers.iter().map(|issuer| &issuer.verifier);
        issuers.any(|it| it.issuer() == name && !it.profile().mapping.email.is_empty())
    };
    let chosen = tokens_of.iter().filter(|name| has_email(name));
    chosen.cloned().collect()
}

fn subject_issuers(written: &EventStreamConfig, faults: &Faults) -> Vec<Issuer> {
    let mut issuers = Vec::new();
    for text in &written.subject_issuers {
        match Issuer::identifier(text.as_str()) {
            Ok(issuer) => issuers.push(issuer),
            Err(error) => {
                let cure = "write what stands in the `iss` of subjects";
                faults
                    .wrong("subject_issuers", error.to_string())
                    .help(cure);
            }
        }
    }
    issuers
}
