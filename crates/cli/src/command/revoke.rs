//! `portcullis revoke`: writes to the store that all replicas share, or lists what it holds.
//!
//! A token is verified if its keys can be had, so that an invented one revokes nobody else's. In an
//! outage it is parsed strictly, and the page says so. Neither the token nor the store's URL is
//! ever printed. The store gets digests, no names.

mod order;
mod page;
mod token;

use crate::args::RevokeArguments;
use crate::command::explain::read_token;
use crate::exit::{CommandError, Exit};
use crate::files;
use crate::output::print;
use order::RevocationOrder;
use page::{as_json, order_as_json, page, table};
use portcullis_core::Outage;
use portcullis_core::proof::Thumbprint;
use portcullis_core::rejection::quote;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_resource_server::{Config, Revocation, RevocationSource, RevocationStore, StoreUrl};
use serde_json::Value;
use std::path::Path;
use std::time::SystemTime;

pub(crate) async fn run(arguments: RevokeArguments) -> Result<Exit, CommandError> {
    let now = NumericDate::from(SystemTime::now());
    let config = match &arguments.config {
        Some(file) => Some(read_config(file)?),
        None => None,
    };
    let store = open_store(&arguments, config.as_ref())?;
    let json = arguments.json;
    let text = if arguments.list {
        let revocations = store.list(MAX_LISTED, now).await.map_err(outage)?;
        if json {
            let revocations: Value = revocations.iter().map(as_json).collect();
            format!("{revocations:#}\n")
        } else {
            table(&revocations)
        }
    } else {
        let mut order = order(arguments, config, now).await?;
        order.revocation = order
            .revocation
            .caused_by(RevocationSource::Operator, now);
        store
            .publish(&order.revocation, now)
            .await
            .map_err(outage)?;
        if json {
            format!("{:#}\n", order_as_json(&order))
        } else {
            page(&order, now)
        }
    };
    print(&text)?;
    Ok(Exit::Fine)
}

/// The bound on a list for people; programs read the stream itself.
const MAX_LISTED: usize = 10_000;

/// How far apart the clocks of the machines may be, in seconds.
const LEEWAY: i64 = 300;

fn read_config(file: &Path) -> Result<Config, CommandError> {
    let text = files::read_text(file)?;
    Config::from_toml(&text).map_err(|errors| CommandError::in_file(file, errors))
}

/// The store of the arguments, else of the settings, else of the environment and `.env`.
fn open_store(
    arguments: &RevokeArguments,
    config: Option<&Config>,
) -> Result<RevocationStore, CommandError> {
    let settings = config.map(|config| &config.revocation);
    let Some(url) = store_url(arguments, config)? else {
        return Err(CommandError::could_not_run("no revocation store is named")
            .help("set PORTCULLIS_STORE, or pass `--store`, `--store-file` or `--config`"));
    };
    // On a connection without TLS, an attacker on the way could drop the revocation.
    let plain_allowed = matches!(settings, Some(settings) if settings.danger_plain_store);
    if url.is_plain() && !plain_allowed {
        return Err(CommandError::could_not_run(
            "expected a revocation store with TLS, found one without",
        )
        .help(
            "write `rediss://`, or `danger_plain_store = true` under `[revocation]` in the \
                    file of `--config`",
        ));
    }
    // The key of the stream must be the one that the replicas follow.
    let stream = match (&arguments.stream, settings) {
        (Some(stream), _) => Some(stream),
        (None, Some(settings)) => settings.stream.as_ref(),
        (None, None) => None,
    };
    RevocationStore::new(&url, stream.map(String::as_str))
        .map_err(|error| CommandError::could_not_run(error.to_string()))
}

fn store_url(
    arguments: &RevokeArguments,
    config: Option<&Config>,
) -> Result<Option<StoreUrl>, CommandError> {
    let settings = config.map(|config| &config.revocation);
    let (configured, configured_file) = match settings {
        Some(settings) => (settings.store.as_ref(), settings.store_url_file.as_ref()),
        None => (None, None),
    };
    if let Some(url) = arguments.store.as_ref().or(configured) {
        return Ok(Some(url.clone()));
    }
    if let Some(file) = arguments.store_file.as_ref().or(configured_file) {
        return Ok(Some(StoreUrl::new(files::read_text(file)?.trim())));
    }
    Ok(Config::variable("PORTCULLIS_STORE")?.map(StoreUrl::new))
}

/// The revocation that the arguments describe, kept for as long as they say.
async fn order(
    arguments: RevokeArguments,
    config: Option<Config>,
    now: NumericDate,
) -> Result<RevocationOrder, CommandError> {
    let kept_until = now.plus(i64::from(arguments.keep) * 86_400);
    if let Some(file) = &arguments.token_file {
        let file = (file != Path::new("-")).then_some(file.as_path());
        let token = read_token(None, file)?;
        let order = token::order(&token, arguments.issuer, config, now).await?;
        return Ok(RevocationOrder {
            // Its `exp` may prolong the revocation, and not shorten it.
            revocation: order.revocation.remember_until(kept_until),
            ..order
        });
    }
    if let Some(key) = arguments.thumbprint {
        return of_key(key, now, kept_until);
    }
    let issuer = issuer(arguments.issuer, config.as_ref())?;
    let since = arguments.since.unwrap_or(now);
    if since > now.plus(LEEWAY) {
        // Tokens that are not issued yet cannot be revoked: they would look revoked at birth.
        let message = "`--since`: expected a time in the past, found one in the future";
        return Err(CommandError::could_not_run(message));
    }
    let (revocation, name) = if let Some(id) = arguments.jti {
        (Revocation::token(&issuer, check_name(&id)?, kept_until), id)
    } else if let Some(subject) = arguments.subject {
        let name = check_name(&subject)?;
        (Revocation::subject(&issuer, name, since), subject)
    } else if let Some(session) = arguments.session {
        // A session is revoked as a whole: its tokens share one sign-in.
        let name = check_name(&session)?;
        (Revocation::session(&issuer, name, now), session)
    } else if let Some(client) = arguments.client {
        let name = check_name(&client)?;
        (Revocation::client(&issuer, name, since), client)
    } else if let Some(subject) = arguments.enable {
        let name = check_name(&subject)?;
        // Later than an event of this very second, which would count for more.
        let since = now.plus(1);
        (Revocation::account_enabled(&issuer, name, since), subject)
    } else {
        let message =
            "expected a token, a subject, a session, a client or a key to revoke, found none";
        return Err(CommandError::could_not_run(message).help("see `portcullis revoke --help`"));
    };
    Ok(RevocationOrder {
        revocation: revocation.remember_until(kept_until),
        issuer: Some(issuer),
        name: Some(name),
        expires: None,
        signature: None,
    })
}

/// The revocation of a key, at every issuer.
fn of_key(
    text: String,
    now: NumericDate,
    kept_until: NumericDate,
) -> Result<RevocationOrder, CommandError> {
    let Some(thumbprint) = Thumbprint::parse(&text) else {
        let found = quote(&text);
        let message = format!("`--thumbprint`: expected a SHA-256 in base64url, found {found}");
        let help = "copy `cnf.jkt` or `cnf.x5t#S256` of a token that is bound to the key: \
            `portcullis explain --all` shows it";
        return Err(CommandError::could_not_run(message).help(help));
    };
    Ok(RevocationOrder {
        revocation: Revocation::key(&thumbprint, now).remember_until(kept_until),
        issuer: None,
        name: Some(text),
        expires: None,
        signature: None,
    })
}

/// With an empty variable, a script would revoke no token at all, and report success.
fn check_name(name: &str) -> Result<&str, CommandError> {
    if name.is_empty() {
        let message = "expected the name of what to revoke, found an empty text";
        return Err(CommandError::could_not_run(message));
    }
    Ok(name)
}

/// The issuer of the arguments, else the only one of the settings, else of the environment and
/// `.env`.
fn issuer(argument: Option<String>, config: Option<&Config>) -> Result<Issuer, CommandError> {
    let text = match (argument, config) {
        (Some(issuer), _) => Some(issuer),
        (None, None) => Config::variable("OAUTH2_ISSUER")?,
        (None, Some(config)) => match config.issuer.as_slice() {
            [only] => {
                // Entra ID names the tenant in `iss`, where its metadata has a placeholder.
                let tenant = only.tenant.as_deref().unwrap_or_default();
                Some(only.url.replace("{tenantid}", tenant))
            }
            // Revoking at the wrong issuer would look like success.
            _ => None,
        },
    };
    let Some(text) = text else {
        return Err(
            CommandError::could_not_run("expected one issuer, found none or several")
                .help("set OAUTH2_ISSUER, or pass `--issuer`"),
        );
    };
    Issuer::identifier(text).map_err(|error| CommandError::could_not_run(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn outage(outage: Outage) -> CommandError {
    CommandError::new(Exit::Outage, outage.to_string())
}
