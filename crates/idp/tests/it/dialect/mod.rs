//! Each provider's tokens and documents, compared with what its documentation shows.
//!
//! Expectations are written out here, member by member. In an expected text, `{base}` stands for
//! the address and a star for some characters that are new in every token.

mod auth0;
mod ci;
mod cognito;
mod entra;
mod generic;
mod google;
mod graph;
mod keycloak;
mod okta;
mod opaque;
mod pingone;
mod refresh;
mod self_hosted;
mod workload;

use crate::{CALLBACK, CHALLENGE, VERIFIER, client, json, parameter};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use portcullis_idp::{Dialect, Idp, IdpConfig};
use serde_json::{Value, json};

/// The time at this provider, always.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const LATER: u64 = NOW + 3_600;

pub(crate) async fn start(dialect: Dialect) -> Idp {
    start_with(IdpConfig {
        dialect,
        ..IdpConfig::default()
    })
    .await
}

pub(crate) async fn start_with(config: IdpConfig) -> Idp {
    Idp::start_at(config, || NOW).await.unwrap()
}

pub(crate) async fn fetch(url: &str) -> Value {
    let (status, document) = json(client().get(url).send().await.unwrap()).await;
    assert_eq!(status, 200, "{url}: {document}");
    document
}

/// The metadata, found as any client finds it: from the issuer alone. That of AD FS has a name of
/// its own, which is not the one in access tokens.
pub(crate) async fn discover(idp: &Idp) -> Value {
    let of_adfs = format!("{}/adfs", idp.base());
    let issuer = if idp.dialect() == Dialect::Adfs {
        of_adfs.as_str()
    } else {
        idp.issuer().as_str()
    };
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let document = fetch(&format!("{base}/.well-known/openid-configuration")).await;
    assert_eq!(document["issuer"], issuer);
    document
}

/// Header and claims, after another library has found the signature good under the key set at that
/// address.
pub(crate) async fn read(jwks_uri: &str, token: &str) -> (Value, Value) {
    let keys: JwkSet = serde_json::from_value(fetch(jwks_uri).await).unwrap();
    let header = decode_header(token).unwrap();
    let key: &Jwk = keys.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation)
        .unwrap()
        .claims;
    (part(token, 0), claims)
}

/// Header or claims as they stand there.
pub(crate) fn part(token: &str, index: usize) -> Value {
    use base64::Engine as _;
    let segment = token.split('.').nth(index).unwrap();
    serde_json::from_slice(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(segment)
            .unwrap(),
    )
    .unwrap()
}

/// Verifies a token by the metadata, and compares header and claims.
pub(crate) async fn assert_token(idp: &Idp, token: &str, header: Value, claims: Value) {
    let metadata = discover(idp).await;
    assert_token_by(
        idp,
        metadata["jwks_uri"].as_str().unwrap(),
        token,
        header,
        claims,
    )
    .await;
}

pub(crate) async fn assert_token_by(
    idp: &Idp,
    jwks_uri: &str,
    token: &str,
    header: Value,
    claims: Value,
) {
    let (found_header, found_claims) = read(jwks_uri, token).await;
    assert_like(idp, &found_header, &header);
    assert_like(idp, &found_claims, &claims);
}

/// The same members with the same values, no more and no fewer.
pub(crate) fn assert_like(idp: &Idp, found: &Value, expected: &Value) {
    assert!(
        like(idp, found, expected),
        "{}\nfound:\n{found:#}\nexpected:\n{expected:#}",
        idp.dialect().name()
    );
}

fn like(idp: &Idp, found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && expected.iter().all(|(name, value)| {
                    let name = name.replace("{base}", idp.base());
                    found
                        .get(&name)
                        .is_some_and(|found| like(idp, found, value))
                })
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found
                    .iter()
                    .zip(expected)
                    .all(|(f, e)| like(idp, f, e))
        }
        (Value::String(found), Value::String(expected)) => {
            let expected = expected.replace("{base}", idp.base());
            match expected.split_once('*') {
                None => *found == expected,
                Some((before, after)) => {
                    let long_enough = found.len() > before.len() + after.len();
                    long_enough && found.starts_with(before) && found.ends_with(after)
                }
            }
        }
        _ => found == expected,
    }
}

/// What alice gets who signs in for `web`, by the endpoints that the metadata names.
pub(crate) async fn sign_in(idp: &Idp, scope: &str) -> Value {
    sign_in_with(idp, scope, &[]).await
}

/// The same, with more parameters in the authorization request.
pub(crate) async fn sign_in_with(idp: &Idp, scope: &str, more: &[(&str, &str)]) -> Value {
    let metadata = discover(idp).await;
    let endpoint = |name: &str| metadata[name].as_str().unwrap().to_owned();
    let query = [
        ("response_type", "code"),
        ("client_id", "web"),
        ("redirect_uri", CALLBACK),
        ("scope", scope),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("nonce", "n-1"),
    ];
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query.iter().chain(more))
        .finish();
    let page = format!("{}?{query}", endpoint("authorization_endpoint"));
    let signed_in = form(&page, "username=alice&password=alice").await;
    let code = parameter(&signed_in, "code").unwrap();
    let redeem = format!(
        "grant_type=authorization_code&client_id=web&code={code}&redirect_uri={CALLBACK}&code_verifier={VERIFIER}"
    );
    let (status, tokens) = json(form(&endpoint("token_endpoint"), &redeem).await).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

/// The token of the client `service`, by the endpoint that the metadata names.
pub(crate) async fn service_token(idp: &Idp, scope: &str) -> String {
    let metadata = discover(idp).await;
    let scope: String = form_urlencoded::byte_serialize(scope.as_bytes()).collect();
    let ask = format!(
        "grant_type=client_credentials&client_id=service&client_secret=service-secret&scope={scope}"
    );
    let (status, answer) =
        json(form(metadata["token_endpoint"].as_str().unwrap(), &ask).await).await;
    assert_eq!(status, 200, "{answer}");
    text(&answer, "access_token")
}

pub(crate) async fn form(url: &str, body: &str) -> reqwest::Response {
    let request = client()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded");
    request.body(body.to_owned()).send().await.unwrap()
}

pub(crate) fn text(value: &Value, member: &str) -> String {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {value}"))
        .to_owned()
}

#[tokio::test]
async fn every_dialect_has_its_name_and_speaks() {
    let names: Vec<&str> = Dialect::ALL
        .iter()
        .map(|dialect| dialect.name())
        .collect();
    assert_eq!(
        names,
        [
            "generic",
            "entra",
            "entra-v1",
            "okta",
            "auth0",
            "auth0-rfc9068",
            "google",
            "firebase",
            "cognito",
            "keycloak",
            "pingone",
            "github-actions",
            "gitlab-ci",
            "kubernetes",
            "zitadel",
            "authentik",
            "hydra",
            "cloudflare",
            "adfs",
        ]
    );
    for dialect in Dialect::ALL {
        let config = format!("as = \"{dialect}\"\nalgorithm = \"ES256\"");
        let idp = start_with(IdpConfig::from_toml(&config).unwrap()).await;
        assert_eq!(idp.dialect(), dialect);
        for name in ["alice", "service", "somebody"] {
            let token = idp
                .token(name)
                .scope("orders:read")
                .role("Auditor")
                .group_overage()
                .sign();
            let (_, claims) = read(&idp.jwks_uri(), &token).await;
            assert_eq!(claims["iss"], idp.issuer().as_str(), "{dialect}");
        }
        let of_somebody_else = idp
            .token("alice")
            .issuer("https://evil.example")
            .claim("x", json!(1))
            .sign();
        let (_, claims) = read(&idp.jwks_uri(), &of_somebody_else).await;
        assert_eq!(
            (&claims["iss"], &claims["x"]),
            (&"https://evil.example".into(), &1.into())
        );
        let late = part(&idp.token("alice").expire().sign(), 1);
        assert_eq!(late["exp"], NOW - 3_600, "{dialect}");
    }
    let unknown = IdpConfig::from_toml("as = \"entra-v9\"")
        .unwrap_err()
        .to_string();
    assert!(
        unknown.contains("line 1") && unknown.contains("auth0-rfc9068"),
        "{unknown}"
    );
}

#[test]
fn the_documentation_has_a_row_for_each() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/idp.md");
    let page = std::fs::read_to_string(path).unwrap();
    for dialect in Dialect::ALL {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{dialect}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for {dialect}"));
        assert!(
            row.contains(&format!("| `{}` |", dialect.profile())),
            "{row}"
        );
        let says_opaque = row.rsplit('|').nth(1).unwrap().contains("opaque");
        assert_eq!(
            says_opaque,
            matches!(dialect, Dialect::Google | Dialect::Zitadel | Dialect::Hydra),
            "{row}"
        );
    }
}

#[tokio::test]
async fn a_tenant_of_ones_own_stands_where_the_provider_has_it() {
    for (dialect, issuer, audience) in [
        (
            Dialect::Entra,
            "/own.tenant/v2.0",
            "00000000-aaaa-4000-8000-0000000000a1",
        ),
        (
            Dialect::Keycloak,
            "/realms/own.tenant",
            "api://enterprise-api",
        ),
        (Dialect::Firebase, "/own.tenant", "own.tenant"),
        (Dialect::Zitadel, "", "own.tenant"),
    ] {
        let tenant = Some("own.tenant".to_owned());
        let idp = start_with(IdpConfig {
            dialect,
            tenant,
            ..IdpConfig::default()
        })
        .await;
        assert_eq!(idp.issuer().as_str(), format!("{}{issuer}", idp.base()));
        assert_eq!(idp.audience(), audience);
        assert_eq!(discover(&idp).await["issuer"], idp.issuer().as_str());
    }
    for tenant in ["", "a/b", "..", "a b", "{x}", "a?b"] {
        let mut config = IdpConfig {
            tenant: Some(tenant.to_owned()),
            ..IdpConfig::default()
        };
        assert!(
            Idp::start(config.clone())
                .await
                .unwrap_err()
                .to_string()
                .contains("tenant"),
            "{tenant}"
        );
        config.users[0].tenant = config.tenant.take();
        assert!(
            Idp::start(config)
                .await
                .unwrap_err()
                .to_string()
                .contains("tenant"),
            "{tenant}"
        );
    }
}

/// Behind another host, everything but the place it listens at is as the issuer says.
#[tokio::test]
async fn an_issuer_of_ones_own_is_taken_as_it_is() {
    let mut config = IdpConfig {
        dialect: Dialect::Keycloak,
        ..IdpConfig::default()
    };
    config.issuer = Some("https://sso.example.test/realms/acme".to_owned());
    let idp = start_with(config).await;
    assert_eq!(
        (idp.issuer().as_str(), idp.base()),
        (
            "https://sso.example.test/realms/acme",
            "https://sso.example.test"
        )
    );
    let place = format!(
        "http://{}/realms/acme/.well-known/openid-configuration",
        idp.address()
    );
    let metadata = fetch(&place).await;
    assert_eq!(metadata["issuer"], "https://sso.example.test/realms/acme");
    let certs = "https://sso.example.test/realms/acme/protocol/openid-connect/certs";
    assert_eq!(
        (&metadata["jwks_uri"], idp.jwks_uri()),
        (&json!(certs), certs.to_owned())
    );
    assert_eq!(
        part(&idp.token("alice").sign(), 1)["iss"],
        "https://sso.example.test/realms/acme"
    );
}
