//! The form that a trial begins with.

use crate::config::client::RegisteredClient;
use crate::endpoint::console::fields::{TextField, select};
use crate::endpoint::console::page::{MenuPage, go_to, message, page};
use crate::endpoint::console::time;
use crate::endpoint::console::trial::draft::pair;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::endpoint::token::grant_types::DEVICE_CODE;
use crate::state::IdpState;
use crate::store::trials::Trial;
use crate::token::encoding::{random_text, sha256};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

const GRANTS: [(&str, &str); 3] = [
    (
        "authorization_code",
        "Authorization code: a person in a browser",
    ),
    (
        "client_credentials",
        "Client credentials: the client for itself",
    ),
    (DEVICE_CODE, "Device code: a person at another device"),
];

const PROMPTS: [(&str, &str); 4] = [
    ("", "not sent"),
    ("none", "none: only if somebody is signed in"),
    ("login", "login"),
    ("consent", "consent"),
];

const MODES: [(&str, &str); 4] = [
    ("", "not sent"),
    ("query", "query"),
    ("fragment", "fragment"),
    ("form_post", "form_post"),
];

/// No username has only a space.
const BY_HAND: &str = " ";

const PKCE: [(&str, &str); 2] = [("", "on: S256"), ("off", "off")];

pub(crate) async fn show(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
) -> Response {
    let values = Params::parse(&query.unwrap_or_default()).unwrap_or_default();
    form(&state, &values, None)
}

pub(crate) async fn begin(
    State(state): State<Arc<IdpState>>,
    sent: Result<PostedForm, OAuthError>,
) -> Response {
    let params = match sent {
        Ok(form) => form.params,
        Err(error) => return form(&state, &Params::default(), Some(&error.description)),
    };
    let id = params.find("client").unwrap_or_default();
    let Some(client) = state.client(id) else {
        return form(&state, &params, Some("`client`: expected a known client"));
    };
    let trial = plan(&state, &params, &client);
    let id = state.trials().add(trial);
    go_to(&format!("/console/try/{id}"))
}

/// The trial, with the parameters of its first request.
fn plan(state: &IdpState, params: &Params, client: &RegisteredClient) -> Trial {
    let grant = params.find("grant").unwrap_or("authorization_code");
    // Everything that the client may ask for, to see all of it in the tokens.
    let scopes = client.scopes.join(" ");
    let openid = format!("openid profile email {scopes}");
    let default = if grant == "client_credentials" {
        &scopes
    } else {
        &openid
    };
    let mut first = vec![pair(
        "scope",
        params.find("scope").unwrap_or(default.trim()),
    )];
    // The same name as in the form.
    for name in ["audience", "resource"] {
        first.extend(params.find(name).map(|value| pair(name, value)));
    }
    let mut verifier = None;
    match grant {
        "authorization_code" => {
            verifier = (params.find("pkce") != Some("off")).then(|| random_text(32));
            // In the order in which the RFC names them.
            first.splice(0..0, code_request(params, client));
            add_options(&mut first, params);
            if let Some(verifier) = &verifier {
                first.push(pair("code_challenge", &sha256(verifier.as_bytes())));
                first.push(pair("code_challenge_method", "S256"));
            }
        }
        "client_credentials" => first.insert(0, pair("grant_type", grant)),
        _ => {}
    }
    Trial {
        at: state.now(),
        client: client.id.clone(),
        user: params
            .find("user")
            .unwrap_or_default()
            .trim()
            .to_owned(),
        grant: grant.to_owned(),
        verifier,
        first,
        ..Trial::default()
    }
}

fn code_request(params: &Params, client: &RegisteredClient) -> [(String, String); 3] {
    let registered = client.redirect_uris.first().map(String::as_str);
    let redirect_uri = params.find("redirect_uri").or(registered);
    [
        pair("response_type", "code"),
        pair("client_id", &client.id),
        pair(
            "redirect_uri",
            redirect_uri.unwrap_or("http://localhost:3000/callback"),
        ),
    ]
}

fn add_options(first: &mut Vec<(String, String)>, params: &Params) {
    for name in ["state", "nonce"] {
        // Fresh for each trial, so that values of two trials cannot be mixed up.
        let random = random_text(9);
        first.push(pair(name, params.find(name).unwrap_or(&random)));
    }
    for name in ["prompt", "max_age", "acr_values", "response_mode"] {
        first.extend(params.find(name).map(|value| pair(name, value)));
    }
}

fn form(state: &IdpState, values: &Params, problem: Option<&str>) -> Response {
    let content = html! {
        p.lead {
            "Sends an application's requests to this provider, one after the other, and takes the \
                answers apart. Every request can be edited before it is sent."
        }
        @if let Some(problem) = problem { p.problem role="alert" { (message(problem)) } }
        form.making method="post" action="/console/try" {
            (people_fields(state, values))
            (target_fields(state, values))
            (option_fields(values))
            p.actions { button type="submit" { "Continue" } }
        }
        (earlier(state))
    };
    let status = match problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    page(state, status, MenuPage::Try, "Try a sign-in", &content)
}

fn people_fields(state: &IdpState, values: &Params) -> Markup {
    let held = |name: &str| values.find(name).unwrap_or_default();
    let mut clients = state.clients.all();
    // Clients that a browser can come back to stand first.
    // A stable sort: by name within each group.
    clients.sort_by_key(|client| client.redirect_uris.is_empty());
    let clients = clients
        .iter()
        .map(|client| (client.id.as_str(), client.id.as_str()));
    let users = state.users.all();
    let users = users
        .iter()
        .map(|(user, _)| (user.username.as_str(), user.username.as_str()));
    let users = users.chain([(BY_HAND, "typed by hand, in the next step")]);
    html! {
        fieldset {
            legend { "Who" }
            (select("client", "Client", held("client"), clients))
            (select("user", "User", held("user"), users))
            (select("grant", "Grant", held("grant"), GRANTS.into_iter()))
        }
    }
}

fn target_fields(state: &IdpState, values: &Params) -> Markup {
    let held = |name: &str| values.find(name).unwrap_or_default();
    html! {
        fieldset {
            legend { "What" }
            (TextField::new("scope", "Scope", held("scope"))
                .default("openid profile email, and the client's scopes").show())
            (TextField::new("resource", "Resource", held("resource"))
                .hint("the audience, as RFC 8707 names it")
                .default(&state.audience_for(crate::state::USERS_CLIENT)).show())
            (TextField::new("redirect_uri", "Redirect URI", held("redirect_uri"))
                .default("the client's first").show())
        }
    }
}

fn option_fields(values: &Params) -> Markup {
    let held = |name: &str| values.find(name).unwrap_or_default();
    html! {
        fieldset.whole {
            legend { "Options of the authorization request" }
            div.switches {
                (select("pkce", "PKCE", held("pkce"), PKCE.into_iter()))
                (select("prompt", "Prompt", held("prompt"), PROMPTS.into_iter()))
                (select("response_mode", "Response mode", held("response_mode"),
                    MODES.into_iter()))
                (TextField::new("max_age", "Maximum age", held("max_age"))
                    .example("300").show())
                (TextField::new("acr_values", "ACR values", held("acr_values"))
                    .example("urn:example:mfa").show())
                (TextField::new("state", "State", held("state")).default("random").show())
                (TextField::new("nonce", "Nonce", held("nonce")).default("random").show())
            }
        }
    }
}

fn earlier(state: &IdpState) -> Markup {
    let (now, trials) = (state.now(), state.trials());
    let mut trials = trials.all().peekable();
    html! {
        @if trials.peek().is_some() {
            section aria-labelledby="earlier" {
                h2 id="earlier" { "Earlier" }
                ul { @for trial in trials { li {
                    a href={ "/console/try/" (trial.id) } {
                        (trial.client)
                        @if !trial.user.is_empty() { ", " (trial.user) }
                    }
                    " " span.quiet { (time::when(trial.at, now)) }
                } } }
            }
        }
    }
}
