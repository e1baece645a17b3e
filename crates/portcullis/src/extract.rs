//! The extractor: proof, in a handler's signature, that the caller may call.

use crate::decide;
use crate::requirement::{Requires, ValidToken};
use crate::{AccessToken, DenialResponse};
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use portcullis_resource_server::ResourceServer;
use std::marker::PhantomData;
use std::ops::Deref;

/// A caller whose token was verified and meets the requirement `C`; by default, any valid token.
///
/// It verifies by itself, with the [`ResourceServer`] in the router's state. If a
/// [`ProtectLayer`](crate::ProtectLayer) of the same server ran before, it takes that token and
/// only checks the requirement. As `Option<AuthorizedCaller<C>>` it is `None` for a request without
/// any credential, and for no other.
///
/// It gives all that [`AccessToken`] gives.
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::{AuthorizedCaller, ResourceServer, requirement};
///
/// requirement!(Reader = scope("orders:read"));
///
/// async fn orders(caller: AuthorizedCaller<Reader>) -> String {
///     format!("the orders of {}", caller.user_id().unwrap_or("nobody"))
/// }
/// async fn greeting(caller: Option<AuthorizedCaller>) -> String {
///     match caller {
///         Some(caller) => format!("Hello, {}!", caller.name()),
///         None => "Hello!".to_owned(),
///     }
/// }
///
/// fn app(server: ResourceServer) -> Router {
///     Router::new()
///         .route("/orders", get(orders))
///         .route("/", get(greeting))
///         .with_state(server)
/// }
/// # let server = ResourceServer::new("https://idp.example", "https://api.example")?;
/// # let _ = app(server);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AuthorizedCaller<C = ValidToken> {
    token: AccessToken,
    // A function that makes one: the extractor is `Send` whatever `C` is, and holds no `C`.
    requirement: PhantomData<fn() -> C>,
}

impl<C> AuthorizedCaller<C> {
    /// The verified token.
    pub fn into_token(self) -> AccessToken {
        self.token
    }
}

impl<C> Deref for AuthorizedCaller<C> {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.token
    }
}

impl<S, C> FromRequestParts<S> for AuthorizedCaller<C>
where
    S: Send + Sync,
    ResourceServer: FromRef<S>,
    C: Requires,
{
    type Rejection = DenialResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, DenialResponse> {
        let server = ResourceServer::from_ref(state);
        #[cfg(feature = "validate")]
        if crate::valid::is_read_early(&parts.extensions) {
            let denial = late_caller();
            return Err(DenialResponse::new(denial, &server, &parts.headers));
        }
        match decide::decide(parts, &server, C::requirement()).await {
            Ok(token) => Ok(Self {
                token,
                requirement: PhantomData,
            }),
            Err(denial) => Err(DenialResponse::new(denial, &server, &parts.headers)),
        }
    }
}

/// The outage of a handler that reads the request before it verifies the caller.
#[cfg(feature = "validate")]
fn late_caller() -> portcullis_core::Denial {
    let facts = "`Valid` stands before `AuthorizedCaller` in the arguments of the handler, so that \
                 strangers would see its schema; put the caller first";
    let retry_after = std::time::Duration::from_secs(60);
    let code = portcullis_core::OutageCode::Policy;
    portcullis_core::Outage::new(code, facts, retry_after).into()
}

impl<S, C> OptionalFromRequestParts<S> for AuthorizedCaller<C>
where
    S: Send + Sync,
    ResourceServer: FromRef<S>,
    C: Requires,
{
    type Rejection = DenialResponse;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, DenialResponse> {
        let server = ResourceServer::from_ref(state);
        let with_cookie = decide::cookie_headers(parts, &server);
        // A bad credential is refused all the same: `None` would take its sender for a guest.
        if !server.sees_credential(with_cookie.as_ref().unwrap_or(&parts.headers)) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map(Some)
    }
}

impl<C> std::fmt::Debug for AuthorizedCaller<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.token.fmt(f)
    }
}
