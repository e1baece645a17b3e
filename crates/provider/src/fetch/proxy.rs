//! The proxy through which documents are fetched and questions go out, as the environment names it.
//!
//! `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` mean what they mean to curl, in capital or small
//! letters. `http_proxy` counts in small letters only: in a CGI program a client sets `HTTP_PROXY`
//! by a header. Hosts inside (loopback, private addresses, and names that resolve to them here) are
//! never asked through a proxy.
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
    /// What the environment says, read once.
    pub fn of_environment() -> Arc<Self> {
        static KNOWN: OnceLock<Arc<Proxies>> = OnceLock::new();
        Arc::clone(KNOWN.get_or_init(|| Arc::new(Self::of(|name| std::env::var(name).ok()))))
    }

    /// What these variables say.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut faults = Vec::new();
        let mut first = |names: &[&'static str]| {
            let value =
                |name| Some((name, variable(name)?)).filter(|(_, value)| !value.trim().is_empty());
            let (name, value) = names.iter().copied().find_map(value)?;
            address(name, value.trim())
                .map_err(|fault| faults.push(fault))
                .ok()
        };
        let all = first(&["ALL_PROXY", "all_proxy"]);
        let https = first(&["HTTPS_PROXY", "https_proxy"]).or_else(|| all.clone());
        let http = first(&["http_proxy"]).or(all);
        let exceptions = ["NO_PROXY", "no_proxy"]
            .into_iter()
            .find_map(variable)
            .unwrap_or_default();
        let text = |url: &Option<Url>| url.as_ref().map(Url::to_string).unwrap_or_default();
        let matcher = Matcher::builder()
            .https(text(&https))
            .http(text(&http))
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
        let any = self
            .exceptions
            .split(',')
            .any(|exception| exception.trim() == "*");
        let uri = || url.as_str().parse().ok();
        !self.is_empty() && !any && uri().is_some_and(|uri| self.matcher.intercept(&uri).is_some())
    }

    /// A client that asks everything through the proxies.
    pub(super) fn on(&self, builder: ClientBuilder) -> ClientBuilder {
        let [https, http] = &self.addresses;
        let https = https
            .as_ref()
            .and_then(|url| Proxy::https(url.as_str()).ok());
        let http = http.as_ref().and_then(|url| Proxy::http(url.as_str()).ok());
        https
            .into_iter()
            .chain(http)
            .fold(builder, ClientBuilder::proxy)
    }
}

/// Shows each proxy, without its credentials, and what goes past it.
impl fmt::Display for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [https, http] = &self.addresses;
        let mut parts = Vec::new();
        for (scheme, url) in [("https", https), ("http", http)] {
            parts.extend(
                url.as_ref()
                    .map(|url| format!("{scheme} through {}", bare(url))),
            );
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
    let port = url
        .port_or_known_default()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!(
        "{}://{}{port}",
        url.scheme(),
        url.host_str().unwrap_or_default()
    )
}

/// The address of a proxy: of HTTP or HTTPS, where no scheme means HTTP. The fault does not show
/// it.
fn address(name: &'static str, value: &str) -> Result<Url, ConfigError> {
    let text = if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    };
    let url = Url::parse(&text)
        .ok()
        .filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    url.ok_or_else(|| {
        let cure =
            "write the address of an HTTP proxy, such as `http://proxy.example:3128`; SOCKS is not \
                supported";
        // The value may hold a password.
        let fault = ConfigError::expected(name, "the address of an HTTP proxy");
        fault.found_as("another text").help(cure)
    })
}

#[cfg(test)]
mod tests;
