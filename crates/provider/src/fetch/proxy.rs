//! The proxy for documents and requests, as the environment names it.
//!
//! `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` mean what they mean to curl, in upper or lower case.
//! `http_proxy` counts in lower case only: in a CGI program a client sets `HTTP_PROXY` by a header.
//! Hosts inside (loopback, private addresses, and names that resolve to them here) are never asked
//! through a proxy.
//!
//! Does not check where the proxy connects to: it resolves names itself. Credentials in its address
//! are never shown.

use hyper_util::client::proxy::matcher::Matcher;
use portcullis_core::ConfigError;
use reqwest::{ClientBuilder, Proxy};
use std::fmt;
use std::sync::{Arc, OnceLock};
use url::Url;

/// The proxies for outside hosts.
pub struct Proxies {
    /// For `https` and `http`: the address of the proxy, with its credentials.
    addresses: [Option<Url>; 2],
    exceptions: String,
    matcher: Matcher,
    faults: Vec<ConfigError>,
}

impl Proxies {
    /// The proxies of the environment, read once.
    pub fn of_environment() -> Arc<Self> {
        // Once for the process: all servers and clients in it go the same way out.
        static KNOWN: OnceLock<Arc<Proxies>> = OnceLock::new();
        Arc::clone(KNOWN.get_or_init(|| Arc::new(Self::of(|name| std::env::var(name).ok()))))
    }

    /// The proxies that these variables name.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut faults = Vec::new();
        let all = first(&["ALL_PROXY", "all_proxy"], &variable, &mut faults);
        let https = first(&["HTTPS_PROXY", "https_proxy"], &variable, &mut faults);
        let https = https.or_else(|| all.clone());
        let http = first(&["http_proxy"], &variable, &mut faults).or(all);
        let exceptions = ["NO_PROXY", "no_proxy"].into_iter().find_map(variable);
        let exceptions = exceptions.unwrap_or_default();
        let matcher = Matcher::builder()
            .https(text(https.as_ref()))
            .http(text(http.as_ref()))
            .no(exceptions.clone())
            .build();
        Self {
            addresses: [https, http],
            exceptions,
            matcher,
            faults,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.addresses.iter().all(Option::is_none)
    }

    /// What is wrong with the variables.
    pub fn faults(&self) -> &[ConfigError] {
        &self.faults
    }

    /// Whether a URL goes through a proxy, if its host is outside.
    pub(super) fn serve(&self, url: &Url) -> bool {
        self.address_for(url).is_some()
    }

    /// Host and port of the proxy for a URL, without its credentials.
    pub(super) fn address_for(&self, url: &Url) -> Option<String> {
        if self.is_empty() || self.excepts_all() {
            return None;
        }
        let uri = url.as_str().parse().ok()?;
        let proxy = self.matcher.intercept(&uri)?;
        // Host and port alone: the URL of a proxy often holds a password.
        let host = proxy.uri().host()?;
        Some(match proxy.uri().port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    }

    /// Whether the exceptions hold `*`: then nothing goes through a proxy, whatever kind of host.
    fn excepts_all(&self) -> bool {
        self.exceptions
            .split(',')
            .any(|name| name.trim() == "*")
    }

    /// A client that sends everything through the proxies.
    pub(super) fn on(&self, mut builder: ClientBuilder) -> ClientBuilder {
        let [https, http] = &self.addresses;
        if let Some(url) = https
            && let Ok(proxy) = Proxy::https(url.as_str())
        {
            builder = builder.proxy(proxy);
        }
        if let Some(url) = http
            && let Ok(proxy) = Proxy::http(url.as_str())
        {
            builder = builder.proxy(proxy);
        }
        builder
    }
}

/// The proxy of the first of these variables that is set to something. A bad address is a fault,
/// and no reason to look at the next variable.
fn first(
    names: &[&'static str],
    variable: &impl Fn(&str) -> Option<String>,
    faults: &mut Vec<ConfigError>,
) -> Option<Url> {
    for name in names {
        let Some(value) = variable(name) else {
            continue;
        };
        // An empty variable is how a shell switches a proxy off.
        if value.trim().is_empty() {
            continue;
        }
        return match address(name, value.trim()) {
            Ok(url) => Some(url),
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
    }
    None
}

fn text(url: Option<&Url>) -> String {
    url.map(Url::to_string).unwrap_or_default()
}

/// Shows each proxy, without its credentials, and the exceptions.
impl fmt::Display for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [https, http] = &self.addresses;
        let mut parts = Vec::new();
        for (scheme, url) in [("https", https), ("http", http)] {
            if let Some(url) = url {
                parts.push(format!("{scheme} through {}", bare(url)));
            }
        }
        if !self.exceptions.trim().is_empty() {
            parts.push(format!("not for {}", self.exceptions.trim()));
        }
        f.write_str(&parts.join("; "))
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Scheme, host and port.
fn bare(url: &Url) -> String {
    let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
    match url.port_or_known_default() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// The address of a proxy: of HTTP or HTTPS, where no scheme means HTTP.
fn address(name: &'static str, value: &str) -> Result<Url, ConfigError> {
    let text = if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    };
    if let Ok(url) = Url::parse(&text)
        && matches!(url.scheme(), "http" | "https")
        && url.has_host()
    {
        return Ok(url);
    }
    // The value is not shown: it may hold a password.
    let cure = "write the address of an HTTP proxy, such as `http://proxy.example:3128`; SOCKS is \
        not supported";
    let fault = ConfigError::expected(name, "the address of an HTTP proxy");
    Err(fault.found_as("another text").help(cure))
}

#[cfg(test)]
mod tests;
