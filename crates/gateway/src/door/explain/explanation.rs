//! What is told about a request: how it was read, its route, its token, its demands, the verdict.

use super::super::embedded::TurnedAway;
use super::super::request_error::RequestError;
use super::remedy::{parties, remedy_of};
use super::trial::TrialRequest;
use crate::decision::cedar::PolicyReport;
use crate::decision::policy::ForwardPermit;
use crate::decision::routes::{Access, Route, RoutePattern, Routes};
use crate::generation::Generation;
use crate::identity::IdentityHeaders;
use crate::request::certificate::FieldJoining;
use crate::request::incoming::IncomingRequest;
use crate::request::target::Target;
use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use portcullis_core::policy::DemandStep;
use portcullis_core::proof::{Thumbprint, USE_OF_PROOF};
use portcullis_core::rejection::Party;
use portcullis_core::token::AccessToken;
use portcullis_core::verify::Step;
use portcullis_core::{Code, Denial};
use portcullis_resource_server::{Explanation, ProtectedResource, ResourceServer};
use tracing::subscriber::{NoSubscriber, with_default};

/// What would become of a request, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestExplanation {
    /// The method as it was asked about.
    pub method: String,
    /// The host in its one spelling; `None` if the request cannot be read.
    pub host: Option<String>,
    /// The path in its one spelling; `None` if the request cannot be read.
    pub path: Option<String>,
    /// The client certificate that a proxy in front tells; `None` if no setting names a header.
    pub certificate: Option<CertificateExplanation>,
    /// The route that decides; `None` if the request cannot be read.
    pub route: Option<RouteExplanation>,
    /// The `[[resource]]` that the request is for; `None` if it is for none.
    pub resource: Option<ResourceExplanation>,
    /// Whether the route asks this request for a token.
    pub needs_token: bool,
    /// The checks of the token; `None` if none is needed, or none was found.
    pub token: Option<Explanation>,
    /// The caller, if the token passes every check of its own.
    pub caller: Option<AccessToken>,
    /// The parts of the requirement, each with what the token has.
    pub demands: Vec<DemandStep>,
    /// The Cedar policies that decided, by name.
    pub policies: Vec<String>,
    /// The Cedar policies that cannot be evaluated, and why.
    pub failed_policies: Vec<(String, &'static str)>,
    /// The verdict of the gateway.
    pub verdict: RequestVerdict,
}

/// The client certificate that a proxy in front would tell.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateExplanation {
    /// The header that tells it.
    pub header: String,
    /// The SHA-256 of the certificate, as a token names it in `x5t#S256`; `None` if the header is
    /// not there, or cannot be read.
    pub thumbprint: Option<String>,
    /// Why the header cannot be read.
    pub fault: Option<String>,
}

/// The route of a request, and where it stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteExplanation {
    /// What the log calls it; `default` is for requests that match no route.
    pub name: String,
    /// Its place among the `[[route]]` of the settings, from 0; `None` for the default.
    pub index: Option<usize>,
    /// Its path, with a star for each name; empty for the default.
    pub path: String,
    /// Its methods; empty for all.
    pub methods: Vec<String>,
    /// Its hosts; empty for all.
    pub hosts: Vec<String>,
    /// What it demands.
    pub access: Access,
    /// Of the default: routes that have this path, for another method or host.
    pub near: Vec<String>,
}

/// The resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceExplanation {
    /// Its URL.
    pub url: String,
    /// The address of its metadata.
    pub metadata_url: String,
}

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerdictKind {
    /// It goes on: the upstream answers.
    Forwarded,
    /// The gateway itself answers: with the keys of its assertions, or a preflight.
    Answered,
    /// It is refused.
    Refused,
    /// An outage leaves it open: 503.
    Undecided,
}

/// The verdict of the gateway.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestVerdict {
    /// The end of the request.
    pub kind: VerdictKind,
    /// The status that the client gets; `None` where it is the upstream's.
    pub status: Option<u16>,
    /// The stable code of the refusal or outage.
    pub code: Option<&'static str>,
    /// The fixed phrase for the client.
    pub phrase: &'static str,
    /// The reason, for the operator.
    pub facts: String,
    /// What somebody can do about it.
    pub cure: Option<&'static str>,
    /// Who can do it.
    pub parties: Vec<Party>,
    /// The headers that the client gets, with the challenge.
    pub headers: HeaderMap,
    /// The body that the client gets.
    pub body: Bytes,
    /// What becomes of a request that may pass.
    pub forward: Option<ForwardExplanation>,
}

/// What becomes of a request that may pass.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ForwardExplanation {
    /// The upstream; `None` where another proxy forwards it.
    pub upstream: Option<String>,
    /// The target that the upstream gets.
    pub target: Option<String>,
    /// The names of the headers that tell who calls.
    pub identity_headers: Vec<String>,
}

impl RequestExplanation {
    pub(super) fn new(request: &TrialRequest) -> Self {
        Self {
            method: request.method().to_owned(),
            host: None,
            path: None,
            certificate: None,
            route: None,
            resource: None,
            needs_token: false,
            token: None,
            caller: None,
            demands: Vec::new(),
            policies: Vec::new(),
            failed_policies: Vec::new(),
            verdict: RequestVerdict::new(VerdictKind::Undecided),
        }
    }

    pub(super) fn note_target(&mut self, target: &Target) {
        self.host = Some(target.host.authority().to_owned());
        self.path = Some(target.path.as_str().to_owned());
    }

    /// Reads the client certificate as if a trusted proxy had sent the request: whoever asks,
    /// writes the headers that the proxy would.
    pub(super) fn note_certificate(
        &mut self,
        generation: &Generation,
        headers: &HeaderMap,
    ) -> Option<Thumbprint> {
        let header = generation.client_certificate.as_ref()?;
        let read = header.read(headers, FieldJoining::Never);
        let certificate = read.unwrap_or_default();
        self.certificate = Some(CertificateExplanation {
            header: header.name.to_string(),
            thumbprint: certificate.as_ref().map(ToString::to_string),
            fault: read.err().map(|fault| fault.to_string()),
        });
        certificate
    }

    pub(super) fn note_route(
        &mut self,
        routes: &Routes,
        route: &Route,
        request: &IncomingRequest<'_>,
    ) {
        self.route = Some(RouteExplanation::of(routes, route, request));
    }

    /// Notes the resource, whose audience the route demands as well.
    pub(super) fn note_resource(&mut self, resource: Option<&ProtectedResource>) {
        let Some(resource) = resource else { return };
        if let Some(route) = &mut self.route {
            route.access = route.access.at(Some(resource));
        }
        self.resource = Some(ResourceExplanation {
            url: resource.url().to_owned(),
            metadata_url: resource.metadata_url().to_string(),
        });
    }

    /// Whether its proof was used before: the one thing that the checks of a token leave open.
    pub(super) fn note_proof(&mut self, permit: &Result<ForwardPermit, Denial>) {
        let Err(Denial::Rejection(rejection)) = permit else {
            return;
        };
        if rejection.code() != Code::ProofReplayed {
            return;
        }
        let steps = self
            .token
            .iter_mut()
            .flat_map(|token| &mut token.steps);
        for step in steps.filter(|step| step.name == USE_OF_PROOF) {
            *step = Step::failure(USE_OF_PROOF, rejection);
        }
    }

    pub(super) fn note_policies(&mut self, report: &PolicyReport) {
        // A token that is refused before leaves an empty report.
        if *report == PolicyReport::default() {
            return;
        }
        self.policies = report
            .determining
            .iter()
            .map(ToString::to_string)
            .collect();
        let failed = report.failed.iter();
        self.failed_policies = failed
            .map(|(name, why)| (name.to_string(), *why))
            .collect();
    }
}

impl RouteExplanation {
    fn of(routes: &Routes, route: &Route, request: &IncomingRequest<'_>) -> Self {
        let mut listed = routes.with_patterns().enumerate();
        // The object decides and not its name: the default is in no list, and thus has no place.
        let found = listed.find(|(_, (other, _))| std::ptr::eq(*other, route));
        let (index, patterns) = match found {
            Some((index, (_, patterns))) => (Some(index), patterns),
            None => (None, &[][..]),
        };
        let near = match index {
            Some(_) => Vec::new(),
            None => near(routes, request),
        };
        Self {
            name: route.name.to_string(),
            index,
            path: patterns
                .first()
                .map_or(String::new(), |it| it.path.to_string()),
            methods: distinct(patterns, |it| it.method.as_ref().map(Method::to_string)),
            hosts: distinct(patterns, |it| it.host.as_ref().map(ToString::to_string)),
            access: route.access.clone(),
            near,
        }
    }
}

/// The routes whose path a request has, although they are for another method or host.
fn near(routes: &Routes, request: &IncomingRequest<'_>) -> Vec<String> {
    let path = &request.target.path;
    let listed = routes.with_patterns();
    let near = listed.filter(|(_, patterns)| patterns.iter().any(|it| it.path.matches(path)));
    near.map(|(route, _)| route.name.to_string()).collect()
}

/// What the patterns of a route say about one thing, each once.
fn distinct(
    patterns: &[RoutePattern],
    part: impl Fn(&RoutePattern) -> Option<String>,
) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in patterns.iter().filter_map(part) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

impl RequestVerdict {
    fn new(kind: VerdictKind) -> Self {
        Self {
            kind,
            status: None,
            code: None,
            phrase: "",
            facts: String::new(),
            cure: None,
            parties: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            forward: None,
        }
    }

    /// A request that may pass, with these headers about the caller.
    pub(super) fn of_forwarding(told: IdentityHeaders) -> Self {
        let told = told.into_iter().filter(|(_, value)| value.is_some());
        let forward = ForwardExplanation {
            identity_headers: told.map(|(name, _)| name.to_string()).collect(),
            ..ForwardExplanation::default()
        };
        Self {
            forward: Some(forward),
            ..Self::new(VerdictKind::Forwarded)
        }
    }

    /// A request that the gateway answers itself: for the keys of its assertions, or a preflight.
    pub(super) fn of_answer(answer: &Response<Bytes>) -> Self {
        Self {
            status: Some(answer.status().as_u16()),
            headers: answer.headers().clone(),
            body: answer.body().clone(),
            ..Self::new(VerdictKind::Answered)
        }
    }

    /// A request that is refused, or left open.
    pub(super) fn of(
        error: RequestError,
        server: &ResourceServer,
        request_id: String,
        demands: &[DemandStep],
    ) -> Self {
        let (cure, parties) = (remedy_of(&error, demands), parties(&error, demands));
        let has_facts = match &error {
            RequestError::Denial(Denial::Rejection(it)) => !it.facts().is_empty(),
            _ => true,
        };
        // A refusal that nobody got must not stand in the log.
        let (code, phrase, facts, response) = with_default(NoSubscriber::new(), || {
            let turned_away = TurnedAway::new(error, server, request_id);
            let (code, phrase) = (turned_away.code(), turned_away.phrase());
            let facts = turned_away.facts();
            (code, phrase, facts, turned_away.into_response())
        });
        let (parts, body) = response.into_parts();
        let kind = match parts.status {
            // Any other refusal repeats; after an outage the same request may pass.
            StatusCode::SERVICE_UNAVAILABLE => VerdictKind::Undecided,
            _ => VerdictKind::Refused,
        };
        Self {
            status: Some(parts.status.as_u16()),
            code: Some(code),
            phrase,
            facts: if has_facts { facts } else { String::new() },
            cure: Some(cure),
            parties,
            headers: parts.headers,
            body,
            ..Self::new(kind)
        }
    }
}
