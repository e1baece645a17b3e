//! Records issued tokens for the console.

use crate::state::State;
use crate::store::journal::Issued;
use crate::token::claims::Claims;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Keeps a token, and answers with its number.
pub(crate) fn keep_token(
    state: &State,
    kind: &'static str,
    way: String,
    client: Option<&str>,
    token: &str,
) -> u64 {
    let mut segments = token.split('.');
    let mut next = || segments.next().and_then(object).unwrap_or_default();
    let (header, claims) = (next(), next());
    let remembered = state.store().access_token(token, state.now());
    let told = ["client_id", "azp", "appid", "cid"]
        .iter()
        .find_map(|name| claims.get(*name)?.as_str());
    let way = match &remembered {
        Some(issued) if way == "refresh_token" => format!("{}, refreshed", issued.way),
        _ => way,
    };
    let client = told.or(client).unwrap_or_default().to_owned();
    let claims = if header.is_empty() {
        remembered.map(|issued| issued.claims).unwrap_or_default()
    } else {
        claims
    };
    let (id, at, token) = (0, state.now(), token.to_owned());
    state.journal().add_token(Issued {
        id,
        at,
        kind,
        way,
        client,
        token,
        header,
        claims,
    })
}

fn object(segment: &str) -> Option<Claims> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}
