//! The extractor: proof, in a handler's signature, that the caller may call.

use crate::requirement::{Requires, ValidToken};
use crate::verified;
use crate::{AccessToken, Refused};
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use portcullis_resource_server::ResourceServer;
use std::marker::PhantomData;
use std::ops::Deref;

/// A caller whose token was verified and meets the requirement `C`; a valid token, if nothing else
/// is said.
///
/// It verifies by itself, with the [`ResourceServer`] in the router's state; where a
/// [`ProtectLayer`](crate::ProtectLayer) of the same server ran before, it takes that token and
/// only checks the requirement. As `Option<Authorized<C>>` it is `None` for a request without any
/// credential, and for no other.
///
/// It gives all that [`AccessToken`] gives.
pub struct Authorized<C = ValidToken> {
    token: AccessToken,
    requirement: PhantomData<fn() -> C>,
}

impl<C> Authorized<C> {
    /// The verified token.
    pub fn into_token(self) -> AccessToken {
        self.token
    }
}

impl<C> Deref for Authorized<C> {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.token
    }
}

impl<S, C> FromRequestParts<S> for Authorized<C>
where
    S: Send + Sync,
    ResourceServer: FromRef<S>,
    C: Requires,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let server = ResourceServer::from_ref(state);
        match verified::decide(parts, &server, C::requirement()).await {
            Ok(token) => Ok(Self {
                token,
                requirement: PhantomData,
            }),
            Err(denial) => Err(Refused::new(denial, &server, &parts.headers)),
        }
    }
}

impl<S, C> OptionalFromRequestParts<S> for Authorized<C>
where
    S: Send + Sync,
    ResourceServer: FromRef<S>,
    C: Requires,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Refused> {
        let server = ResourceServer::from_ref(state);
        let presented = verified::presented(parts, &server);
        if !server.sees_credential(presented.as_ref().unwrap_or(&parts.headers)) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map(Some)
    }
}

impl<C> std::fmt::Debug for Authorized<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.token.fmt(f)
    }
}
