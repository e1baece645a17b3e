//! What is kept: a token, with what it was got for.

use aws_lc_rs::digest::{SHA256, digest};
use portcullis_core::jose::base64url;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// What a token was asked for. Two calls that agree in all of this share one token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) issuer: String,
    pub(crate) client: String,
    pub(crate) holder: Holder,
    /// Sorted, each once, with spaces between.
    pub(crate) scope: String,
    pub(crate) audience: Option<String>,
    pub(crate) resource: Option<String>,
    /// Whether it is bound to a key (RFC 9449).
    pub(crate) dpop: bool,
    /// How the person was to sign in: `acr_values`, `login_hint` and other parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) sign_in: BTreeMap<String, String>,
}

/// For whom a token speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Holder {
    /// A person who signed in.
    User,
    /// The client itself.
    Client,
}

/// A token, and what came with it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) asked: Asked,
    pub(crate) access_token: Zeroizing<String>,
    /// `Bearer` or `DPoP`.
    pub(crate) token_type: String,
    pub(crate) refresh_token: Option<Zeroizing<String>>,
    pub(crate) id_token: Option<Zeroizing<String>>,
    /// The scopes that were granted, where the provider said so.
    pub(crate) granted: Option<String>,
    /// When the person signed in, in seconds since 1970: a renewal is no sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed_in: Option<i64>,
    /// When it came, in seconds since 1970.
    pub(crate) obtained: i64,
    /// When the access token ends; unknown where the provider does not say.
    pub(crate) expires: Option<i64>,
    /// When the ID token ends.
    pub(crate) id_token_expires: Option<i64>,
    /// Who signed in, in the provider's words: after a renewal it must be the same.
    pub(crate) subject: Option<String>,
    /// The private key that the token is bound to, PKCS#8 in base64url.
    pub(crate) dpop_key: Option<Zeroizing<String>>,
}

impl Asked {
    /// Scopes in an order of their own, so that the order on the command line does not matter.
    pub(crate) fn scopes(text: &str) -> String {
        let mut scopes: Vec<&str> = text.split_ascii_whitespace().collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.join(" ")
    }

    /// A name for files that tells nothing.
    pub(super) fn digest(&self) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        base64url::encode(digest(&SHA256, &text).as_ref())
            .chars()
            .take(22)
            .collect()
    }
}

impl Entry {
    /// Whether the access token lives for another `margin` seconds. One without an end is asked for
    /// anew after five minutes.
    pub(crate) fn is_good(&self, now: i64, margin: i64) -> bool {
        let ends = self.expires.unwrap_or(self.obtained.saturating_add(UNSAID));
        lives(self.obtained, ends, now, margin)
    }

    /// The same of the ID token, if there is one.
    pub(crate) fn has_good_id_token(&self, now: i64, margin: i64) -> bool {
        let ends = self
            .id_token_expires
            .unwrap_or(self.obtained.saturating_add(UNSAID));
        self.id_token.is_some() && lives(self.obtained, ends, now, margin)
    }

    /// Whether it can neither be used nor be renewed.
    pub(super) fn is_useless(&self, now: i64) -> bool {
        self.refresh_token.is_none() && !self.is_good(now, 0)
    }
}

/// A short life is not asked to last longer than nine tenths of it.
fn lives(obtained: i64, ends: i64, now: i64, margin: i64) -> bool {
    let margin = margin.min(ends.saturating_sub(obtained).saturating_mul(9) / 10);
    // A clock that went back behind the moment it was got is not to be trusted about when it ends.
    now >= obtained.saturating_sub(UNSAID) && ends.saturating_sub(now) > margin.max(0)
}

/// Shows what it was got for, and nothing of the tokens.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a token of {} for {:?}",
            self.asked.issuer, self.asked.scope
        )
    }
}

/// For how long a token counts as good whose end is not told, in seconds.
const UNSAID: i64 = 300;
