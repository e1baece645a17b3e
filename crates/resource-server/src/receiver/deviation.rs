//! Where a stream at its transmitter is not as the settings say.

use super::effect::EventEffect;
use super::stream_settings::StreamSettings;
use portcullis_core::event::EventType;
use portcullis_core::rejection::quote;
use portcullis_provider::shared_signals::{StreamConfiguration, StreamDelivery};

impl StreamSettings {
    /// What is not as the settings say, each in a sentence. What comes all the same is judged by
    /// the settings alone.
    pub(crate) fn deviations(&self, stream: &StreamConfiguration) -> Vec<String> {
        self.find_deviations(&stream.audience, &stream.delivery, &stream.events_delivered)
    }

    fn find_deviations(
        &self,
        audience: &[String],
        delivery: &StreamDelivery,
        delivered: &[String],
    ) -> Vec<String> {
        let mut deviations = Vec::new();
        let known = &self.terms.audiences;
        if !audience.iter().any(|it| known.contains(it)) {
            let found: Vec<_> = audience.iter().map(|it| quote(it)).collect();
            deviations.push(format!(
                "its events are refused: expected the `aud` {}, found {}",
                known.join(", "),
                found.join(", ")
            ));
        }
        deviations.extend(self.delivery_deviation(delivery));
        let delivered = delivered.iter();
        let delivered: Vec<_> = delivered
            .filter_map(|uri| EventType::from_uri(uri))
            .collect();
        for (event, effect) in &self.effects.0 {
            // Whoever chose an effect relies on the event.
            if *effect != EventEffect::Nothing && !delivered.contains(event) {
                let name = event.name();
                deviations.push(format!("`{name}` has an effect here, and does not come"));
            }
        }
        // A stream of verifications alone looks healthy, and protects nobody.
        let ends = |event: &EventType| self.effects.of_type(*event) != EventEffect::Nothing;
        if !delivered.iter().any(ends) {
            deviations.push("no event that comes has an effect here".to_owned());
        }
        deviations
    }

    fn delivery_deviation(&self, delivery: &StreamDelivery) -> Option<String> {
        // The address of a push is what proxies in front make of it, so it is not compared.
        match (&self.poll, delivery) {
            (None, StreamDelivery::Push(_)) => None,
            (Some(poll), StreamDelivery::Poll(url)) if poll.url == *url => None,
            (Some(_), StreamDelivery::Poll(url)) => Some(format!(
                "its events wait at another `poll_url`: {}",
                quote(url.as_str())
            )),
            (Some(_), _) => {
                Some("expected a stream whose events are fetched, found another".into())
            }
            (None, _) => Some("expected a stream whose events are pushed, found another".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Settings};
    use url::Url;

    const URL: &str = "https://idp.example/poll/1";

    fn stream(more: &str) -> StreamSettings {
        let text = format!(
            "[[issuer]]\nurl = \"https://idp.example\"\naudience = \"a\"\n[[events]]\nname = \"idp\"\n\
             issuer = \"https://idp.example\"\naudience = \"us\"\n{more}"
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap());
        settings.unwrap().streams.remove(0)
    }

    fn found(
        more: &str,
        audience: &str,
        delivery: &StreamDelivery,
        events: &[EventType],
    ) -> String {
        let events: Vec<_> = events.iter().map(|event| event.uri()).collect();
        let audience = [audience.to_owned()];
        let found = stream(more).find_deviations(&audience, delivery, &events);
        found.join("; ")
    }

    #[test]
    fn a_stream_that_ends_nothing_here_is_told() {
        let push = StreamDelivery::Push("https://api.example/.portcullis/events/idp".to_owned());
        let poll = StreamDelivery::Poll(Url::parse(URL).unwrap());
        let polled = "delivery = \"poll\"\nclient_id = \"c\"\nauth = \"none\"\n";
        let polled = format!("{polled}poll_url = \"{URL}\"\n");
        let revoked = [EventType::SessionRevoked];
        for (more, audience, delivery, events, expected) in [
            ("", "us", &push, &revoked[..], ""),
            (&*polled, "us", &poll, &revoked, ""),
            (
                "",
                "them",
                &push,
                &revoked,
                "expected the `aud` us, found `them`",
            ),
            ("", "us", &poll, &revoked, "whose events are pushed"),
            (&*polled, "us", &push, &revoked, "whose events are fetched"),
            (
                "",
                "us",
                &push,
                &[EventType::Verification],
                "no event that comes has an effect",
            ),
            (
                "effects.risk-level-change = \"sign_in\"\n",
                "us",
                &push,
                &revoked,
                "`risk-level-change` has an effect here, and does not come",
            ),
            (
                "effects.risk-level-change = \"nothing\"\n",
                "us",
                &push,
                &revoked,
                "",
            ),
        ] {
            let found = found(more, audience, delivery, events);
            assert_eq!(expected.is_empty(), found.is_empty(), "{found}");
            assert!(found.contains(expected), "{found}");
        }
        let elsewhere = StreamDelivery::Poll(Url::parse("https://idp.example/poll/2").unwrap());
        let found = found(&polled, "us", &elsewhere, &revoked);
        assert!(found.contains("another `poll_url`"), "{found}");
    }
}
