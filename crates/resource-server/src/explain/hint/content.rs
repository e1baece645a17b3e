//! Mistakes that a token shows by itself, without any settings.

use super::Mistake;
use super::issuer::of_provider_api;
use super::text::{of_size, of_unreadable};
use crate::explain::content::{TokenContent, TokenForm};
use portcullis_core::{Dialect, Limits};

impl TokenContent {
    /// The usual mistake that the token shows by itself, whatever the settings of a server are.
    /// `token` is the text that this was read from.
    pub fn hint(&self, token: &str) -> Option<String> {
        Some(self.mistake(token)?.text)
    }

    fn mistake(&self, token: &str) -> Option<Mistake> {
        let limit = Limits::default().token_bytes;
        if self.bytes > limit {
            let size = of_size(self)?.text;
            let found = format!(
                "expected at most {limit} bytes, found {}; {size}",
                self.bytes
            );
            return Some(Mistake::whole(found));
        }
        if let Some(kind) = self.misplaced_kind() {
            let hint = format!("this is {kind}: an API expects an access token");
            return Some(Mistake::whole(hint));
        }
        let dialect = self.profile.and_then(Dialect::by_name);
        match self.form {
            TokenForm::Opaque => Some(Mistake::whole(OPAQUE)),
            _ => dialect
                .and_then(|dialect| of_provider_api(self, dialect))
                .or_else(|| of_unreadable(token)),
        }
    }
}

const OPAQUE: &str = "only its issuer knows what an opaque token stands for. A server asks by \
    introspection (RFC 7662), as a client of the issuer: set OAUTH2_INTROSPECTION=true, \
    OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET";
