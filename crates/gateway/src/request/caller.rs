//! The caller of a request, by address: the other end of the connection, or the address that a
//! trusted proxy names.
//!
//! Only trusted proxies are believed. Lists are read as bytes and from the right, where the proxy
//! next to the gateway writes: nothing that a client puts before it can change how that is read.
//! Addresses compare in their canonical form, so `::ffff:192.0.2.5` is `192.0.2.5`.
//!
//! A caller whom a trusted proxy names unreadably is [`Caller::Unknown`], never the proxy: policies
//! that ask for the address cannot be met then, and all unknown callers together count as one that
//! fails. Whether the proxies tell the truth is not checked.

mod forwarded;
mod node;

use crate::request::host::{Host, HostPattern};
use crate::request::peer::Peer;
use http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue};
use ipnet::{IpNet, Ipv4Net};
use node::Port;
use portcullis_core::HttpScheme;
use serde::{Serialize, Serializer};
use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv6Addr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Stands for an unreadable address in the list for the upstream.
const UNKNOWN: &str = "unknown";

/// The caller of a request, by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The other end of the connection.
    Direct(IpAddr),
    /// The address that a trusted proxy names.
    Named(IpAddr),
    /// A proxy is in front, and does not name the caller readably.
    Unknown,
}

impl Caller {
    /// The address, if it is known.
    pub(crate) fn address(self) -> Option<IpAddr> {
        match self {
            Self::Direct(address) | Self::Named(address) => Some(address),
            Self::Unknown => None,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(address) => address.fmt(f),
            None => f.write_str(UNKNOWN),
        }
    }
}

/// The address, or null.
impl Serialize for Caller {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.address().serialize(serializer)
    }
}

/// Which proxies are believed, and which header names the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientAddress {
    pub(crate) trusted: Vec<IpNet>,
    /// Whether proxies on a Unix socket are believed.
    pub(crate) trusts_unix: bool,
    pub(crate) source: CallerHeader,
    /// How many proxies are in front; `None`: as many as are trusted.
    pub(crate) proxies: Option<usize>,
    /// Whether the settings name the header. A trusted proxy that does not send it is then no
    /// caller itself.
    pub(crate) is_written: bool,
}

/// The header in which proxies name the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum CallerHeader {
    /// `X-Forwarded-For`: a list to which each proxy adds its neighbour.
    #[default]
    ForwardedFor,
    /// `Forwarded` (RFC 7239): likewise.
    Forwarded,
    /// A header with one address.
    Single(HeaderName),
}

impl ClientAddress {
    /// Whether the gateway believes what this neighbour says about those before it.
    pub(crate) fn is_trusted(&self, peer: Peer) -> bool {
        (peer.unix && self.trusts_unix) || self.trusts(peer.address)
    }

    /// Whether a proxy at this address is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let mut networks = self.trusted.iter();
        networks.any(|network| network.contains(&address))
    }

    /// The caller of a request that came by this connection.
    pub(crate) fn caller(&self, peer: Peer, headers: &HeaderMap) -> Caller {
        if !self.names_caller(peer, headers) {
            return Caller::Direct(peer.address);
        }
        self.named_caller(headers)
    }

    /// The scheme that the client used: of this connection, or the one that a trusted proxy names.
    /// `None` where such a proxy names it twice, or names another one.
    pub(crate) fn scheme(&self, peer: Peer, headers: &HeaderMap) -> Option<HttpScheme> {
        if self.is_trusted(peer) && headers.contains_key(FORWARDED_PROTO) {
            return forwarded_scheme(headers);
        }
        Some(peer.scheme())
    }

    /// The host that the client asked for, if a trusted proxy names one of those that are served.
    /// Without a list of them, none is believed: many proxies pass on what a client writes there.
    pub(crate) fn forwarded_host(
        &self,
        peer: Peer,
        headers: &HeaderMap,
        served: &[HostPattern],
    ) -> Option<Host> {
        if served.is_empty() || !self.is_trusted(peer) {
            return None;
        }
        let mut values = headers.get_all(FORWARDED_HOST).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        let host = Host::parse(value.to_str().ok()?)?;
        HostPattern::serves(served, &host).then_some(host)
    }

    /// The caller of a request that this neighbour holds and asks about. It is never the neighbour.
    pub(crate) fn caller_behind(&self, peer: Peer, headers: &HeaderMap) -> Caller {
        if self.is_trusted(peer) {
            self.named_caller(headers)
        } else {
            Caller::Unknown
        }
    }

    /// The caller of a request that came to a neighbour from `source`, as that neighbour says.
    pub(crate) fn caller_from(&self, source: IpAddr, headers: &HeaderMap) -> Caller {
        // Envoy writes IPv4 callers of a dual-stack listener as IPv4-mapped addresses.
        let source = source.to_canonical();
        if self.trusts(source) {
            self.named_caller(headers)
        } else {
            Caller::Named(source)
        }
    }

    /// Whether this neighbour is a proxy that has to name the caller. A trusted address that sends
    /// no header may as well be a client, unless the settings expect the header.
    fn names_caller(&self, peer: Peer, headers: &HeaderMap) -> bool {
        self.is_trusted(peer) && (self.is_written || self.source.is_in(headers))
    }

    /// The caller that a trusted proxy names.
    fn named_caller(&self, headers: &HeaderMap) -> Caller {
        let caller = match &self.source {
            CallerHeader::ForwardedFor => self.pick(forwarded_for(headers)),
            CallerHeader::Forwarded => self.pick(forwarded::from_the_right(headers)),
            CallerHeader::Single(name) => single(headers, name),
        };
        caller.map_or(Caller::Unknown, Caller::Named)
    }

    /// The caller in a list from the right: behind so many proxies, or the first that is no trusted
    /// proxy. If all are trusted, it is the one farthest away.
    fn pick(&self, mut members: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        if let Some(proxies) = self.proxies {
            return members.nth(proxies.saturating_sub(1)).flatten();
        }
        let mut farthest = None;
        for member in members {
            // Members left of an unreadable one may be the client's own invention.
            let address = member?;
            farthest = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        farthest
    }

    /// The callers and proxies before the neighbour, as `X-Forwarded-For` lists them: canonical
    /// addresses, and `unknown` for an unreadable one. Empty where no trusted proxy says anything.
    pub(crate) fn forwarded_for(&self, peer: Peer, headers: &HeaderMap) -> String {
        let mut text = String::new();
        if !self.names_caller(peer, headers) {
            return text;
        }
        let mut members: Vec<Option<IpAddr>> = match &self.source {
            CallerHeader::ForwardedFor => forwarded_for(headers).collect(),
            CallerHeader::Forwarded => forwarded::from_the_right(headers).collect(),
            CallerHeader::Single(name) => vec![single(headers, name)],
        };
        // A trusted proxy that names nobody still stands before an unknown caller.
        if members.is_empty() {
            members.push(None);
        }
        for member in members.into_iter().rev() {
            let between = if text.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            _ = match member {
                Some(address) => write!(text, "{between}{address}"),
                None => write!(text, "{between}{UNKNOWN}"),
            };
        }
        text
    }
}

impl CallerHeader {
    /// The header that this name stands for.
    pub(crate) fn of(name: HeaderName) -> Self {
        match name.as_str() {
            "x-forwarded-for" => Self::ForwardedFor,
            "forwarded" => Self::Forwarded,
            _ => Self::Single(name),
        }
    }

    fn is_in(&self, headers: &HeaderMap) -> bool {
        match self {
            Self::ForwardedFor => headers.contains_key(FORWARDED_FOR),
            Self::Forwarded => headers.contains_key(FORWARDED),
            Self::Single(name) => headers.contains_key(name),
        }
    }

    /// Whether each proxy adds to it.
    pub(crate) fn is_list(&self) -> bool {
        !matches!(self, Self::Single(_))
    }
}

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The scheme that a proxy in front names, if it names one.
pub(crate) fn forwarded_scheme(headers: &HeaderMap) -> Option<HttpScheme> {
    let mut values = headers.get_all(FORWARDED_PROTO).iter();
    let scheme = values.next()?.to_str().ok()?;
    // A second one may be a client's.
    if values.next().is_some() {
        return None;
    }
    match scheme {
        // Traefik names the scheme of a WebSocket; a proof has the URL of its handshake.
        "ws" => Some(HttpScheme::Http),
        "wss" => Some(HttpScheme::Https),
        name => HttpScheme::from_name(name),
    }
}

/// The members of `X-Forwarded-For` from the right; `None` for one that cannot be read. Empty ones
/// count for nothing (RFC 9110, section 5.6.1.2).
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    values
        .map(HeaderValue::as_bytes)
        .flat_map(|value| value.rsplit(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
        .map(|member| node::address(member, Port::Number))
}

/// The address in a header that holds one. Two such headers name nobody.
fn single(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    node::address(value.as_bytes().trim_ascii(), Port::Number)
}

/// A network in the form in which addresses are compared: one of IPv4 if it holds nothing but
/// IPv4-mapped addresses.
pub(crate) fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(inner) = network else {
        return network;
    };
    let Some(address) = inner.addr().to_ipv4_mapped() else {
        return network;
    };
    // The prefix `::ffff:0:0/96` of IPv4-mapped addresses (RFC 4291, section 2.5.5.2).
    let Some(bits) = inner.prefix_len().checked_sub(96) else {
        return network;
    };
    Ipv4Net::new(address, bits).map_or(network, IpNet::V4)
}

/// The network that counts as one caller: an IPv6 caller controls a whole /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unix_socket_is_believed_where_the_settings_say_so() {
        let peer = |unix| Peer {
            address: IpAddr::from([127, 0, 0, 1]),
            unix,
            secure: false,
            certificate: None,
        };
        let settings = |trusts_unix| ClientAddress {
            trusts_unix,
            ..ClientAddress::default()
        };
        for (trusts_unix, unix, is_trusted) in [
            (true, true, true),
            (true, false, false),
            (false, true, false),
            (false, false, false),
        ] {
            let found = settings(trusts_unix).is_trusted(peer(unix));
            assert_eq!(found, is_trusted, "{trusts_unix} {unix}");
        }
        let network = ClientAddress {
            trusted: vec!["127.0.0.0/8".parse().unwrap()],
            ..ClientAddress::default()
        };
        assert!(network.is_trusted(peer(false)));
    }

    #[test]
    fn a_caller_is_written_as_its_address() {
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(Caller::Direct(address).to_string(), "192.0.2.1");
        assert_eq!(Caller::Named(address).to_string(), "192.0.2.1");
        assert_eq!(Caller::Unknown.to_string(), "unknown");
    }
}
