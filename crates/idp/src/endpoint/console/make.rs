//! The form for a token to order, good or deliberately bad.

use crate::endpoint::console::page::{MenuPage, go_to, message, ok, page};
use crate::endpoint::dev::making::{flaws, make_token};
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::state::IdpState;
use crate::state::record::keep_token;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
) -> Response {
    let wanted = Params::parse(&query.unwrap_or_default()).ok();
    ok(
        &state,
        MenuPage::Make,
        "Make a token",
        &form(&state, wanted.as_ref(), None),
    )
}

pub(crate) async fn make(
    State(state): State<Arc<IdpState>>,
    form_sent: Result<PostedForm, OAuthError>,
) -> Response {
    let refused = |wanted: Option<&Params>, error: &OAuthError| {
        let content = form(&state, wanted, Some(&error.description));
        page(
            &state,
            StatusCode::BAD_REQUEST,
            MenuPage::Make,
            "Make a token",
            &content,
        )
    };
    let params = match form_sent {
        Ok(form) => form.params,
        Err(error) => return refused(None, &error),
    };
    match make_token(&state, &params) {
        Ok(made) => {
            let way = match params.find("flaw").filter(|flaw| *flaw != "none") {
                Some(flaw) => format!("made on the console, {flaw}"),
                None => "made on the console".to_owned(),
            };
            let id = keep_token(&state, made.kind, way, params.find("user"), &made.token);
            // Redirected, so that a reload does not make another token.
            go_to(&format!("/console/tokens/{id}"))
        }
        // With the typed values, so that one mistake does not cost the whole form.
        Err(error) => refused(Some(&params), &error),
    }
}

const FORMATS: [(&str, &str); 4] = [
    ("", "access token, in this provider's format"),
    ("jwt", "access token, a JWT"),
    ("opaque", "access token, opaque"),
    ("id-token", "ID token"),
];

fn form(state: &IdpState, wanted: Option<&Params>, problem: Option<&str>) -> Markup {
    let held = |name: &str| {
        wanted
            .and_then(|wanted| wanted.find(name))
            .unwrap_or_default()
    };
    html! {
        p.lead { "For any user or client, with any claims, valid or faulty." }
        @if let Some(problem) = problem { p.problem role="alert" { (message(problem)) } }
        form.making method="post" action="/console/make" {
            fieldset {
                legend { "Subject" }
                (whom(state, held("user")))
                (field("scope", "Scopes", "separated by spaces", held("scope"), "orders:read"))
                (field("roles", "Roles", "in addition to their own", held("roles"), "Admin"))
                (field(
                    "audience",
                    "Audience",
                    "",
                    held("audience"),
                    &state.audience_for(crate::state::USERS_CLIENT),
                ))
            }
            fieldset {
                legend { "Token" }
                (select("format", "Kind", held("format"), FORMATS.into_iter()))
                (field(
                    "lifetime",
                    "Lifetime",
                    "in seconds",
                    held("lifetime"),
                    &state.config.access_token_lifetime.to_string(),
                ))
                (select(
                    "flaw",
                    "Flaw",
                    held("flaw"),
                    [("none", "none")].into_iter().chain(flaws()),
                ))
            }
            fieldset.whole {
                legend { "Claims" }
                label for="claims" { "Any claims, as JSON" }
                p.hint id="claims-hint" {
                    "Added to the token's own claims, or in their place. " code { "null" }
                    " removes a claim."
                }
                textarea id="claims" name="claims" rows="4" spellcheck="false"
                    aria-describedby="claims-hint"
                    placeholder=r#"{"department": "sales", "email": null}"# { (held("claims")) }
            }
            p.actions { button type="submit" { "Make token" } }
        }
    }
}

fn whom(state: &IdpState, held: &str) -> Markup {
    html! {
        label for="user" { "For" }
        select id="user" name="user" {
            optgroup label="Users" { @for user in &state.config.users {
                option value=(user.username) selected[user.username == held] { (user.username) }
            } }
            optgroup label="Clients" { @for client in state.clients.all() {
                option value=(client.id) selected[client.id == held] { (client.id) }
            } }
        }
    }
}

fn field(name: &str, label: &str, hint: &str, held: &str, placeholder: &str) -> Markup {
    let described = (!hint.is_empty()).then(|| format!("{name}-hint"));
    html! {
        label for=(name) { (label) }
        @if let Some(id) = &described { p.hint id=(id) { (hint) } }
        input id=(name) name=(name) value=(held) placeholder=(placeholder) autocomplete="off"
            autocapitalize="none" spellcheck="false" aria-describedby=[described.as_ref()];
    }
}

fn select<'n>(
    name: &str,
    label: &str,
    held: &str,
    options: impl Iterator<Item = (&'n str, &'n str)>,
) -> Markup {
    html! {
        label for=(name) { (label) }
        select id=(name) name=(name) {
            @for (value, told) in options {
                option value=(value) selected[value == held] { (told) }
            }
        }
    }
}
