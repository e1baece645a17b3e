//! What one resource server demands of the tokens of one issuer.

use super::Profile;
use crate::token::{Audiences, Issuer};
use std::sync::Arc;

/// What a token must meet.
#[derive(Debug)]
pub(super) struct Expectations {
    pub(super) issuer: Issuer,
    /// Other spellings of the issuer that its tokens may have.
    pub(super) aliases: Vec<String>,
    pub(super) audiences: Audiences,
    pub(super) profile: Arc<Profile>,
    /// The tenant that the tokens must name, if one entry serves many.
    pub(super) tenant: Option<Box<str>>,
}

impl Expectations {
    /// Whether this is the issuer, in one of its spellings. Issuers compare byte for byte.
    pub(super) fn is_issuer(&self, text: &str) -> bool {
        text == self.issuer.as_str() || self.aliases.iter().any(|alias| alias == text)
    }
}
