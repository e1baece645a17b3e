//! The explanation of a request for people: the verdict first, then what led to it.

use super::columns::{ColumnPage, fit, plain};
use super::request::RoutePlace;
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, escape_text, paint};
use anstyle::Style;
use http::StatusCode;
use portcullis_core::Requirement;
use portcullis_core::policy::DemandStep;
use portcullis_core::rejection::quote;
use portcullis_core::token::{AccessToken, Kind};
use portcullis_core::verify::Outcome;
use portcullis_gateway::{
    Access, CertificateExplanation, ForwardExplanation, RequestExplanation, RequestVerdict,
    RouteExplanation, VerdictKind,
};
use portcullis_resource_server::Explanation;

/// Wide enough for every label.
const LABELS: usize = 9;

pub(super) fn page(
    explanation: &RequestExplanation,
    place: &RoutePlace<'_>,
    width: usize,
) -> String {
    let mut page = ColumnPage::new(width, LABELS);
    title(&mut page, explanation);
    page.gap();
    request(&mut page, explanation, place);
    if let Some(certificate) = &explanation.certificate {
        page.row("", &describe_certificate(certificate));
    }
    if let Some(route) = &explanation.route {
        self::route(&mut page, route, place);
    }
    if let Some(resource) = &explanation.resource {
        page.row("resource", &resource.url);
        page.row("", &format!("metadata at {}", resource.metadata_url));
    }
    if explanation.needs_token {
        token(&mut page, explanation, place);
    }
    if let Some(caller) = &explanation.caller {
        self::caller(&mut page, caller);
    }
    policies(&mut page, explanation);
    demands(&mut page, explanation);
    verdict(&mut page, explanation);
    page.gap();
    page.into_text()
}

fn title(page: &mut ColumnPage, explanation: &RequestExplanation) {
    let verdict = &explanation.verdict;
    let code = verdict.code.unwrap_or_default();
    let status = verdict.status.unwrap_or_default();
    let (style, text) = match verdict.kind {
        VerdictKind::Forwarded => (GOOD, "forwarded".to_owned()),
        VerdictKind::Answered => (GOOD, "answered by the gateway itself".to_owned()),
        VerdictKind::Refused => (BAD, format!("refused: {status} {code}")),
        _ => (WARNING, format!("undecided: {status} {code}")),
    };
    let text = paint(style, &text);
    page.line(&format!("\n  {} {text}", paint(STRONG, "This request is")));
}

fn request(page: &mut ColumnPage, explanation: &RequestExplanation, place: &RoutePlace<'_>) {
    let method = explanation.method.escape_debug();
    match (&explanation.path, &explanation.host) {
        (Some(path), Some(host)) => {
            page.row("request", &format!("{method} {}", plain(path)));
            let assumed = match place.host_is_assumed {
                true => " (assumed; `--host` names another)",
                false => "",
            };
            page.row("host", &format!("{}{assumed}", plain(host)));
        }
        _ => page.row(
            "request",
            &format!("{method}, with a path or host that cannot be read"),
        ),
    }
}

/// Only the hash of a certificate decides, and the token names it in the same letters.
fn describe_certificate(certificate: &CertificateExplanation) -> String {
    let header = &certificate.header;
    match (&certificate.thumbprint, &certificate.fault) {
        (Some(thumbprint), _) => format!("client certificate {thumbprint}, by `{header}`"),
        (None, Some(fault)) => format!("no client certificate: `{header}` holds {fault}"),
        (None, None) => format!("no client certificate: no `{header}`"),
    }
}

fn route(page: &mut ColumnPage, route: &RouteExplanation, place: &RoutePlace<'_>) {
    let file = place.file.display();
    let line = match place.line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_string(),
    };
    let stands = match route.index {
        // A route without a name is called by its place already.
        Some(_) if route.name.starts_with("route[") => format!("{}, {line}", route.name),
        Some(index) => format!("{}: route[{index}], {line}", route.name),
        // The default is safe: a valid token is demanded there too.
        None => "default: no route matches".to_owned(),
    };
    page.row("route", &stands);
    if route.index.is_some() {
        let methods = any_or(&route.methods, "any method");
        let hosts = any_or(&route.hosts, "any host");
        page.row("", &format!("{} for {methods}, {hosts}", route.path));
    }
    // The usual surprise: the route exists, and the request misses it by its method or host.
    for near in &route.near {
        let text = format!("`{near}` has this path, for another method or host");
        page.row("", &text);
    }
    page.row("demands", describe(&route.access));
}

fn describe(access: &Access) -> &'static str {
    match access {
        Access::Public => "nothing: it is public",
        Access::Required(Requirement::ValidToken) => "a valid token",
        Access::Optional(Requirement::ValidToken) => "a valid token, if there is one",
        Access::Required(_) => "a valid token that has what is listed below",
        Access::Optional(_) => "of a token, if there is one: what is listed below",
    }
}

fn any_or(listed: &[String], any: &str) -> String {
    match listed {
        [] => any.to_owned(),
        listed => listed.join(", "),
    }
}

fn token(page: &mut ColumnPage, explanation: &RequestExplanation, place: &RoutePlace<'_>) {
    let Some(token) = &explanation.token else {
        page.styled_row(BAD, "token", "none");
        return;
    };
    let passed = token
        .steps
        .iter()
        .filter(|it| it.outcome == Outcome::Pass);
    let passed = passed.count();
    match token.first_obstacle() {
        None => page.row("token", &format!("good: {passed} checks passed")),
        // The checks that passed say nothing about the refusal.
        Some(_) => obstacles(page, token),
    }
    if place.is_offline {
        page.row(
            "",
            "revocation and introspection: not asked, as `--jwks` says",
        );
    }
    if let Some(hint) = &token.hint {
        page.styled_row(STRONG, "hint", hint);
    }
}

/// The checks that did not pass.
fn obstacles(page: &mut ColumnPage, token: &Explanation) {
    let mut label = "token";
    for step in &token.steps {
        let style = match step.outcome {
            Outcome::Fail => BAD,
            Outcome::Unknown => WARNING,
            _ => continue,
        };
        let text = format!(
            "{}: expected {}, found {}",
            step.name, step.expected, step.found
        );
        page.styled_row(style, label, &text);
        label = "";
    }
}

fn caller(page: &mut ColumnPage, token: &AccessToken) {
    let identity = token.identity();
    let kind = match identity.kind() {
        Kind::User => "user",
        Kind::Application => "application",
        Kind::Unknown => "caller of unknown kind",
    };
    let subject = identity
        .subject()
        .map_or("no subject".to_owned(), quote);
    let client = identity.client().map_or("no client".to_owned(), quote);
    page.row("caller", &format!("{kind} {subject}, by client {client}"));
    page.row("", &members("scopes", identity.scopes().iter()));
    match identity.roles().is_unknown() {
        true => page.row("", "more roles than fit into the token"),
        false => page.row("", &members("roles", identity.roles().iter())),
    }
}

fn members<'t>(word: &str, names: impl Iterator<Item = &'t str>) -> String {
    let names: Vec<String> = names.map(quote).collect();
    match &*names {
        [] => format!("no {word}"),
        names => format!("{word} {}", names.join(" ")),
    }
}

fn policies(page: &mut ColumnPage, explanation: &RequestExplanation) {
    if !explanation.policies.is_empty() {
        let names = explanation.policies.join(", ");
        page.row("policies", &format!("decided by {names}"));
    }
    for (policy, reason) in &explanation.failed_policies {
        let text = format!("`{policy}` cannot be evaluated: {reason}");
        page.styled_row(WARNING, "policies", &text);
    }
}

/// What is demanded, beside what the token has.
fn demands(page: &mut ColumnPage, explanation: &RequestExplanation) {
    let access = explanation.route.as_ref().map(|route| &route.access);
    // A valid token is demanded by the checks of the token.
    let is_plain = matches!(
        access,
        Some(
            Access::Public
                | Access::Required(Requirement::ValidToken)
                | Access::Optional(Requirement::ValidToken)
        )
    );
    if is_plain || explanation.demands.is_empty() {
        return;
    }
    let is_known = explanation.caller.is_some();
    page.gap();
    let width = explanation.demands.iter().map(columns).max();
    let width = width.unwrap_or_default().min(WIDEST);
    for step in &explanation.demands {
        page.line(&demand(step, width, is_known, page.width()));
    }
}

/// The widest that the column of demands becomes.
const WIDEST: usize = 40;

fn columns(step: &DemandStep) -> usize {
    2 * step.depth + step.demand.chars().count()
}

fn demand(step: &DemandStep, width: usize, is_known: bool, page_width: usize) -> String {
    let (style, mark) = match step.met {
        Some(true) => (GOOD, "ok"),
        Some(false) => (BAD, "no"),
        // With a caller, an open demand could not be decided; without one, it was not reached.
        None if is_known => (WARNING, "??"),
        None => (QUIET, "--"),
    };
    let indent = 2 * step.depth;
    let text = format!("{:indent$}{}", "", step.demand);
    // Two columns of margin, the mark, two of space, the demand, and two of space.
    let found = fit(&step.found, 2 + 2 + 2 + width + 2, page_width);
    let line = format!("  {}  {text:<width$}  {found}", paint(style, mark));
    line.trim_end().to_owned()
}

fn verdict(page: &mut ColumnPage, explanation: &RequestExplanation) {
    let verdict = &explanation.verdict;
    match &verdict.forward {
        Some(forward) => forwarding(page, forward),
        None => refusal(page, explanation),
    }
    if let Some(status) = verdict.status {
        response(page, verdict, status);
    }
}

fn forwarding(page: &mut ColumnPage, forward: &ForwardExplanation) {
    page.gap();
    let to = match (&forward.upstream, &forward.target) {
        (Some(upstream), Some(target)) => format!("{target} at {upstream}"),
        // A proxy that asks by forward_auth or ext_authz sends the request on by itself.
        _ => "by the program that asks".to_owned(),
    };
    page.styled_row(GOOD, "forward", &to);
    let told = match &*forward.identity_headers {
        [] => "no headers about the caller".to_owned(),
        names => format!("with {}", names.join(", ")),
    };
    page.row("", &told);
}

fn refusal(page: &mut ColumnPage, explanation: &RequestExplanation) {
    let verdict = &explanation.verdict;
    let (Some(_), Some(cure)) = (verdict.code, verdict.cure) else {
        return;
    };
    page.gap();
    page.styled_row(STRONG, "why", &why(verdict));
    page.styled_row(STRONG, "help", cure);
    let who: Vec<String> = verdict
        .parties
        .iter()
        .map(ToString::to_string)
        .collect();
    page.styled_row(STRONG, "who", &who.join("; "));
    // An outage hides whether the request would pass: what is known of it is told.
    if verdict.kind == VerdictKind::Undecided && explanation.caller.is_some() {
        let mut top = explanation.demands.iter().filter(|it| it.depth == 0);
        let text = match top.all(|it| it.met == Some(true)) {
            true => "apart from the outage, the token meets what is demanded",
            false => "apart from the outage, the token does not meet what is demanded",
        };
        page.row("besides", text);
    }
}

/// The reason. Facts about a token and its permissions stand above already.
fn why(verdict: &RequestVerdict) -> String {
    let code = verdict.code.unwrap_or_default();
    // The request's own faults have facts that no other row of the page has.
    let is_told = ["credential.", "token.", "proof.", "policy."]
        .iter()
        .any(|family| code.starts_with(family));
    let (phrase, facts) = (verdict.phrase, &*verdict.facts);
    match is_told || facts == phrase || facts.is_empty() {
        true => phrase.to_owned(),
        false => format!("{phrase}: {facts}"),
    }
}

/// The head of the response, as the client gets it.
fn response(page: &mut ColumnPage, verdict: &RequestVerdict, status: u16) {
    let reason = StatusCode::from_u16(status).ok();
    let reason = reason
        .and_then(|it| it.canonical_reason())
        .unwrap_or("");
    page.gap();
    page.line(&line(QUIET, &format!("HTTP/1.1 {status} {reason}")));
    for (name, value) in &verdict.headers {
        // In full, as it is compared with a real response; a value may repeat the request.
        let value = escape_text(&String::from_utf8_lossy(value.as_bytes()));
        page.line(&line(QUIET, &format!("{name}: {value}")));
    }
}

fn line(style: Style, text: &str) -> String {
    format!("  {}", paint(style, text))
}
