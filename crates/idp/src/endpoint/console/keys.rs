//! The signing keys, and their rotation.

use crate::endpoint::console::page::{MenuPage, copyable, go_to, ok};
use crate::endpoint::console::time;
use crate::endpoint::http::caller::PostedForm;
use crate::endpoint::http::error::OAuthError;
use crate::keys::Overlap;
use crate::keys::signing_key::IssuerKey;
use crate::state::IdpState;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use std::sync::Arc;

pub(crate) async fn show(State(state): State<Arc<IdpState>>) -> Response {
    let (published, retired) = (state.keys.all(), state.keys.retired_keys());
    let signing = state.keys.signing();
    let first = state
        .documents
        .first()
        .map(|first| state.url(&first.keys));
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
                        th scope="col" { "Status" }
                    }
                }
                tbody {
                    @for key in &published {(row(
                        key,
                        if key.kid == signing.kid { "signing" } else { "published" },
                    ))}
                    @for key in &retired { (row(key, "retired")) }
                }
            }
        }
        section aria-labelledby="rotate" {
            h2 id="rotate" { "Rotate keys" }
            p { "A new key signs all further tokens. With an overlap, the old key stays published \
                beside it, as with real providers. Without one, every token that it signed is \
                refused at once." }
            form.row method="post" action="/console/keys/rotate" {
                button type="submit" name="overlap" value="true" { "Rotate keys" }
                button.quiet type="submit" name="overlap" value="false" { "Rotate without overlap" }
            }
        }
        section aria-labelledby="pem" {
            h2 id="pem" { "Public signing key" }
            (copyable("public-key", "Public key (PEM)", &signing.public_pem()))
        }
    };
    ok(&state, MenuPage::Keys, "Keys", &content)
}

fn row(key: &IssuerKey, standing: &str) -> Markup {
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
    State(state): State<Arc<IdpState>>,
    form: Result<PostedForm, OAuthError>,
) -> Response {
    // With an overlap by default, unlike `/dev/rotate`: only the button that says so breaks tokens.
    let overlap = match form {
        Ok(form) if form.params.find("overlap") == Some("false") => Overlap::Without,
        Ok(_) => Overlap::With,
        Err(error) => return error.into_response(),
    };
    state.keys.rotate(overlap).await;
    go_to("/console/keys")
}
