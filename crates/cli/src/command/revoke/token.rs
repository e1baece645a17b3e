//! The revocation of a token that is at hand: whose it is, and whether its issuer made it.
//!
//! Keys are fetched only of an issuer that the operator named: the token itself, which may be an
//! attacker's, never chooses an address.

use super::order::{RevocationOrder, TokenSignature};
use crate::exit::{CommandError, Exit};
use portcullis_core::dialect::{Dialect, TENANT};
use portcullis_core::jose::compact;
use portcullis_core::rejection::quote;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_core::verify::{Outcome, Step};
use portcullis_core::{ConfigErrors, Limits};
use portcullis_resource_server::config::IssuerConfig;
use portcullis_resource_server::{Config, ResourceServer, Revocation, Settings};

/// The revocation of a token, by its own claims. The named issuer is that of the arguments, else
/// those of the settings, else of the environment and `.env`.
pub(super) async fn order(
    token: &str,
    named: Option<String>,
    config: Option<Config>,
    now: NumericDate,
) -> Result<RevocationOrder, CommandError> {
    let parsed = match compact::parse(token, &Limits::default()) {
        Ok(parsed) => parsed,
        Err(rejection) => {
            let message = format!("expected a token to revoke, found something else: {rejection}");
            return Err(CommandError::new(Exit::Rejected, message));
        }
    };
    let claims = parsed.unverified_claims();
    let Some(iss) = claims.issuer() else {
        return Err(without_claim("iss"));
    };
    let expected = expected_issuers(named, config.as_ref())?;
    let issuer = choose(iss, &expected)?;
    let Some(revocation) = Revocation::of_claims(&issuer, claims, now) else {
        return Err(without_claim("jti"));
    };
    let signature = match expected.is_empty() {
        true => TokenSignature::Unverified(NO_ISSUER.to_owned()),
        false => signature(token, &issuer, config).await?,
    };
    Ok(RevocationOrder {
        revocation,
        issuer: Some(issuer),
        name: None,
        expires: claims.expires(),
        signature: Some(signature),
    })
}

const NO_ISSUER: &str = "the token alone names its issuer; name yours by `--issuer`, `--config` or \
    OAUTH2_ISSUER";

/// The issuers whose tokens may be revoked; none if any may.
fn expected_issuers(
    named: Option<String>,
    config: Option<&Config>,
) -> Result<Vec<String>, CommandError> {
    let mut expected = Vec::new();
    match (named, config) {
        (Some(issuer), _) => expected.push(issuer),
        (None, Some(config)) => expected.extend(config.issuer.iter().flat_map(spellings)),
        (None, None) => expected.extend(Config::variable("OAUTH2_ISSUER")?),
    }
    Ok(expected)
}

/// An issuer of the settings, once for each of its tenants; for any tenant, with the placeholder.
fn spellings(issuer: &IssuerConfig) -> Vec<String> {
    let tenants = issuer.tenant.iter().chain(&issuer.tenants);
    let filled: Vec<String> = tenants
        .map(|tenant| issuer.url.replace(TENANT, tenant))
        .collect();
    match filled.is_empty() {
        true => vec![issuer.url.clone()],
        false => filled,
    }
}

/// The issuer that the token belongs to, in the spelling by which it is revoked.
fn choose(iss: &str, expected: &[String]) -> Result<Issuer, CommandError> {
    let chosen = match expected {
        [] => Some(iss),
        _ => expected.iter().find_map(|it| spelling(it, iss)),
    };
    let Some(issuer) = chosen else {
        // A revocation at the wrong issuer would have no effect, and look like success.
        let names: Vec<String> = expected.iter().map(|it| quote(it)).collect();
        let (names, found) = (names.join(" or "), quote(iss));
        let message = format!("expected a token of the issuer {names}, found one of {found}");
        return Err(CommandError::new(Exit::Rejected, message)
            .help("nothing was revoked; name the token's issuer by `--issuer` if it is yours"));
    };
    Issuer::identifier(issuer).map_err(|error| CommandError::new(Exit::Rejected, error.to_string()))
}

/// The spelling by which servers know the issuer of a token, if it is the expected one.
fn spelling<'a>(expected: &'a str, iss: &'a str) -> Option<&'a str> {
    if let Some((before, after)) = expected.split_once(TENANT) {
        let tenant = iss.strip_prefix(before)?.strip_suffix(after)?;
        return (!tenant.is_empty() && !tenant.contains('/')).then_some(iss);
    }
    // Some issuers are spelled differently in their tokens.
    let aliases = Dialect::of_issuer(expected).aliases;
    let is_same = expected == iss || aliases(expected).iter().any(|it| it == iss);
    is_same.then_some(expected)
}

/// Verifies the signature if the keys can be had.
///
/// # Errors
///
/// The issuer has such keys, and none of them made the token.
async fn signature(
    token: &str,
    issuer: &Issuer,
    config: Option<Config>,
) -> Result<TokenSignature, CommandError> {
    let settings = match settings(issuer, config) {
        Ok(settings) => settings,
        Err(errors) => {
            let reason = format!("the issuer's keys cannot be fetched by {errors}");
            return Ok(TokenSignature::Unverified(reason));
        }
    };
    let explanation = ResourceServer::with_settings(settings)
        .explain(token)
        .await;
    let steps = || explanation.steps.iter();
    let failed = |step: &&Step| step.outcome == Outcome::Fail && KEY_STEPS.contains(&step.name);
    if let Some(step) = steps().find(failed) {
        let (name, expected, found) = (step.name, &step.expected, &step.found);
        let message = format!("{name}: expected {expected}, found {found}; nothing was revoked");
        return Err(CommandError::new(Exit::Rejected, message).help(FORGED));
    }
    if explanation.is_authentic() {
        let signature = steps().find(|step| step.name == SIGNATURE);
        let found = signature.map(|step| step.found.clone());
        return Ok(TokenSignature::Verified(found.unwrap_or_default()));
    }
    let open = steps().find(|step| step.outcome == Outcome::Unknown);
    let reason = open.map_or("the settings do not trust its issuer", |step| &step.found);
    Ok(TokenSignature::Unverified(reason.to_owned()))
}

/// The steps of an explanation that show who made a token.
const SIGNATURE: &str = "signature";
const KEY_STEPS: [&str; 2] = ["signing key", SIGNATURE];
const FORGED: &str = "whoever wrote this token chose its `jti`, which may be that of another one; \
    if it has to be revoked all the same, such as after its key was withdrawn, use `--jti`";

/// Settings that have the issuer's keys, and ask nobody about tokens.
fn settings(issuer: &Issuer, config: Option<Config>) -> Result<Settings, ConfigErrors> {
    let mut config = match config {
        Some(config) => config,
        None => Config::from_variables(|name| match name {
            "OAUTH2_ISSUER" => Some(issuer.as_str().to_owned()),
            // The signature does not depend on it, and the operator need not know it.
            "OAUTH2_AUDIENCE" => Some("any".to_owned()),
            _ => Config::variable(name).ok().flatten(),
        })?,
    };
    config.revocation.store = None;
    config.revocation.store_url_file = None;
    Ok(Settings::try_from(config)?.without_questions())
}

fn without_claim(name: &str) -> CommandError {
    CommandError::new(Exit::Rejected, format!("the token has no `{name}`"))
        .help("revoke its subject, its session or its client instead")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_an_issuer_that_was_named() {
        let entra = "https://login.microsoftonline.com/{tenantid}/v2.0";
        let tenant = "https://login.microsoftonline.com/t-1/v2.0";
        for (expected, iss, found) in [
            (vec![], "https://a.example", Some("https://a.example")),
            (
                vec!["https://a.example", "https://b.example"],
                "https://b.example",
                Some("https://b.example"),
            ),
            (vec!["https://a.example"], "https://a.example/", None),
            (vec!["https://a.example"], "https://evil.example", None),
            (
                vec!["https://accounts.google.com"],
                "accounts.google.com",
                Some("https://accounts.google.com"),
            ),
            (vec![entra], tenant, Some(tenant)),
            (vec![entra], "https://evil.example/t-1/v2.0", None),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            let chosen = choose(iss, &expected);
            match (chosen, found) {
                (Ok(issuer), Some(found)) => assert_eq!(issuer.as_str(), found),
                (Err(error), None) => {
                    assert_eq!(error.exit(), Exit::Rejected);
                    assert!(error.message().contains("found one of"));
                }
                (chosen, found) => panic!("{iss}: {chosen:?}, {found:?}"),
            }
        }
    }
}
