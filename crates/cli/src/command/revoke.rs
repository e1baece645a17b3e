//! `portcullis revoke`: writes to the store that all replicas share, or shows what it holds.
//!
//! A token is parsed strictly and not verified: whoever may write the store decides. It is never
//! printed, and neither is the store's URL; the store gets digests, no names.

use crate::args::RevokeArguments;
use crate::command::explain;
use crate::exit::{Exit, Failure};
use crate::output::{GOOD, QUIET, print, styled};
use portcullis_core::dialect::Dialect;
use portcullis_core::jose::compact;
use portcullis_core::rejection::shown;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_core::{Limits, Outage};
use portcullis_resource_server::{Config, Revocation, RevocationConfig, RevocationStore, StoreUrl};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) async fn run(arguments: RevokeArguments) -> Result<Exit, Failure> {
    let now = NumericDate::from(SystemTime::now());
    let config = arguments.config.as_deref().map(configured).transpose()?;
    let store = store(&arguments, config.as_ref())?;
    if arguments.list {
        let listed = store.list(MOST_LISTED, now).await.map_err(outage)?;
        let json = arguments
            .json
            .then(|| listed.iter().map(as_json).collect::<Value>());
        print(&json.map_or_else(|| table(&listed), |json| format!("{json:#}\n")))?;
        return Ok(Exit::Fine);
    }
    let json = arguments.json;
    let revocation = revocation(arguments, config.as_ref(), now)?;
    store.publish(&revocation, now).await.map_err(outage)?;
    print(&if json {
        format!("{:#}\n", as_json(&revocation))
    } else {
        page(&revocation)
    })?;
    Ok(Exit::Fine)
}

/// More is for programs that read the stream.
const MOST_LISTED: usize = 10_000;

/// How far the clocks may be apart.
const LEEWAY: i64 = 300;

fn configured(file: &Path) -> Result<Config, Failure> {
    let told = |problem: String| Failure::could_not_run(format!("{}: {problem}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| told(error.to_string()))?;
    Config::from_toml(&text).map_err(|errors| told(errors.to_string()))
}

/// The store of the arguments, else of the settings, else of the environment and `.env`.
fn store(arguments: &RevokeArguments, config: Option<&Config>) -> Result<RevocationStore, Failure> {
    let table = config.map(|config| &config.revocation);
    let file = arguments
        .store_file
        .as_ref()
        .or(table.and_then(|table| table.store_url_file.as_ref()));
    let url = match (
        arguments
            .store
            .as_ref()
            .or(table.and_then(|table| table.store.as_ref())),
        file,
    ) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(file)) => {
            let told = |error| Failure::could_not_run(format!("{}: {error}", file.display()));
            Some(StoreUrl::new(
                std::fs::read_to_string(file).map_err(told)?.trim(),
            ))
        }
        (None, None) => Config::variable("PORTCULLIS_STORE")?.map(StoreUrl::new),
    };
    let cure = "no store: set PORTCULLIS_STORE, or pass `--store`, `--store-file` or `--config`";
    let url = url.ok_or_else(|| Failure::could_not_run(cure))?;
    if url.is_plain() && !table.is_some_and(|table| table.danger_plain_store) {
        let cure = "the store is reached without TLS: write `rediss://`, or `danger_plain_store = \
            true` under `[revocation]` \
                    in the file of `--config`";
        return Err(Failure::could_not_run(cure));
    }
    let stream = arguments
        .stream
        .as_ref()
        .or(table.and_then(|RevocationConfig { stream, .. }| stream.as_ref()));
    RevocationStore::new(&url, stream.map(String::as_str))
        .map_err(|error| Failure::could_not_run(error.to_string()))
}

/// What the arguments say, remembered for as long as they say.
fn revocation(
    arguments: RevokeArguments,
    config: Option<&Config>,
    now: NumericDate,
) -> Result<Revocation, Failure> {
    let kept = now.plus(i64::from(arguments.keep) * 86_400);
    if let Some(file) = &arguments.token_file {
        let file = Some(file.as_path()).filter(|file| *file != Path::new("-"));
        let revocation = of_token(
            &explain::token(None, file)?,
            arguments.issuer.as_deref(),
            now,
        )?;
        // Nobody verified the token: what it says of its end may make the memory longer, not
        // shorter.
        return Ok(revocation.remembered_until(kept));
    }
    let issuer = issuer(arguments.issuer, config)?;
    let since = arguments.since.unwrap_or(now);
    if since > now.plus(LEEWAY) {
        return Err(Failure::could_not_run(
            "`--since` lies in the future: tokens can be revoked that were issued already",
        ));
    }
    let named = |value: String, what: fn(&Issuer, &str, NumericDate) -> Revocation, at| match value
        .as_str()
    {
        "" => Err(Failure::could_not_run("what to revoke has an empty name")),
        value => Ok(what(&issuer, value, at).remembered_until(kept)),
    };
    match (
        arguments.jti,
        arguments.subject,
        arguments.session,
        arguments.client,
    ) {
        (Some(id), ..) => named(id, Revocation::token, kept),
        (_, Some(subject), ..) => named(subject, Revocation::subject, since),
        (.., Some(session), _) => named(session, Revocation::session, now),
        (.., Some(client)) => named(client, Revocation::client, since),
        _ => Err(Failure::could_not_run(
            "say what to revoke: `portcullis revoke --help`",
        )),
    }
}

/// What a token says of itself.
fn of_token(token: &str, expected: Option<&str>, now: NumericDate) -> Result<Revocation, Failure> {
    let refused = |rejection| {
        Failure::new(
            Exit::Rejected,
            format!("this is no token to revoke: {rejection}"),
        )
    };
    let parsed = compact::parse(token, &Limits::default()).map_err(refused)?;
    let claims = parsed.unverified_claims();
    let missing = |what: &str| {
        let message =
            format!("the token has no {what}\n    cure: revoke its subject, session or client");
        Failure::new(Exit::Rejected, message)
    };
    let named = claims.issuer().ok_or_else(|| missing("`iss`"))?;
    let issuer = match expected {
        // Some issuers spell themselves otherwise in their tokens.
        Some(issuer)
            if issuer == named
                || (Dialect::of_issuer(issuer).aliases)(issuer)
                    .iter()
                    .any(|it| it == named) =>
        {
            issuer
        }
        Some(_) => {
            let message = format!("the token is of another issuer: {}", shown(named));
            return Err(Failure::new(Exit::Rejected, message));
        }
        None => named,
    };
    let issuer = Issuer::identifier(issuer)
        .map_err(|error| Failure::new(Exit::Rejected, error.to_string()))?;
    Revocation::of_claims(&issuer, claims, now).ok_or_else(|| missing("`jti`"))
}

/// The issuer of the arguments, else the only one of the settings, else of the environment and
/// `.env`.
fn issuer(argument: Option<String>, config: Option<&Config>) -> Result<Issuer, Failure> {
    let text = match (argument, config.map(|config| config.issuer.as_slice())) {
        (Some(issuer), _) => Some(issuer),
        (None, Some([only])) => Some(
            only.url
                .replace("{tenantid}", only.tenant.as_deref().unwrap_or_default()),
        ),
        (None, Some(_)) => None,
        (None, None) => Config::variable("OAUTH2_ISSUER")?,
    };
    let cure = "no issuer, or several: set OAUTH2_ISSUER, or pass `--issuer`";
    let text = text.ok_or_else(|| Failure::could_not_run(cure))?;
    Issuer::identifier(text).map_err(|error| Failure::could_not_run(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn outage(outage: Outage) -> Failure {
    Failure::new(Exit::Outage, outage.to_string())
}

fn page(revocation: &Revocation) -> String {
    let what = match revocation.since() {
        Some(since) => format!(
            "the tokens of a {} issued at {} or before",
            revocation.kind(),
            moment(since)
        ),
        None if revocation.kind().as_str() == "session" => "the tokens of a session".to_owned(),
        None => format!("a {}", revocation.kind()),
    };
    let rows = [
        (
            "remembered",
            format!("until {}", moment(revocation.until())),
        ),
        ("known by", revocation.mark()),
    ];
    let rows =
        rows.map(|(name, value)| format!("  {}  {value}\n", styled(QUIET, &format!("{name:<10}"))));
    format!(
        "\n  {} {what}.\n  Every replica refuses this as soon as the store tells it.\n\n{}",
        styled(GOOD, "Revoked:"),
        rows.concat()
    )
}

fn table(listed: &[Revocation]) -> String {
    let mut text = String::new();
    for revocation in listed {
        let since = revocation
            .since()
            .map_or_else(|| "whenever issued".to_owned(), moment);
        text.push_str(&format!(
            "{}  {since:<20}  {}\n",
            revocation.mark(),
            moment(revocation.until())
        ));
    }
    if text.is_empty() {
        "nothing is revoked\n".to_owned()
    } else {
        format!("known by, issued at or before, remembered until\n{text}")
    }
}

fn as_json(revocation: &Revocation) -> Value {
    json!({
        "kind": revocation.kind().as_str(),
        "mark": revocation.mark(),
        "since": revocation.since().map(NumericDate::seconds),
        "until": revocation.until().seconds(),
    })
}

/// RFC 3339, in UTC.
fn moment(date: NumericDate) -> String {
    const LAST: u64 = 253_402_300_799; // of the year 9999: the format has no later one
    let seconds = u64::try_from(date.seconds()).unwrap_or_default().min(LAST);
    let time = UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(UNIX_EPOCH);
    humantime::format_rfc3339_seconds(time).to_string()
}
