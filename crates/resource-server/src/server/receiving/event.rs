//! The events of a stream: each token is proven, each event takes effect, and only then is it taken
//! (RFC 8935, section 2; RFC 8936, section 2).

use crate::receiver::{
    EventEffect, EventOutcome, EventReport, EventStream, Reception, ReceptionFault, answer_id,
    event_id, expectation_id, plain_id, revocations, state_id,
};
use crate::revocation::RevocationSource;
use crate::server::ResourceServer;
use crate::signed;
use portcullis_core::Outage;
use portcullis_core::event::{
    EventErrorCode, EventFault, EventType, SecurityEvent, SecurityEventToken,
};
use portcullis_core::jose::{UnverifiedToken, compact};
use portcullis_core::rejection::Facts;
use portcullis_core::token::NumericDate;

impl ResourceServer {
    /// Takes a security event token of a stream. Once this says that it was taken, every replica
    /// that shares the store refuses what it ends.
    pub(crate) async fn receive_event(&self, stream: &EventStream, text: &str) -> Reception {
        let mut token_id = None;
        let result = match compact::parse(text, self.limits()) {
            Ok(token) => {
                token_id = token.unverified_claims().token_id().map(plain_id);
                self.take_token(stream, token, text).await
            }
            Err(rejection) => Err(rejection.into()),
        };
        let name = &stream.settings.name;
        let reception = Reception::of(name, token_id, result);
        self.receivers().meters.note(reception)
    }

    async fn take_token(
        &self,
        stream: &EventStream,
        token: UnverifiedToken<'_>,
        text: &str,
    ) -> Result<Vec<EventReport>, ReceptionFault> {
        let terms = &stream.settings.terms;
        SecurityEventToken::screen(&token, terms, self.clock().now())?;
        let signed = signed::prove(&stream.keys, token, text, self.limits()).await?;
        // The clock is read again: waiting for a key takes time.
        let now = self.clock().now();
        let token = SecurityEventToken::verify(signed, terms, now)?;
        stream.note_event(now);
        let seen = &self.receivers().seen;
        // Of this transmitter: two may use the same identifier.
        let id = event_id(terms.transmitter.as_str(), token.token_id(), now);
        let is_repeated = seen.knows(&id, now).await;
        let mut reports = Vec::new();
        for event in token.events() {
            let mut report = stream.report(&token, event);
            if is_repeated {
                report.outcome = EventOutcome::Repeated;
            } else {
                self.take_event(stream, event, &mut report, now)
                    .await?;
            }
            reports.push(report);
        }
        if !is_repeated {
            seen.remember(&id, now).await;
        }
        Ok(reports)
    }

    async fn take_event(
        &self,
        stream: &EventStream,
        event: &SecurityEvent,
        report: &mut EventReport,
        now: NumericDate,
    ) -> Result<(), ReceptionFault> {
        match event.event_type() {
            Some(EventType::Verification) => self.check_state(stream, event, now).await?,
            Some(EventType::StreamUpdated) => stream.update(event),
            _ => self.apply(stream, event, report, now).await?,
        }
        Ok(())
    }

    /// Writes what an event ends.
    async fn apply(
        &self,
        stream: &EventStream,
        event: &SecurityEvent,
        report: &mut EventReport,
        now: NumericDate,
    ) -> Result<(), Outage> {
        let effect = stream.settings.effects.effect(event);
        if effect == EventEffect::Nothing {
            return Ok(());
        }
        let happened = event.happened_at();
        let tokens_of = &stream.settings.tokens_of;
        let revocations = revocations(event.subject(), effect, tokens_of, (happened, now));
        let source = match event.event_type() {
            Some(known) => RevocationSource::Event(known),
            None => RevocationSource::Unknown,
        };
        report.outcome = match revocations.is_empty() {
            true => EventOutcome::Unmapped,
            false => EventOutcome::Applied,
        };
        // In force here even where the store fails; then the sender comes again.
        for revocation in revocations {
            report.marks.push(revocation.mark());
            self.revoke(revocation.caused_by(source, happened))
                .await?;
        }
        Ok(())
    }

    /// While a verification is expected, only that one counts (SSF 1.0, section 8.1.4.2). One that
    /// nobody expects here may have been asked for elsewhere, and does nothing.
    async fn check_state(
        &self,
        stream: &EventStream,
        event: &SecurityEvent,
        now: NumericDate,
    ) -> Result<(), EventFault> {
        let name = &stream.settings.name;
        // A transmitter may verify by itself, and then names no state.
        let Some(state) = event.member("state") else {
            return Ok(());
        };
        let seen = &self.receivers().seen;
        let id = state_id(name, state.as_str().unwrap_or_default(), now);
        if seen.knows(&id, now).await {
            let answer = answer_id(name, state.as_str().unwrap_or_default(), now);
            seen.remember(&answer, now).await;
            return Ok(());
        }
        if !seen.knows(&expectation_id(name, now), now).await {
            return Ok(());
        }
        let facts = Facts::new("the `state` of a request for verification", "another one");
        Err(EventFault::new(EventErrorCode::InvalidState, facts))
    }

    /// Expects a verification with this state: whoever asks the transmitter for one says so here
    /// first. For ten minutes, one with another state is refused; this one is known for an hour. An
    /// unknown stream changes nothing.
    pub async fn expect_verification(&self, stream: &str, state: &str) {
        let now = self.clock().now();
        let seen = &self.receivers().seen;
        // The state first: a verification that comes in between must not find another.
        seen.remember(&state_id(stream, state, now), now).await;
        seen.remember(&expectation_id(stream, now), now).await;
    }
}
