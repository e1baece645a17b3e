//! `portcullis token list` and `clear`: what is kept, told without the tokens, and forgotten.

use super::{now, printed};
use crate::exit::{Exit, Failure};
use crate::output::{GOOD, QUIET, STRONG, WARNING, print, styled, wrapped};
use crate::store::{Entry, Folder, Holder, Keeping, Means, TokenStore, clear_all, open};
use portcullis_core::rejection::shown;
use serde_json::{Value, json};
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The store that the argument names, or else `PORTCULLIS_TOKEN_STORE`. Opened on a thread that may
/// block: a keyring may ask its user.
///
/// # Errors
///
/// As [`open`].
pub(crate) async fn open_store(named: Option<Keeping>) -> Result<Option<Arc<TokenStore>>, Failure> {
    let (keeping, means) = (keeping(named)?, means()?);
    let opened = tokio::task::spawn_blocking(move || open(keeping, &means)).await;
    let opened = opened.map_err(|error| Failure::could_not_run(error.to_string()))??;
    Ok(opened.map(Arc::new))
}

pub(super) async fn list(named: Option<Keeping>, json: bool) -> Result<Exit, Failure> {
    let store = open_store(named).await?;
    let entries = store
        .as_ref()
        .map(|store| store.entries())
        .transpose()?
        .unwrap_or_default();
    print(&match (json, &store) {
        (true, _) => format!("{:#}\n", entries.iter().map(as_json).collect::<Value>()),
        (false, Some(store)) => page(&entries, store),
        (false, None) => {
            format!(
                "\n  {}\n\n",
                styled(
                    QUIET,
                    "No tokens are kept here: --store none, or a CI machine."
                )
            )
        }
    })?;
    Ok(Exit::Fine)
}

pub(super) async fn clear(
    named: Option<Keeping>,
    issuer: Option<String>,
    client: Option<String>,
) -> Result<Exit, Failure> {
    let Some(issuer) = issuer else {
        let any = clear_all(&folder()?)?;
        print(if any {
            "Everything that was kept is forgotten.\n"
        } else {
            "Nothing was kept.\n"
        })?;
        return Ok(Exit::Fine);
    };
    let Some(store) = open_store(named).await? else {
        return Ok(Exit::Fine);
    };
    let meant = |entry: &Entry| {
        entry.asked.issuer == issuer
            && client
                .as_ref()
                .is_none_or(|client| entry.asked.client == *client)
    };
    let removed = store.remove(meant)?.len();
    let many = if removed == 1 {
        "token is"
    } else {
        "tokens are"
    };
    print(&format!(
        "{removed} {many} forgotten. The provider still knows of them: `portcullis logout` revokes \
            them.\n"
    ))?;
    Ok(Exit::Fine)
}

fn folder() -> Result<Folder, Failure> {
    Folder::usual(
        std::env::var_os("PORTCULLIS_STATE_DIR")
            .filter(|name| !name.is_empty())
            .map(Into::into),
    )
}

fn means() -> Result<Means, Failure> {
    let passphrase = std::env::var("PORTCULLIS_PASSPHRASE").ok();
    if passphrase
        .as_ref()
        .is_some_and(|text| text.trim().is_empty())
    {
        // Without this, the tokens would be kept under a key that lies beside them, and nobody
        // would know.
        let message = "PORTCULLIS_PASSPHRASE: expected a passphrase, found an empty text";
        return Err(Failure::with_cure(
            Exit::CouldNotRun,
            message,
            "set it to the passphrase, or unset it",
        ));
    }
    Ok(Means {
        folder: folder()?,
        passphrase: passphrase.map(Zeroizing::new),
        ci: std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false"),
        ask: passphrase_from_terminal,
    })
}

fn keeping(named: Option<Keeping>) -> Result<Keeping, Failure> {
    let Ok(text) = std::env::var("PORTCULLIS_TOKEN_STORE") else {
        return Ok(named.unwrap_or_default());
    };
    if let Some(named) = named {
        return Ok(named);
    }
    <Keeping as clap::ValueEnum>::from_str(text.trim(), true).map_err(|_| {
        let message = format!("PORTCULLIS_TOKEN_STORE is {}", shown(&text));
        Failure::with_cure(
            Exit::CouldNotRun,
            message,
            "write `auto`, `keyring`, `file` or `none`",
        )
    })
}

/// Asks whoever sits at the terminal.
fn passphrase_from_terminal() -> Option<Zeroizing<String>> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let said = rpassword::prompt_password("Passphrase of the token store: ")
        .ok()
        .map(Zeroizing::new);
    said.filter(|text| !text.trim().is_empty())
}

fn page(entries: &[Entry], store: &TokenStore) -> String {
    let place = format!("{} ({})", store.path().display(), store.protection());
    let mut page = format!("\n  {}\n", styled(QUIET, &wrapped(&place, 2)));
    if entries.is_empty() {
        page.push_str("\n  No tokens are kept. `portcullis token --issuer URL` gets one.\n");
    }
    for entry in entries {
        page.push_str(&told(entry, now()));
    }
    page.push('\n');
    page
}

/// A few lines about one token.
fn told(entry: &Entry, now: i64) -> String {
    let asked = &entry.asked;
    let holder = match asked.holder {
        Holder::User => "a person",
        Holder::Client => "the client itself",
    };
    let mut text = format!("\n  {}\n", styled(STRONG, &asked.issuer));
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!(
            "    {} {}\n",
            styled(QUIET, &format!("{name:<10}")),
            wrapped(value, 15)
        ));
    };
    line("client", &format!("{}, for {holder}", asked.client));
    let scopes = entry.granted.as_deref().unwrap_or(&asked.scope);
    if !scopes.is_empty() {
        line("scopes", scopes);
    }
    for (name, value) in [("audience", &asked.audience), ("resource", &asked.resource)] {
        if let Some(value) = value {
            line(name, value);
        }
    }
    if !asked.sign_in.is_empty() {
        let named = asked
            .sign_in
            .iter()
            .map(|(name, value)| format!("{name} {}", shown(value)));
        line("sign-in", &named.collect::<Vec<_>>().join(", "));
    }
    let also = if entry.id_token.is_some() {
        ", with an ID token"
    } else {
        ""
    };
    line(
        "token",
        &format!(
            "{}{also}, got {} ago",
            entry.token_type,
            span(now.saturating_sub(entry.obtained))
        ),
    );
    text.push_str(&format!(
        "    {} {}\n",
        styled(QUIET, "state     "),
        state(entry, now)
    ));
    text
}

fn state(entry: &Entry, now: i64) -> String {
    let renewable = if entry.refresh_token.is_some() {
        "can be renewed"
    } else {
        "cannot be renewed"
    };
    match entry.expires.map(|ends| ends.saturating_sub(now)) {
        Some(left) if left > 0 => {
            format!("{}, {} left, {renewable}", styled(GOOD, "good"), span(left))
        }
        Some(_) => format!("{}, {renewable}", styled(WARNING, "ended")),
        None => format!("no end is known, {renewable}"),
    }
}

/// A span of time in its two largest units.
fn span(seconds: i64) -> String {
    let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    let text = humantime::format_duration(seconds).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn as_json(entry: &Entry) -> Value {
    let asked = &entry.asked;
    json!({
        "issuer": asked.issuer,
        "client_id": asked.client,
        "holder": asked.holder,
        "scope": entry.granted.as_deref().unwrap_or(&asked.scope),
        "audience": asked.audience,
        "resource": asked.resource,
        "sign_in": asked.sign_in,
        "token_type": entry.token_type,
        "obtained_at": printed::moment(entry.obtained),
        "expires_at": entry.expires.and_then(printed::moment),
        "renewable": entry.refresh_token.is_some(),
        "id_token": entry.id_token.is_some(),
    })
}
