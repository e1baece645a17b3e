//! What the token says, as people read it.

use super::super::columns::{ColumnPage, list, plain, value};
use super::super::input::{InputPlace, SourceForm};
use super::super::report::{TokenReport, TokenSource};
use crate::clock::{distance, local};
use crate::output::WARNING;
use portcullis_core::jose::json::{Json, Object};
use portcullis_core::token::{Identity, Membership, NumericDate};
use portcullis_resource_server::{TokenContent, TokenForm};

/// The rows about the token: where it was found, whose it is, and how long it is good for.
pub(super) fn add(page: &mut ColumnPage, report: &TokenReport<'_>) {
    let heading = match (report.is_authentic(), report.content.claims.is_some()) {
        (true, _) => "What the token says",
        (false, true) => "What the token says, which is not proven",
        (false, false) => "The token",
    };
    page.part(heading, LABELS, |part| add_rows(part, report));
}

fn add_rows(page: &mut ColumnPage, report: &TokenReport<'_>) {
    add_source(page, &report.source);
    page.row("form", &form(report.content));
    if let Some(identity) = &report.content.identity {
        add_identity(page, identity, report.content);
    }
    if report.content.claims.is_some() {
        add_origin(page, report.content, report.now);
    }
    if let Some(header) = &report.content.header {
        page.row("key", &key(header));
    }
    if let Some(profile) = report.content.profile {
        page.row("profile", profile);
    }
}

/// Wide enough for every label of these rows.
const LABELS: usize = 8;

/// All members of the header and all claims.
pub(super) fn add_members(page: &mut ColumnPage, report: &TokenReport<'_>) {
    let parts = [
        ("Header", &report.content.header),
        ("Claims", &report.content.claims),
    ];
    for (title, object) in parts {
        let Some(object) = object else {
            continue;
        };
        let names = object
            .iter()
            .map(|(name, _)| plain(name).chars().count());
        // One long name must not move all values to the edge.
        let labels = names.max().unwrap_or_default().clamp(LABELS, 24);
        page.part(title, labels, |part| {
            for (name, member) in object.iter() {
                part.row(&plain(name), &describe(name, member, report.now));
            }
        });
    }
}

fn add_source(page: &mut ColumnPage, source: &TokenSource<'_>) {
    let taken = match source.form {
        SourceForm::Token => None,
        SourceForm::Header => Some("the token of an Authorization header"),
        SourceForm::Command => Some("the token in a command line"),
        SourceForm::TokenResponse => Some("the token of a token response"),
        SourceForm::Credential => Some("the token of a credential for kubectl"),
        SourceForm::Address => Some("the token in an address"),
        SourceForm::Text => Some("the first JWT in a text"),
    };
    if let Some(taken) = taken {
        let file = match source.place {
            InputPlace::File(file) => format!(", from {}", plain(&file.to_string_lossy())),
            _ => String::new(),
        };
        page.row("taken", &format!("{taken}{file}"));
    }
    for note in source.notes {
        page.styled_row(WARNING, "note", note);
    }
}

fn form(content: &TokenContent) -> String {
    let form = match content.form {
        // It has the three parts of a signed JWT, and nobody signed it (RFC 7519, section 6).
        TokenForm::SignedJwt if is_unsigned(content) => "a JWT without a signature (`alg` is none)",
        TokenForm::SignedJwt => "a signed JWT",
        TokenForm::EncryptedJwt => "an encrypted JWT: only its recipient can read the claims",
        TokenForm::BrokenJwt => "a part of a JWT",
        TokenForm::Opaque => "an opaque token",
        _ => "no token",
    };
    format!("{form}, {} bytes", content.bytes)
}

fn is_unsigned(content: &TokenContent) -> bool {
    let alg = content
        .header
        .as_ref()
        .and_then(|it| it.get("alg")?.as_str());
    alg.is_some_and(|alg| alg.eq_ignore_ascii_case("none"))
}

fn add_identity(page: &mut ColumnPage, identity: &Identity, content: &TokenContent) {
    page.row("subject", &or_none(identity.subject()));
    // People choose it, so it only helps to recognise them.
    if let Some(name) = content
        .text("name")
        .or(content.text("preferred_username"))
    {
        page.row("name", &plain(name));
    }
    page.row("kind", &identity.kind().to_string());
    page.row("client", &or_none(identity.client()));
    if let Some(tenant) = identity.tenant() {
        page.row("tenant", &plain(tenant));
    }
    page.row("scopes", &list(identity.scopes().iter()));
    page.row("roles", &members(identity.roles()));
    page.row("groups", &members(identity.groups()));
}

fn or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), plain)
}

fn members(names: &Membership) -> String {
    if names.is_unknown() {
        return "unknown: there are more than fit into the token".to_owned();
    }
    list(names.iter())
}

fn add_origin(page: &mut ColumnPage, content: &TokenContent, now: NumericDate) {
    page.row("issuer", &or_none(content.text("iss")));
    page.row("audience", &list(content.audiences()));
    for (claim, label) in [("iat", "issued"), ("nbf", "begins"), ("exp", "expires")] {
        let date = content.date(claim);
        if let Some(date) = date {
            page.row(label, &moment(date, now));
        // A token that never expires is a finding; a missing `nbf` is not.
        } else if claim == "exp" {
            page.row(label, "no readable date");
        }
    }
}

/// A moment in the local zone, and how far away it is.
fn moment(date: NumericDate, now: NumericDate) -> String {
    let distance = distance(date.since(now));
    match local(date.seconds()) {
        Some(moment) => format!("{moment}, {distance}"),
        None => distance,
    }
}

fn key(header: &Object) -> String {
    let member = |name| {
        header
            .get(name)
            .map_or_else(|| format!("no `{name}`"), value)
    };
    let (kid, algorithm) = (member("kid"), member("alg"));
    match header.get("typ") {
        Some(kind) => format!("{kid}, {algorithm}, typ {}", value(kind)),
        None => format!("{kid}, {algorithm}, no `typ`"),
    }
}

/// A member as it is written; dates with what they mean.
fn describe(name: &str, member: &Json, now: NumericDate) -> String {
    let text = value(member);
    let is_date = matches!(name, "exp" | "iat" | "nbf" | "auth_time" | "updated_at");
    match NumericDate::from_json(member) {
        // Without colour: a row is broken by its characters, and an escape sequence has some.
        Some(date) if is_date => format!("{text} ({})", moment(date, now)),
        _ => text,
    }
}
