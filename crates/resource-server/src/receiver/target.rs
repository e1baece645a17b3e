//! Whom an event is about, as revocations.

use super::effect::EventEffect;
use crate::revocation::Revocation;
use portcullis_core::event::SubjectId;
use portcullis_core::token::{Issuer, NumericDate};

/// What Keycloak writes as the session where an administrator ends all of a person.
const ALL_SESSIONS: &str = "ALL";

/// The issuers whose tokens a stream ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetIssuers {
    /// All of them.
    pub(crate) all: Vec<Issuer>,
    /// Those whose tokens have the user's email address, in a claim that the settings name.
    pub(crate) with_email: Vec<Issuer>,
}

/// Somebody at an issuer.
#[derive(Clone, Copy)]
struct Person<'x> {
    issuer: &'x Issuer,
    name: PersonName<'x>,
}

#[derive(Clone, Copy)]
enum PersonName<'x> {
    Subject(&'x str),
    Email(&'x str),
}

/// The revocations that an event amounts to, which happened `since`: none where its subject stands
/// for nobody here.
pub(crate) fn revocations(
    subject: &SubjectId,
    effect: EventEffect,
    issuers: &TargetIssuers,
    (since, now): (NumericDate, NumericDate),
) -> Vec<Revocation> {
    let each = |revocation: fn(&Issuer, &str, NumericDate) -> Revocation| {
        let people = issuers.people(subject).into_iter();
        let ended = people.map(|person| person.revocation(revocation, since));
        ended.collect()
    };
    match effect {
        EventEffect::Nothing => Vec::new(),
        EventEffect::Session => match session(subject) {
            Some(session) => {
                let issuers = issuers.of_session(subject).into_iter();
                let of_issuer = |issuer| Revocation::session(issuer, session, now);
                issuers.map(of_issuer).collect()
            }
            None => each(Revocation::subject),
        },
        EventEffect::Subject => each(Revocation::subject),
        EventEffect::Account => each(Revocation::account_disabled),
        EventEffect::Enable => each(Revocation::account_enabled),
        EventEffect::SignIn => each(Revocation::sign_in),
        EventEffect::Token => issuers.tokens(subject, now),
    }
}

impl Person<'_> {
    fn revocation(
        self,
        revocation: fn(&Issuer, &str, NumericDate) -> Revocation,
        since: NumericDate,
    ) -> Revocation {
        match self.name {
            PersonName::Subject(subject) => revocation(self.issuer, subject, since),
            PersonName::Email(email) => {
                revocation(self.issuer, email, since).of_email(self.issuer, email)
            }
        }
    }
}

/// The session of a complex subject. One that stands for all of them is none.
fn session(subject: &SubjectId) -> Option<&str> {
    // An address or the like names no session that a token could have.
    match subject.member("session")? {
        SubjectId::Opaque(id) if &**id != ALL_SESSIONS => Some(id),
        SubjectId::IssuerSubject { subject, .. } => Some(subject),
        _ => None,
    }
}

impl TargetIssuers {
    /// Everybody whom a subject names, at the issuers whose tokens end.
    fn people<'x>(&'x self, subject: &'x SubjectId) -> Vec<Person<'x>> {
        match subject {
            SubjectId::IssuerSubject { issuer, subject } => {
                at(self.find_issuers(issuer), PersonName::Subject(subject))
            }
            // Only where the settings say which claim has the address.
            SubjectId::Email(email) => at(self.with_email.iter(), PersonName::Email(email)),
            SubjectId::Aliases(aliases) => {
                let aliases = aliases.iter();
                aliases.flat_map(|alias| self.people(alias)).collect()
            }
            SubjectId::Complex(_) => match subject.member("user") {
                // The user's own name at the transmitter.
                Some(SubjectId::Opaque(id)) => at(self.all.iter(), PersonName::Subject(id)),
                // A device or a tenant beside the user would narrow it. Tokens name neither, so
                // more may end than was meant, and never less.
                Some(user) => self.people(user),
                None => Vec::new(),
            },
            // An opaque word alone does not say which claim it stands for.
            _ => Vec::new(),
        }
    }

    fn tokens(&self, subject: &SubjectId, now: NumericDate) -> Vec<Revocation> {
        let SubjectId::TokenId { issuer, token_id } = subject else {
            return Vec::new();
        };
        let end = now.plus(crate::revocation::REMEMBERED_SECONDS);
        let issuers = self.find_issuers(issuer).into_iter();
        let of_issuer = |issuer| Revocation::token(issuer, token_id, end);
        issuers.map(of_issuer).collect()
    }

    /// The issuers of a complex subject's session: those of its user.
    fn of_session(&self, subject: &SubjectId) -> Vec<&Issuer> {
        match subject.member("user") {
            Some(SubjectId::IssuerSubject { issuer, .. }) => self.find_issuers(issuer),
            _ => self.all.iter().collect(),
        }
    }

    /// The issuer of this name, or, where a transmitter names its people otherwise than their
    /// tokens do, all whose tokens end.
    fn find_issuers(&self, name: &str) -> Vec<&Issuer> {
        match self.all.iter().find(|issuer| issuer.as_str() == name) {
            Some(issuer) => vec![issuer],
            None => self.all.iter().collect(),
        }
    }
}

/// The same name at each issuer.
fn at<'x>(issuers: impl IntoIterator<Item = &'x Issuer>, name: PersonName<'x>) -> Vec<Person<'x>> {
    let issuers = issuers.into_iter();
    issuers.map(|issuer| Person { issuer, name }).collect()
}
