//! The signing keys: which are published, and a new one on command.

use crate::endpoint::console::page::{Place, copyable, go_to, ok};
use crate::endpoint::console::time;
use crate::endpoint::http::caller::Form;
use crate::endpoint::http::error::OAuthError;
use crate::keys::Overlap;
use crate::keys::signing_key::SigningKey;
use crate::state::State;
use axum::extract;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(extract::State(state): extract::State<Arc<State>>) -> Response {
    let (published, retired) = (state.keys.all(), state.keys.retired());
    let signing = state.keys.signing();
    let first = state.published.first().map(|first| state.url(&first.keys));
    let content = html! {
        @if let Some(url) = &first {
            p.lead { "Published at " a href=(url) { code { (url) } } "." }
        }
        div.scroll tabindex="0" role="group" aria-label="Keys" {
            table {
                thead {
                    tr {
                        th scope="col" { "Key" }
                        th scope="col" { "Algorithm" }
                        th scope="col" { "Age" }
                        th scope="col" { "State" }
                    }
                }
                tbody {
                    @for key in &published {(row(
                        key,
                        if key.kid == signing.kid { "signs" } else { "published" },
                    ))}
                    @for key in &retired { (row(key, "retired")) }
                }
            }
        }
        section aria-labelledby="rotate" {
            h2 id="rotate" { "Rotate" }
            p { "A new key signs from then on. With an overlap the old one stays published beside \
                it, as real providers do; \
                 without one, every token that it signed is refused at once." }
            form.row method="post" action="/console/keys/rotate" {
                button type="submit" name="overlap" value="true" { "Rotate" }
                button.quiet type="submit" name="overlap" value="false" { "Rotate without overlap" }
            }
        }
        section aria-labelledby="pem" {
            h2 id="pem" { "The public key that signs" }
            (copyable("public-key", "The public key as PEM", &signing.public_pem()))
        }
    };
    ok(&state, Place::Keys, "Keys", &content)
}

fn row(key: &SigningKey, standing: &str) -> Markup {
    html! {
        tr {
            th scope="row" { code { (key.kid) } }
            td { (key.algorithm.name()) }
            td { (time::length(key.made.elapsed().as_secs())) }
            td { span.standing data-is=(standing) { (standing) } }
        }
    }
}

pub(crate) async fn rotate(
    extract::State(state): extract::State<Arc<State>>,
    form: Result<Form, OAuthError>,
) -> Response {
    let overlap = match form {
        Ok(form) if form.params.find("overlap") == Some("false") => Overlap::Without,
        Ok(_) => Overlap::With,
        Err(error) => return error.into_response(),
    };
    state.keys.rotate(overlap).await;
    go_to("/console/keys")
}
