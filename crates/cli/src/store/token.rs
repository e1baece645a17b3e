//! A stored token, and the purpose it was requested for.

use aws_lc_rs::digest::{SHA256, digest};
use portcullis_core::jose::base64url;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// What a token was requested for. Two calls that agree in all of this share one stored token.
///
/// The members are written into the store as they are named here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenPurpose {
    pub(crate) issuer: String,
    pub(crate) client: String,
    pub(crate) holder: Holder,
    /// Sorted, without repetition, separated by spaces; see [`sort_scopes`](Self::sort_scopes).
    pub(crate) scope: String,
    pub(crate) audience: Option<String>,
    pub(crate) resource: Option<String>,
    /// Whether the token is bound to a key (RFC 9449).
    pub(crate) dpop: bool,
    /// How the person was asked to sign in: `acr_values`, `login_hint` and other parameters.
    // Absent when empty: stores that an older version wrote have no such member.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) sign_in: BTreeMap<String, String>,
}

/// Whom a token represents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Holder {
    /// A person who signed in.
    User,
    /// The client itself.
    Client,
}

/// An access token, and what the provider issued with it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredToken {
    // The name in the file predates the name here; stores of older versions must open.
    #[serde(rename = "asked")]
    pub(crate) purpose: TokenPurpose,
    pub(crate) access_token: Zeroizing<String>,
    /// `Bearer` or `DPoP`.
    pub(crate) token_type: String,
    pub(crate) refresh_token: Option<Zeroizing<String>>,
    pub(crate) id_token: Option<Zeroizing<String>>,
    /// The granted scopes, if the provider named them.
    pub(crate) granted: Option<String>,
    /// When the person signed in, in seconds since 1970. A refresh is not a sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed_in: Option<i64>,
    /// When the token was issued to us, in seconds since 1970.
    pub(crate) obtained: i64,
    /// When the access token expires, if the provider said so.
    pub(crate) expires: Option<i64>,
    /// When the ID token expires.
    pub(crate) id_token_expires: Option<i64>,
    /// The `sub` of the ID token: a refresh must not return another person's tokens.
    pub(crate) subject: Option<String>,
    /// The private key that the token is bound to: PKCS#8 in base64url.
    pub(crate) dpop_key: Option<Zeroizing<String>>,
}

impl TokenPurpose {
    /// Scopes in a canonical order, so that the order on the command line does not matter.
    pub(crate) fn sort_scopes(text: &str) -> String {
        let mut scopes: Vec<&str> = text.split_ascii_whitespace().collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.join(" ")
    }

    /// A file name for this purpose. It is a digest, since anybody can list a folder.
    pub(super) fn digest(&self) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        let digest = base64url::encode(digest(&SHA256, &text).as_ref());
        // 22 characters are 132 bits: no two purposes share a lock by chance.
        digest.chars().take(22).collect()
    }
}

impl StoredToken {
    /// Whether the access token is valid for another `margin` seconds. One of unknown lifetime
    /// counts as valid for five minutes.
    pub(crate) fn is_good(&self, now: i64, margin: i64) -> bool {
        is_alive(self.obtained, self.expires, now, margin)
    }

    /// Whether there is an ID token that is valid for another `margin` seconds.
    pub(crate) fn has_good_id_token(&self, now: i64, margin: i64) -> bool {
        self.id_token.is_some() && is_alive(self.obtained, self.id_token_expires, now, margin)
    }

    /// Whether it can neither be used nor be refreshed.
    pub(super) fn is_useless(&self, now: i64) -> bool {
        self.refresh_token.is_none() && !self.is_good(now, 0)
    }
}

fn is_alive(obtained: i64, expires: Option<i64>, now: i64, margin: i64) -> bool {
    let expires = expires.unwrap_or(obtained.saturating_add(UNKNOWN_LIFETIME));
    let lifetime = expires.saturating_sub(obtained);
    // A provider whose tokens live shorter than the margin would otherwise be asked on every call.
    let margin = margin.min(lifetime.saturating_mul(9) / 10);
    // If the clock was set back to before the token was issued, its lifetime cannot be judged.
    let clock_is_sane = now >= obtained.saturating_sub(UNKNOWN_LIFETIME);
    clock_is_sane && expires.saturating_sub(now) > margin.max(0)
}

/// Shows the purpose, and nothing of the tokens.
impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = &self.purpose;
        write!(f, "a token of {} for {:?}", purpose.issuer, purpose.scope)
    }
}

/// How long a token of unknown lifetime counts as valid, in seconds.
const UNKNOWN_LIFETIME: i64 = 300;

/// A token for tests.
#[cfg(test)]
pub(crate) fn sample_token(id_token: Option<&str>) -> StoredToken {
    let text = |text: &str| Zeroizing::new(text.to_owned());
    StoredToken {
        purpose: TokenPurpose {
            issuer: "https://idp.example".to_owned(),
            client: "cli".to_owned(),
            holder: Holder::User,
            scope: String::new(),
            audience: None,
            resource: None,
            dpop: false,
            sign_in: BTreeMap::new(),
        },
        access_token: text("the-access-token"),
        token_type: "Bearer".to_owned(),
        refresh_token: Some(text("marked-refresh-token")),
        id_token: id_token.map(text),
        granted: Some("a b".to_owned()),
        signed_in: None,
        obtained: 1_800_000_000,
        expires: Some(1_800_003_600),
        id_token_expires: Some(1_800_000_600),
        subject: None,
        dpop_key: None,
    }
}
