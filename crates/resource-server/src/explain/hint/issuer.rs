//! Mistakes about whom a token comes from, and whom it is for.

use super::Mistake;
use crate::explain::content::TokenContent;
use portcullis_core::Dialect;
use portcullis_core::token::Claims;
use portcullis_core::verify::Verifier;

/// A token for an API of the provider itself: another one is needed, whatever else is wrong.
pub(in crate::explain) fn of_provider_api(
    content: &TokenContent,
    dialect: &Dialect,
) -> Option<Mistake> {
    if let Some(api) = content
        .claims()
        .and_then(|claims| dialect.own_api(&claims))
    {
        let (title, cure) = (api.title, api.cure);
        return Some(Mistake::whole(format!("this token is for {title}: {cure}")));
    }
    // Microsoft hashes this member before it signs, so nobody else can verify such a token.
    let is_microsoft = dialect.name.starts_with("entra");
    if is_microsoft && content.header.as_ref()?.get("nonce").is_some() {
        let hint = "this token is for an API of Microsoft, such as Microsoft Graph: its header has \
            `nonce`, and nobody else can verify it. Ask for a scope of your own API";
        return Some(Mistake::whole(hint));
    }
    None
}

/// The probable mistake with a token of an issuer that is not configured.
pub(in crate::explain) fn of_issuer<'v>(
    claims: &Claims,
    configured: impl Iterator<Item = &'v Verifier>,
) -> Option<Mistake> {
    let found = claims.issuer()?;
    for verifier in configured {
        let hint = of_two_issuers(found, verifier.issuer().as_str());
        if hint.is_some() {
            return hint;
        }
    }
    None
}

fn of_two_issuers(found: &str, expected: &str) -> Option<Mistake> {
    let (bare_found, bare_expected) = (found.trim_end_matches('/'), expected.trim_end_matches('/'));
    if bare_found == bare_expected {
        let difference = if found.ends_with('/') {
            "has a final slash, and the settings have none"
        } else {
            "has no final slash, and the settings have one"
        };
        return Some(Mistake::whole(format!(
            "the token's issuer {difference}: write OAUTH2_ISSUER exactly as the token does"
        )));
    }
    if bare_found.eq_ignore_ascii_case(bare_expected) {
        let hint = "the issuers differ in upper and lower case only: write it exactly as the token \
            does";
        return Some(Mistake::whole(hint));
    }
    entra_versions(found, expected)
}

/// Entra ID: the API's registration chooses the version of its tokens, not the client.
fn entra_versions(found: &str, expected: &str) -> Option<Mistake> {
    const V1: &str = "https://sts.windows.net/";
    const V2: &str = "https://login.microsoftonline.com/";
    if found.starts_with(V1) && expected.starts_with(V2) {
        let hint = "this is a v1 token of Entra ID, and the settings expect v2: set \
            `requestedAccessTokenVersion` to 2 in the manifest of the API's app registration, or \
            configure the v1 issuer";
        return Some(Mistake::whole(hint));
    }
    if found.starts_with(V2) && expected.starts_with(V1) {
        let hint = "this is a v2 token of Entra ID, and the settings expect v1: configure the \
            issuer that ends in `/v2.0`";
        return Some(Mistake::whole(hint));
    }
    None
}
