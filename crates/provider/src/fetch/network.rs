//! Errors of the network in the words of people: what was found, and what to do about it.
//!
//! The HTTP client wraps its errors in each other, and only the innermost says what happened. Each
//! known one becomes a sentence that names the host; the rest keeps its own words. The whole chain
//! is kept for those who ask for it.

use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::error::Error;
use std::{fmt, io, iter};
use url::Url;

/// Why a server gave no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkFault {
    cause: NetworkCause,
    text: String,
    chain: String,
}

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkCause {
    /// Nothing listens at the port.
    Refused,
    /// The name of the host has no address.
    UnknownName,
    /// There is no way to the host.
    Unreachable,
    /// There was no answer in time.
    Slow,
    /// The certificate is from an authority that is not trusted.
    Authority,
    /// The certificate has expired, or is not valid yet.
    Expired,
    /// The certificate is for another host.
    OtherName,
    /// The certificate is wrong in another way.
    Certificate,
    /// The server demands a certificate of the client.
    ClientCertificate,
    /// The server speaks another protocol.
    OtherProtocol,
    /// Both sides have no version or cipher in common.
    Handshake,
    /// The connection ended before the response.
    Closed,
    /// The proxy of the environment gives no connection.
    Proxy,
    /// Anything else.
    Other,
}

impl NetworkFault {
    /// Reads the error of a request to this URL. `proxy` is the address of the proxy that it went
    /// through, if any.
    pub fn read(url: &Url, error: &(dyn Error + 'static), proxy: Option<&str>) -> Self {
        let host = host_of(url);
        let (cause, text) = match proxy {
            Some(proxy) => describe_proxied(&host, error, proxy),
            None => describe(&host, error),
        };
        Self {
            cause,
            text,
            chain: chain_text(error),
        }
    }

    /// What is in the way.
    pub const fn cause(&self) -> NetworkCause {
        self.cause
    }

    /// The errors of the libraries, from the outermost to the innermost.
    pub fn chain(&self) -> &str {
        &self.chain
    }
}

/// What happened, with the name of the host.
impl fmt::Display for NetworkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl NetworkCause {
    /// What to do about it.
    pub const fn cure(self) -> &'static str {
        match self {
            Self::Refused => "start the server, or correct the host and the port",
            Self::UnknownName => {
                "correct the name of the host, or see that this machine can resolve it"
            }
            Self::Unreachable | Self::Slow | Self::Closed => {
                "see that this machine reaches the host: the network, a firewall, a proxy \
                    (HTTPS_PROXY)"
            }
            Self::Authority => {
                "trust the authority that issued it: `--ca-file` of the command, `ca_file` in \
                    settings; or have the server send the certificates between"
            }
            Self::Expired => "renew the certificate of the server, or set this machine's clock",
            Self::OtherName => {
                "use a name that the certificate has, or have one issued for this name"
            }
            Self::Certificate => "give the server a certificate for servers, from its authority",
            Self::ClientCertificate => {
                "name the certificate of the client: `--client-certificate-file` of the command, \
                    `client_certificate_file` in settings"
            }
            Self::OtherProtocol => "correct the port, or the scheme of the URL",
            Self::Handshake => "offer TLS 1.2 or 1.3 at the server, with a current cipher suite",
            Self::Proxy => {
                "see that the proxy of HTTPS_PROXY works, or except the host by NO_PROXY"
            }
            Self::Other => "run the command again with --verbose, which shows the causes",
        }
    }
}

fn describe(host: &str, error: &(dyn Error + 'static)) -> (NetworkCause, String) {
    if let Some(tls) = find_tls(error) {
        return describe_tls(host, tls);
    }
    let connecting = is_about_connecting(error);
    if is_timeout(error) {
        let text = match connecting {
            true => format!("no connection to {host}: no answer in time"),
            false => format!("no answer in time from {host}"),
        };
        return (NetworkCause::Slow, text);
    }
    // The client's own types for these two are private, so that only the texts tell them.
    if errors(error).any(|part| part.to_string() == "dns error") {
        let text = format!("the name of {host} cannot be resolved");
        return (NetworkCause::UnknownName, text);
    }
    if errors(error).any(|part| part.to_string().starts_with("invalid HTTP")) {
        return (
            NetworkCause::OtherProtocol,
            format!("{host} does not speak HTTP"),
        );
    }
    // Last, because faults of TLS come wrapped in I/O errors too.
    match find_io(error) {
        Some(io::ErrorKind::ConnectionRefused) => (
            NetworkCause::Refused,
            format!("nothing listens at {host}: the connection was refused"),
        ),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => (
            NetworkCause::Unreachable,
            format!("there is no route to {host}"),
        ),
        Some(io::ErrorKind::TimedOut) => (
            NetworkCause::Slow,
            format!("no connection to {host}: no answer in time"),
        ),
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof,
        ) => describe_closing(host),
        // hyper's error for an end in mid-message is no I/O error, and its type is private.
        _ if innermost(error).starts_with("connection closed") => describe_closing(host),
        _ => (
            NetworkCause::Other,
            format!("the request to {host} failed: {}", innermost(error)),
        ),
    }
}

fn describe_closing(host: &str) -> (NetworkCause, String) {
    let text = format!("{host} closed the connection before it answered");
    (NetworkCause::Closed, text)
}

/// A proxy resolves the host and connects to it, so that its own faults come first.
fn describe_proxied(
    host: &str,
    error: &(dyn Error + 'static),
    proxy: &str,
) -> (NetworkCause, String) {
    // TLS is spoken with the host through the tunnel, so its faults are not the proxy's.
    if find_tls(error).is_none() && is_about_connecting(error) {
        let (_, own) = describe(proxy, error);
        let text = format!("the proxy {proxy} gives no connection to {host}: {own}");
        return (NetworkCause::Proxy, text);
    }
    let (cause, text) = describe(host, error);
    (cause, format!("{text} (through the proxy {proxy})"))
}

fn describe_tls(host: &str, error: &TlsError) -> (NetworkCause, String) {
    match error {
        TlsError::InvalidCertificate(fault) => describe_certificate(host, fault),
        // Plain HTTP or SSH at the port: its first bytes are no TLS record.
        TlsError::InvalidMessage(_) => (
            NetworkCause::OtherProtocol,
            format!("{host} does not speak TLS"),
        ),
        // The first is new in TLS 1.3 (RFC 8446, section 6.2). Older servers send the second.
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate,
        ) => (
            NetworkCause::ClientCertificate,
            format!("{host} demands a certificate of the client"),
        ),
        TlsError::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion,
        )
        | TlsError::PeerIncompatible(_) => (
            NetworkCause::Handshake,
            format!("{host} and this machine have no TLS version or cipher suite in common"),
        ),
        other => (
            NetworkCause::Other,
            format!("the TLS handshake with {host} failed: {other}"),
        ),
    }
}

fn describe_certificate(host: &str, fault: &CertificateError) -> (NetworkCause, String) {
    let (cause, what) = match fault {
        CertificateError::UnknownIssuer => (
            NetworkCause::Authority,
            "is from an authority that is not trusted here".to_owned(),
        ),
        CertificateError::Expired => (NetworkCause::Expired, "has expired".to_owned()),
        CertificateError::ExpiredContext { time, not_after } => {
            let ago = time.as_secs().saturating_sub(not_after.as_secs());
            (NetworkCause::Expired, format!("expired {} ago", span(ago)))
        }
        CertificateError::NotValidYet => (NetworkCause::Expired, "is not valid yet".to_owned()),
        CertificateError::NotValidYetContext { time, not_before } => {
            let wait = not_before.as_secs().saturating_sub(time.as_secs());
            let what = format!("is not valid for another {}", span(wait));
            (NetworkCause::Expired, what)
        }
        CertificateError::NotValidForName => {
            (NetworkCause::OtherName, "is for another host".to_owned())
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            (NetworkCause::OtherName, names(presented))
        }
        // rustls boxes this error of webpki, so only its text shows which one it is.
        other if other.to_string().contains("CaUsedAsEndEntity") => (
            NetworkCause::Certificate,
            "is that of an authority, not of a server".to_owned(),
        ),
        other => (NetworkCause::Certificate, format!("is refused: {other}")),
    };
    (cause, format!("the certificate of {host} {what}"))
}

/// The names of a certificate. They are a stranger's text, so they are escaped and cut.
fn names(presented: &[String]) -> String {
    let mut names = Vec::new();
    // A certificate of a content network lists hundreds of names: three show whose it is.
    for name in presented.iter().take(3) {
        // rustls shows `DnsName("idp.example")`.
        let name = name.split('"').nth(1).unwrap_or(name);
        names.push(name.escape_debug().take(80).collect::<String>());
    }
    match names.is_empty() {
        true => "names no host".to_owned(),
        false => format!("is for {}", names.join(", ")),
    }
}

/// A time in its largest unit.
fn span(seconds: u64) -> String {
    let (number, unit) = match seconds {
        86_400.. => (seconds / 86_400, "day"),
        3_600.. => (seconds / 3_600, "hour"),
        60.. => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{ending}")
}

/// The host, with its port if the URL names one.
fn host_of(url: &Url) -> String {
    // Never user information or the query: the text goes to logs, and both may hold secrets.
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The error, then each of its causes.
pub(super) fn errors<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| {
        (*error).source()
    })
}

fn find_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e TlsError> {
    errors(error).find_map(|part| {
        let mut part = part;
        // An I/O error gives the causes of what it wraps, and leaves out the wrapped error itself.
        while let Some(wrapped) = part
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            part = wrapped;
        }
        part.downcast_ref()
    })
}

fn find_io(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    // The innermost one: outer layers may wrap it again, as `Other`.
    let kinds = errors(error).filter_map(|part| part.downcast_ref::<io::Error>());
    kinds.map(io::Error::kind).last()
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    errors(error).any(|part| {
        part.downcast_ref()
            .is_some_and(reqwest::Error::is_timeout)
    })
}

fn is_about_connecting(error: &(dyn Error + 'static)) -> bool {
    errors(error).any(|part| {
        part.downcast_ref()
            .is_some_and(reqwest::Error::is_connect)
    })
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    errors(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn chain_text(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in errors(error) {
        let part = part.to_string();
        // Some errors repeat the text of their cause.
        if parts.last() != Some(&part) {
            parts.push(part);
        }
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests;
