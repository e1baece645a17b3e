//! The settings of questions to an issuer and to a directory, as written.

use super::client::members_with_client;

members_with_client! {
    /// How an issuer is asked about tokens (RFC 7662), as written: `[issuer.introspection]`.
    IntrospectionConfig as IntrospectionTable {
        /// Where to ask. Default: the `introspection_endpoint` of the issuer's metadata.
        endpoint: Option<String>,
        /// Whether answers must be signed (RFC 9701). Default false.
        signed: bool,
        /// The tokens to ask about: `opaque` (default), or `all`: those that the issuer signed as
        /// well, once they are verified, so that revocation is seen at once.
        tokens: Option<String>,
        /// What this issuer's opaque tokens begin with, such as `ory_at_`. One issuer at most can
        /// go without. Default: it is unknown, and every opaque token that no other issuer's
        /// prefix fits is asked about here.
        prefix: Option<String>,
        /// How long an answer is remembered at most, in seconds. Default 60, at most 3,600; 0 asks
        /// for every request.
        cache_seconds: Option<u64>,
        /// Accepts answers that do not say for whom a token is, because this endpoint answers for
        /// this API alone. Default false.
        danger_answers_without_audience: bool,
        /// Accepts answers that say neither for whom a token is nor that it is an access token,
        /// because this endpoint knows no other tokens: where it knows refresh tokens, each of
        /// them opens this API. Default false.
        danger_answers_without_type: bool,
    }
}

members_with_client! {
    /// How Microsoft Graph is asked for groups that do not fit into a token, as written:
    /// `[issuer.groups_lookup]`.
    ///
    /// The client is that of an application that may read the groups of users
    /// (`GroupMember.Read.All` or `Directory.Read.All`).
    GroupsConfig as GroupsTable {
        /// Where Microsoft Graph is. Default `https://graph.microsoft.com`; national clouds have
        /// others.
        url: Option<String>,
        /// Where the client gets its token; `{tenantid}` stands for the tenant. Default: the
        /// `token_endpoint` of the issuer's metadata.
        token_endpoint: Option<String>,
        /// How long a caller's groups are remembered, in seconds. Default 300, at most 3,600.
        cache_seconds: Option<u64>,
    }
}
