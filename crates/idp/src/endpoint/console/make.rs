//! The form for a token to order, good or deliberately bad.

use crate::endpoint::console::fields::{TextField, flaw_options, select};
use crate::endpoint::console::page::{MenuPage, go_to, message, ok, page};
use crate::endpoint::dev::making::make_token;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::state::IdpState;
use crate::state::record::keep_token;
use crate::token::kind::FlowToken;
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
    // One page for both: a form that cannot be read, and an order that cannot be made.
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
            let way = "made on the console".to_owned();
            let id = keep_token(&state, made.kind, way, None, &made.token);
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
                (TextField::new("scope", "Scopes", held("scope"))
                    .hint("separated by spaces").example("orders:read").show())
                (TextField::new("roles", "Roles", held("roles"))
                    .hint("in addition to their own").example("Admin").show())
                (TextField::new("audience", "Audience", held("audience"))
                    .default(&state.audience_for(crate::state::USERS_CLIENT)).show())
            }
            fieldset {
                legend { "Token" }
                (select("format", "Kind", held("format"), FORMATS.into_iter()))
                (TextField::new("lifetime", "Lifetime", held("lifetime"))
                    .hint("in seconds")
                    .default(&state.config.access_token_lifetime.to_string()).show())
                (select(
                    "flaw",
                    "Flaw",
                    held("flaw"),
                    flaw_options("none", FlowToken::Access),
                ))
            }
            fieldset.whole {
                legend { "Claims" }
                (TextField::new("claims", "Any claims, as JSON", held("claims"))
                    .hint("Added to the token's own claims, or in their place. null removes one.")
                    .example(r#"{"department": "sales", "email": null}"#).lines(4).show())
            }
            p.actions { button type="submit" { "Make token" } }
        }
    }
}

fn whom(state: &IdpState, held: &str) -> Markup {
    html! {
        label for="user" { "For" }
        select id="user" name="user" {
            optgroup label="Users" { @for (user, _) in state.users.all() {
                option value=(user.username) selected[user.username == held] { (user.username) }
            } }
            optgroup label="Clients" { @for client in state.clients.all() {
                option value=(client.id) selected[client.id == held] { (client.id) }
            } }
        }
    }
}
