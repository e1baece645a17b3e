//! What an event ends: the table of effects.

use portcullis_core::event::{EventType, SecurityEvent};

/// What an event does to tokens that were issued before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventEffect {
    /// Nothing: it is counted.
    Nothing,
    /// Ends the tokens of the session, or those of the subject where there is no session.
    Session,
    /// Ends the tokens of the subject that were issued until then.
    Subject,
    /// Refuses the subject until the account is enabled.
    Account,
    /// The account can be used again.
    Enable,
    /// The subject must sign in again.
    SignIn,
    /// Ends one token.
    Token,
}

impl EventEffect {
    /// The effects that the settings can choose.
    pub(crate) const CHOICES: &'static [Self] = &[
        Self::Session,
        Self::Subject,
        Self::Account,
        Self::SignIn,
        Self::Enable,
        Self::Nothing,
    ];

    /// The effect as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Session => "session",
            Self::Subject => "subject",
            Self::Account => "account",
            Self::Enable => "enable",
            Self::SignIn => "sign_in",
            Self::Token => "token",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut choices = Self::CHOICES.iter();
        choices.find(|choice| choice.as_str() == text).copied()
    }

    /// What an event of this type does where the settings say nothing.
    pub const fn of(event: EventType) -> Self {
        match event {
            EventType::SessionRevoked => Self::Session,
            EventType::CredentialChange
            | EventType::AccountCredentialChangeRequired
            | EventType::CredentialCompromise
            | EventType::IdentifierChanged
            | EventType::SessionsRevoked
            | EventType::TokensRevoked => Self::Subject,
            EventType::AccountDisabled | EventType::AccountPurged => Self::Account,
            EventType::AccountEnabled => Self::Enable,
            EventType::TokenRevoked => Self::Token,
            // These say that something changed, not that access is over: whether it is depends on
            // what an API does with it.
            _ => Self::Nothing,
        }
    }
}

/// The effects of one stream: the defaults, and what the settings say instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EffectTable(pub(crate) Vec<(EventType, EventEffect)>);

impl EffectTable {
    pub(crate) fn of_type(&self, event: EventType) -> EventEffect {
        let mut chosen = self.0.iter();
        match chosen.find(|(chosen, _)| *chosen == event) {
            Some((_, effect)) => *effect,
            None => EventEffect::of(event),
        }
    }

    pub(crate) fn effect(&self, event: &SecurityEvent) -> EventEffect {
        match event.event_type() {
            // A device that keeps the rules again ends nothing.
            Some(known) if event.is_adverse() => self.of_type(known),
            _ => EventEffect::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_does_by_itself_and_by_the_settings() {
        let table = EffectTable(vec![
            (EventType::RiskLevelChange, EventEffect::SignIn),
            (EventType::SessionRevoked, EventEffect::Subject),
        ]);
        let does = |event| table.of_type(event);
        assert_eq!(does(EventType::RiskLevelChange), EventEffect::SignIn);
        assert_eq!(does(EventType::SessionRevoked), EventEffect::Subject);
        assert_eq!(does(EventType::AccountDisabled), EventEffect::Account);
        assert_eq!(does(EventType::SessionEstablished), EventEffect::Nothing);
        for choice in EventEffect::CHOICES {
            assert_eq!(EventEffect::parse(choice.as_str()), Some(*choice));
        }
        assert_eq!(
            EventEffect::parse("token"),
            None,
            "no setting can name a token"
        );
    }

    /// The defaults, as the pages have them: a type that is not here ends nothing by itself.
    #[test]
    fn what_an_event_does_where_the_settings_say_nothing() {
        let effects = [
            ("session-revoked", EventEffect::Session),
            ("credential-change", EventEffect::Subject),
            ("account-credential-change-required", EventEffect::Subject),
            ("account-purged", EventEffect::Account),
            ("account-disabled", EventEffect::Account),
            ("account-enabled", EventEffect::Enable),
            ("identifier-changed", EventEffect::Subject),
            ("credential-compromise", EventEffect::Subject),
            ("sessions-revoked", EventEffect::Subject),
            ("token-revoked", EventEffect::Token),
            ("tokens-revoked", EventEffect::Subject),
        ];
        for event in EventType::ALL {
            let known = effects.iter().find(|(name, _)| *name == event.name());
            let expected = known.map_or(EventEffect::Nothing, |(_, effect)| *effect);
            assert_eq!(EventEffect::of(*event), expected, "{event}");
        }
    }
}
