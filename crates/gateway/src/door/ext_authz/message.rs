//! The messages of `envoy.service.auth.v3`, with the fields that are read or written here, by their
//! numbers in Envoy's definitions. Other fields are skipped, as in every protobuf reader.
//!
//! Two types differ from Envoy's, with the same bytes on the wire. Texts of the request are bytes,
//! so one that is not UTF-8 makes a request to refuse and not an unreadable message. The map of
//! headers is a list of entries, so a key that comes twice is seen twice.

use bytes::Bytes;
use std::fmt;

/// `CheckRequest`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<Attributes>,
}

/// `AttributeContext`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct Attributes {
    /// The other end of Envoy's connection.
    #[prost(message, optional, tag = "1")]
    pub(super) source: Option<SourcePeer>,
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<Request>,
}

/// `AttributeContext.Peer`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct SourcePeer {
    #[prost(message, optional, tag = "1")]
    pub(super) address: Option<PeerAddress>,
    /// Percent-encoded PEM, with `include_peer_certificate` in Envoy.
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) certificate: Bytes,
}

/// `envoy.config.core.v3.Address`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct PeerAddress {
    #[prost(message, optional, tag = "1")]
    pub(super) socket_address: Option<SocketAddress>,
}

/// `envoy.config.core.v3.SocketAddress`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct SocketAddress {
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) address: Bytes,
}

/// `AttributeContext.Request`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct Request {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

/// `AttributeContext.HttpRequest`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct HttpRequest {
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) method: Bytes,
    /// The values of a repeated header are joined by a comma.
    #[prost(message, repeated, tag = "3")]
    pub(super) headers: Vec<HeaderEntry>,
    /// With the query, as it was sent.
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) path: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) host: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    pub(super) scheme: Bytes,
    /// Envoy leaves it empty.
    #[prost(bytes = "bytes", tag = "7")]
    pub(super) query: Bytes,
    /// Envoy leaves it empty.
    #[prost(bytes = "bytes", tag = "8")]
    pub(super) fragment: Bytes,
    #[prost(bytes = "bytes", tag = "10")]
    pub(super) protocol: Bytes,
    /// In place of `headers`, with `encode_raw_headers` in Envoy: repeated headers stay apart.
    #[prost(message, optional, tag = "13")]
    pub(super) header_map: Option<HeaderList>,
}

/// An entry of the map `headers`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct HeaderEntry {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
}

/// `envoy.config.core.v3.HeaderMap`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct HeaderList {
    #[prost(message, repeated, tag = "1")]
    pub(super) headers: Vec<RawHeader>,
}

/// `envoy.config.core.v3.HeaderValue`, as it is read.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(super) struct RawHeader {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) raw_value: Bytes,
}

/// `CheckResponse`, with one of the two answers.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    // Envoy has a oneof here; its bytes are those of optional fields of which one is there.
    #[prost(message, optional, tag = "2")]
    pub(super) denied: Option<DeniedResponse>,
    #[prost(message, optional, tag = "3")]
    pub(super) ok: Option<OkResponse>,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

/// `DeniedHttpResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DeniedResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderOption>,
    #[prost(string, tag = "3")]
    pub(super) body: String,
}

/// `envoy.type.v3.HttpStatus`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

/// `OkHttpResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OkResponse {
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderOption>,
    #[prost(string, repeated, tag = "5")]
    pub(super) headers_to_remove: Vec<String>,
    /// For the response of the upstream.
    #[prost(message, repeated, tag = "6")]
    pub(super) response_headers: Vec<HeaderOption>,
}

/// `envoy.config.core.v3.HeaderValueOption`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderOption {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<HeaderPair>,
    #[prost(int32, tag = "3")]
    pub(super) append_action: i32,
}

/// `envoy.config.core.v3.HeaderValue`, as it is written.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderPair {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// `OVERWRITE_IF_EXISTS_OR_ADD`. An Envoy that does not know it overwrites as well, as `append` is
/// absent.
const OVERWRITE: i32 = 2;
/// `APPEND_IF_EXISTS_OR_ADD`.
const APPEND: i32 = 0;

impl HeaderOption {
    /// A header that replaces all of its name.
    pub(super) fn set(key: &str, value: &str) -> Self {
        Self::new(key, value, OVERWRITE)
    }

    /// A header beside others of its name.
    pub(super) fn append(key: &str, value: &str) -> Self {
        Self::new(key, value, APPEND)
    }

    fn new(key: &str, value: &str, append_action: i32) -> Self {
        let header = HeaderPair {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        Self {
            header: Some(header),
            append_action,
        }
    }
}

/// Messages with tokens in them do not show their content.
macro_rules! hide {
    ($($message:ident),*) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request to check")
            }
        })*
    };
}

hide!(
    CheckRequest,
    Attributes,
    SourcePeer,
    PeerAddress,
    SocketAddress,
    Request,
    HttpRequest,
    HeaderEntry,
    HeaderList,
    RawHeader
);
