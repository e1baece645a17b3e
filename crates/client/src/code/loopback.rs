//! The redirect URI on this machine (RFC 8252, section 7.3): a loopback port for one callback.
//!
//! Requests that do not belong to the flow get an error and are otherwise ignored: other paths,
//! methods and hosts (DNS rebinding), callbacks with another `state`, and silent connections. The
//! page repeats nothing of the request.

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

/// A loopback listener for one callback.
///
/// ```no_run
/// use portcullis_client::LoopbackRedirect;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// // For a provider that accepts any port, as RFC 8252 asks.
/// let any_port = LoopbackRedirect::bind().await?;
/// // For a provider with this exact redirect URI.
/// let exact = LoopbackRedirect::bind_for("http://localhost:8765/callback").await?;
/// # let _ = (any_port, exact);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LoopbackRedirect {
    /// Both addresses of `localhost`, or the one address of the redirect URI.
    listeners: Vec<TcpListener>,
    /// The accepted values of the header `Host`.
    hosts: Vec<String>,
    path: Box<str>,
    redirect_uri: String,
}

/// The number of connections that are served at a time.
const MOST_CONNECTIONS: usize = 32;
/// In bytes. A callback fits into a small request head.
const LARGEST_HEAD: usize = 32 * 1024;
/// The time within which a connection must send its request head.
const PATIENCE_FOR_HEADERS: Duration = Duration::from_secs(5);

impl LoopbackRedirect {
    /// Listens on a free port of `127.0.0.1`, for `/callback`. Providers that follow RFC 8252
    /// accept any port.
    ///
    /// # Errors
    ///
    /// A machine without a free port.
    pub async fn bind() -> Result<Self, ConfigError> {
        Self::bind_at(0, "/callback").await
    }

    /// Listens on this port of `127.0.0.1`, for this path: for providers that compare redirect URIs
    /// exactly.
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
        let host = LoopbackHost::Address(Ipv4Addr::LOCALHOST.into());
        Self::listen(&host, port, path, path).await
    }

    /// Listens at this redirect URI: on both addresses of `localhost` (RFC 8252, sections 7.3 and
    /// 8.3), or on the given address, such as `127.0.0.1` or `[::1]`. Without a port, it chooses a
    /// free one.
    ///
    /// # Errors
    ///
    /// An address of another machine, another scheme than http, or a port that is taken.
    pub async fn bind_for(redirect_uri: &str) -> Result<Self, ConfigError> {
        let (url, host) = loopback_url(redirect_uri)?;
        // The `url` crate drops a default port, so `:80` and no port look the same afterwards.
        let has_port = url.port().is_some() || authority(redirect_uri).ends_with(":80");
        let port = if has_port {
            url.port_or_known_default().unwrap_or_default()
        } else {
            0
        };
        let path_and_query = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let mut redirect = Self::listen(&host, port, url.path(), &path_and_query).await?;
        if has_port {
            // Byte for byte: some providers compare the text, and parsing may change its spelling.
            redirect_uri.clone_into(&mut redirect.redirect_uri);
        }
        Ok(redirect)
    }

    async fn listen(
        host: &LoopbackHost,
        port: u16,
        path: &str,
        path_and_query: &str,
    ) -> Result<Self, ConfigError> {
        let (listeners, port) = bind(host, port).await.map_err(|error| {
            let problem = format!("cannot listen on this address: {error}");
            ConfigError::wrong(host.with_port(port), problem).help("choose a port that is free")
        })?;
        let redirect_uri = format!("http://{}{path_and_query}", host.with_port(port));
        // `localhost` is this machine in every browser, and some providers register nothing else.
        let mut hosts = vec![
            host.with_port(port),
            LoopbackHost::Localhost.with_port(port),
        ];
        // Browsers leave the default port out of the header `Host`.
        for index in 0..hosts.len() {
            if let Some(bare) = hosts
                .get(index)
                .and_then(|host| host.strip_suffix(":80"))
            {
                hosts.push(bare.to_owned());
            }
        }
        Ok(Self {
            listeners,
            hosts,
            path: path.into(),
            redirect_uri,
        })
    }

    /// The redirect URI for the flow.
    pub fn redirect_uri(&self) -> String {
        self.redirect_uri.clone()
    }

    /// Waits for the callback of this flow, and shows a page in the browser. Returns the query, for
    /// [`CodeFlow::finish`].
    ///
    /// # Errors
    ///
    /// The person did not sign in within `patience`.
    pub async fn receive(self, flow: &CodeFlow, patience: Duration) -> Result<String, Error> {
        let mut timeout = flow.client.provider().clock().sleep(patience);
        let mut connections = JoinSet::new();
        let Self {
            listeners,
            hosts,
            path,
            ..
        } = self;
        let server = Arc::new(CallbackServer {
            hosts,
            path,
            state: flow.secrets.state.clone(),
        });
        loop {
            tokio::select! {
                accepted = accept(&listeners), if connections.len() < MOST_CONNECTIONS => {
                    if let Ok(stream) = accepted {
                        connections.spawn(serve(stream, Arc::clone(&server)));
                    }
                }
                // A panic in one connection must not end the sign-in, so its error is dropped.
                Some(query) = connections.join_next() => {
                    if let Ok(Some(query)) = query {
                        return Ok(query);
                    }
                }
                () = &mut timeout => return Err(timed_out()),
            }
        }
    }
}

/// Listens, and returns the port as well: the system chooses it for 0.
async fn bind(host: &LoopbackHost, port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    let listeners = host.bind(port).await?;
    let port = match listeners.first() {
        Some(first) => first.local_addr()?.port(),
        None => port,
    };
    Ok((listeners, port))
}

/// The part of an address between the scheme and the path.
fn authority(url: &str) -> &str {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// The rules for every connection.
struct CallbackServer {
    hosts: Vec<String>,
    path: Box<str>,
    state: Secret,
}

/// Serves one connection. Returns the query, if it was the callback, once the page is sent.
async fn serve(stream: TcpStream, server: Arc<CallbackServer>) -> Option<String> {
    let found = Arc::new(Mutex::new(None));
    let service = service_fn({
        let found = Arc::clone(&found);
        move |request: Request<Incoming>| {
            let response = match server.callback(&request) {
                Ok(query) => {
                    let text = if is_refusal(&query) { REFUSED } else { DONE };
                    *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(query);
                    page(StatusCode::OK, text)
                }
                Err(status) => page(status, STRANGER),
            };
            async move { Ok::<_, Infallible>(response) }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE_FOR_HEADERS)
        .max_buf_size(LARGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // The callback counts even if the browser closes the connection before it has the page.
    _ = connection.await;
    found
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

impl CallbackServer {
    /// The query, if the request is the callback of the flow.
    fn callback<B>(&self, request: &Request<B>) -> Result<String, StatusCode> {
        // DNS rebinding: a foreign page whose name resolves to loopback sends its own name here.
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
        // Any page can send a request to this port. Only the provider's response has the state, so
        // nobody else can end the wait.
        match Callback::parse(query) {
            Ok(callback) if callback.is_of(&self.state) => Ok(query.to_owned()),
            _ => Err(StatusCode::BAD_REQUEST),
        }
    }

    fn is_our_host(&self, host: Option<&HeaderValue>) -> bool {
        let Some(host) = host else {
            return false;
        };
        self.hosts.iter().any(|name| host == name.as_str())
    }
}

/// The next connection to any of these listeners, of which there are at most two.
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

fn is_refusal(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "error")
}

const DONE: &str = "<h1>Signed in</h1><p>You can close this window.</p>";
const REFUSED: &str = "<h1>Not signed in</h1><p>You can close this window. The program that sent \
    you here shows the reason.</p>";
const STRANGER: &str = "<h1>Nothing here</h1>";

/// A page that loads nothing, runs nothing, and sends no `Referer`.
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
    // The address of this page holds the code: it must not reach a cache, a log or another site.
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

fn timed_out() -> Error {
    let description = Some("nobody signed in within the time limit");
    Error::Refusal(Refusal::new("access_denied", description, None))
}
