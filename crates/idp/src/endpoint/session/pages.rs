//! The pages for people: sign-in, consent, confirmation, errors. No script, and nothing from
//! elsewhere.

use crate::state::IdpState;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{Html, IntoResponse as _, Response};

/// The request that a user consents to by signing in.
pub(crate) struct ConsentRequest<'a> {
    pub(crate) client: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) scope: &'a str,
    /// Where the form goes.
    pub(crate) action: &'a str,
    /// The user code of the device.
    pub(crate) user_code: Option<&'a str>,
}

/// The hidden field of a device's code, and a warning to compare it (RFC 8628, section 5.4).
fn device(code: &str) -> (String, String) {
    let code = escape(code);
    let field = format!("<input type=\"hidden\" name=\"user_code\" value=\"{code}\">");
    let warning = format!(
        "<p class=\"ask\">The code is <strong>{code}</strong>. Continue only if your own \
            device shows it.</p>"
    );
    (field, warning)
}

/// The page on which a user signs in.
pub(crate) fn page(
    state: &IdpState,
    request: &ConsentRequest<'_>,
    problem: Option<&str>,
) -> Response {
    let users: Vec<String> = state
        .config
        .users
        .iter()
        .map(|user| escape(&user.username))
        .collect();
    let problem = problem_paragraph(problem);
    let (user_code, warning) = request.user_code.map(device).unwrap_or_default();
    let scopes: String = request
        .scope
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(|scope| format!("<li>{}</li>", escape(scope)))
        .collect();
    let body = format!(
        "<h1>Sign in</h1>\
         <p class=\"ask\"><strong>{client}</strong> asks for access to \
         <strong>{audience}</strong></p>\
         <ul class=\"scopes\" aria-label=\"Scopes\">{scopes}</ul>\
         {warning}{problem}\
         <form method=\"post\" action=\"{action}\">{user_code}\
         <label for=\"username\">Username</label>\
         <input id=\"username\" name=\"username\" autocomplete=\"username\" \
         autocapitalize=\"none\" required autofocus>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" \
         autocomplete=\"current-password\" required>\
         <button type=\"submit\">Sign in</button>\
         <button type=\"submit\" class=\"quiet\" name=\"cancel\" value=\"1\" \
         formnovalidate>Cancel</button>\
         </form>\
         <p class=\"hint\">Users: {users}. By default, the password is the username.</p>",
        client = escape(request.client),
        audience = escape(request.audience),
        action = escape(request.action),
        users = users.join(", "),
    );
    // Browsers hold the form's redirect to this policy as well, so it names no target for forms.
    let status = if problem.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    };
    html(status, "Sign in", &body)
}

/// The page that asks for the code on a device.
pub(crate) fn code_page(problem: Option<&str>) -> Response {
    let body = format!(
        "<h1>Connect a device</h1>{problem}\
         <form method=\"get\" action=\"/device\">\
         <label for=\"user_code\">Code on your device</label>\
         <input id=\"user_code\" name=\"user_code\" autocomplete=\"off\" \
         autocapitalize=\"characters\" \
         spellcheck=\"false\" required autofocus>\
         <button type=\"submit\">Continue</button></form>",
        problem = problem_paragraph(problem),
    );
    html(
        if problem.is_some() {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        },
        "Connect a device",
        &body,
    )
}

/// A page that asks for confirmation; the form goes to `action`, with these fields.
pub(crate) fn confirm_page(
    title: &str,
    question: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> Response {
    let hidden = |(name, value): &(&str, &str)| {
        format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escape(name),
            escape(value)
        )
    };
    let body = format!(
        "<h1>{title}</h1><p class=\"ask\">{question}</p>\
         <form method=\"post\" action=\"{action}\">{fields}\
         <button type=\"submit\" name=\"confirm\" value=\"1\">{title}</button></form>",
        title = escape(title),
        question = escape(question),
        action = escape(action),
        fields = fields.iter().map(hidden).collect::<String>(),
    );
    html(StatusCode::OK, title, &body)
}

/// A page with a result.
pub(crate) fn message_page(title: &str, message: &str) -> Response {
    let body = format!(
        "<h1>{}</h1><p class=\"ask\">{}</p>",
        escape(title),
        escape(message)
    );
    html(StatusCode::OK, title, &body)
}

/// The error page, for requests whose errors cannot go to the client.
pub(crate) fn error_page(message: &str) -> Response {
    let body = format!(
        "<h1>Invalid request</h1><p class=\"problem\" role=\"alert\">{}</p>\
         <p class=\"hint\">Nothing was sent to the application. Compare the client's settings with \
         those of this identity provider.</p>",
        escape(message)
    );
    html(StatusCode::BAD_REQUEST, "Error", &body)
}

fn problem_paragraph(problem: Option<&str>) -> String {
    problem
        .map(|text| format!("<p class=\"problem\" role=\"alert\">{}</p>", escape(text)))
        .unwrap_or_default()
}

fn html(status: StatusCode, title: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} - development identity provider</title><style>{STYLE}</style></head>\
         <body><header class=\"loud\"><strong>Development identity provider.</strong> Known \
         passwords: never for production.</header>\
         <main>{body}</main></body></html>"
    );
    let headers = [
        // Pages show codes and scopes, and a cached form could be sent twice.
        (CACHE_CONTROL, "no-store"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors \
                'none'",
        ),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(page)).into_response()
}

fn escape(text: &str) -> String {
    // The ampersand first: the other entities have one.
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

const STYLE: &str = concat!(include_str!("../palette.css"), include_str!("login.css"));
