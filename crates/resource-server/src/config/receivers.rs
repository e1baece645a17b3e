//! The settings of receivers, as written: `[issuer.logout]` and `[[events]]`.

use super::client::members_with_client;
use super::one_or_more::OneOrMore;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How logouts that an issuer tells of are received (OpenID Connect Back-Channel Logout 1.0), as
/// written: `[issuer.logout]`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogoutConfig {
    /// The identifiers of the clients that people sign in with: a logout token is for one of them.
    pub clients: OneOrMore<String>,
    /// What a logout ends: `session` (default), the tokens with its `sid`, or those of its subject
    /// where it names no session; or `subject`, all tokens of the person until then as well, for
    /// issuers whose access tokens have no `sid`.
    pub ends: Option<String>,
    /// Accepts logout tokens that do not say so in their `typ`: for issuers that leave it out. What
    /// tells them from other tokens is their event alone. Default false.
    #[serde(default)]
    pub danger_untyped: bool,
    /// Accepts logout tokens without `exp`: for issuers of the first edition of the standard.
    /// Default false.
    #[serde(default)]
    pub danger_without_exp: bool,
}

members_with_client! {
    /// A stream of security events (Shared Signals Framework 1.0), as written: `[[events]]`. The
    /// client is the one that asks, where events are polled.
    EventStreamConfig as EventStreamTable {
        /// The name of the stream here: the last part of its address, and in logs and metrics. It
        /// is required, and has no default.
        name: Option<String>,
        /// Who sends the events: the transmitter, exactly as in their `iss`. It is required, and
        /// has no default.
        issuer: Option<String>,
        /// What the events' `aud` must hold: a text, or a list of which one will do. The
        /// transmitter says it when the stream is created. It is required, and has no default.
        audience: Option<OneOrMore<String>>,
        /// `push` (default): the transmitter sends them (RFC 8935). `poll`: they are fetched
        /// (RFC 8936).
        delivery: Option<String>,
        /// The `[[issuer]]` whose tokens the events end, by `url`, or a list of them. Default: the
        /// one with the transmitter's URL.
        tokens_of: Option<OneOrMore<String>>,
        /// Other issuers whose subjects the transmitter may speak of, as they stand in subjects.
        /// Default: the transmitter, and those of `tokens_of`.
        subject_issuers: Vec<String>,
        /// The edition of the standards: `final` (default); `draft`, where subjects stand in the
        /// event and times are in milliseconds; or `google`, where tokens have no type either.
        profile: Option<String>,
        /// The transmitter's metadata, where it is not at
        /// `/.well-known/ssf-configuration` before the issuer's path. Default: there.
        metadata_url: Option<String>,
        /// The transmitter's key set, where it has no metadata. Default: what the metadata names.
        jwks_uri: Option<String>,
        /// A file with the certificates, in PEM, that the transmitter is trusted by, besides the
        /// usual ones. Default: those of this machine alone.
        ca_file: Option<PathBuf>,
        /// Asks the transmitter over plain http, where its addresses say so. Whoever is on the way
        /// can choose the keys. Default false.
        danger_plain_http: bool,
        /// A file with the whole value of `Authorization`: what the transmitter must send with a
        /// push, or what is sent to it with a poll. Default: none; a signature shows who sends.
        authorization_file: Option<PathBuf>,
        /// Where events are fetched: the `endpoint_url` of the stream. With `poll` it is required.
        /// Default none.
        poll_url: Option<String>,
        /// Where the client gets its token for polls. Default: the `token_endpoint` of the
        /// `[[issuer]]` with the transmitter's URL.
        token_endpoint: Option<String>,
        /// The scope of that token. Default `ssf.manage`: to acknowledge is to change the stream.
        scope: Option<String>,
        /// The stream's id at the transmitter. With it, its status is read there at the start and
        /// every ten minutes, and verification events are asked for. A push needs a client then,
        /// as a poll does. Default: none, and nobody asks.
        stream_id: Option<String>,
        /// At least how often a verification event is asked for, in seconds: of a stream with an
        /// `inactivity_timeout`, before that. Default 86400, a day; at least 60, at most 30 days.
        verify_every: Option<u64>,
        /// What an event ends, by its name: `session-revoked = "subject"`. The effects are
        /// `session`, `subject`, `account`, `sign_in`, `enable` and `nothing`. Default: what the
        /// event says.
        effects: BTreeMap<String, String>,
        /// How far the clocks may be apart, in seconds. Default 60, at most 300.
        leeway: Option<u64>,
        /// After how many seconds without an event the stream counts as silent, for a metric and
        /// its alert. Default: never.
        silent_after: Option<u64>,
    }
}
