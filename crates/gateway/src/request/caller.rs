//! Whose request it is, by address: the other end of the connection, or what a trusted proxy says
//! of it.
//!
//! Only the word of trusted proxies is taken. Lists are read as bytes and from the right, where the
//! proxy next to the gateway writes: nothing that a client puts before it can change how that is
//! read. Addresses compare in their canonical form, so `::ffff:192.0.2.5` is `192.0.2.5`.
//!
//! A caller whom a trusted proxy names in a way that cannot be read is [`Caller::Unknown`], never
//! the proxy: policies that ask for the address cannot be met then, and all unknown callers
//! together count as one that fails. Not checked is whether the proxies tell the truth.

mod forwarded;
mod node;

use crate::request::peer::Peer;
use http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue};
use ipnet::{IpNet, Ipv4Net};
use node::Port;
use serde::{Serialize, Serializer};
use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv6Addr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What stands for a member that cannot be read, in what the upstream is told.
const UNKNOWN: &str = "unknown";

/// Whose request it is, by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The other end of the connection.
    Direct(IpAddr),
    /// The one that a trusted proxy names.
    Named(IpAddr),
    /// A proxy is in front, and does not name the caller in a way that can be read.
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

/// Which proxies are believed, and where they tell the caller.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientAddress {
    pub(crate) trusted: Vec<IpNet>,
    /// Whether proxies on a Unix socket are believed.
    pub(crate) trusts_unix: bool,
    pub(crate) source: Source,
    /// How many proxies are in front; `None`: as many as are trusted.
    pub(crate) proxies: Option<usize>,
    /// Whether the settings say where proxies tell the caller: one that does not is then no caller
    /// itself.
    pub(crate) is_written: bool,
}

/// Where proxies tell the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    /// `X-Forwarded-For`: a list to which each proxy adds the one that it sees.
    #[default]
    ForwardedFor,
    /// `Forwarded` (RFC 7239): likewise.
    Forwarded,
    /// A header with one address.
    Single(HeaderName),
}

impl ClientAddress {
    /// Whether what this neighbour says about those before it is believed.
    pub(crate) fn is_trusted(&self, peer: Peer) -> bool {
        (peer.unix && self.trusts_unix) || self.trusts(peer.address)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted
            .iter()
            .any(|network| network.contains(&address))
    }

    /// Whose request it is that came by this connection.
    pub(crate) fn caller(&self, peer: Peer, headers: &HeaderMap) -> Caller {
        if !self.is_trusted(peer) || (!self.is_written && !self.source.is_in(headers)) {
            return Caller::Direct(peer.address);
        }
        self.told(headers)
    }

    /// Whose request it is that this neighbour holds, and asks about. It is never the neighbour's
    /// own.
    pub(crate) fn caller_behind(&self, peer: Peer, headers: &HeaderMap) -> Caller {
        if self.is_trusted(peer) {
            self.told(headers)
        } else {
            Caller::Unknown
        }
    }

    /// Whose request it is that came to a neighbour from `source`, as that neighbour says.
    pub(crate) fn caller_from(&self, source: IpAddr, headers: &HeaderMap) -> Caller {
        let source = source.to_canonical();
        if self.trusts(source) {
            self.told(headers)
        } else {
            Caller::Named(source)
        }
    }

    /// Whom a trusted proxy names.
    fn told(&self, headers: &HeaderMap) -> Caller {
        let caller = match &self.source {
            Source::ForwardedFor => self.pick(forwarded_for(headers)),
            Source::Forwarded => self.pick(forwarded::from_the_right(headers)),
            Source::Single(name) => single(headers, name),
        };
        caller.map_or(Caller::Unknown, Caller::Named)
    }

    /// The caller in a list from the right: behind so many proxies, or the first that is no proxy
    /// of ours. Where all are, it is the one farthest away.
    fn pick(&self, mut members: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        if let Some(proxies) = self.proxies {
            return members.nth(proxies.saturating_sub(1)).flatten();
        }
        let mut farthest = None;
        for member in members {
            let address = member?;
            farthest = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        farthest
    }

    /// What trusted proxies say of those before them, as `X-Forwarded-For` has it: each address in
    /// canonical form, and `unknown` in the place of one that cannot be read. Empty where they say
    /// nothing.
    pub(crate) fn before(&self, peer: Peer, headers: &HeaderMap) -> String {
        let mut text = String::new();
        if !self.is_trusted(peer) || (!self.is_written && !self.source.is_in(headers)) {
            return text;
        }
        let mut members: Vec<Option<IpAddr>> = match &self.source {
            Source::ForwardedFor => forwarded_for(headers).collect(),
            Source::Forwarded => forwarded::from_the_right(headers).collect(),
            Source::Single(name) => vec![single(headers, name)],
        };
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

impl Source {
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

/// The members of `X-Forwarded-For` from the right; `None` for one that cannot be read. Empty ones
/// count for nothing (RFC 9110, section 5.6.1.2).
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .rev()
        .map(HeaderValue::as_bytes);
    let members = values
        .flat_map(|value| value.rsplit(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii);
    members
        .filter(|member| !member.is_empty())
        .map(|member| node::address(member, Port::Number))
}

/// The address in a header that holds one. More than one of them is none.
fn single(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values
        .next()
        .is_none()
        .then(|| node::address(value.as_bytes().trim_ascii(), Port::Number))
        .flatten()
}

/// A network in the form that addresses are compared in: one of IPv4 where it holds nothing but
/// IPv4-mapped addresses.
pub(crate) fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let IpNet::V6(inner) = network else {
        return network;
    };
    let mapped = inner
        .addr()
        .to_ipv4_mapped()
        .zip(inner.prefix_len().checked_sub(MAPPED));
    let inner = mapped.and_then(|(address, bits)| Ipv4Net::new(address, bits).ok());
    inner.map_or(network, IpNet::V4)
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
