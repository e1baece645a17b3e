//! The audit record: one line for each decision, as JSON or for people.
//!
//! It says who asked for what, which route decided, and how. A refusal by policy names the verified
//! caller, what was demanded and what the token has. It holds no token, no secret and no query.
//! Each member is cut to a length, and text from outside is escaped. Personal data can be left out.

use super::plain_json;
use crate::decision::policy::{ForwardPermit, RouteDecision};
use crate::decision::time::utc;
use crate::request::caller::Caller;
use crate::request::incoming::IncomingRequest;
use crate::request::trace::Trace;
use aws_lc_rs::hmac;
use portcullis_core::rejection::{Entitlements, RefusedCaller, quote};
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_core::{CodeLinks, Denial};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// Most characters of a member from outside.
const LONGEST: usize = 256;
/// Most characters of a method. Registered ones have at most 17 (RFC 9110, section 16.1), but any
/// token is one.
const LONGEST_METHOD: usize = 32;
/// Most characters of a path.
const LONGEST_PATH: usize = 1_024;

/// The record of a decision. Members without a value are left out.
#[derive(Debug, Serialize)]
pub(crate) struct AuditRecord<'r> {
    pub(crate) time: String,
    pub(crate) request_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<&'r str>,
    /// `allow`, `deny`, `fail`, or `public` if no token was needed.
    pub(crate) outcome: &'static str,
    /// The code of a refusal or an outage, else `ok`.
    pub(crate) code: &'static str,
    /// The page of the code of a refusal or an outage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code_url: Option<String>,
    pub(crate) method: Cow<'r, str>,
    pub(crate) host: &'r str,
    pub(crate) path: Cow<'r, str>,
    pub(crate) route: &'r str,
    /// The caller's address; null where it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<Caller>,
    #[serde(flatten)]
    pub(crate) who: Option<CallerRecord<'r>>,
    /// What the route demands by name, and what the token has of the same kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) required: Option<&'r Entitlements>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) present: Option<&'r Entitlements>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) facts: Option<String>,
    /// The Cedar policies that decided.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) policies: &'r [Box<str>],
    pub(crate) latency_us: u64,
}

/// The caller of a verified token: let through, or refused afterwards. A token that was refused
/// before names nobody, as anybody can write one.
#[derive(Debug, Serialize)]
pub(crate) struct CallerRecord<'r> {
    pub(crate) issuer: Cow<'r, str>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<Cow<'r, str>>,
}

/// How records show the subject of a token.
#[derive(Debug)]
pub(crate) enum SubjectForm {
    Plain,
    /// A keyed hash: each caller has one of its own, and trying out names takes the key.
    Hashed(Box<hmac::Key>),
    Omitted,
}

/// How much personal data records hold.
#[derive(Debug)]
pub(crate) struct Privacy {
    pub(crate) subject: SubjectForm,
    pub(crate) peer: bool,
}

impl<'r> AuditRecord<'r> {
    pub(crate) fn new(
        now: NumericDate,
        request: &'r IncomingRequest<'_>,
        decision: &'r RouteDecision<'_>,
        took: Duration,
        privacy: &Privacy,
        links: &CodeLinks,
    ) -> Self {
        let (outcome, code, facts) = outcome(&decision.permit);
        let refused = decision.permit.is_err();
        let refused_caller = refused_caller(&decision.permit);
        let shortfall = refused_caller.and_then(|caller| caller.shortfall.as_ref());
        Self {
            time: utc(now),
            request_id: request.id,
            trace_id: request.trace.map(Trace::id),
            outcome,
            code,
            code_url: refused.then(|| links.link(code)).flatten(),
            // The parsed host and path, as decided on, and not the client's spelling.
            method: cut(request.method.as_str(), LONGEST_METHOD),
            host: request.target.host.name(),
            path: cut(request.target.path.as_str(), LONGEST_PATH),
            route: &decision.route.name,
            peer: privacy.peer.then_some(request.caller),
            who: caller(&decision.permit, refused_caller, &privacy.subject),
            required: shortfall.map(|it| &it.required),
            present: shortfall.map(|it| &it.present),
            facts: facts.map(|facts| cut_facts(&facts)),
            policies: &decision.policies.determining,
            latency_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// One line of JSON, without characters that a terminal acts on.
    pub(crate) fn json(&self) -> Vec<u8> {
        plain_json::line(self)
    }

    /// One line for people.
    pub(crate) fn text(&self) -> Vec<u8> {
        let Self {
            time,
            outcome,
            code,
            method,
            host,
            route,
            latency_us,
            request_id,
            ..
        } = self;
        let path = self.path.escape_debug();
        let mut line = format!(
            "{time} {outcome:<6} {code:<24} {method} {host} {path} [{route}] {latency_us}us"
        );
        if let Some(who) = &self.who {
            let names = [
                ("subject", &who.subject),
                ("client", &who.client),
                ("tenant", &who.tenant),
            ];
            for (name, value) in names {
                if let Some(value) = value {
                    // Writing to a string cannot fail.
                    _ = write!(line, " {name}={}", quote(value));
                }
            }
        }
        if let Some(peer) = self.peer {
            _ = write!(line, " from {peer}");
        }
        if !self.policies.is_empty() {
            _ = write!(line, " by {}", self.policies.join(", "));
        }
        if let Some(facts) = &self.facts {
            _ = write!(line, ": {}", facts.escape_debug());
        }
        _ = writeln!(line, " ({request_id})");
        line.into_bytes()
    }
}

/// Facts may quote what others wrote.
pub(super) fn cut_facts(facts: &str) -> String {
    cut(facts, 2 * LONGEST).into_owned()
}

impl<'r> CallerRecord<'r> {
    fn of_token(token: &'r AccessToken, form: &SubjectForm) -> Self {
        let (identity, issuer) = (token.identity(), token.issuer().as_str());
        Self {
            issuer: cut(issuer, LONGEST),
            kind: identity.kind().name(),
            subject: shown_subject(issuer, identity.subject(), form),
            client: identity.client().map(cut_name),
            tenant: identity.tenant().map(cut_name),
        }
    }

    fn of_refused(caller: &'r RefusedCaller, form: &SubjectForm) -> Self {
        Self {
            issuer: cut(&caller.issuer, LONGEST),
            kind: caller.kind,
            subject: shown_subject(&caller.issuer, caller.subject.as_deref(), form),
            client: caller.client.as_deref().map(cut_name),
            tenant: caller.tenant.as_deref().map(cut_name),
        }
    }
}

/// The verified caller, permitted or refused.
fn caller<'r>(
    permit: &'r Result<ForwardPermit, Denial>,
    refused: Option<&'r RefusedCaller>,
    form: &SubjectForm,
) -> Option<CallerRecord<'r>> {
    match permit {
        Ok(permit) => Some(CallerRecord::of_token(permit.token()?, form)),
        Err(_) => Some(CallerRecord::of_refused(refused?, form)),
    }
}

fn refused_caller(permit: &Result<ForwardPermit, Denial>) -> Option<&RefusedCaller> {
    match permit {
        Err(Denial::Rejection(rejection)) => rejection.caller(),
        _ => None,
    }
}

/// The subject as the settings want it shown.
fn shown_subject<'r>(
    issuer: &str,
    subject: Option<&'r str>,
    form: &SubjectForm,
) -> Option<Cow<'r, str>> {
    match (subject?, form) {
        (subject, SubjectForm::Plain) => Some(cut(subject, LONGEST)),
        (subject, SubjectForm::Hashed(key)) => Some(hash(key, issuer, subject).into()),
        (_, SubjectForm::Omitted) => None,
    }
}

/// The outcome of a decision, its code, and the facts behind it.
fn outcome(permit: &Result<ForwardPermit, Denial>) -> (&'static str, &'static str, Option<String>) {
    match permit {
        Ok(permit) if permit.token().is_some() => ("allow", "ok", None),
        Ok(_) => ("public", "ok", None),
        Err(Denial::Rejection(rejection)) => {
            let code = rejection.code().entry().code;
            let facts = rejection.facts();
            if facts.is_empty() {
                return ("deny", code, None);
            }
            ("deny", code, Some(facts.to_string()))
        }
        Err(Denial::Outage(outage)) => {
            let facts = outage.facts().to_owned();
            ("fail", outage.code().as_str(), Some(facts))
        }
    }
}

/// The keyed hash of a subject, in 32 digits.
fn hash(key: &hmac::Key, issuer: &str, subject: &str) -> String {
    // With its issuer: two issuers may give the same subject to different people.
    let tag = hmac::sign(key, format!("{issuer}\n{subject}").as_bytes());
    let mut text = String::with_capacity(32);
    // Half of the tag is as short as RFC 2104, section 5, lets it be, and shortens each line.
    for byte in tag.as_ref().iter().take(16) {
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}

fn cut_name(text: &str) -> Cow<'_, str> {
    cut(text, LONGEST)
}

fn cut(text: &str, most: usize) -> Cow<'_, str> {
    // A text never has more characters than bytes, so most texts need not be counted.
    if text.len() <= most {
        return text.into();
    }
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::page_tests;
    use std::net::Ipv4Addr;

    /// Every member has a value: a new one has to be written here, and so on the page.
    #[test]
    fn the_page_lists_every_member() {
        let present = Entitlements::default();
        let record = AuditRecord {
            time: String::new(),
            request_id: "",
            trace_id: Some(""),
            outcome: "deny",
            code: "",
            code_url: Some(String::new()),
            method: "".into(),
            host: "",
            path: "".into(),
            route: "",
            peer: Some(Caller::Direct(Ipv4Addr::LOCALHOST.into())),
            who: Some(CallerRecord {
                issuer: "".into(),
                kind: "",
                subject: Some("".into()),
                client: Some("".into()),
                tenant: Some("".into()),
            }),
            required: Some(&present),
            present: Some(&present),
            facts: Some(String::new()),
            policies: &["".into()],
            latency_us: 0,
        };
        let listed = page_tests::members("**A decision** has these members");
        assert_eq!(listed, page_tests::read_members(&record.json()));
    }

    #[test]
    fn members_are_bounded() {
        assert_eq!(cut("\u{e9}\u{e9}", 1), "\u{e9}...");
        assert_eq!(cut("ab", 2), "ab");
    }

    #[test]
    fn a_hash_depends_on_key_issuer_and_subject() {
        let key = |byte: u8| hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]);
        let hash = |byte, issuer, subject| hash(&key(byte), issuer, subject);
        assert_eq!(hash(1, "i", "s"), hash(1, "i", "s"));
        assert_eq!(hash(1, "i", "s").len(), 32);
        for other in [hash(2, "i", "s"), hash(1, "j", "s"), hash(1, "i", "t")] {
            assert_ne!(hash(1, "i", "s"), other);
        }
    }
}
