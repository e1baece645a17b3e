//! Requests that a good API refuses. They are sent only where an operator asks for it, to the API
//! that is named, by GET.

use crate::probe::{Probe, ProbeCredential};
use crate::resource::ResourceObservation;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use portcullis_core::jose::base64url;
use portcullis_core::token::NumericDate;
use portcullis_provider::client_auth::Secret;
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::Authorization;
use portcullis_provider::inspect::{look, look_as};
use serde_json::{Value, json};

/// Sends each request to the API once. `token` is one that the API accepts, if the operator has it.
///
/// # Errors
///
/// The API does not answer.
pub async fn probe_resource(
    egress: &Egress,
    resource: &mut ResourceObservation,
    token: Option<&str>,
) -> Result<(), String> {
    let url = resource.asked_url()?;
    // First without a token: an API that is away gets no forged ones.
    let open = look(egress, url.clone()).await;
    if let Err(reason) = &open.answer {
        return Err(reason.clone());
    }
    resource
        .probes
        .push(Probe::new(ProbeCredential::None, open, None));
    for (credential, text) in credentials(resource, token, egress.clock.now())? {
        let bearer = Authorization::Bearer(Secret::new(&text));
        let inspection = look_as(egress, url.clone(), &bearer).await;
        let probe = Probe::new(credential, inspection, Some(&text));
        resource.probes.push(probe);
    }
    Ok(())
}

fn credentials(
    resource: &ResourceObservation,
    token: Option<&str>,
    now: NumericDate,
) -> Result<Vec<(ProbeCredential, String)>, String> {
    // Its claims are read by nobody here: a token stays opaque to the audit.
    let claims = match token.and_then(|token| token.split('.').nth(1)) {
        // With the claims of a good token, only the signature is left to refuse.
        Some(claims) => claims.to_owned(),
        None => encode(&claims(resource, now)),
    };
    let mut credentials = vec![
        (
            ProbeCredential::Garbage,
            "portcullis-audit-no-token".to_owned(),
        ),
        (ProbeCredential::Unsigned, encode_unsigned(&claims)),
        (ProbeCredential::UnknownKey, sign(&claims, false)?),
        (ProbeCredential::EmbeddedKey, sign(&claims, true)?),
    ];
    // Last, so that a good answer cannot be one from a cache of the good token.
    if let Some(token) = token {
        if let Some(changed) = with_changed_signature(token) {
            credentials.push((ProbeCredential::ChangedSignature, changed));
        }
        credentials.push((ProbeCredential::Given, token.to_owned()));
    }
    Ok(credentials)
}

/// Claims that would do, were they signed.
fn claims(resource: &ResourceObservation, now: NumericDate) -> Value {
    let issuers = resource.texts("authorization_servers");
    json!({
        "iss": issuers.first().unwrap_or(&""),
        "aud": resource.text("resource").unwrap_or(&resource.asked),
        "sub": "portcullis-audit",
        "iat": now.seconds(),
        // Short: nobody should find a use for them later.
        "exp": now.seconds().saturating_add(300),
    })
}

fn encode(part: &Value) -> String {
    base64url::encode(part.to_string().as_bytes())
}

fn encode_unsigned(claims: &str) -> String {
    format!(
        "{}.{claims}.",
        encode(&json!({ "alg": "none", "typ": "at+jwt" }))
    )
}

fn sign(claims: &str, embeds_key: bool) -> Result<String, String> {
    // A key for this request alone: no other server could know it.
    let fails = |_| "no key can be made".to_owned();
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(fails)?;
    let mut header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "portcullis-audit" });
    // SEC 1, section 2.3.3: an uncompressed point is 4, x and y.
    let point = key.public_key().as_ref().get(1..).unwrap_or_default();
    if embeds_key
        && let (Some((x, y)), Some(header)) = (point.split_at_checked(32), header.as_object_mut())
    {
        let (x, y) = (base64url::encode(x), base64url::encode(y));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        header.insert("jwk".to_owned(), jwk);
    }
    let input = format!("{}.{claims}", encode(&header));
    let signature = key
        .sign(&SystemRandom::new(), input.as_bytes())
        .map_err(fails)?;
    Ok(format!("{input}.{}", base64url::encode(signature.as_ref())))
}

/// The same token, but for the first character of its signature.
fn with_changed_signature(token: &str) -> Option<String> {
    let (input, signature) = token.rsplit_once('.')?;
    let rest = signature.get(1..)?;
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    Some(format!("{input}.{first}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_signature_is_another_one() {
        assert_eq!(
            with_changed_signature("a.b.Axyz").as_deref(),
            Some("a.b.Bxyz")
        );
        assert_eq!(
            with_changed_signature("a.b.xyz").as_deref(),
            Some("a.b.Ayz")
        );
        assert_eq!(with_changed_signature("a.b."), None);
        assert_eq!(with_changed_signature("opaque"), None);
    }
}
