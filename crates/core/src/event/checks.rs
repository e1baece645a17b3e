//! The checks of logout tokens and security events: two tables, in order, each row once.

use super::examination::{EventCheck, EventExamination, row};
use super::fault::EventErrorCode;
use super::subject::SubjectId;
use super::terms::{EventTerms, LogoutTerms};
use crate::jose::Header;
use crate::jose::json::{Json, Object};
use crate::rejection::{Facts, quote};
use crate::token::{Claims, NumericDate};
use std::time::Duration;

/// Back-Channel Logout 1.0, sections 2.4 and 2.6.
pub(super) static LOGOUT_CHECKS: &[EventCheck<LogoutTerms>] = &[
    row(EventErrorCode::InvalidRequest, is_logout_token),
    row(EventErrorCode::InvalidIssuer, is_by_issuer),
    row(EventErrorCode::InvalidAudience, is_for_client),
    row(EventErrorCode::InvalidRequest, has_logout_event),
    row(EventErrorCode::InvalidRequest, has_no_nonce),
    row(EventErrorCode::InvalidRequest, names_somebody),
    row(EventErrorCode::InvalidRequest, has_token_id),
    row(EventErrorCode::InvalidRequest, was_issued_lately),
    row(EventErrorCode::InvalidRequest, has_not_expired),
];

/// RFC 8417, section 2; SSF 1.0, section 4.
pub(super) static SECURITY_EVENT_CHECKS: &[EventCheck<EventTerms>] = &[
    row(EventErrorCode::InvalidRequest, is_security_event),
    row(EventErrorCode::InvalidIssuer, is_by_transmitter),
    row(EventErrorCode::InvalidAudience, is_for_receiver),
    row(EventErrorCode::InvalidRequest, has_no_end),
    row(EventErrorCode::InvalidRequest, has_no_outer_subject),
    row(EventErrorCode::InvalidRequest, has_token_id),
    row(EventErrorCode::InvalidRequest, was_issued),
    row(EventErrorCode::InvalidRequest, has_events),
    row(EventErrorCode::InvalidRequest, has_happened),
    row(EventErrorCode::InvalidRequest, has_subject),
    row(EventErrorCode::AccessDenied, is_about_own_subject),
];

/// What the event of a logout is called.
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How old a logout token may be, in seconds: one that comes later says nothing new, and a
/// provider that tries again signs again.
const OLDEST_LOGOUT: i64 = 3_600;

/// How long a `jti` may be: it is remembered by a digest, and a longer one is no identifier.
const LONGEST_ID: usize = 1_024;

/// Whether the header names this type, `application/` left out or not.
fn has_type(header: &Header, name: &str) -> bool {
    let Some(typ) = header.typ.as_deref() else {
        return false;
    };
    const PREFIX: &str = "application/";
    let bare = match typ.get(..PREFIX.len()) {
        Some(start) if start.eq_ignore_ascii_case(PREFIX) => typ.get(PREFIX.len()..),
        _ => Some(typ),
    };
    bare.is_some_and(|bare| bare.eq_ignore_ascii_case(name))
}

fn found_type(header: &Header) -> String {
    header.typ.as_deref().map_or("none".to_owned(), quote)
}

/// Whether a token says of itself no more than that it is a JWT.
fn is_untyped(header: &Header) -> bool {
    header.typ.is_none() || has_type(header, "jwt")
}

fn is_logout_token(x: &EventExamination<'_, LogoutTerms>) -> Result<(), Facts> {
    // Another type is another kind of token, whatever the settings are.
    let is_let_through = x.terms.accepts_untyped && is_untyped(x.header);
    if has_type(x.header, "logout+jwt") || is_let_through {
        return Ok(());
    }
    Err(Facts::new("the type `logout+jwt`", found_type(x.header)))
}

fn is_security_event(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    // Google's tokens have no type of their own; what tells them from others is `events`.
    let is_let_through = x.terms.profile.is_untyped() && is_untyped(x.header);
    if has_type(x.header, "secevent+jwt") || is_let_through {
        return Ok(());
    }
    Err(Facts::new("the type `secevent+jwt`", found_type(x.header)))
}

fn is_by_issuer(x: &EventExamination<'_, LogoutTerms>) -> Result<(), Facts> {
    check_issuer(x.claims, x.terms.issuer.as_str())
}

fn is_by_transmitter(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    check_issuer(x.claims, x.terms.transmitter.as_str())
}

fn check_issuer(claims: &Claims, expected: &str) -> Result<(), Facts> {
    let found = claims.issuer();
    // Byte for byte, as everywhere: a slash more is another issuer.
    if found == Some(expected) {
        return Ok(());
    }
    let found = found.map_or("no `iss`".to_owned(), quote);
    Err(Facts::new(format!("the issuer `{expected}`"), found))
}

fn is_for_client(x: &EventExamination<'_, LogoutTerms>) -> Result<(), Facts> {
    check_audience(x.claims, &x.terms.clients)
}

fn is_for_receiver(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    check_audience(x.claims, &x.terms.audiences)
}

fn check_audience(claims: &Claims, expected: &[String]) -> Result<(), Facts> {
    // One of several will do: a provider may name all clients of a session.
    let is_ours = |found: &str| expected.iter().any(|ours| ours == found);
    if claims.audiences().any(is_ours) {
        return Ok(());
    }
    let expected = format!("the audience `{}`", expected.join("` or `"));
    let found = match claims.audiences().next() {
        Some(first) => quote(first),
        None => "no `aud`".to_owned(),
    };
    Err(Facts::new(expected, found))
}

fn has_logout_event(x: &EventExamination<'_, LogoutTerms>) -> Result<(), Facts> {
    let events = events(x.claims)?;
    // Other events may stand beside it (section 2.4), and Keycloak writes one.
    match events.get(LOGOUT) {
        Some(Json::Object(_)) => Ok(()),
        Some(other) => Err(Facts::new("an object for the event", other.type_name())),
        None => Err(Facts::new("the event of a logout", "other events")),
    }
}

fn has_no_nonce(x: &EventExamination<'_, LogoutTerms>) -> Result<(), Facts> {
    // Present is present, whatever its value: with a nonce it could pass for an ID token.
    match x.claims.claim("nonce") {
        None => Ok(()),
        Some(_) => Err(Facts::new("no `nonce`", "one")),
    }
}

fn names_somebody(x: &EventExamination<'_, LogoutTerms>) -> Result<(), Facts> {
    match session(x.claims)? {
        None if x.claims.subject().is_none() => {
            Err(Facts::new("`sub` or `sid`, and neither empty", "neither"))
        }
        _ => Ok(()),
    }
}

/// `sid`, if it is there: a text that is not empty.
pub(super) fn session(claims: &Claims) -> Result<Option<&str>, Facts> {
    match claims.claim("sid") {
        None => Ok(None),
        Some(Json::String(session)) if !session.is_empty() => Ok(Some(session)),
        Some(Json::String(_)) => Err(Facts::new("a `sid` that is not empty", "an empty one")),
        Some(other) => Err(Facts::new("a text as `sid`", other.type_name())),
    }
}

fn has_token_id<T>(x: &EventExamination<'_, T>) -> Result<(), Facts> {
    match x.claims.token_id() {
        None | Some("") => Err(Facts::new("a `jti`", "none")),
        Some(id) if id.len() > LONGEST_ID => {
            Err(Facts::new("a `jti` of at most 1024 bytes", "a longer one"))
        }
        Some(_) => Ok(()),
    }
}

fn was_issued_lately(x: &EventExamination<'_, LogoutTerms>) -> Result<(), Facts> {
    let age = x
        .now
        .since(check_issued(x.claims, x.now, x.terms.leeway)?);
    if age > OLDEST_LOGOUT {
        return Err(Facts::new(
            "an `iat` within the last hour",
            format!("{age} s ago"),
        ));
    }
    Ok(())
}

fn was_issued(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    // No lower bound: a receiver that was away gets its events late.
    check_issued(x.claims, x.now, x.terms.leeway).map(|_| ())
}

fn check_issued(claims: &Claims, now: NumericDate, leeway: Duration) -> Result<NumericDate, Facts> {
    let Some(issued) = claims.issued_at() else {
        return Err(Facts::new("an `iat`", "none"));
    };
    if issued > now.plus(seconds(leeway)) {
        let ahead = issued.since(now);
        return Err(Facts::new(
            "an `iat` that is not in the future",
            format!("{ahead} s ahead"),
        ));
    }
    Ok(issued)
}

fn has_not_expired(x: &EventExamination<'_, LogoutTerms>) -> Result<(), Facts> {
    match x.claims.expires() {
        None if x.terms.accepts_endless => Ok(()),
        None => Err(Facts::new("an `exp`", "none")),
        Some(expires) if x.now >= expires.plus(seconds(x.terms.leeway)) => {
            let age = x.now.since(expires);
            Err(Facts::new("an `exp` in the future", format!("{age} s ago")))
        }
        Some(_) => Ok(()),
    }
}

fn seconds(leeway: Duration) -> i64 {
    i64::try_from(leeway.as_secs()).unwrap_or(i64::MAX)
}

fn has_no_end(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    // An end would make it a token for something (SSF 1.0, section 4.1.7).
    match x.claims.claim("exp") {
        None => Ok(()),
        Some(_) => Err(Facts::new("no `exp` in an event", "one")),
    }
}

fn has_no_outer_subject(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    // A subject would make it an ID token of that subject (SSF 1.0, section 4.1.3).
    match x.claims.claim("sub") {
        None => Ok(()),
        Some(_) => Err(Facts::new("no `sub` in an event", "one")),
    }
}

fn has_events(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    let events = events(x.claims)?;
    for (_, event) in events.iter() {
        if event.as_object().is_none() {
            return Err(Facts::new("an object for each event", event.type_name()));
        }
    }
    Ok(())
}

fn events(claims: &Claims) -> Result<&Object, Facts> {
    let expected = "an object of `events`";
    match claims.claim("events") {
        Some(Json::Object(events)) if !events.is_empty() => Ok(events),
        Some(Json::Object(_)) => Err(Facts::new(expected, "an empty one")),
        Some(other) => Err(Facts::new(expected, other.type_name())),
        None => Err(Facts::new(expected, "none")),
    }
}

fn has_happened(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    // A moment in the future would end tokens that do not exist yet.
    let latest = x.now.plus(seconds(x.terms.leeway));
    for (_, event) in events(x.claims)?.iter() {
        if let Some(happened) = event_time(event, x.terms)?
            && happened > latest
        {
            let found = format!("{} s ahead", happened.since(x.now));
            let expected = "an `event_timestamp` that is not in the future";
            return Err(Facts::new(expected, found));
        }
    }
    Ok(())
}

/// When an event happened, where it says so.
pub(super) fn event_time(event: &Json, terms: &EventTerms) -> Result<Option<NumericDate>, Facts> {
    let value = event
        .as_object()
        .and_then(|event| event.get("event_timestamp"));
    let Some(value) = value else {
        return Ok(None);
    };
    let Some(time) = NumericDate::from_json(value) else {
        return Err(Facts::new(
            "seconds as `event_timestamp`",
            value.type_name(),
        ));
    };
    // Drafts had milliseconds. Seconds of that size are three thousand years away.
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    if terms.profile.has_inner_subject() && time.seconds() >= MILLISECONDS_FROM {
        return Ok(Some(NumericDate::from_seconds(time.seconds() / 1_000)));
    }
    Ok(Some(time))
}

fn has_subject(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    for (_, event) in events(x.claims)?.iter() {
        let subject = subject(x.claims, event, x.terms)?;
        check_critical_members(&subject, &x.terms.critical_members)?;
    }
    Ok(())
}

/// Whom an event is about: what the token says, or, in drafts, what the event says.
pub(super) fn subject(
    claims: &Claims,
    event: &Json,
    terms: &EventTerms,
) -> Result<SubjectId, Facts> {
    let inner = || {
        event
            .as_object()
            .and_then(|event| event.get("subject"))
    };
    let found = match claims.claim("sub_id") {
        Some(outer) => Some(outer),
        None if terms.profile.has_inner_subject() => inner(),
        None => None,
    };
    match found {
        Some(subject) => SubjectId::read(subject, terms.profile),
        // Google's verification is about nobody.
        None if terms.profile.has_inner_subject() => Ok(SubjectId::Other),
        None => Err(Facts::new("a `sub_id`", "none")),
    }
}

/// SSF 1.0, section 7.1: who does not understand a critical member must discard the event.
fn check_critical_members(subject: &SubjectId, critical: &[String]) -> Result<(), Facts> {
    const UNDERSTOOD: [&str; 2] = ["user", "session"];
    for name in critical {
        if !UNDERSTOOD.contains(&name.as_str()) && subject.member(name).is_some() {
            let found = format!("a critical member {}", quote(name));
            return Err(Facts::new(
                "critical members of a subject that are understood",
                found,
            ));
        }
    }
    Ok(())
}

fn is_about_own_subject(x: &EventExamination<'_, EventTerms>) -> Result<(), Facts> {
    // A transmitter must not end sessions of people whom somebody else signs in.
    for (_, event) in events(x.claims)?.iter() {
        let subject = subject(x.claims, event, x.terms)?;
        for found in subject.issuers() {
            let known = &x.terms.subject_issuers;
            if !known.iter().any(|known| known.as_str() == found) {
                let expected = "a subject of an issuer that the transmitter may speak of";
                return Err(Facts::new(expected, quote(found)));
            }
        }
    }
    Ok(())
}
