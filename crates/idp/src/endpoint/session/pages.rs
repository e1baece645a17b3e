//! The pages for people: sign-in, consent, confirmation, errors. No script, and nothing from
//! elsewhere.

use crate::config::user::User;
use crate::endpoint::client::mismatch::{Mismatch, RefusalReason, SettingsCure};
use crate::endpoint::gate::marks::Reason;
use crate::state::IdpState;
use aws_lc_rs::digest;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// How many users have a button.
const MOST_BUTTONS: usize = 8;

/// The request that a user consents to by signing in.
pub(crate) struct ConsentRequest<'a> {
    pub(crate) client: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) scope: &'a str,
    /// Where the form goes.
    pub(crate) action: &'a str,
    /// The user code of the device.
    pub(crate) user_code: Option<&'a str>,
    /// The name that was typed with a wrong password.
    pub(crate) username: Option<&'a str>,
}

/// The page on which a user signs in.
pub(crate) fn page(
    state: &IdpState,
    request: &ConsentRequest<'_>,
    problem: Option<&str>,
) -> Response {
    let scopes = request
        .scope
        .split(' ')
        .filter(|scope| !scope.is_empty());
    let body = html! {
        h1 { "Sign in" }
        p.ask {
            strong { (request.client) } " asks for access to " strong { (request.audience) }
        }
        ul.scopes aria-label="Scopes" { @for scope in scopes { li { (scope) } } }
        // A link may come from an attacker (RFC 8628, section 5.4).
        @if let Some(code) = request.user_code {
            p.ask {
                "The code is " strong { (code) }
                ". Continue only if your own device shows it."
            }
        }
        (problem_paragraph(problem))
        (buttons(state, request))
        form method="post" action=(request.action) {
            (user_code_field(request))
            label for="username" { "Username" }
            input id="username" name="username" autocomplete="username" autocapitalize="none"
                spellcheck="false" value=(request.username.unwrap_or_default()) required;
            label for="password" { "Password" }
            input id="password" name="password" type="password" autocomplete="current-password"
                required;
            button type="submit" { "Sign in" }
            button.quiet type="submit" name="cancel" value="1" formnovalidate { "Cancel" }
        }
        (password_hint(state))
    };
    let status = match problem {
        Some(_) => StatusCode::UNAUTHORIZED,
        None => StatusCode::OK,
    };
    let reason = problem.map(Reason::new);
    with_reason(show(status, "Sign in", &body), reason)
}

/// One press signs in as a known user. A form of its own: in the other one, Enter would press the
/// first of these buttons.
fn buttons(state: &IdpState, request: &ConsentRequest<'_>) -> Markup {
    // In the order of the settings, which is that of the documents.
    let users = state.users.all();
    html! {
        // Without the console nobody is told the passwords, so nobody is let in without one.
        @if state.config.console && !users.is_empty() {
            form.people method="post" action=(request.action) {
                (user_code_field(request))
                h2 id="people" { "Sign in as" }
                ul aria-labelledby="people" { @for (user, _) in users.iter().take(MOST_BUTTONS) {
                    li { button type="submit" name="as" value=(user.username) {
                        span {
                            @if user.name.is_empty() { (user.username) } @else { (user.name) }
                        }
                        " " span.soft {
                            (user.username)
                            @for role in &user.roles { " · " (role) }
                        }
                    } }
                } }
            }
            p.or { span { "or with a password" } }
        }
    }
}

/// Where the passwords are, as far as everybody may know.
fn password_hint(state: &IdpState) -> Markup {
    let users = state.users.all();
    let is_default = |user: &User| user.password.is(&user.username);
    html! {
        @if users.iter().all(|(user, _)| is_default(user)) {
            p.hint { "The password is the username." }
        } @else if state.config.console {
            p.hint { "The console shows the " a href="/console/users" { "passwords" } "." }
        } @else {
            p.hint { "The passwords are in the settings." }
        }
    }
}

fn user_code_field(request: &ConsentRequest<'_>) -> Markup {
    html! {
        @if let Some(code) = request.user_code {
            input type="hidden" name="user_code" value=(code);
        }
    }
}

/// The page that asks for the code on a device.
pub(crate) fn code_page(problem: Option<&str>) -> Response {
    let body = html! {
        h1 { "Connect a device" }
        (problem_paragraph(problem))
        form method="get" action="/device" {
            label for="user_code" { "Code on your device" }
            input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters"
                spellcheck="false" required autofocus;
            button type="submit" { "Continue" }
        }
    };
    let status = match problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    with_reason(
        show(status, "Connect a device", &body),
        problem.map(Reason::new),
    )
}

/// A page that asks for confirmation; the form goes to `action`, with these fields.
pub(crate) fn confirm_page(
    title: &str,
    question: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> Response {
    let body = html! {
        h1 { (title) }
        p.ask { (question) }
        form method="post" action=(action) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button type="submit" name="confirm" value="1" { (title) }
        }
    };
    show(StatusCode::OK, title, &body)
}

/// A form that goes to the client by itself, or by its button where there is no script.
pub(crate) fn form_post_page(address: &str, pairs: &[(&str, &str)]) -> Response {
    const SCRIPT: &str = "document.forms[0].submit()";
    // By its digest alone: no other script runs on this page. That holds for `javascript:` too,
    // which a client without checks may send as its address.
    let digest = digest::digest(&digest::SHA256, SCRIPT.as_bytes());
    let body = html! {
        h1 { "Signed in" }
        form method="post" action=(address) {
            @for (name, value) in pairs { input type="hidden" name=(name) value=(value); }
            button type="submit" { "Continue" }
        }
        script { (PreEscaped(SCRIPT)) }
    };
    let script = format!("; script-src 'sha256-{}'", STANDARD.encode(digest.as_ref()));
    show_with(StatusCode::OK, "Continue", &body, &script)
}

/// A page with a result.
pub(crate) fn message_page(title: &str, message: &str) -> Response {
    let body = html! { h1 { (title) } p.ask { (message) } };
    show(StatusCode::OK, title, &body)
}

/// The error page, for requests whose errors cannot go to the client.
pub(crate) fn error_page(state: &IdpState, reason: &RefusalReason) -> Response {
    let body = html! {
        h1 { "Invalid request" }
        @match reason {
            RefusalReason::Words(words) => p.problem role="alert" { (with_code(words)) },
            RefusalReason::Mismatch(mismatch) => (sides(state, mismatch)),
        }
        p.hint {
            "Nothing was sent to the application: its address is not known to be right."
            @if state.config.console {
                " " a href="/console/requests" { "See the request" } "."
            }
        }
    };
    // Addresses are long.
    let body = html! { div.broad { (body) } };
    let response = show(StatusCode::BAD_REQUEST, "Error", &body);
    with_reason(response, Some(Reason::new(&reason.sentence())))
}

/// What was sent, what is registered, and what would register it.
fn sides(state: &IdpState, mismatch: &Mismatch) -> Markup {
    html! {
        p.problem role="alert" {
            code { (mismatch.parameter) } " is "
            @if mismatch.sent.is_none() { "missing" } @else { "not registered" }
        }
        dl.sides {
            dt { "Sent" }
            dd {
                @if let Some(sent) = &mismatch.sent { code { (sent) } } @else { "nothing" }
            }
            dt { "Expected" }
            dd {
                (with_code(&mismatch.expected))
                @if mismatch.parameter == "redirect_uri" {
                    ", character by character; the port is free on loopback"
                }
            }
            dt { "Registered" }
            dd {
                @if mismatch.registered.is_empty() { "nothing" }
                @else { ul { @for value in &mismatch.registered { li { code { (value) } } } } }
            }
        }
        @if let Some(cure) = &mismatch.cure {
            h2 { "To register it" }
            p.ask { "In the settings of this provider:" }
            pre tabindex="0" role="group" aria-label="Settings" { code { (cure.toml()) } }
            @if state.config.console {
                p.ask { a href=(form_address(cure)) { "Or register it on the console" } }
            }
        }
    }
}

/// The console's form for the client, with the value filled in.
fn form_address(cure: &SettingsCure) -> String {
    // Both values come from the request, so they are encoded: an `&` must not add a field.
    // The form shows the value; nothing is registered by following a link.
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("id", &cure.client)
        .append_pair(&format!("add_{}", cure.member), &cure.value)
        .finish();
    format!("/console/clients/edit?{query}")
}

fn problem_paragraph(problem: Option<&str>) -> Markup {
    html! { @if let Some(problem) = problem { p.problem role="alert" { (problem) } } }
}

/// A text in which names stand between backticks.
fn with_code(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

fn with_reason(mut response: Response, reason: Option<Reason>) -> Response {
    if let Some(reason) = reason {
        response.extensions_mut().insert(reason);
    }
    response
}

fn show(status: StatusCode, title: &str, body: &Markup) -> Response {
    show_with(status, title, body, "")
}

/// A page with more in its policy.
fn show_with(status: StatusCode, title: &str, body: &Markup, more: &str) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " - development identity provider" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.loud {
                    strong { "Development identity provider." }
                    " Known passwords: never for production."
                }
                main { (body) }
            }
        }
    };
    // Browsers hold the form's redirect to this policy as well, so it names no target for forms.
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors \
         'none'{more}"
    );
    let headers = [
        // Pages show codes and scopes, and a cached form could be sent twice.
        (CACHE_CONTROL, "no-store".to_owned()),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (status, headers, Html(page.into_string())).into_response()
}

const STYLE: &str = concat!(include_str!("../palette.css"), include_str!("login.css"));
