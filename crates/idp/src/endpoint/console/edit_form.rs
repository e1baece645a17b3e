//! The form for a user or a client, new or known: its page, and what the two forms share.

use crate::endpoint::console::page::{MenuPage, hidden, message, page};
use crate::endpoint::dev::switches::object;
use crate::endpoint::http::params::Params;
use crate::state::IdpState;
use crate::token::claims::JsonObject;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

/// The most users, and the most clients, so that nobody fills the memory by forms.
const MOST: usize = 1_000;

/// A form, and where it stands.
pub(crate) struct EditForm {
    pub(crate) place: MenuPage,
    /// The address of the list. Those of the form and of the removal are below it.
    pub(crate) list: &'static str,
    /// What it is about, in a title and in a sentence.
    pub(crate) names: (&'static str, &'static str),
    /// The field with the name that tells them apart.
    pub(crate) key: &'static str,
}

impl EditForm {
    /// The page with the form. `before` is the name of a known user or client.
    pub(crate) fn show(
        &self,
        state: &IdpState,
        before: Option<&str>,
        fields: &Markup,
        problem: Option<&str>,
    ) -> Response {
        let (title, noun) = self.names;
        let title = match before {
            Some(name) => format!("{title} {name}"),
            None => format!("Add a {noun}"),
        };
        let content = html! {
            @if let Some(problem) = problem { p.problem role="alert" { (message(problem)) } }
            form.making method="post" action={ (self.list) "/edit" } {
                @if let Some(before) = before { (hidden("was", before)) }
                (fields)
                p.actions {
                    button type="submit" {
                        @if before.is_some() { "Save " (noun) } @else { "Add " (noun) }
                    }
                    a.button href=(self.list) { "Cancel" }
                }
            }
            // A form of its own: one form inside another is no HTML, and Enter must not remove.
            @if let Some(before) = before {
                form method="post" action={ (self.list) "/remove" } {
                    (hidden(self.key, before))
                    p.hint { "Tokens that were issued stay valid until they expire." }
                    button.quiet.danger type="submit" { "Remove " (noun) }
                }
            }
        };
        let status = match problem {
            Some(_) => StatusCode::BAD_REQUEST,
            None => StatusCode::OK,
        };
        page(state, status, self.place, &title, &content)
    }

    /// The name of what a form describes: the known one, or a new one. `present` are all names.
    pub(crate) fn name(
        &self,
        params: &Params,
        before: Option<&str>,
        present: &[String],
    ) -> Result<String, String> {
        // Renaming would leave codes, tokens and sessions of the old name behind.
        if let Some(before) = before {
            return Ok(before.to_owned());
        }
        let key = self.key;
        let Some(name) = optional(params, key) else {
            return Err(format!("`{key}`: expected a name in one line, found none"));
        };
        // A control character would spoil pages and logs.
        if name.chars().any(char::is_control) {
            return Err(format!(
                "`{key}`: expected a name in one line, found {name:?}"
            ));
        }
        if present.contains(&name) {
            return Err(format!(
                "`{key}`: expected a new name, found `{name}`, which exists"
            ));
        }
        if present.len() >= MOST {
            let (_, noun) = self.names;
            return Err(format!("there are {MOST} {noun}s already: remove some"));
        }
        Ok(name)
    }
}

/// The text of a field; none if there are only spaces in it.
pub(crate) fn optional(params: &Params, name: &str) -> Option<String> {
    let text = params.find(name)?.trim();
    // An identifier or an address of no characters would end up in tokens.
    (!text.is_empty()).then(|| text.to_owned())
}

/// The claims of a form, as JSON.
pub(crate) fn claims(params: &Params) -> Result<JsonObject, String> {
    match params.find("claims") {
        Some(text) => object(&Value::from(text)).map_err(|problem| format!("`claims`: {problem}")),
        None => Ok(JsonObject::new()),
    }
}
