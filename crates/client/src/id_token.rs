//! ID tokens, verified (OpenID Connect Core 1.0, section 3.1.3.7), with the strict parsers of the
//! core and keys that are kept fresh.
//!
//! Refuses: other signatures than by one of the issuer's keys (so `none` and HMAC), another issuer,
//! audience or authorised party, a time that has passed or not come, another nonce, and another
//! access token than the one beside it. An ID token for several audiences that names no authorised
//! party is taken where it came with the access token that its `at_hash` names: straight from the
//! token endpoint. Does not check: `acr` and `amr`, which an application reads from the claims.

use crate::error::Error;
use crate::provider::Provider;
use aws_lc_rs::digest::{self, digest};
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::jose::{Algorithm, base64url, compact};
use portcullis_core::rejection::shown;
use portcullis_core::token::NumericDate;
use portcullis_core::{Dialect, Limits};
use portcullis_provider::client_auth::Secret;
use portcullis_provider::issuer_keys::SignatureFault;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An ID token whose signature and claims were checked: it says who signed in, to this client only.
#[derive(Clone)]
pub struct IdToken {
    text: Secret,
    claims: Arc<Object>,
    subject: Arc<str>,
}

/// What an ID token has to fit.
#[derive(Default)]
pub(crate) struct IdTokenCriteria<'e> {
    pub(crate) client: &'e str,
    /// Other audiences that are known to belong to the same application.
    pub(crate) trusted: &'e [Box<str>],
    /// The nonce that the flow sent; after a refresh there is none to compare (section 12.2).
    pub(crate) nonce: Option<&'e str>,
    /// The access token beside it.
    pub(crate) access_token: Option<&'e str>,
    /// How long ago the person may have signed in, where the flow asked for it.
    pub(crate) max_age: Option<Duration>,
    /// Who it has to be, after a refresh.
    pub(crate) subject: Option<&'e str>,
}

/// How far clocks may differ.
const LEEWAY: i64 = 60;

impl IdToken {
    /// The subject: who signed in, in the provider's words. Only together with the issuer it names
    /// one person.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// A claim.
    pub fn claim(&self, name: &str) -> Option<&Json> {
        self.claims.get(name)
    }

    /// The text of the token: from here on, keeping it is the caller's matter. It is good as a hint
    /// for a logout.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    pub(crate) async fn verify(
        text: Secret,
        provider: &Provider,
        expected: &IdTokenCriteria<'_>,
    ) -> Result<Self, Error> {
        let limits = provider.limits();
        let jws = compact::parse_jws(text.expose(), limits)
            .map_err(|rejection| wrong(&rejection.to_string()))?;
        let header = jws.header();
        if header
            .typ
            .as_deref()
            .is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
        {
            return Err(wrong("its `typ` is another token's"));
        }
        let key = provider
            .keys()
            .prove(&jws)
            .await
            .map_err(|unproven| match unproven {
                SignatureFault::Forged(reason) => wrong(reason),
                SignatureFault::Outage(outage) => Error::Outage(outage),
            })?;
        let claims = object(jws.unverified_payload(), limits)?;
        let issuer = provider.issuer().as_str();
        check(&claims, issuer, expected, provider.clock().now())
            .map_err(|reason| wrong(&reason))?;
        if !is_key_for(key.issuer(), &claims, issuer) {
            return Err(wrong("it is signed with a key of another issuer"));
        }
        if let Some(access_token) = expected.access_token {
            check_hash(&claims, header.algorithm, access_token).map_err(|reason| wrong(&reason))?;
        }
        let subject = claims
            .get("sub")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .into();
        Ok(Self {
            text,
            claims: Arc::new(claims),
            subject,
        })
    }
}

fn wrong(reason: &str) -> Error {
    Error::untrusted_response(format!("the ID token: {reason}"))
}

fn object(payload: &[u8], limits: &Limits) -> Result<Object, Error> {
    match json::parse(payload, limits) {
        Ok(Json::Object(object)) => Ok(object),
        _ => Err(wrong("its claims are no proper JSON object")),
    }
}

/// The claims, one after the other, in the order of section 3.1.3.7.
fn check(
    claims: &Object,
    issuer: &str,
    expected: &IdTokenCriteria<'_>,
    now: NumericDate,
) -> Result<(), String> {
    check_issuer(text(claims, "iss")?, issuer)?;
    check_audience(claims, expected)?;
    check_times(claims, expected.max_age, now)?;
    if let Some(nonce) = expected.nonce
        && text(claims, "nonce")? != Some(nonce)
    {
        return Err("its `nonce` is not the one that was sent".to_owned());
    }
    match (text(claims, "sub")?, expected.subject) {
        (None | Some(""), _) => Err("it has no `sub`".to_owned()),
        (Some(subject), _) if subject.len() > 255 => Err("its `sub` is too long".to_owned()),
        (Some(subject), Some(before)) if subject != before => {
            Err("it is another person's than before".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_issuer(named: Option<&str>, issuer: &str) -> Result<(), String> {
    let aliases = (Dialect::of_issuer(issuer).aliases)(issuer);
    match named {
        Some(named) if named == issuer || aliases.iter().any(|alias| alias == named) => Ok(()),
        other => Err(format!(
            "its `iss` is {}",
            other.map_or_else(|| "not there".to_owned(), shown)
        )),
    }
}

/// Meant for this client; and if it is meant for others as well, then made for this one (section
/// 3.1.3.7 as the second errata have it: `azp` is checked where it is there). Without `azp`, what
/// made it for this client is that it came from the token endpoint beside the access token that its
/// `at_hash` names, which is compared below. An ID token from anywhere else has no access token
/// beside it.
fn check_audience(claims: &Object, expected: &IdTokenCriteria<'_>) -> Result<(), String> {
    let client = expected.client;
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(many)) => many.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    if !audiences.contains(&client) {
        return Err("its `aud` is not this client".to_owned());
    }
    let is_known = |audience: &&str| {
        *audience == client || expected.trusted.iter().any(|it| **it == **audience)
    };
    let came_along = expected.access_token.is_some() && claims.get("at_hash").is_some();
    match text(claims, "azp")? {
        Some(party) if party == client => Ok(()),
        Some(_) => Err("its `azp` is another client".to_owned()),
        None if came_along || audiences.iter().all(is_known) => Ok(()),
        None => {
            let others = audiences
                .iter()
                .filter(|audience| !is_known(audience))
                .map(|it| shown(it));
            let others = others.collect::<Vec<_>>().join(", ");
            Err(format!(
                "it is for {others} as well, and has neither `azp` nor `at_hash`: if the others \
                    are this application's \
                 own, name them as trusted audiences (`--trusted-audience`)"
            ))
        }
    }
}

fn check_times(claims: &Object, max_age: Option<Duration>, now: NumericDate) -> Result<(), String> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => NumericDate::from_json(value)
            .map(Some)
            .ok_or_else(|| format!("its `{name}` is no time")),
    };
    let needed = |name: &str| time(name)?.ok_or_else(|| format!("it has no `{name}`"));
    if now >= needed("exp")?.plus(LEEWAY) {
        return Err("it has expired".to_owned());
    }
    let latest = now.plus(LEEWAY);
    if needed("iat")? > latest || time("nbf")?.is_some_and(|nbf| nbf > latest) {
        return Err("it is from the future".to_owned());
    }
    let Some(max_age) = max_age else {
        return Ok(());
    };
    let age = now.since(needed("auth_time")?);
    let most = i64::try_from(max_age.as_secs())
        .unwrap_or(i64::MAX)
        .saturating_add(LEEWAY);
    if age > most {
        Err("the person signed in too long ago".to_owned())
    } else {
        Ok(())
    }
}

/// `at_hash`, where it is there (section 3.1.3.6): the left half of the hash that the signature
/// uses.
fn check_hash(claims: &Object, algorithm: Algorithm, access_token: &str) -> Result<(), String> {
    let Some(named) = text(claims, "at_hash")? else {
        return Ok(());
    };
    let by = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => &digest::SHA256,
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::ES512 | Algorithm::EdDSA => {
            &digest::SHA512
        }
    };
    let hash = digest(by, access_token.as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    if base64url::encode(left) == named {
        Ok(())
    } else {
        Err("its `at_hash` is another access token's".to_owned())
    }
}

/// Where a key says for which issuer it is, as those of Entra ID do, it has to be this one.
fn is_key_for(named: Option<&str>, claims: &Object, issuer: &str) -> bool {
    let Some(template) = named.filter(|_| Dialect::of_issuer(issuer).keys_name_issuer) else {
        return true;
    };
    let tenant = claims.get("tid").and_then(Json::as_str).unwrap_or_default();
    template.replace(portcullis_core::dialect::TENANT, tenant) == issuer
}

fn text<'c>(claims: &'c Object, name: &str) -> Result<Option<&'c str>, String> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .map(Some)
            .ok_or_else(|| format!("its `{name}` is no string")),
    }
}

/// Shows nothing of what it says.
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
