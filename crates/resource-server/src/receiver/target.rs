//! Whom an event is about, as revocations.

use super::effect::EventEffect;
use crate::revocation::Revocation;
use portcullis_core::event::SubjectId;
use portcullis_core::token::{Issuer, NumericDate};

/// What Keycloak writes as the session where an administrator ends all of a person.
const ALL_SESSIONS: &str = "ALL";

/// The revocations that an event amounts to, which happened `since`: none where its subject stands
/// for nobody here.
pub(crate) fn revocations(
    subject: &SubjectId,
    effect: EventEffect,
    tokens_of: &[Issuer],
    (since, now): (NumericDate, NumericDate),
) -> Vec<Revocation> {
    let people = || people(subject, tokens_of);
    match effect {
        EventEffect::Nothing => Vec::new(),
        EventEffect::Session => match session(subject) {
            Some(session) => {
                let issuers = issuers(subject, tokens_of).into_iter();
                let of_issuer = |issuer| Revocation::session(issuer, session, now);
                issuers.map(of_issuer).collect()
            }
            None => each(people(), |issuer, name| {
                Revocation::subject(issuer, name, since)
            }),
        },
        EventEffect::Subject => each(people(), |issuer, name| {
            Revocation::subject(issuer, name, since)
        }),
        EventEffect::Account => each(people(), |issuer, name| {
            Revocation::account_disabled(issuer, name, since)
        }),
        EventEffect::Enable => each(people(), |issuer, name| {
            Revocation::account_enabled(issuer, name, since)
        }),
        EventEffect::SignIn => each(people(), |issuer, name| {
            Revocation::sign_in(issuer, name, since)
        }),
        EventEffect::Token => tokens(subject, tokens_of, now),
    }
}

fn each(
    people: Vec<(&Issuer, &str)>,
    revocation: impl Fn(&Issuer, &str) -> Revocation,
) -> Vec<Revocation> {
    let people = people.into_iter();
    people
        .map(|(issuer, name)| revocation(issuer, name))
        .collect()
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

/// Everybody whom a subject names, at the issuers whose tokens end.
fn people<'x>(subject: &'x SubjectId, tokens_of: &'x [Issuer]) -> Vec<(&'x Issuer, &'x str)> {
    match subject {
        SubjectId::IssuerSubject { issuer, subject } => {
            let issuers = at_issuer(issuer, tokens_of).into_iter();
            issuers.map(|issuer| (issuer, &**subject)).collect()
        }
        SubjectId::Aliases(aliases) => {
            let aliases = aliases.iter();
            aliases
                .flat_map(|alias| people(alias, tokens_of))
                .collect()
        }
        SubjectId::Complex(_) => match subject.member("user") {
            // The user's own name at the transmitter.
            Some(SubjectId::Opaque(id)) => tokens_of.iter().map(|issuer| (issuer, &**id)).collect(),
            // A device or a tenant beside the user would narrow it. Tokens name neither, so more
            // may end than was meant, and never less.
            Some(user) => people(user, tokens_of),
            None => Vec::new(),
        },
        // Neither an address nor an opaque word says which claim it stands for.
        _ => Vec::new(),
    }
}

fn tokens(subject: &SubjectId, tokens_of: &[Issuer], now: NumericDate) -> Vec<Revocation> {
    let SubjectId::TokenId { issuer, token_id } = subject else {
        return Vec::new();
    };
    let end = now.plus(crate::revocation::REMEMBERED_SECONDS);
    let issuers = at_issuer(issuer, tokens_of).into_iter();
    let of_issuer = |issuer| Revocation::token(issuer, token_id, end);
    issuers.map(of_issuer).collect()
}

/// The issuers of a complex subject's session: those of its user.
fn issuers<'x>(subject: &'x SubjectId, tokens_of: &'x [Issuer]) -> Vec<&'x Issuer> {
    match subject.member("user") {
        Some(SubjectId::IssuerSubject { issuer, .. }) => at_issuer(issuer, tokens_of),
        _ => tokens_of.iter().collect(),
    }
}

/// The issuer of this name, or, where a transmitter names its people otherwise than their tokens
/// do, all whose tokens end.
fn at_issuer<'x>(name: &str, tokens_of: &'x [Issuer]) -> Vec<&'x Issuer> {
    match tokens_of.iter().find(|issuer| issuer.as_str() == name) {
        Some(issuer) => vec![issuer],
        None => tokens_of.iter().collect(),
    }
}
