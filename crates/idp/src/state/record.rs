//! Records issued tokens for the console.

use crate::state::IdpState;
use crate::store::journal::TokenRecord;
use crate::token::claims::JsonObject;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Keeps a token, and answers with its number.
pub(crate) fn keep_token(
    state: &IdpState,
    kind: &'static str,
    way: String,
    client: Option<&str>,
    token: &str,
) -> u64 {
    let mut segments = token.split('.');
    let header = segments.next().and_then(object).unwrap_or_default();
    let mut claims = segments.next().and_then(object).unwrap_or_default();
    let issued = state.store().access_token(token, state.now());
    let way = match &issued {
        Some(issued) if way == "refresh_token" => format!("{}, refreshed", issued.way),
        _ => way,
    };
    // Providers name the client differently in their tokens; the request names it as a last resort.
    let named = ["client_id", "azp", "appid", "cid"]
        .iter()
        .find_map(|name| claims.get(*name)?.as_str());
    let client = named.or(client).unwrap_or_default().to_owned();
    // An opaque token says nothing itself: introspection knows its claims.
    if header.is_empty() {
        claims = issued.map(|issued| issued.claims).unwrap_or_default();
    }
    state.journal().add_token(TokenRecord {
        id: 0,
        at: state.now(),
        kind,
        way,
        client,
        token: token.to_owned(),
        header,
        claims,
    })
}

fn object(segment: &str) -> Option<JsonObject> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}
