//! Verified ID tokens (OpenID Connect Core 1.0, section 3.1.3.7), read with the core's strict
//! parsers.
//!
//! Refuses: a signature that is not by one of the issuer's keys (so also `none` and HMAC); another
//! issuer, audience or authorized party; a token that has expired or is not valid yet; another
//! nonce; and another access token than the one in the same response. An ID token for several
//! audiences without `azp` is accepted if its `at_hash` matches that access token. Does not check:
//! `acr` and `amr`, which an application reads from the claims.

use crate::error::Error;
use crate::provider::Provider;
use aws_lc_rs::digest::{self, digest};
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::jose::{Algorithm, base64url, compact};
use portcullis_core::rejection::quote;
use portcullis_core::token::NumericDate;
use portcullis_core::{Dialect, Limits};
use portcullis_provider::client_auth::Secret;
use portcullis_provider::issuer_keys::SignatureFault;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A verified ID token: it tells this client, and only this client, who signed in.
///
/// ```no_run
/// # use portcullis_client::TokenResponse;
/// # fn example(tokens: &TokenResponse) {
/// if let Some(id_token) = tokens.id_token() {
///     let email = id_token.claim("email").and_then(|email| email.as_str());
///     println!("{} signed in, with the address {email:?}", id_token.subject());
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct IdToken {
    text: Secret,
    claims: Arc<Object>,
    subject: Arc<str>,
}

/// The values that an ID token must have.
#[derive(Default)]
pub(crate) struct IdTokenCriteria<'e> {
    pub(crate) client: &'e str,
    /// Other audiences that belong to the same application.
    pub(crate) trusted: &'e [Box<str>],
    /// The nonce of the authorization request. A refresh has none to compare (section 12.2).
    pub(crate) nonce: Option<&'e str>,
    /// The access token in the same response.
    pub(crate) access_token: Option<&'e str>,
    /// The longest time since the person signed in, if the request limited it.
    pub(crate) max_age: Option<Duration>,
    /// The subject before a refresh.
    pub(crate) subject: Option<&'e str>,
}

/// The tolerated difference between two clocks, in seconds.
const LEEWAY: i64 = 60;

impl IdToken {
    /// The subject: the provider's identifier of the person. It is unique only together with the
    /// issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// A claim.
    pub fn claim(&self, name: &str) -> Option<&Json> {
        self.claims.get(name)
    }

    /// The text of the token. The caller has to protect it from here on. A logout takes it as a
    /// hint.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    pub(crate) async fn verify(
        text: Secret,
        provider: &Provider,
        criteria: &IdTokenCriteria<'_>,
    ) -> Result<Self, Error> {
        let limits = provider.limits();
        let jws = match compact::parse_jws(text.expose(), limits) {
            Ok(jws) => jws,
            Err(rejection) => return Err(invalid(&rejection.to_string())),
        };
        let header = jws.header();
        // A logout token has the same signature and issuer, but another `typ`.
        let typ = header.typ.as_deref().unwrap_or("JWT");
        if !typ.eq_ignore_ascii_case("JWT") {
            return Err(invalid("its `typ` belongs to another kind of token"));
        }
        // The signature comes first: no claim counts before the issuer has vouched for it.
        let key = match provider.keys().prove(&jws).await {
            Ok(key) => key,
            Err(SignatureFault::Forged(reason)) => return Err(invalid(reason)),
            Err(SignatureFault::Outage(outage)) => return Err(Error::Outage(outage)),
        };
        let claims = object(jws.unverified_payload(), limits)?;
        // The name in the metadata: with AD FS it differs from `iss` of access tokens.
        let issuer = provider.metadata().await?.issuer();
        check(&claims, issuer, criteria, provider.clock().now()).map_err(|it| invalid(&it))?;
        if !is_key_for(key.issuer(), &claims, issuer) {
            return Err(invalid("it is signed with a key of another issuer"));
        }
        if let Some(access_token) = criteria.access_token {
            check_hash(&claims, header.algorithm, access_token).map_err(|it| invalid(&it))?;
        }
        let subject = claims.get("sub").and_then(Json::as_str);
        Ok(Self {
            text,
            subject: subject.unwrap_or_default().into(),
            claims: Arc::new(claims),
        })
    }
}

fn invalid(reason: &str) -> Error {
    Error::untrusted_response(format!("the ID token: {reason}"))
}

fn object(payload: &[u8], limits: &Limits) -> Result<Object, Error> {
    match json::parse(payload, limits) {
        Ok(Json::Object(object)) => Ok(object),
        _ => Err(invalid("its claims are not a valid JSON object")),
    }
}

/// Checks the claims in the order of section 3.1.3.7.
fn check(
    claims: &Object,
    issuer: &str,
    criteria: &IdTokenCriteria<'_>,
    now: NumericDate,
) -> Result<(), String> {
    check_issuer(text(claims, "iss")?, issuer)?;
    check_audience(claims, criteria)?;
    check_times(claims, criteria.max_age, now)?;
    // The nonce ties the token to this sign-in: a token stolen from another one has another nonce.
    if let Some(nonce) = criteria.nonce
        && text(claims, "nonce")? != Some(nonce)
    {
        return Err("its `nonce` is not the one that was sent".to_owned());
    }
    check_subject(text(claims, "sub")?.unwrap_or_default(), criteria.subject)
}

fn check_issuer(found: Option<&str>, issuer: &str) -> Result<(), String> {
    let Some(found) = found else {
        return Err("its `iss` is missing".to_owned());
    };
    // Google signs with and without `https://`. A dialect lists the other spellings of its issuer.
    let aliases = (Dialect::of_issuer(issuer).aliases)(issuer);
    if found == issuer || aliases.iter().any(|alias| alias == found) {
        return Ok(());
    }
    Err(format!("its `iss` is {}", quote(found)))
}

fn check_subject(found: &str, before: Option<&str>) -> Result<(), String> {
    if found.is_empty() {
        return Err("it has no `sub`".to_owned());
    }
    // Section 2 allows 255 characters.
    if found.len() > 255 {
        return Err("its `sub` is too long".to_owned());
    }
    // Section 12.2: a refresh must not turn one person's session into another's.
    match before {
        Some(before) if before != found => {
            Err("its `sub` is not the person who signed in before".to_owned())
        }
        _ => Ok(()),
    }
}

/// Checks that the token is for this client, and, with several audiences, was issued to this client
/// (section 3.1.3.7 with the second errata: `azp` is checked if it is present).
fn check_audience(claims: &Object, criteria: &IdTokenCriteria<'_>) -> Result<(), String> {
    let client = criteria.client;
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(many)) => many.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    if !audiences.contains(&client) {
        return Err("its `aud` is not this client".to_owned());
    }
    match text(claims, "azp")? {
        Some(party) if party == client => return Ok(()),
        Some(_) => return Err("its `azp` is another client".to_owned()),
        None => {}
    }
    // Without `azp`, `at_hash` proves the same: the token came from the token endpoint together
    // with this access token. The caller compares the hash itself. An ID token from any other place
    // has no access token beside it.
    if criteria.access_token.is_some() && claims.get("at_hash").is_some() {
        return Ok(());
    }
    let mut others = Vec::new();
    for audience in audiences {
        if audience != client && !criteria.trusted.iter().any(|it| **it == *audience) {
            others.push(quote(audience));
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    Err(format!(
        "it is for {} as well, and has neither `azp` nor `at_hash`: if these audiences belong to \
            this application, name them as trusted audiences (`--trusted-audience`)",
        others.join(", ")
    ))
}

fn check_times(claims: &Object, max_age: Option<Duration>, now: NumericDate) -> Result<(), String> {
    if now >= required_time(claims, "exp")?.plus(LEEWAY) {
        return Err("it has expired".to_owned());
    }
    let latest = now.plus(LEEWAY);
    if required_time(claims, "iat")? > latest {
        return Err("its `iat` is in the future".to_owned());
    }
    if let Some(not_before) = time(claims, "nbf")?
        && not_before > latest
    {
        return Err("its `nbf` is in the future".to_owned());
    }
    let Some(max_age) = max_age else {
        return Ok(());
    };
    let age = now.since(required_time(claims, "auth_time")?);
    let most = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
    if age > most.saturating_add(LEEWAY) {
        return Err("the person signed in too long ago".to_owned());
    }
    Ok(())
}

fn time(claims: &Object, name: &str) -> Result<Option<NumericDate>, String> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    match NumericDate::from_json(value) {
        Some(time) => Ok(Some(time)),
        None => Err(format!("its `{name}` is not a time")),
    }
}

fn required_time(claims: &Object, name: &str) -> Result<NumericDate, String> {
    time(claims, name)?.ok_or_else(|| format!("it has no `{name}`"))
}

/// Checks `at_hash` if it is present (section 3.1.3.6): the left half of a hash of the access
/// token.
fn check_hash(claims: &Object, algorithm: Algorithm, access_token: &str) -> Result<(), String> {
    let Some(found) = text(claims, "at_hash")? else {
        return Ok(());
    };
    // The hash is the one of the signature. Ed25519 hashes with SHA-512 inside.
    let by = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => &digest::SHA256,
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::ES512 | Algorithm::EdDSA => {
            &digest::SHA512
        }
    };
    let hash = digest(by, access_token.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    if base64url::encode(left) == found {
        Ok(())
    } else {
        Err("its `at_hash` belongs to another access token".to_owned())
    }
}

/// Whether a key may sign for this issuer.
fn is_key_for(named: Option<&str>, claims: &Object, issuer: &str) -> bool {
    // Entra ID publishes the keys of all tenants in one set, each with the issuer it may sign for.
    // Without this check a key of one tenant could sign for another.
    let Some(template) = named.filter(|_| Dialect::of_issuer(issuer).keys_name_issuer) else {
        return true;
    };
    let tenant = claims
        .get("tid")
        .and_then(Json::as_str)
        .unwrap_or_default();
    template.replace(portcullis_core::dialect::TENANT, tenant) == issuer
}

fn text<'c>(claims: &'c Object, name: &str) -> Result<Option<&'c str>, String> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its `{name}` is not a string")),
    }
}

/// Shows no claim.
impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ID token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(claims: &str) -> Result<(), String> {
        let claims = object(claims.as_bytes(), &Limits::default()).unwrap();
        let expected = IdTokenCriteria {
            client: "app",
            nonce: Some("n"),
            max_age: Some(Duration::from_secs(60)),
            ..IdTokenCriteria::default()
        };
        check(
            &claims,
            "https://idp.example",
            &expected,
            NumericDate::from_seconds(10_000),
        )
    }

    /// The claims of a good token, with these in place of theirs; `null` leaves one out.
    fn with(changed: &serde_json::Value) -> String {
        let mut claims = serde_json::json!({
            "iss": "https://idp.example", "aud": "app", "sub": "alice", "exp": 10_300, "iat": 9_990, "nonce": "n", "auth_time": 9_980,
        });
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        claims.to_string()
    }

    #[test]
    fn every_claim_has_to_fit() {
        use serde_json::json;
        for good in [
            json!({}),
            json!({ "azp": "app" }),
            json!({ "aud": ["app", "api"], "azp": "app" }),
            json!({ "exp": 9_941 }),
        ] {
            assert_eq!(checked(&with(&good)), Ok(()), "{good}");
        }
        for bad in [
            json!({ "iss": "https://idp.example/" }),
            json!({ "iss": null }),
            json!({ "aud": "other" }),
            json!({ "aud": null }),
            json!({ "aud": ["app", "api"] }),
            json!({ "azp": "other" }),
            json!({ "azp": 7 }),
            json!({ "nonce": "other" }),
            json!({ "nonce": null }),
            json!({ "exp": 9_940 }),
            json!({ "exp": null }),
            json!({ "exp": "10300" }),
            json!({ "iat": 10_061 }),
            json!({ "iat": null }),
            json!({ "nbf": 10_061 }),
            json!({ "auth_time": null }),
            json!({ "auth_time": 9_879 }),
            json!({ "sub": "" }),
            json!({ "sub": null }),
            json!({ "sub": "x".repeat(256) }),
        ] {
            assert!(checked(&with(&bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn several_audiences_need_something_that_binds_the_token_to_this_client() {
        let check = |changed: serde_json::Value, access_token, trusted: &[Box<str>]| {
            let claims = object(with(&changed).as_bytes(), &Limits::default()).unwrap();
            let nonce = Some("n");
            let expected = IdTokenCriteria {
                client: "app",
                nonce,
                access_token,
                trusted,
                ..IdTokenCriteria::default()
            };
            check(
                &claims,
                "https://idp.example",
                &expected,
                NumericDate::from_seconds(10_000),
            )
        };
        let several = serde_json::json!({ "aud": ["app", "api"], "at_hash": "x" });
        let bare = serde_json::json!({ "aud": ["app", "api"] });
        // Beside its access token; `at_hash` is compared where the access token is.
        assert_eq!(check(several.clone(), Some("t"), &[]), Ok(()));
        // From the front channel there is none.
        assert!(
            check(several.clone(), None, &[])
                .unwrap_err()
                .contains("`api` as well")
        );
        assert!(
            check(bare.clone(), Some("t"), &[])
                .unwrap_err()
                .contains("--trusted-audience")
        );
        // Audiences that are named as one's own.
        assert_eq!(check(bare.clone(), Some("t"), &["api".into()]), Ok(()));
        assert!(check(bare, None, &["other".into()]).is_err());
        // What says another party is another party's, whatever else fits.
        let other = serde_json::json!({ "aud": ["app", "api"], "azp": "api", "at_hash": "x" });
        assert!(check(other, Some("t"), &["api".into()]).is_err());
        let stranger = serde_json::json!({ "aud": ["api", "b"], "at_hash": "x" });
        assert!(check(stranger, Some("t"), &["api".into()]).is_err());
        let mut nonce = several;
        nonce["nonce"] = "other".into();
        assert!(check(nonce, Some("t"), &[]).is_err());
    }

    #[test]
    fn the_access_token_beside_it_is_the_one_it_names() {
        // The example of OpenID Connect Core 1.0, appendix A.3.
        let claims = object(
            br#"{"at_hash":"77QmUPtjPfzWtF2AnpK9RQ"}"#,
            &Limits::default(),
        )
        .unwrap();
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(check_hash(&claims, Algorithm::RS256, token), Ok(()));
        assert!(check_hash(&claims, Algorithm::RS256, "another").is_err());
        assert!(check_hash(&claims, Algorithm::RS384, token).is_err());
    }

    #[test]
    fn a_key_of_another_tenant_signs_nothing_here() {
        let claims = object(
            br#"{"tid":"9188040d-6c67-4c5b-b112-36a304b66dad"}"#,
            &Limits::default(),
        )
        .unwrap();
        let issuer = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
        assert!(is_key_for(
            Some("https://login.microsoftonline.com/{tenantid}/v2.0"),
            &claims,
            issuer
        ));
        assert!(!is_key_for(
            Some("https://login.microsoftonline.com/0/v2.0"),
            &claims,
            issuer
        ));
        assert!(is_key_for(None, &claims, issuer));
    }
}
