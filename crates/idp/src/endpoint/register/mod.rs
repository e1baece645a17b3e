//! Dynamic client registration (RFC 7591), and its management (RFC 7592): a client introduces
//! itself.
//!
//! Anybody may, as anybody may have a token here; but only in JSON, which no page of another site
//! can send. What is not understood is refused where it would change what happens, and left out of
//! the answer where it would not. Key sets at an address (`jwks_uri`) and software statements are
//! refused: nothing is fetched.

pub(crate) mod metadata;
pub(crate) mod redirect_uri;

use crate::config::secret::Secret;
use crate::endpoint::http::bearer::bearer;
use crate::endpoint::http::caller::RequestHead;
use crate::endpoint::http::error::{OAuthError, json};
use crate::endpoint::register::metadata::ClientMetadata;
use crate::state::IdpState;
use crate::state::origin::Origin;
use crate::store::registration::Registration;
use crate::token::claims::JsonObject;
use crate::token::encoding::random_text;
use aws_lc_rs::constant_time;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use portcullis_core::Faults;
use serde_json::Value;
use std::sync::Arc;

/// How many clients may register.
const MOST: usize = 10_000;

/// `POST /register` (RFC 7591, section 3).
pub(crate) async fn register(
    State(state): State<Arc<IdpState>>,
    caller: RequestHead,
    body: String,
) -> Response {
    let answer = create(&state, &caller.headers, &body);
    let created = answer.is_ok();
    let mut response = json(answer);
    if created {
        *response.status_mut() = StatusCode::CREATED;
    }
    response
}

fn create(state: &IdpState, headers: &HeaderMap, body: &str) -> Result<Value, OAuthError> {
    let metadata = read(headers, body)?;
    // Registrations never expire, so their number has to be bounded.
    if state.store().registrations() >= MOST {
        return Err(OAuthError::new(
            "invalid_client_metadata",
            "too many clients have registered",
        ));
    }
    // A secret is made for every client, though some authenticate otherwise.
    let registration = Registration {
        token: random_text(32),
        secret: random_text(32),
        at: state.now(),
    };
    let id = random_text(16);
    accept(state, &id, &metadata, registration)
}

/// `GET`, `PUT` and `DELETE /register/{id}` (RFC 7592, section 2), with the token that registration
/// gave.
pub(crate) async fn manage(
    State(state): State<Arc<IdpState>>,
    Path(id): Path<String>,
    caller: RequestHead,
    body: String,
) -> Response {
    // An unknown client and a wrong token look the same, so ids cannot be probed.
    let Some(registration) = authorize(&state, &id, &caller.headers) else {
        let challenge = "Bearer realm=\"idp\", error=\"invalid_token\"";
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response();
    };
    match caller.method.as_str() {
        "DELETE" => {
            state.store().unregister(&id);
            state.clients.remove(&id);
            StatusCode::NO_CONTENT.into_response()
        }
        "PUT" => json(replace(&state, &id, registration, &caller.headers, &body)),
        _ => json(describe(&state, &id, &registration)),
    }
}

fn replace(
    state: &IdpState,
    id: &str,
    registration: Registration,
    headers: &HeaderMap,
    body: &str,
) -> Result<Value, OAuthError> {
    let metadata = read(headers, body)?;
    let same =
        |named: &Option<String>, known: &str| named.as_ref().is_none_or(|named| named == known);
    // A client must not choose its id or its secret (RFC 7592, section 2.2).
    if metadata.client_id.as_deref() != Some(id)
        || !same(&metadata.client_secret, &registration.secret)
    {
        return Err(OAuthError::invalid_request(
            "`client_id` and `client_secret` must be the client's own",
        ));
    }
    accept(state, id, &metadata, registration)
}

/// The client as it is from now on.
fn accept(
    state: &IdpState,
    id: &str,
    metadata: &ClientMetadata,
    registration: Registration,
) -> Result<Value, OAuthError> {
    let client = metadata.client(state, id, Secret::new(&registration.secret))?;
    let faults = Faults::default();
    client.check(&faults);
    if let Some(fault) = faults.take_all().first() {
        let message = fault.message();
        return Err(OAuthError::new("invalid_client_metadata", &message));
    }
    state.clients.add(client, Origin::Registration);
    let answer = describe(state, id, &registration);
    state.store().register(id, registration);
    answer
}

/// The client as it is registered (RFC 7591, section 3.2.1).
fn describe(state: &IdpState, id: &str, registration: &Registration) -> Result<Value, OAuthError> {
    let gone = || OAuthError::invalid_request("the client is gone");
    let client = state.clients.get(id).ok_or_else(gone)?;
    let mut answer: JsonObject = metadata::describe(&client);
    answer.insert("client_id_issued_at".to_owned(), registration.at.into());
    if client.secret.is_some() {
        answer.insert(
            "client_secret".to_owned(),
            registration.secret.clone().into(),
        );
        // 0 stands for never, and must not be left out (RFC 7591, section 3.2.1).
        answer.insert("client_secret_expires_at".to_owned(), 0.into());
    }
    answer.insert(
        "registration_access_token".to_owned(),
        registration.token.clone().into(),
    );
    answer.insert(
        "registration_client_uri".to_owned(),
        state.url(&format!("/register/{id}")).into(),
    );
    Ok(answer.into())
}

fn authorize(state: &IdpState, id: &str, headers: &HeaderMap) -> Option<Registration> {
    let registration = state.store().registration(id)?;
    let (shown, right) = (bearer(headers)?.as_bytes(), registration.token.as_bytes());
    // In constant time, as for every secret.
    constant_time::verify_slices_are_equal(shown, right)
        .ok()
        .map(|()| registration)
}

fn read(headers: &HeaderMap, body: &str) -> Result<ClientMetadata, OAuthError> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !kind
        .trim()
        .to_ascii_lowercase()
        .starts_with("application/json")
    {
        return Err(OAuthError::invalid_request(
            "the body must be application/json",
        ));
    }
    serde_json::from_str(body).map_err(|_| {
        OAuthError::new(
            "invalid_client_metadata",
            "the body is no JSON object, or a member has a wrong type",
        )
    })
}
