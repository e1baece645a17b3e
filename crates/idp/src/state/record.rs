//! Records issued tokens for the console.

use crate::state::IdpState;
use crate::store::journal::TokenRecord;
use crate::token::claims::JsonObject;
use crate::token::kind::TokenKind;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Keeps a token, and answers with its number. The client of the request counts where nothing else
/// names one.
pub(crate) fn keep_token(
    state: &IdpState,
    kind: TokenKind,
    way: String,
    client: Option<&str>,
    token: &str,
) -> u64 {
    // Not verified: it came from here, and may be wrong on purpose.
    let (header, mut claims) = decode(token).unwrap_or_default();
    let mut store = state.store();
    let issued = match kind {
        TokenKind::Access => store.access_token(token, state.now()),
        _ => None,
    };
    let owner = store
        .owner(kind, token, state.now())
        .unwrap_or_default();
    let flaw = store.flaws_of(token, state.now());
    drop(store);
    let way = match &issued {
        Some(issued) if way == "refresh_token" => format!("{}, refreshed", issued.way),
        _ => way,
    };
    // Providers name the client differently in their tokens; the request names it as a last resort.
    let named = ["client_id", "azp", "appid", "cid"]
        .iter()
        .find_map(|name| claims.get(*name)?.as_str());
    let client = owner.client.as_deref().or(named).or(client);
    let client = client.unwrap_or_default().to_owned();
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
        user: owner.username,
        flaw,
        token: token.to_owned(),
        header,
        claims,
    })
}

/// Header and claims of a JWT, whoever signed it; none of another text.
pub(crate) fn decode(token: &str) -> Option<(JsonObject, JsonObject)> {
    let mut segments = token.split('.');
    let (header, claims) = (object(segments.next()?)?, object(segments.next()?)?);
    (segments.count() == 1).then_some((header, claims))
}

fn object(segment: &str) -> Option<JsonObject> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}
