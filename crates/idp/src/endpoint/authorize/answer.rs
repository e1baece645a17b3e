//! How the answer of the authorization endpoint reaches the client: in the query of the redirect
//! URI, in its fragment, or in a form (OAuth 2.0 Multiple Response Type Encoding Practices, section
//! 2.1; OAuth 2.0 Form Post Response Mode).

use crate::endpoint::gate::marks::ReturnMark;
use crate::endpoint::session::pages;
use crate::state::IdpState;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{IntoResponse as _, Response};
use url::Url;

/// Where the browser returns to; the client registered it.
#[derive(Clone)]
pub(crate) struct ReturnAddress {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) mode: ResponseMode,
}

/// `response_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    /// The names in requests and metadata.
    pub(crate) const NAMES: [&str; 3] = ["query", "fragment", "form_post"];

    /// The mode of that name; the query if none is named.
    pub(crate) fn from_name(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("query") => Some(Self::Query),
            Some("fragment") => Some(Self::Fragment),
            Some("form_post") => Some(Self::FormPost),
            Some(_) => None,
        }
    }
}

impl ReturnAddress {
    /// Sends the browser to the client, with the state and the issuer (RFC 9207).
    pub(crate) fn send(&self, state: &IdpState, params: &[(&str, &str)]) -> Response {
        let Ok(mut url) = Url::parse(&self.redirect_uri) else {
            return pages::error_page(state, &"The redirect URI is not a valid URL.".into());
        };
        let issuer = state.published_issuer();
        // The same for success and error (RFC 6749, section 4.1.2.1).
        let mut pairs = params.to_vec();
        if let Some(state) = &self.state {
            pairs.push(("state", state));
        }
        // Stops mix-up attacks on clients of several providers (RFC 9207, section 2).
        pairs.push(("iss", &issuer));
        let mut response = match self.mode {
            ResponseMode::Query => {
                // A query that the redirect URI already has must stay (RFC 6749, section 3.1.2).
                url.query_pairs_mut().extend_pairs(&pairs);
                redirect(&url)
            }
            ResponseMode::Fragment => {
                // Encoded as a query is (OAuth 2.0 Multiple Response Type Encoding Practices).
                let mut fragment = form_urlencoded::Serializer::new(String::new());
                url.set_fragment(Some(&fragment.extend_pairs(&pairs).finish()));
                redirect(&url)
            }
            ResponseMode::FormPost => pages::form_post_page(&self.redirect_uri, &pairs),
        };
        // A form has no `Location` that the journal could read, and a trial shows all modes alike.
        response.extensions_mut().insert(ReturnMark {
            address: self.redirect_uri.clone(),
            pairs: pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        });
        response
    }
}

/// Always by GET (RFC 9700, section 4.12).
fn redirect(url: &Url) -> Response {
    (
        // With 307 the browser would send the password on to the client.
        StatusCode::SEE_OTHER,
        [(LOCATION, url.as_str()), (CACHE_CONTROL, "no-store")],
    )
        .into_response()
}
