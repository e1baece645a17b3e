//! The records of issued tokens.

use crate::token::claims::JsonObject;

/// An access token that was issued.
#[derive(Clone)]
pub(crate) struct IssuedAccessToken {
    /// The claims of the JWT, or of the JWT that an opaque token stands for.
    pub(crate) claims: JsonObject,
    pub(crate) client: String,
    pub(crate) audience: String,
    pub(crate) scope: Option<String>,
    /// The user; none where the client acts for itself.
    pub(crate) username: Option<String>,
    pub(crate) grant: Option<u64>,
    /// When the user signed in, and the session of it, if a flow saw that.
    pub(crate) auth_time: Option<u64>,
    pub(crate) session: Option<String>,
    /// The `grant_type` that it came from, or `on command`.
    pub(crate) way: &'static str,
    pub(crate) expires: u64,
}

impl IssuedAccessToken {
    /// The authentication scheme that it needs (RFC 6750, RFC 9449).
    pub(crate) fn token_type(&self) -> &'static str {
        match self.claims.get("cnf") {
            // A certificate has no scheme of its own: such a token stays `Bearer` (RFC 8705,
            // section 3).
            Some(cnf) if cnf.get("jkt").is_some() => "DPoP",
            _ => "Bearer",
        }
    }
}

/// An ID token that was issued.
#[derive(Clone)]
pub(crate) struct IssuedIdToken {
    pub(crate) client: String,
    pub(crate) username: String,
    pub(crate) session: String,
    pub(crate) grant: u64,
    pub(crate) auth_time: u64,
    /// Its subject, in the provider's words.
    pub(crate) subject: String,
    /// When it stops being good for anything but logging out.
    pub(crate) expires: u64,
}
