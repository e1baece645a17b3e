//! The doors, and how each is asked.

use super::case::{Case, Outcome};
use super::doors::Doors;
use super::envoy;
use super::explanation;
use super::python;
use super::wire;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use tower::ServiceExt as _;

/// A way to a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    Layer,
    Extractor,
    Proxy,
    Asked(Front),
    /// ext_authz by gRPC, with the values of repeated headers joined.
    Grpc,
    /// ext_authz by gRPC, with raw headers.
    GrpcRaw,
    /// ext_authz by HTTP.
    Http,
    /// The Python package in front of an application of ASGI.
    Asgi,
    /// The same in front of one of WSGI.
    Wsgi,
    /// No door for a client: what the gateway says would become of the request.
    Explanation,
}

/// The programs that ask by forward-auth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Front {
    Nginx,
    IngressNginx,
    Traefik,
    Caddy,
}

impl Front {
    pub(super) const ALL: [Self; 4] = [Self::Nginx, Self::IngressNginx, Self::Traefik, Self::Caddy];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::IngressNginx => "ingress-nginx",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
        }
    }

    /// The question: the client's headers, and the program's own in place of what a client sent by
    /// their names.
    fn question(self, case: &Case) -> Vec<(String, Vec<u8>)> {
        let url = format!(
            "https://{}{}",
            case.hosts.first().map_or("", String::as_str),
            case.target
        );
        let mut own: Vec<(&str, &str)> = match self {
            Self::Nginx => vec![
                ("X-Original-Method", &case.method),
                ("X-Original-URI", &case.target),
            ],
            Self::IngressNginx => vec![
                ("X-Original-Method", &case.method),
                ("X-Original-URL", &url),
            ],
            Self::Traefik | Self::Caddy => {
                vec![
                    ("X-Forwarded-Method", &case.method),
                    ("X-Forwarded-Uri", &case.target),
                ]
            }
        };
        if self != Self::IngressNginx {
            own.extend(
                case.hosts
                    .iter()
                    .map(|host| ("X-Forwarded-Host", host.as_str())),
            );
            own.push(("X-Forwarded-Proto", "https"));
        }
        let mut headers = case.headers.clone();
        headers.retain(|(name, _)| {
            !own.iter()
                .any(|(held, _)| held.eq_ignore_ascii_case(name))
        });
        headers.extend(
            own.iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())),
        );
        headers.push(("Host".to_owned(), b"portcullis.internal".to_vec()));
        headers
    }
}

impl Door {
    pub(super) const FRONTS: [Self; 4] = [
        Self::Asked(Front::Nginx),
        Self::Asked(Front::IngressNginx),
        Self::Asked(Front::Traefik),
        Self::Asked(Front::Caddy),
    ];

    pub(super) const ALL: [Self; 13] = [
        Self::Layer,
        Self::Extractor,
        Self::Proxy,
        Self::Asked(Front::Nginx),
        Self::Asked(Front::IngressNginx),
        Self::Asked(Front::Traefik),
        Self::Asked(Front::Caddy),
        Self::Grpc,
        Self::GrpcRaw,
        Self::Http,
        Self::Asgi,
        Self::Wsgi,
        Self::Explanation,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Layer => "library: layer",
            Self::Extractor => "library: extractor",
            Self::Proxy => "proxy",
            Self::Asked(Front::Nginx) => "forward-auth: nginx",
            Self::Asked(Front::IngressNginx) => "forward-auth: ingress-nginx",
            Self::Asked(Front::Traefik) => "forward-auth: traefik",
            Self::Asked(Front::Caddy) => "forward-auth: caddy",
            Self::Grpc => "ext_authz: gRPC",
            Self::GrpcRaw => "ext_authz: gRPC with raw headers",
            Self::Http => "ext_authz: HTTP",
            Self::Asgi => "Python: ASGI",
            Self::Wsgi => "Python: WSGI",
            Self::Explanation => "explanation",
        }
    }
}

impl Doors {
    /// What a client gets for a request through this door, or why it cannot come through it.
    pub(super) async fn ask(&self, door: Door, case: &Case) -> Result<Outcome, &'static str> {
        case.fits_http()?;
        let is_path = case.target.starts_with('/');
        match door {
            Door::Layer => self.library(&self.layered, case).await,
            Door::Extractor => self.library(&self.extracted, case).await,
            Door::Proxy | Door::Http | Door::Asgi | Door::Wsgi if case.target.contains('#') => {
                Err("the HTTP library cuts a fragment off before anybody sees it")
            }
            Door::Proxy => Ok(self.proxied(case).await.0),
            Door::Asgi | Door::Wsgi if !is_path && !case.target.is_empty() => {
                Err("the application's server has taken the path out of the target")
            }
            Door::Asgi | Door::Wsgi => {
                let (outcome, _) = self.by_python(door, case).await?;
                match python::exception(door, case, &outcome) {
                    Some(why) => Err(why),
                    None => Ok(outcome),
                }
            }
            Door::Explanation if case.head_bytes() > 65_000 => {
                Err("the bounds of a listener are not explained")
            }
            Door::Explanation if !case.has_readable_names() => {
                Err("the HTTP library refuses such a name of a header")
            }
            Door::Explanation => Ok(explanation::outcome(&self.explainer, case).await),
            _ if !is_path && !case.target.is_empty() => {
                Err("the one that asks has taken the path out of the target, or refused it")
            }
            _ if case.head_bytes() > 65_000 => Err("the one that asks has refused so large a head"),
            Door::Asked(front) => {
                let (outcome, _) = self.asked(front, case).await;
                Ok(outcome)
            }
            Door::Grpc | Door::GrpcRaw => Ok(envoy::outcome(
                &self
                    .check(envoy::request(case, door == Door::GrpcRaw))
                    .await,
            )),
            Door::Http
                if case.target.is_empty()
                    || case.target.contains([' ', '#'])
                    || !case.target.is_ascii() =>
            {
                Err("no HTTP request has such a target")
            }
            Door::Http => Ok(self.by_http(case).await.0),
        }
    }

    async fn library(&self, app: &axum::Router, case: &Case) -> Result<Outcome, &'static str> {
        if !matches!(
            case.target.split('?').next(),
            Some("/" | "/write" | "/payments" | "/x" | "/orders/42" | "/protectedresource")
        ) {
            return Err("which path is whose is for the router of the application");
        }
        let mut request = Request::builder()
            .method(case.method.as_str())
            .uri(&case.target)
            .body(Body::from(case.body.clone()))
            .unwrap();
        for (name, value) in &case.headers {
            let name = HeaderName::try_from(name).unwrap();
            request
                .headers_mut()
                .append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let (parts, body) = app
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.unwrap();
        Ok(Outcome::new(parts.status.as_u16(), &parts.headers, &body))
    }

    /// Through the proxy; and the answer.
    pub(super) async fn proxied(&self, case: &Case) -> (Outcome, wire::Answer) {
        let mut headers = case.host_fields();
        headers.extend(case.headers.iter().cloned());
        outcome(wire::send(self.proxy, &case.method, &case.target, &headers, &case.body).await)
    }

    /// Through the Python package; and the answer, whose body lists the headers that the application
    /// saw.
    pub(super) async fn by_python(
        &self,
        door: Door,
        case: &Case,
    ) -> Result<(Outcome, wire::Answer), &'static str> {
        let python = self.python.as_ref().map_err(|why| *why)?;
        let mut headers = case.host_fields();
        headers.extend(case.headers.iter().cloned());
        let address = match door {
            Door::Wsgi => python.wsgi,
            _ => python.asgi,
        };
        let answer = wire::send(address, &case.method, &case.target, &headers, &case.body).await;
        Ok(outcome(answer))
    }

    /// What the front proxy is told.
    pub(super) async fn asked(&self, front: Front, case: &Case) -> (Outcome, wire::Answer) {
        outcome(
            wire::send(
                self.forward_auth[front.name()],
                "GET",
                "/",
                &front.question(case),
                "",
            )
            .await,
        )
    }

    /// What Envoy is told by HTTP.
    pub(super) async fn by_http(&self, case: &Case) -> (Outcome, wire::Answer) {
        let sent = case
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let mut headers = case.host_fields();
        headers.extend(envoy::joined_authorization(sent));
        let target = format!("/check{}", case.target);
        outcome(wire::send(self.ext_authz, &case.method, &target, &headers, "").await)
    }
}

fn outcome(answer: wire::Answer) -> (Outcome, wire::Answer) {
    (
        Outcome::new(answer.status, &answer.headers, &answer.body),
        answer,
    )
}
