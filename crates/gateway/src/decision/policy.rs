//! The decision of the gateway, the same for every door.
//!
//! A door makes an [`IncomingRequest`] of what it reads, has it decided, and answers in its own
//! way. Nothing reaches an upstream without a [`ForwardPermit`], and only [`Policy::decide`] makes
//! one: by the permit of the resource server, or because the route is open to everybody. So a
//! skipped check does not compile.

use crate::decision::cedar::{BoundRequirement, Policies, PolicyInput, PolicyReport};
use crate::decision::routes::{Access, Route, Routes};
use crate::refusal::Refusal;
use crate::request::incoming::IncomingRequest;
use crate::request::preflight::is_preflight;
use crate::request::target::Target;
use http::header::{HeaderMap, HeaderName};
use portcullis_core::cookie::CookieRequest;
use portcullis_core::token::{AccessToken, NumericDate};
use portcullis_core::{Denial, EffectiveUrl, Permit, Requirement};
use portcullis_resource_server::{ProtectedResource, ResourceRequest, ResourceServer};

/// The proof of a request (RFC 9449, section 4.1).
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The settings that decide, until the next reload.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) server: ResourceServer,
    pub(crate) routes: Routes,
    pub(crate) policies: Policies,
    pub(crate) public_preflight: bool,
}

/// The matched route, and whether the request may be forwarded.
#[derive(Debug)]
pub(crate) struct RouteDecision<'p> {
    pub(crate) route: &'p Route,
    pub(crate) permit: Result<ForwardPermit, Denial>,
    /// The report of Cedar policies, if the route has any.
    pub(crate) policies: PolicyReport,
}

/// Proof that a request may be forwarded. Only [`Policy::decide`] makes one.
///
/// It holds the permit of the caller's token; `None` where the route needs no token.
#[derive(Debug)]
#[must_use = "a request is forwarded by its permit"]
pub(crate) struct ForwardPermit(Option<Permit>);

impl Policy {
    /// The most specific route for a request. A path that its route does not take is refused.
    pub(crate) fn match_route(&self, request: &IncomingRequest<'_>) -> Result<&Route, Refusal> {
        let target = &request.target;
        self.routes
            .find(&target.host, &target.path, &request.method)
            .map_err(Refusal::Path)
    }

    /// The headers with a token that came in a cookie, where the settings name one and it counts.
    pub(crate) fn with_cookie_token(&self, request: &IncomingRequest<'_>) -> Option<HeaderMap> {
        self.server.with_cookie_token(CookieRequest {
            method: &request.method,
            host: Some(request.target.host.authority()),
            headers: &request.headers,
        })
    }

    /// The requirement for the token of a request; `None` if it needs no token.
    ///
    /// `headers` are the request's, or those of [`with_cookie_token`](Self::with_cookie_token).
    pub(crate) fn requirement<'p>(
        &self,
        route: &'p Route,
        request: &IncomingRequest<'_>,
        headers: &HeaderMap,
    ) -> Option<&'p Requirement> {
        match &route.access {
            Access::Public => None,
            _ if self.public_preflight && is_preflight(request) => None,
            // Only a request without any credential is anonymous. A bad one, or one of another
            // kind, is refused: the client believes that it is signed in.
            Access::Optional(_) if !self.server.sees_credential(headers) => None,
            Access::Optional(requirement) | Access::Required(requirement) => Some(requirement),
        }
    }

    /// Decides whether a request may be forwarded on its route.
    pub(crate) async fn decide<'p>(
        &'p self,
        route: &'p Route,
        request: &IncomingRequest<'_>,
        headers: &HeaderMap,
        now: NumericDate,
    ) -> RouteDecision<'p> {
        let mut policies = PolicyReport::default();
        let permit = match self.requirement(route, request, headers) {
            // The one way to a permit without a token, and only by the route's own access.
            None => Ok(ForwardPermit(None)),
            Some(requirement) => match self.bind(requirement, route, request, now) {
                None => self.permit(request, headers, requirement).await,
                Some(bound) => {
                    let permit = self
                        .permit(request, headers, bound.requirement())
                        .await;
                    policies = bound.report();
                    permit
                }
            },
        };
        RouteDecision {
            route,
            permit,
            policies,
        }
    }

    /// The requirement with its policies bound to this request; `None` where it asks no policies.
    pub(crate) fn bind(
        &self,
        requirement: &Requirement,
        route: &Route,
        request: &IncomingRequest<'_>,
        now: NumericDate,
    ) -> Option<BoundRequirement> {
        let input = PolicyInput {
            request,
            resource: route.resource.as_ref()?,
            now,
        };
        self.policies.bind(requirement, input)
    }

    /// The resource that a request is for, whichever route it has.
    pub(crate) fn resource(&self, target: &Target) -> Option<&ProtectedResource> {
        let resources = self.server.resources();
        if resources.is_empty() {
            return None;
        }
        let host = Some(target.host.authority());
        let found = resources.find(host, target.path.as_str());
        // An application may be mounted below the path that clients write.
        found.or_else(|| resources.find(host, target.outer_path()?))
    }

    /// What the client asked for, where a proof has to name it. The settings know better than the
    /// request, where something in front rewrites that.
    pub(crate) fn effective_url(&self, request: &IncomingRequest<'_>) -> Option<EffectiveUrl> {
        if !request.headers.contains_key(DPOP) {
            return None;
        }
        let configured = self.server.effective_url(request.target.sent_path());
        configured.or_else(|| request.target.effective_url())
    }

    async fn permit(
        &self,
        request: &IncomingRequest<'_>,
        headers: &HeaderMap,
        requirement: &Requirement,
    ) -> Result<ForwardPermit, Denial> {
        let url = self.effective_url(request);
        let request = ResourceRequest {
            method: &request.method,
            url: url.as_ref(),
            certificate: request.certificate.as_ref(),
            resource: self.resource(&request.target),
            ..ResourceRequest::of_headers(headers, request.target.query.as_deref())
        };
        let decision = self.server.decide_request(&request, requirement).await;
        Ok(ForwardPermit(Some(decision.into_result()?)))
    }
}

impl ForwardPermit {
    /// The caller's token; `None` where the route needs none.
    pub(crate) fn token(&self) -> Option<&AccessToken> {
        self.0.as_ref().map(Permit::token)
    }
}
