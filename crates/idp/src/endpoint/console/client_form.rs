//! The form for a client, new or known.

use crate::config::client::RegisteredClient;
use crate::config::secret::Secret;
use crate::endpoint::console::edit_form::{EditForm, claims};
use crate::endpoint::console::fields::{TextField, lines, words};
use crate::endpoint::console::page::{MenuPage, after_change};
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::endpoint::register::redirect_uri::is_acceptable;
use crate::endpoint::token::grant_types::types;
use crate::state::IdpState;
use crate::state::origin::Origin;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use portcullis_core::Faults;
use serde_json::Value;
use std::sync::Arc;

const FORM: EditForm = EditForm {
    place: MenuPage::Clients,
    list: "/console/clients",
    names: ("Client", "client"),
    key: "id",
};

/// The members that are lists of words, by the names of their fields.
const LISTS: [&str; 5] = [
    "redirect_uris",
    "post_logout_redirect_uris",
    "scopes",
    "audiences",
    "grant_types",
];

pub(crate) async fn show(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Params::parse(&query.unwrap_or_default()).unwrap_or_default();
    let id = query.find("id").unwrap_or_default();
    let client = state.clients.get(id);
    let mut values = client.as_deref().map(values).unwrap_or_default();
    if client.is_none() && !id.is_empty() {
        values.insert("id", id);
    }
    // An error page links here with the value that was missing. It is shown, not saved: a link of
    // another site must not register an address.
    for name in LISTS {
        if let Some(added) = query.find(&format!("add_{name}")) {
            let before = values.find(name).unwrap_or_default();
            let joined = format!("{before}\n{added}");
            values.insert(name, joined.trim());
        }
    }
    form(&state, client.as_deref(), &values, None)
}

pub(crate) async fn save(
    State(state): State<Arc<IdpState>>,
    sent: Result<PostedForm, OAuthError>,
) -> Response {
    let params = match sent {
        Ok(form) => form.params,
        Err(error) => return form(&state, None, &Params::default(), Some(&error.description)),
    };
    let before = params.find("was").and_then(|id| state.clients.get(id));
    match read(&state, &params, before.as_deref()) {
        Ok(client) => {
            state.clients.add(client, Origin::Console);
            after_change(&state, FORM.place, FORM.list)
        }
        // With the typed values, so that one mistake does not cost the whole form.
        Err(problem) => form(&state, before.as_deref(), &params, Some(&problem)),
    }
}

pub(crate) async fn remove(
    State(state): State<Arc<IdpState>>,
    sent: Result<PostedForm, OAuthError>,
) -> Response {
    if let Ok(sent) = sent
        && let Some(id) = sent.params.find("id")
    {
        state.clients.remove(id);
    }
    after_change(&state, FORM.place, FORM.list)
}

/// The client that a form describes; members without a field stay as they were.
fn read(
    state: &IdpState,
    params: &Params,
    before: Option<&RegisteredClient>,
) -> Result<RegisteredClient, String> {
    let list = |name: &str| words(params.find(name).unwrap_or_default());
    let present = state.clients.all();
    let present: Vec<String> = present
        .iter()
        .map(|client| client.id.clone())
        .collect();
    let client = RegisteredClient {
        id: FORM.name(params, before.map(|client| client.id.as_str()), &present)?,
        // As it was typed: a secret may begin or end with a space.
        secret: params.find("secret").map(Secret::new),
        redirect_uris: list("redirect_uris"),
        post_logout_redirect_uris: list("post_logout_redirect_uris"),
        scopes: list("scopes"),
        audiences: list("audiences"),
        grant_types: list("grant_types"),
        roles: lines(params.find("roles").unwrap_or_default()),
        claims: claims(params)?,
        // Keys, certificates and switches have no field, and must not get lost.
        ..before.cloned().unwrap_or_default()
    };
    check(state, &client, before)?;
    Ok(client)
}

fn check(
    state: &IdpState,
    client: &RegisteredClient,
    before: Option<&RegisteredClient>,
) -> Result<(), String> {
    let before = before.cloned().unwrap_or_default();
    for (name, uris, before) in [
        (
            "redirect_uris",
            &client.redirect_uris,
            &before.redirect_uris,
        ),
        (
            "post_logout_redirect_uris",
            &client.post_logout_redirect_uris,
            &before.post_logout_redirect_uris,
        ),
    ] {
        // The settings may have others, and those stay.
        let mut new = uris.iter().filter(|uri| !before.contains(uri));
        if let Some(uri) = new.find(|uri| !is_acceptable(uri)) {
            return Err(format!(
                "`{name}`: expected https, http on loopback, or an app's own scheme such as \
                 `com.example.app:`; found `{uri}`"
            ));
        }
    }
    // A misspelt grant would lock the client out of all of them.
    let known = types(state);
    let unknown = |named: &&String| !known.contains(&named.as_str());
    if let Some(named) = client.grant_types.iter().find(unknown) {
        let known = known.join("`, `");
        return Err(format!(
            "`grant_types`: expected some of `{known}`; found `{named}`"
        ));
    }
    let faults = Faults::default();
    client.check(&faults);
    match faults.take_all().first() {
        Some(fault) => Err(format!("{}; help: {}", fault.message(), fault.help())),
        None => Ok(()),
    }
}

/// The values of the form's fields for a client.
fn values(client: &RegisteredClient) -> Params {
    let mut values = Params::default();
    let lists = [
        &client.redirect_uris,
        &client.post_logout_redirect_uris,
        &client.scopes,
        &client.audiences,
        &client.grant_types,
    ];
    // One a line, as the fields take them.
    for (name, list) in LISTS
        .into_iter()
        .zip(lists)
        .chain([("roles", &client.roles)])
    {
        if !list.is_empty() {
            values.insert(name, &list.join("\n"));
        }
    }
    if let Some(secret) = &client.secret {
        values.insert("secret", secret.reveal());
    }
    if !client.claims.is_empty() {
        values.insert("claims", &Value::from(client.claims.clone()).to_string());
    }
    values
}

fn form(
    state: &IdpState,
    before: Option<&RegisteredClient>,
    values: &Params,
    problem: Option<&str>,
) -> Response {
    let content = html! {
        @if before.is_some_and(|before| before.danger_unchecked) {
            p.notice.whole {
                "Any secret, address, scope and audience of this client is good ("
                code { "danger_unchecked" } ")."
            }
        }
        (fields(before, values))
    };
    let name = before.map(|client| client.id.as_str());
    FORM.show(state, name, &content, problem)
}

fn fields(before: Option<&RegisteredClient>, values: &Params) -> Markup {
    let held = |name: &str| values.find(name).unwrap_or_default();
    html! {
        fieldset {
            legend { "Application" }
            @if before.is_none() {
                (TextField::new("id", "Client ID", held("id")).example("spa").require().show())
            }
            (TextField::new("secret", "Secret", held("secret"))
                .hint("empty for a public client, such as an app in a browser").show())
            (TextField::new("redirect_uris", "Redirect URIs", held("redirect_uris"))
                .hint("one a line; on loopback the port is free")
                .example("http://localhost:3000/callback").lines(4).show())
            (TextField::new(
                "post_logout_redirect_uris",
                "Redirect URIs after logout",
                held("post_logout_redirect_uris"),
            ).hint("one a line").lines(2).show())
        }
        fieldset {
            legend { "Authorization" }
            (TextField::new("scopes", "Scopes", held("scopes"))
                .hint("besides those of OpenID Connect").example("orders:read").lines(2).show())
            (TextField::new("audiences", "Other audiences", held("audiences"))
                .hint("besides the default one").example("api://billing").lines(2).show())
            (TextField::new("grant_types", "Grants", held("grant_types"))
                .default("all").lines(2).show())
            (TextField::new("roles", "Roles", held("roles"))
                .hint("of the client itself, one a line").lines(2).show())
            (TextField::new("claims", "Claims, as JSON", held("claims"))
                .hint("in every token that it gets").lines(2).show())
        }
    }
}
