//! The middle of the gateway: what every door has read, decided in one place.
//!
//! A door makes an [`Inquiry`] of what it reads, asks [`Policy::decide`], and writes the answer
//! down in its own way. Nothing reaches an upstream without a [`Passage`], and only `decide` makes
//! one: by a permit, or because the route says that nobody needs one. So a skipped check does not
//! compile.

use crate::decision::cedar::{Bound as _, Consulted, Occasion, Policies};
use crate::decision::routes::{Access, Route, Routes};
use crate::refusal::Refusal;
use crate::request::host::Host;
use crate::request::path::RequestPath;
use crate::request::preflight::is_preflight;
use http::Method;
use http::header::HeaderMap;
use portcullis_core::cookie::CookieRequest;
use portcullis_core::token::AccessToken;
use portcullis_core::{Denial, Permit, Requirement};
use portcullis_resource_server::ResourceServer;

/// What holds for all requests until the next reload.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) server: ResourceServer,
    pub(crate) routes: Routes,
    pub(crate) policies: Policies,
    pub(crate) public_preflight: bool,
}

/// A request as a door has read it: method, host and path in their one spelling, and the headers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inquiry<'r> {
    pub(crate) method: &'r Method,
    pub(crate) host: &'r Host,
    pub(crate) path: &'r RequestPath,
    pub(crate) query: Option<&'r str>,
    pub(crate) headers: &'r HeaderMap,
    /// Whether a body comes, or is announced.
    pub(crate) has_body: bool,
}

impl<'r> Inquiry<'r> {
    /// The headers with a token that came in a cookie, where the settings name one and it counts.
    pub(crate) fn presented(self, server: &ResourceServer) -> Option<HeaderMap> {
        let host = Some(self.host.authority());
        server.with_cookie_token(CookieRequest {
            method: self.method,
            host,
            headers: self.headers,
        })
    }

    /// The same request with these headers, if there are any.
    pub(crate) fn with<'h>(self, headers: Option<&'h HeaderMap>) -> Inquiry<'h>
    where
        'r: 'h,
    {
        Inquiry {
            headers: headers.unwrap_or(self.headers),
            ..self
        }
    }
}

/// A decision: the route that was found, and whether the request may go there.
#[derive(Debug)]
pub(crate) struct Verdict<'p> {
    pub(crate) route: &'p Route,
    pub(crate) passage: Result<Passage, Denial>,
    /// What Cedar policies said, where the route asks them.
    pub(crate) consulted: Consulted,
}

/// Leave to go to the upstream. Only [`Policy::decide`] makes one.
#[derive(Debug)]
#[must_use = "a request is let through by using its passage"]
pub(crate) struct Passage(Leave);

#[derive(Debug)]
enum Leave {
    Permitted(Permit),
    Unasked,
}

impl Policy {
    /// Finds the route of a request, and decides by what it demands. A path that its route does not
    /// take is refused.
    pub(crate) async fn decide<'p>(
        &'p self,
        inquiry: Inquiry<'_>,
        occasion: Occasion,
    ) -> Result<Verdict<'p>, Refusal> {
        let route = self.route(inquiry)?;
        let mut consulted = Consulted::default();
        let passage = match self.demand(route, inquiry) {
            None => Ok(Passage(Leave::Unasked)),
            Some(requirement) => match self.policies.bind(requirement, route, inquiry, occasion) {
                None => self.permit(inquiry, requirement).await,
                Some(bound) => {
                    let passage = self.permit(inquiry, bound.requirement()).await;
                    consulted = bound.consulted();
                    passage
                }
            },
        };
        Ok(Verdict {
            route,
            passage,
            consulted,
        })
    }

    /// Whether a request needs a token, or has one that would be looked at.
    pub(crate) fn asks_for_token(&self, inquiry: Inquiry<'_>) -> bool {
        self.route(inquiry)
            .is_ok_and(|route| self.demand(route, inquiry).is_some())
    }

    fn route(&self, inquiry: Inquiry<'_>) -> Result<&Route, Refusal> {
        self.routes
            .find(inquiry.host, inquiry.path, inquiry.method)
            .map_err(Refusal::Path)
    }

    /// What the token must meet; nothing where nobody is asked.
    fn demand<'p>(&self, route: &'p Route, inquiry: Inquiry<'_>) -> Option<&'p Requirement> {
        match &route.access {
            Access::Public => None,
            _ if self.public_preflight && is_preflight(inquiry) => None,
            // Only where no credential was sent at all: one of a wrong kind, or a bad one, is
            // refused.
            Access::Optional(_) if !self.server.sees_credential(inquiry.headers) => None,
            Access::Optional(requirement) | Access::Required(requirement) => Some(requirement),
        }
    }

    async fn permit(
        &self,
        inquiry: Inquiry<'_>,
        requirement: &Requirement,
    ) -> Result<Passage, Denial> {
        let decision = self
            .server
            .decide(inquiry.headers, inquiry.query, requirement)
            .await;
        decision
            .into_result()
            .map(|permit| Passage(Leave::Permitted(permit)))
    }
}

impl Passage {
    /// Whose request it is; nobody's, where nobody was asked.
    pub(crate) fn token(&self) -> Option<&AccessToken> {
        match &self.0 {
            Leave::Permitted(permit) => Some(permit.token()),
            Leave::Unasked => None,
        }
    }
}
