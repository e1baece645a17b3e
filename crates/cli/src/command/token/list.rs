//! `portcullis token list` and `clear`: the stored tokens, shown without their text, and deleted.

use crate::clock::{now, rfc3339, span};
use crate::exit::{CommandError, Exit};
use crate::output::{GOOD, Page, QUIET, STRONG, WARNING, paint, print};
use crate::ownership::person;
use crate::store::{
    Holder, StoreKind, StoredToken, TokenStore, clear_all, open_store, state_folder,
};
use portcullis_core::rejection::quote;
use serde_json::{Value, json};

pub(super) async fn list(kind: Option<StoreKind>, json: bool) -> Result<Exit, CommandError> {
    let store = open_store(kind).await?;
    let tokens = match &store {
        Some(store) => store.tokens()?,
        None => Vec::new(),
    };
    let text = match &store {
        _ if json => {
            let tokens: Value = tokens.iter().map(as_json).collect();
            format!("{tokens:#}\n")
        }
        Some(store) => page(&tokens, store),
        None => {
            let reason = "Tokens are not stored here: --store is none, or this is a CI machine.";
            format!("\n  {}\n\n", paint(QUIET, reason))
        }
    };
    print(&text)?;
    Ok(Exit::Fine)
}

pub(super) async fn clear(
    kind: Option<StoreKind>,
    issuer: Option<String>,
    client_id: Option<String>,
) -> Result<Exit, CommandError> {
    let Some(issuer) = issuer else {
        // Deletes the files without opening them: they may be unreadable.
        let any = clear_all(&state_folder()?)?;
        print(if any {
            "Deleted all stored tokens, and their key.\n"
        } else {
            "There are no stored tokens.\n"
        })?;
        return Ok(Exit::Fine);
    };
    let Some(store) = open_store(kind).await? else {
        // Tokens are not stored, so there are none.
        return Ok(Exit::Fine);
    };
    let removed = store.remove(|token| {
        let is_other = matches!(&client_id, Some(id) if *id != token.purpose.client);
        token.purpose.issuer == issuer && !is_other
    })?;
    let count = match removed.len() {
        1 => "1 stored token".to_owned(),
        count => format!("{count} stored tokens"),
    };
    print(&format!(
        "Deleted {count}, without revoking at the provider; `portcullis logout` does both.\n"
    ))?;
    Ok(Exit::Fine)
}

fn page(tokens: &[StoredToken], store: &TokenStore) -> String {
    let mut page = Page::new(4, 9);
    let location = format!("{} ({})", store.path().display(), store.protection());
    page.heading(QUIET, &location);
    if tokens.is_empty() {
        page.line("\n  There are no stored tokens. `portcullis token --issuer URL` gets one.");
    }
    for token in tokens {
        add_token(&mut page, token, now());
    }
    page.line("");
    page.into_text()
}

fn add_token(page: &mut Page, token: &StoredToken, now: i64) {
    let purpose = &token.purpose;
    page.heading(STRONG, &purpose.issuer);
    let holder = match purpose.holder {
        Holder::User => "a person",
        Holder::Client => "the client itself",
    };
    page.row("client", &format!("{}, for {holder}", purpose.client));
    if let Some(person) = person(token) {
        page.row("person", &person);
    }
    // The granted scopes may be fewer than the requested ones.
    let scopes = token.granted.as_ref().unwrap_or(&purpose.scope);
    if !scopes.is_empty() {
        page.row("scopes", scopes);
    }
    if let Some(audience) = &purpose.audience {
        page.row("audience", audience);
    }
    if let Some(resource) = &purpose.resource {
        page.row("resource", resource);
    }
    if !purpose.sign_in.is_empty() {
        page.row("sign-in", &sign_in(purpose.sign_in.iter()));
    }
    let extra = if token.id_token.is_some() {
        ", with an ID token"
    } else {
        ""
    };
    let (kind, age) = (&token.token_type, span(now.saturating_sub(token.obtained)));
    page.row("token", &format!("{kind}{extra}, issued {age} ago"));
    page.row("state", &state(token, now));
}

fn sign_in<'p>(parameters: impl Iterator<Item = (&'p String, &'p String)>) -> String {
    let mut texts = Vec::new();
    for (name, value) in parameters {
        // An API may have named the value; it must not steer the terminal.
        texts.push(format!("{name} {}", quote(value)));
    }
    texts.join(", ")
}

fn state(token: &StoredToken, now: i64) -> String {
    let renewal = if token.refresh_token.is_some() {
        "renewable"
    } else {
        "not renewable"
    };
    let Some(expires) = token.expires else {
        return format!("expires at an unknown time, {renewal}");
    };
    let left = expires.saturating_sub(now);
    if left > 0 {
        let valid = paint(GOOD, "valid");
        format!("{valid} for {}, {renewal}", span(left))
    } else {
        format!("{}, {renewal}", paint(WARNING, "expired"))
    }
}

fn as_json(token: &StoredToken) -> Value {
    let purpose = &token.purpose;
    json!({
        "issuer": purpose.issuer,
        "client_id": purpose.client,
        "holder": purpose.holder,
        "person": person(token),
        "scope": token.granted.as_deref().unwrap_or(&purpose.scope),
        "audience": purpose.audience,
        "resource": purpose.resource,
        "sign_in": purpose.sign_in,
        "token_type": token.token_type,
        "obtained_at": rfc3339(token.obtained),
        "expires_at": token.expires.and_then(rfc3339),
        "renewable": token.refresh_token.is_some(),
        "id_token": token.id_token.is_some(),
    })
}
