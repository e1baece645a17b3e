//! The receivers in a few lines, for people: where each is, from whom something comes, and what it
//! ends.

use super::access::AccessSettings;
use super::ending::{event_ending, logout_ending};
use super::stream_settings::StreamSettings;
use super::{EventEffect, LOGOUT};
use crate::settings::{OutboundRequest, Settings};
use portcullis_core::event::EventType;
use portcullis_provider::keys::KeySource;

/// A receiver, for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverOutline {
    /// `logout`, or the name of the stream.
    pub name: String,
    /// The path below the receivers' own, where something is sent to: `/logout`. `None` for events
    /// that are fetched.
    pub path: Option<String>,
    /// What comes, from whom, and what it ends.
    pub content: String,
}

impl Settings {
    /// The receivers of logouts and events, in the order of the settings.
    pub fn receiver_outlines(&self) -> Vec<ReceiverOutline> {
        let mut outlines = Vec::new();
        for issuer in &self.issuers {
            if let Some(logout) = &issuer.logout {
                let name = issuer.verifier.issuer();
                let ending = logout_ending(issuer.verifier.profile(), logout.ends_subject);
                outlines.push(ReceiverOutline {
                    name: LOGOUT.to_owned(),
                    path: Some("/logout".to_owned()),
                    content: format!("logouts of {name}: {ending}"),
                });
            }
        }
        let streams = self.streams.iter();
        outlines.extend(streams.map(|stream| self.outline_of(stream)));
        outlines
    }

    fn outline_of(&self, stream: &StreamSettings) -> ReceiverOutline {
        // The one event that can end a session: the others name a person.
        let effect = stream.effects.of_type(EventType::SessionRevoked);
        let mut endings = Vec::new();
        for issuer in &self.issuers {
            if stream.tokens_of.all.contains(issuer.verifier.issuer()) {
                endings.push(event_ending(
                    &issuer.verifier,
                    effect == EventEffect::Session,
                ));
            }
        }
        let (transmitter, endings) = (&stream.terms.transmitter, endings.join("; "));
        ReceiverOutline {
            name: stream.name.clone(),
            path: match stream.poll {
                None => Some(format!("/events/{}", stream.name)),
                Some(_) => None,
            },
            content: format!("events of {transmitter}: end {endings}"),
        }
    }
}

impl StreamSettings {
    /// What is asked of the transmitter.
    pub(crate) fn list_outbound(&self, requests: &mut Vec<OutboundRequest>) {
        if let Some(address) = self.source.first_address(&self.terms.transmitter) {
            let content = match &self.source {
                KeySource::Uri(_) => "the keys of the transmitter are fetched; nothing is sent",
                _ => {
                    "the metadata of the transmitter is fetched, and the keys that it names; \
                     nothing is sent"
                }
            };
            requests.push(OutboundRequest::new(address, content));
        }
        let name = &self.name;
        let access = match (&self.poll, &self.watch) {
            (Some(poll), _) => &poll.access,
            (None, Some(watch)) => &watch.access,
            (None, None) => return,
        };
        if let AccessSettings::Client(client) = access {
            let address = client.token_source(&self.terms.transmitter);
            let content = format!("the client `{}`, for a token of its own", client.id());
            requests.push(OutboundRequest::new(address, content));
        }
        if let Some(watch) = &self.watch {
            let address = format!("the management endpoints of {}", self.terms.transmitter);
            let content = format!(
                "the configuration and the status of the stream `{}` are read, and verification \
                 events are asked for",
                watch.stream_id
            );
            requests.push(OutboundRequest::new(address, content));
        }
        let Some(poll) = &self.poll else { return };
        let content = format!("events of the stream `{name}` are fetched, and acknowledged");
        requests.push(OutboundRequest::new(poll.url.as_str(), content));
    }
}
