//! Where the browser comes back to on this machine (RFC 8252, section 7.3): a port on loopback, for
//! one callback.
//!
//! Whatever does not belong to the flow is answered with an error and otherwise ignored: other
//! paths, methods and hosts (a page whose name was rebound to loopback), callbacks with another
//! `state`, and connections that say nothing. The page holds nothing of what came.

use super::callback::Callback;
use super::flow::CodeFlow;
use super::loopback_host::{LoopbackHost, loopback_url};
use crate::error::{Error, Refusal};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use portcullis_core::ConfigError;
use portcullis_provider::client_auth::Secret;
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A place on loopback that waits for one callback.
#[derive(Debug)]
pub struct LoopbackRedirect {
    /// The two addresses of `localhost`, or the one that is written.
    listeners: Vec<TcpListener>,
    /// What a browser may call this place.
    hosts: Vec<String>,
    path: Box<str>,
    redirect_uri: String,
}

/// More connections than these at once are not waited for.
const MOST_CONNECTIONS: usize = 32;
/// A code fits into a small head.
const LARGEST_HEAD: usize = 32 * 1024;
/// So long a connection may take to say what it wants.
const PATIENCE_FOR_HEADERS: Duration = Duration::from_secs(5);

impl LoopbackRedirect {
    /// Listens on `127.0.0.1`, any free port, for `/callback`. Providers that follow RFC 8252 take
    /// any port.
    ///
    /// # Errors
    ///
    /// A machine that has no free port.
    pub async fn bind() -> Result<Self, ConfigError> {
        Self::bind_at(0, "/callback").await
    }

    /// Listens on this port of `127.0.0.1`, for this path: for providers that compare redirect URIs
    /// to the letter.
    ///
    /// # Errors
    ///
    /// A port that is taken, and a path that does not begin with `/`.
    pub async fn bind_at(port: u16, path: &str) -> Result<Self, ConfigError> {
        if !path.starts_with('/') || path.contains(['?', '#']) {
            let help = "write the path of the registered redirect URI, such as `/callback`";
            let fault = ConfigError::expected("redirect path", "a path that begins with \"/\"");
            return Err(fault.found(path).help(help));
        }
        Self::listen(
            &LoopbackHost::Address(Ipv4Addr::LOCALHOST.into()),
            port,
            path,
            path,
        )
        .await
    }

    /// Listens where this redirect URI leads: on both addresses of `localhost` (RFC 8252, sections
    /// 7.3 and 8.3), or on the address that is written, such as `127.0.0.1` or `[::1]`. Without a
    /// port, on a free one.
    ///
    /// # Errors
    ///
    /// An address that is not on this machine, or not http; a port that is taken.
    pub async fn bind_for(redirect_uri: &str) -> Result<Self, ConfigError> {
        let (url, host) = loopback_url(redirect_uri)?;
        // A URL drops the port that is usual for its scheme, and so says the same with `:80` and
        // without a port.
        let says_port = url.port().is_some() || authority(redirect_uri).ends_with(":80");
        let port = if says_port {
            url.port_or_known_default().unwrap_or_default()
        } else {
            0
        };
        let query = url
            .query()
            .map_or_else(String::new, |query| format!("?{query}"));
        let mut place =
            Self::listen(&host, port, url.path(), &format!("{}{query}", url.path())).await?;
        if says_port {
            // A provider that compares to the letter gets the letters that are registered there.
            redirect_uri.clone_into(&mut place.redirect_uri);
        }
        Ok(place)
    }

    async fn listen(
        host: &LoopbackHost,
        port: u16,
        path: &str,
        after: &str,
    ) -> Result<Self, ConfigError> {
        let bound = async {
            let listeners = host.bind(port).await?;
            let port = match listeners.first() {
                Some(first) => first.local_addr()?.port(),
                None => port,
            };
            Ok::<_, io::Error>((listeners, port))
        };
        let (listeners, port) = bound.await.map_err(|error| {
            let place = host.with_port(port);
            ConfigError::wrong(place, format!("the address cannot be listened on: {error}"))
                .help("choose a port that is free")
        })?;
        let redirect_uri = format!("http://{}{after}", host.with_port(port));
        // `localhost` is this machine in every browser, and some providers register nothing else.
        let mut hosts = vec![
            host.with_port(port),
            LoopbackHost::Localhost.with_port(port),
        ];
        if port == 80 {
            let bare: Vec<_> = hosts
                .iter()
                .filter_map(|host| host.strip_suffix(":80").map(str::to_owned))
                .collect();
            hosts.extend(bare);
        }
        Ok(Self {
            listeners,
            hosts,
            path: path.into(),
            redirect_uri,
        })
    }

    /// The redirect URI to begin the flow with.
    pub fn redirect_uri(&self) -> String {
        self.redirect_uri.clone()
    }

    /// Waits for the callback of this flow, and shows the browser a page. What comes back is the
    /// query, for [`CodeFlow::finish`].
    ///
    /// # Errors
    ///
    /// Nobody came in time: the person has not signed in.
    pub async fn receive(self, flow: &CodeFlow, patience: Duration) -> Result<String, Error> {
        let mut over = flow.client.provider().clock().sleep(patience);
        let mut connections = JoinSet::new();
        let Self {
            listeners,
            hosts,
            path,
            ..
        } = self;
        let desk = Arc::new(CallbackServer {
            hosts,
            path,
            state: flow.secrets.state.clone(),
        });
        loop {
            tokio::select! {
                accepted = accept(&listeners), if connections.len() < MOST_CONNECTIONS => {
                    if let Ok(stream) = accepted {
                        connections.spawn(serve(stream, Arc::clone(&desk)));
                    }
                }
                Some(query) = connections.join_next() => {
                    if let Some(query) = query.ok().flatten() {
                        return Ok(query);
                    }
                }
                () = &mut over => return Err(nobody_came()),
            }
        }
    }
}

/// What stands between the scheme and the path.
fn authority(url: &str) -> &str {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// What every connection is held to.
struct CallbackServer {
    hosts: Vec<String>,
    path: Box<str>,
    state: Secret,
}

/// One connection; the query of the callback, if it brought it. It is told when the page is out.
async fn serve(stream: TcpStream, desk: Arc<CallbackServer>) -> Option<String> {
    let found = Arc::new(Mutex::new(None));
    let service = service_fn({
        let found = Arc::clone(&found);
        move |request: Request<Incoming>| {
            let answer = match desk.callback(&request) {
                Ok(query) => {
                    let page = if refused(&query) {
                        page(StatusCode::OK, REFUSED)
                    } else {
                        page(StatusCode::OK, DONE)
                    };
                    *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(query);
                    page
                }
                Err(status) => page(status, STRANGER),
            };
            async move { Ok::<_, Infallible>(answer) }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE_FOR_HEADERS)
        .max_buf_size(LARGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A browser that goes away before it has the page has brought its callback all the same.
    _ = connection.await;
    found.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl CallbackServer {
    /// The query, if the request is the callback of the flow.
    fn callback<B>(&self, request: &Request<B>) -> Result<String, StatusCode> {
        if !self.is_our_host(request.headers().get(HOST)) {
            return Err(StatusCode::MISDIRECTED_REQUEST);
        }
        if request.uri().path() != &*self.path {
            return Err(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::GET {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        let query = request.uri().query().unwrap_or_default();
        let callback = Callback::parse(query).map_err(|_| StatusCode::BAD_REQUEST)?;
        if callback.is_of(&self.state) {
            Ok(query.to_owned())
        } else {
            Err(StatusCode::BAD_REQUEST)
        }
    }

    fn is_our_host(&self, host: Option<&HeaderValue>) -> bool {
        host.is_some_and(|host| self.hosts.iter().any(|name| host == name.as_str()))
    }
}

/// The next connection to any of these.
async fn accept(listeners: &[TcpListener]) -> io::Result<TcpStream> {
    let [first, more @ ..] = listeners else {
        return std::future::pending().await;
    };
    let second = async {
        match more.first() {
            Some(second) => second.accept().await,
            None => std::future::pending().await,
        }
    };
    let (stream, _) = tokio::select! {
        accepted = first.accept() => accepted?,
        accepted = second => accepted?,
    };
    Ok(stream)
}

fn refused(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "error")
}

const DONE: &str = "<h1>Signed in</h1><p>You can close this window.</p>";
const REFUSED: &str = "<h1>Not signed in</h1><p>You can close this window; the program that sent \
    you here says why.</p>";
const STRANGER: &str = "<h1>Nothing here</h1>";

/// A page that loads nothing, runs nothing, and tells nobody where it was.
fn page(status: StatusCode, text: &str) -> Response<String> {
    let style =
        "body{font:1.1rem system-ui,sans-serif;margin:20vh auto;max-width:30rem;text-align:center}";
    let body = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=color-scheme content=\"light \
            dark\">\
         <title>Portcullis</title><style>{style}</style><body>{text}</body></html>\n"
    );
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, policy),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn nobody_came() -> Error {
    Error::Refusal(Refusal::new(
        "access_denied",
        Some("nobody signed in, in time"),
        None,
    ))
}
