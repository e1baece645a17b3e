//! The door of an application that decides inside itself: the routes of the settings, without a
//! listener and without an upstream.
//!
//! The application's server has read the request already, so the decision is about the path that
//! the application sees. Nothing is forwarded: the application goes on with the [`Admission`]. What
//! a route says about bodies, prefixes and upstreams is for a gateway, and changes nothing here.

use super::receivers;
use super::request_error::RequestError;
use super::websocket::take_token;
use crate::decision::policy::RouteDecision;
use crate::generation::Generation;
use crate::refusal::Refusal;
use crate::request::certificate::FieldJoining;
use crate::request::incoming::IncomingRequest;
use crate::request::path::NormalPath;
use crate::request::peer::Peer;
use crate::request::target::{Target, check_coding, host_field};
use crate::request::trace::Trace;
use crate::settings::Settings;
use crate::telemetry::Telemetry;
use crate::transport::life::Life;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use portcullis_core::token::AccessToken;
use portcullis_core::{CodeLinks, ConfigErrors, Denial};
use portcullis_resource_server::clock::Clock;
use portcullis_resource_server::{
    DenialResponse, ReceiverRequest, ResourceServer, TokenEnd, request_id,
};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// The decision of a gateway inside an application.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_gateway::{Config, EmbeddedGateway, EmbeddedRequest, Settings};
/// use portcullis_resource_server::clock::{Clock, SystemClock};
/// use std::sync::Arc;
///
/// let text = std::fs::read_to_string("portcullis.toml")?;
/// let settings = Settings::for_application(Config::for_application(&text)?)?;
/// let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
/// let gateway = EmbeddedGateway::new(settings, &clock)?;
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("host", "api.example".parse()?);
/// let request = EmbeddedRequest::new(http::Method::GET, "/orders/7?page=2", headers);
/// match gateway.admit(request).await {
///     Ok(admission) => println!("route {}", admission.route),
///     Err(turned_away) => println!("{}", turned_away.code()),
/// }
/// # Ok(())
/// # }
/// ```
pub struct EmbeddedGateway {
    generation: Generation,
    #[expect(dead_code, reason = "dropped, it would end all streams")]
    stop: watch::Sender<bool>,
}

/// A request as the server of an application has read it.
#[derive(Debug)]
pub struct EmbeddedRequest {
    method: Method,
    target: String,
    sent: Option<String>,
    headers: HeaderMap,
    peer: Peer,
    websocket: bool,
}

/// What an application may go on with.
#[derive(Debug)]
pub struct Admission {
    /// The caller's token; `None` where the route needs none.
    pub token: Option<AccessToken>,
    /// The name of the route.
    pub route: String,
    /// The headers of the request that nobody but the gateway may send, in the client's spelling.
    /// The application must not see them.
    pub removed: Vec<HeaderName>,
    /// The headers that tell who calls, as an upstream of a gateway gets them.
    pub identity: Vec<(HeaderName, HeaderValue)>,
    /// The name of the request in the log.
    pub request_id: String,
}

/// A request that may not go on.
#[derive(Debug)]
pub struct TurnedAway {
    reason: Reason,
    links: CodeLinks,
    is_recorded: bool,
    request_id: String,
}

#[derive(Debug)]
enum Reason {
    Refusal(Refusal),
    Denial(DenialResponse),
}

impl EmbeddedGateway {
    /// Makes settings ready for requests. Keys are fetched from the first request on, or from now
    /// on if this is called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// The destination of the audit records cannot be written to.
    pub fn new(settings: Settings, clock: &Arc<dyn Clock>) -> Result<Self, ConfigErrors> {
        let (stop, stopping) = watch::channel(false);
        let life = Life::new(stopping);
        let telemetry = Arc::new(Telemetry::new(&settings.listeners.log)?);
        let generation = Generation::new(settings, clock, &life, &telemetry, None)?;
        life.set_server(generation.policy.server.clone());
        Ok(Self { generation, stop })
    }

    /// The server that decides about tokens.
    pub fn resource_server(&self) -> &ResourceServer {
        &self.generation.policy.server
    }

    /// Decides whether a request may go on, by its route.
    ///
    /// # Errors
    ///
    /// The request has more than one reading, its token is refused or may not do this, or nothing
    /// can be decided for now.
    pub async fn admit(&self, request: EmbeddedRequest) -> Result<Admission, TurnedAway> {
        let request_id = request_id(&request.headers);
        let admission = self.authorize(request, &request_id).await;
        let has_records = self.generation.telemetry.audit.is_some();
        admission.map_err(|error| {
            let turned_away = TurnedAway::new(error, self.resource_server(), request_id);
            turned_away.with_records(has_records)
        })
    }

    async fn authorize(
        &self,
        request: EmbeddedRequest,
        request_id: &str,
    ) -> Result<Admission, RequestError> {
        let Generation { identity, .. } = &self.generation;
        let trace = Trace::read(&request.headers);
        let incoming = self.read(request, request_id, trace.as_ref())?;
        let RouteDecision { route, permit, .. } = self.generation.authorize(&incoming).await?;
        // As in the proxy: no identity header is written without a permit.
        let permit = permit?;
        let context = self.generation.assertion_context(route);
        let mut told = Vec::new();
        for (name, value) in identity.headers(permit.token(), context)? {
            told.extend(value.map(|value| (name, value)));
        }
        Ok(Admission {
            token: permit.token().cloned(),
            route: route.name.to_string(),
            removed: identity.identity_headers_of(&incoming.headers),
            identity: told,
            request_id: request_id.to_owned(),
        })
    }

    fn read<'r>(
        &self,
        mut request: EmbeddedRequest,
        id: &'r str,
        trace: Option<&'r Trace>,
    ) -> Result<IncomingRequest<'r>, Refusal> {
        let headers = &mut request.headers;
        check_coding(headers)?;
        let host = host_field(headers)?.ok_or(Refusal::Host("no host"))?;
        if let Some(sent) = &request.sent {
            NormalPath::parse(sent).map_err(Refusal::Path)?;
        }
        let hosts = &self.generation.hosts;
        let target = Target::parse(&request.method, host.authority(), &request.target, hosts)?;
        let target = target.mounted_at(request.sent.as_deref());
        if request.websocket {
            let server = &self.generation.policy.server;
            take_token(headers, server.accepts_offered_tokens());
        }
        let has_body = headers.contains_key(TRANSFER_ENCODING)
            || headers
                .get(CONTENT_LENGTH)
                .is_some_and(|size| size != "0");
        let caller = self
            .generation
            .client_address
            .caller(request.peer, headers);
        // The application's server may have read two fields as one.
        let joining = FieldJoining::Possible;
        let certificate = self
            .generation
            .certificate(request.peer, headers, joining);
        Ok(IncomingRequest {
            method: request.method,
            target,
            headers: request.headers,
            has_body,
            caller,
            certificate,
            id,
            trace,
        })
    }

    /// The metadata of a resource, if the request is for such a document (RFC 9728, section 3). It
    /// is for everybody, so it is answered before any decision. `path` is the one on the wire.
    pub fn describe(
        &self,
        method: &Method,
        authority: Option<&str>,
        path: &str,
    ) -> Option<Response<Bytes>> {
        self.generation
            .documents
            .answer(method, authority, path)
    }

    /// Takes what a provider sends: a logout, or a security event that is pushed. The path of the
    /// request is the part below the receivers' own, such as `/logout`. `address` is the other end
    /// of the connection; none for a Unix socket.
    ///
    /// Like a gateway's receivers, it refuses senders who keep failing, and writes audit records
    /// where the settings have a place for them. See [`ResourceServer::answer_receiver`].
    pub async fn receive(
        &self,
        request: &ReceiverRequest<'_>,
        address: Option<IpAddr>,
    ) -> Response<Bytes> {
        let id = request_id(request.headers);
        // By the same rules as in a gateway: a trusted proxy tells the sender's address.
        let peer = Peer::of_application(address);
        let sender = self
            .generation
            .client_address
            .caller(peer, request.headers);
        match receivers::refuse_failing(&self.generation, sender) {
            Ok(()) => receivers::answer(&self.generation, sender, &id, request).await,
            Err(refusal) => refusal.into_response(&id, self.resource_server().code_links()),
        }
    }

    /// The names of the routes; the last one is for requests that no other matches.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        let routes = self.generation.policy.routes.iter();
        routes.map(|route| &*route.name)
    }

    /// Waits until a token is no longer good, and returns the reason: see
    /// [`ResourceServer::wait_for_end`]. For connections that outlive their first request.
    pub async fn wait_for_end(&self, token: AccessToken) -> TokenEnd {
        self.resource_server().wait_for_end(&token).await
    }

    /// The metrics of this gateway, in Prometheus' text format.
    pub fn metrics(&self) -> String {
        let telemetry = &self.generation.telemetry;
        telemetry
            .exposition
            .render(|recorder| self.generation.record(recorder))
    }
}

impl fmt::Debug for EmbeddedGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmbeddedGateway")
            .field(self.resource_server())
            .finish()
    }
}

impl EmbeddedRequest {
    /// A request with its method, the path that the application sees, escaped, and the query.
    pub fn new(method: Method, target: impl Into<String>, headers: HeaderMap) -> Self {
        Self {
            method,
            target: target.into(),
            sent: None,
            headers,
            peer: Peer::of_application(None),
            websocket: false,
        }
    }

    /// With this path on the wire, before the server undid its escapes. It must have one reading
    /// too, and no escaped slash: the application would take that for a slash.
    #[must_use]
    pub fn sent_as(mut self, path: impl Into<String>) -> Self {
        self.sent = Some(path.into());
        self
    }

    /// From this address. Default: over a Unix socket.
    #[must_use]
    pub fn from_address(mut self, address: IpAddr) -> Self {
        self.peer = Peer::of_application(Some(address));
        self
    }

    /// The handshake of a WebSocket, whose token may stand among the subprotocols.
    #[must_use]
    pub fn for_websocket(mut self) -> Self {
        self.websocket = true;
        self
    }
}

impl TurnedAway {
    pub(super) fn new(error: RequestError, server: &ResourceServer, request_id: String) -> Self {
        let reason = match error {
            RequestError::Refusal(refusal) => Reason::Refusal(refusal),
            RequestError::Denial(denial) => {
                let id = request_id.clone();
                Reason::Denial(DenialResponse::without_log(denial, server, id))
            }
        };
        let links = server.code_links().clone();
        Self {
            reason,
            links,
            is_recorded: false,
            request_id,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match &self.reason {
            Reason::Refusal(refusal) => refusal.code(),
            Reason::Denial(response) => response.denial().code(),
        }
    }

    /// The denial; `None` if the request itself is at fault.
    pub fn denial(&self) -> Option<&Denial> {
        match &self.reason {
            Reason::Refusal(_) => None,
            Reason::Denial(response) => Some(response.denial()),
        }
    }

    /// The fixed phrase for the client.
    pub fn phrase(&self) -> &'static str {
        match &self.reason {
            Reason::Refusal(refusal) => refusal.phrase(),
            Reason::Denial(response) => match response.denial() {
                Denial::Rejection(rejection) => rejection.code().entry().phrase,
                Denial::Outage(outage) => outage.code().phrase(),
            },
        }
    }

    /// Notes whether decisions are recorded; requests that are refused unread are not.
    fn with_records(mut self, has_records: bool) -> Self {
        self.is_recorded = has_records && self.denial().is_some();
        self
    }

    /// Whether an audit record says the same, so that no log has to.
    pub fn is_recorded(&self) -> bool {
        self.is_recorded
    }

    /// What the operator can do about a denial.
    pub fn cure(&self) -> Option<&'static str> {
        match self.denial()? {
            Denial::Rejection(rejection) => Some(rejection.code().entry().cure),
            Denial::Outage(outage) => Some(outage.cure()),
        }
    }

    /// The reason for the operator.
    pub fn facts(&self) -> String {
        match &self.reason {
            Reason::Refusal(refusal) => refusal.to_string(),
            Reason::Denial(response) => match response.denial() {
                Denial::Rejection(rejection) => rejection.facts().to_string(),
                Denial::Outage(outage) => outage.facts().to_owned(),
            },
        }
    }

    /// The response for the client: a problem document.
    pub fn into_response(self) -> Response<Bytes> {
        match self.reason {
            Reason::Refusal(refusal) => refusal.into_response(&self.request_id, &self.links),
            Reason::Denial(response) => response.into_response(),
        }
    }
}
