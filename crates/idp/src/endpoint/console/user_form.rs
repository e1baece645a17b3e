//! The form for a user, new or known.

use crate::config::secret::Secret;
use crate::config::user::User;
use crate::endpoint::console::edit_form::{EditForm, claims, optional};
use crate::endpoint::console::fields::{TextField, lines};
use crate::endpoint::console::page::{MenuPage, after_change};
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::http::params::Params;
use crate::state::IdpState;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use std::sync::Arc;

const FORM: EditForm = EditForm {
    place: MenuPage::Users,
    list: "/console/users",
    names: ("User", "user"),
    key: "username",
};

pub(crate) async fn show(
    State(state): State<Arc<IdpState>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Params::parse(&query.unwrap_or_default()).ok();
    let name = query.as_ref().and_then(|query| query.find("username"));
    let user = name.and_then(|name| state.user(name));
    let values = user.as_deref().map(values).unwrap_or_default();
    form(&state, user.as_deref(), &values, None)
}

pub(crate) async fn save(
    State(state): State<Arc<IdpState>>,
    sent: Result<PostedForm, OAuthError>,
) -> Response {
    let params = match sent {
        Ok(form) => form.params,
        Err(error) => return form(&state, None, &Params::default(), Some(&error.description)),
    };
    let before = params.find("was").and_then(|name| state.user(name));
    match read(&state, &params, before.as_deref()) {
        Ok(user) => {
            state.users.add(user);
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
        && let Some(name) = sent.params.find("username")
    {
        state.users.remove(name);
    }
    after_change(&state, FORM.place, FORM.list)
}

/// The user that a form describes; members without a field stay as they were.
fn read(state: &IdpState, params: &Params, before: Option<&User>) -> Result<User, String> {
    let present = state.users.all();
    let present: Vec<String> = present
        .iter()
        .map(|(user, _)| user.username.clone())
        .collect();
    let username = FORM.name(params, before.map(|user| user.username.as_str()), &present)?;
    Ok(User {
        // As it was typed: trimmed, one of spaces alone would let everybody in.
        password: Secret::new(params.find("password").unwrap_or(&username)),
        id: optional(params, "id"),
        name: optional(params, "name").unwrap_or_default(),
        email: optional(params, "email"),
        roles: lines(params.find("roles").unwrap_or_default()),
        groups: lines(params.find("groups").unwrap_or_default()),
        // No field: the documents of a new tenant are made at start only.
        tenant: before.and_then(|before| before.tenant.clone()),
        claims: claims(params)?,
        username,
    })
}

/// The values of the form's fields for a user.
fn values(user: &User) -> Params {
    let mut values = Params::default();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            values.insert(name, value);
        }
    };
    put("username", &user.username);
    put("password", user.password.reveal());
    put("name", &user.name);
    put("email", user.email.as_deref().unwrap_or_default());
    put("id", user.id.as_deref().unwrap_or_default());
    put("roles", &user.roles.join("\n"));
    put("groups", &user.groups.join("\n"));
    if !user.claims.is_empty() {
        put("claims", &Value::from(user.claims.clone()).to_string());
    }
    values
}

fn form(
    state: &IdpState,
    before: Option<&User>,
    values: &Params,
    problem: Option<&str>,
) -> Response {
    let name = before.map(|user| user.username.as_str());
    FORM.show(state, name, &fields(before, values), problem)
}

fn fields(before: Option<&User>, values: &Params) -> Markup {
    let held = |name: &str| values.find(name).unwrap_or_default();
    html! {
        fieldset {
            legend { "Person" }
            @if before.is_none() {
                (TextField::new("username", "Username", held("username"))
                    .example("carol").require().show())
            }
            (TextField::new("password", "Password", held("password"))
                .default("the username").show())
            (TextField::new("name", "Name", held("name")).example("Carol Clark").show())
            (TextField::new("email", "Email", held("email"))
                .example("carol@example.test").show())
            (TextField::new("id", "Identifier", held("id"))
                .hint("the subject of the tokens").default("derived from the username").show())
        }
        fieldset {
            legend { "Authorization" }
            (TextField::new("roles", "Roles", held("roles"))
                .hint("one a line").example("Admin").lines(3).show())
            (TextField::new("groups", "Groups", held("groups"))
                .hint("one a line").example("sales").lines(3).show())
            (TextField::new("claims", "Claims, as JSON", held("claims"))
                .hint("in every token about this user")
                .example(r#"{"department": "sales"}"#).lines(3).show())
        }
    }
}
