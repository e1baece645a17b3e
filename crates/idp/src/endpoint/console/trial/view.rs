//! A trial on its page: the steps so far, and what can be sent next.

use crate::endpoint::console::decode::{colour_parts, member_table, pair_table};
use crate::endpoint::console::fields::TextField;
use crate::endpoint::console::page::{MenuPage, copyable, hidden, message, ok};
use crate::endpoint::console::request::meaning;
use crate::endpoint::console::trial::curl::curl;
use crate::endpoint::console::trial::draft::{
    StepDraft, StepKind, member, next, return_parameter, to_lines,
};
use crate::state::IdpState;
use crate::state::record::decode;
use crate::store::trials::{Trial, TrialRequest, TrialResponse, TrialStep};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

/// The members of an answer that are tokens.
const TOKENS: [(&str, &str); 2] = [("access_token", "Access token"), ("id_token", "ID token")];

pub(crate) fn show_trial(state: &IdpState, trial: &Trial) -> Response {
    let drafts = next(state, trial);
    let content = html! {
        p.lead {
            "Client " strong { (trial.client) }
            @if !trial.user.is_empty() { ", user " strong { (trial.user) } }
            ". " a href="/console/try" { "Try another one" }
        }
        ol.steps {
            @for (place, step) in trial.steps.iter().enumerate() {
                (step_item(state, place + 1, step, place + 1 == trial.steps.len()))
            }
        }
        section aria-labelledby="next" {
            h2 id="next" { "Next" }
            div.drafts { @for (place, draft) in drafts.iter().enumerate() {
                (draft_form(state, trial, place, draft))
            } }
        }
    };
    ok(state, MenuPage::Try, "Try a sign-in", &content)
}

/// A step; of the last one the tokens are open.
fn step_item(state: &IdpState, place: usize, step: &TrialStep, is_last: bool) -> Markup {
    let response = &step.response;
    // A redirect with an error has a good status.
    let failed = response.status.is_none_or(|status| status >= 400) || error(response).is_some();
    html! {
        li.step id={ "step-" (place) } tabindex="-1" {
            h2 {
                span.place { (place) } " " (step.title) " "
                span.tag.bad[failed].good[!failed] {
                    @match response.status { Some(status) => (status), None => "no response" }
                }
            }
            (request_part(state, place, &step.request))
            (response_part(state, response, is_last))
        }
    }
}

fn request_part(state: &IdpState, place: usize, request: &TrialRequest) -> Markup {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let method = if request.form.is_some() {
        "POST"
    } else {
        "GET"
    };
    let sent = match &request.form {
        Some(form) => form.clone(),
        None => form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
    };
    html! {
        p { code { (method) " " (path) } }
        @if let Some((id, _)) = &request.basic {
            p { code { "Authorization: Basic" } ", client " strong { (id) } }
        }
        @if request.bearer.is_some() { p { code { "Authorization: Bearer" } ", the access token" } }
        @if !sent.is_empty() { (pair_table("Request", &sent)) }
        details {
            summary { "Repeat it with curl" }
            (copyable(&format!("curl-{place}"), "the command", &curl(&state.base, request)))
        }
    }
}

fn response_part(state: &IdpState, response: &TrialResponse, is_last: bool) -> Markup {
    // A page or a spoilt answer is no document, and is shown as it is.
    let document: Value = serde_json::from_str(&response.body).unwrap_or_default();
    html! {
        h3 { "Answer" span.quiet { " after " (response.took.as_millis()) " ms" } }
        @if response.status.is_none() {
            p.problem { "Nothing came within twelve seconds. Is a fault switched on?" }
        }
        (refusal(response))
        @if let Some((address, pairs)) = &response.back {
            p { "The browser goes back to " code { (address) } " with:" }
            (pair_table("Redirect", pairs))
        } @else if let Some(location) = &response.location {
            p { "The browser is sent to " code { (location) } "." }
        } @else if document.is_object() {
            pre tabindex="0" role="group" aria-label="Answer" {
                code { (without_tokens(&document)) }
            }
        } @else if response.content_type.starts_with("text/html") && response.status == Some(200) {
            p.quiet { "The provider shows a page." }
        } @else if !response.body.is_empty() && !response.content_type.starts_with("text/html") {
            pre tabindex="0" role="group" aria-label="Answer" { code { (response.body) } }
        }
        @for (name, label) in TOKENS {
            @if let Some(token) = document.get(name).and_then(Value::as_str) {
                (token_part(state, label, token, is_last))
            }
        }
    }
}

/// The document as text. Its tokens stand below, in full.
fn without_tokens(document: &Value) -> String {
    let mut document = document.clone();
    // Twice the same long text would hide what is between.
    for (name, _) in TOKENS {
        if let Some(Value::String(token)) = document.get_mut(name) {
            *token = format!("{}... (below)", token.chars().take(12).collect::<String>());
        }
    }
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// The error of the answer, what it means, and its details.
fn refusal(response: &TrialResponse) -> Markup {
    let Some((error, description)) = error(response) else {
        return html! {};
    };
    html! {
        div.problem {
            @if !error.is_empty() { p { strong { code { (error) } } } }
            @if let Some(meaning) = meaning(&error) { p { (meaning) } }
            @if !description.is_empty() { p { (message(&description)) } }
        }
    }
}

fn error(response: &TrialResponse) -> Option<(String, String)> {
    let document: Value = serde_json::from_str(&response.body).unwrap_or_default();
    let text = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if let Some(error) = text("error") {
        return Some((error, text("error_description").unwrap_or_default()));
    }
    if let Some(error) = return_parameter(response, "error") {
        let description = return_parameter(response, "error_description");
        return Some((error, description.unwrap_or_default()));
    }
    // A page has no member for its reason: the endpoint hands it over beside the response.
    if let Some(reason) = &response.reason {
        return Some((String::new(), reason.clone()));
    }
    let (_, rest) = response.challenge.as_ref()?.split_once("error=\"")?;
    Some((rest.split('"').next()?.to_owned(), String::new()))
}

fn token_part(state: &IdpState, label: &str, token: &str, is_open: bool) -> Markup {
    let now = state.now();
    // Only the provider knows what an opaque token stands for.
    let issued = state.store().access_token(token, now);
    html! {
        details open[is_open] {
            summary { (label) }
            pre tabindex="0" role="group" aria-label=(label) { code { (colour_parts(token)) } }
            @if let Some((header, claims)) = decode(token) {
                h4 { "Header" }
                (member_table(&format!("Header of the {label}"), &header, now))
                h4 { "Claims" }
                (member_table(&format!("Claims of the {label}"), &claims, now))
            } @else if let Some(issued) = issued {
                p { "It is opaque, and stands for these claims:" }
                (member_table(&format!("Claims of the {label}"), &issued.claims, now))
            } @else { p { "It is opaque." } }
        }
    }
}

/// A request to be sent, open to be edited. The first one is the likely one.
fn draft_form(state: &IdpState, trial: &Trial, place: usize, draft: &StepDraft) -> Markup {
    let kind = draft.kind;
    let action = format!("/console/try/{}", trial.id);
    let id = |name: &str| format!("{name}-{}", kind.name());
    let lines = to_lines(&draft.parameters);
    html! {
        form.draft method="post" action=(action) {
            (hidden("step", kind.name()))
            h3 { (kind.title()) }
            @if kind == StepKind::Authorize { (sign_in_fields(state, trial)) }
            details open[place == 0] {
                summary { "Edit the request" }
                @if let Some(token) = &draft.bearer {
                    (TextField::new("token", "Access token", token)
                        .id(&id("token")).lines(4).show())
                } @else {
                    (TextField::new("parameters", "Parameters", &lines).id(&id("parameters"))
                        .hint("one a line, name=value").lines(line_count(&lines)).show())
                }
                @if let Some((client, secret)) = &draft.basic {
                    (hidden("basic_client", client))
                    (TextField::new("secret", &format!("Secret of {client}"), secret)
                        .id(&id("secret")).hint("sent by HTTP Basic").show())
                }
            }
            p.actions { button.quiet[place > 0] type="submit" { (kind.action()) } }
        }
    }
}

/// A field is as high as its text, within reason.
fn line_count(lines: &str) -> u8 {
    u8::try_from(lines.lines().count() + 1)
        .unwrap_or(u8::MAX)
        .clamp(3, 14)
}

fn sign_in_fields(state: &IdpState, trial: &Trial) -> Markup {
    // Known passwords are filled in: they are shown on the page of users anyway.
    let user = state.user(&trial.user);
    let password = user
        .map(|user| user.password.reveal().to_owned())
        .unwrap_or_default();
    // After a refusal the trial begins again, with what was typed.
    let again = member(trial, "error").is_some();
    html! {
        div.pair {
            (TextField::new("username", "Username", &trial.user).show())
            (TextField::new("password", "Password", &password).show())
        }
        p.check {
            input type="checkbox" id="decline" name="decline" value="1";
            label for="decline" { "Decline on the sign-in page" }
        }
        @if again { p.hint { "The first request again, to be corrected." } }
    }
}
