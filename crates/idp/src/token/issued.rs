//! The records of issued tokens.

use crate::token::claims::Claims;

/// An access token that was issued.
#[derive(Clone)]
pub(crate) struct IssuedAccess {
    /// What a JWT in its place would say, or says.
    pub(crate) claims: Claims,
    pub(crate) client: String,
    pub(crate) audience: String,
    pub(crate) scope: Option<String>,
    /// The user; none where the client acts for itself.
    pub(crate) username: Option<String>,
    pub(crate) grant: Option<u64>,
    /// When the user signed in, and the session that began with it, where that was seen.
    pub(crate) auth_time: Option<u64>,
    pub(crate) session: Option<String>,
    /// How it came to be: a grant, as `grant_type` names it, or `on command`.
    pub(crate) way: &'static str,
    pub(crate) expires: u64,
}

impl IssuedAccess {
    /// How it must be shown (RFC 6750, RFC 9449).
    pub(crate) fn token_type(&self) -> &'static str {
        let bound = self
            .claims
            .get("cnf")
            .is_some_and(|cnf| cnf.get("jkt").is_some());
        if bound { "DPoP" } else { "Bearer" }
    }
}

/// An ID token that was issued.
#[derive(Clone)]
pub(crate) struct IssuedId {
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
