//! The ordinary metadata of large providers: what is told of them, to the letter. None of them
//! fails, and nobody gets a page of alarms. The shapes are written by us, from what their
//! documentation says.

use super::issuer_cases::{Provider, Reply, rsa};
use portcullis_audit::Severity;
use serde_json::{Value, json};

struct Shape {
    issuer: &'static str,
    metadata: Value,
    key: Value,
    cache: Option<&'static str>,
    etag: bool,
}

/// Errors and warnings, then notes.
fn told(shape: Shape) -> [Vec<&'static str>; 2] {
    let mut provider = Provider::sound();
    let mut metadata = shape.metadata;
    metadata["issuer"] = json!(shape.issuer);
    let jwks_uri = metadata["jwks_uri"].as_str().unwrap().to_owned();
    let url = format!(
        "{}/.well-known/openid-configuration",
        shape.issuer.trim_end_matches('/')
    );
    let mut absent = Reply::of(json!({}));
    absent.status = 404;
    let other = format!(
        "{}/.well-known/oauth-authorization-server",
        shape.issuer.trim_end_matches('/')
    );
    provider.forms = vec![(url, Reply::of(metadata)), (other, absent)];
    let mut keys = Reply::of(json!({ "keys": [shape.key] }));
    keys.set("cache-control", shape.cache);
    keys.set("etag", shape.etag.then_some("\"1\""));
    provider.keys = Some((jwks_uri, keys));
    provider.issuer = shape.issuer.to_owned();
    provider.token = None;
    let ids = |loud: bool| {
        let found = provider.found();
        let those = found
            .iter()
            .filter(|finding| (finding.rule.severity > Severity::Note) == loud);
        those
            .map(|finding| finding.rule.id)
            .collect::<Vec<_>>()
    };
    assert!(
        provider
            .found()
            .iter()
            .all(|finding| finding.rule.severity < Severity::Error),
        "{}",
        shape.issuer
    );
    [ids(true), ids(false)]
}

#[test]
fn google() {
    let found = told(Shape {
        issuer: "https://accounts.google.com",
        metadata: json!({
            "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
            "token_endpoint": "https://oauth2.googleapis.com/token",
            "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
            "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
            "response_types_supported": ["code", "token", "id_token", "code token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
        }),
        key: rsa("a", 256),
        cache: Some("public, max-age=20000, must-revalidate, no-transform"),
        etag: false,
    });
    let loud = ["audit.implicit_offered", "audit.iss_missing"];
    let quiet = [
        "audit.endpoint_hosts",
        "audit.introspection_missing",
        "audit.backchannel_logout_missing",
        "audit.pkce_plain",
        "audit.sender_constraint_missing",
        "audit.par_missing",
        "audit.client_secrets_only",
        "audit.keys_etag_missing",
    ];
    assert_eq!(found, [loud.to_vec(), quiet.to_vec()]);
}

#[test]
fn entra() {
    let base = "https://login.microsoftonline.com/00000000-1111-4000-8000-000000000001";
    let mut key = rsa("a", 256);
    key.as_object_mut().unwrap().remove("alg");
    let found = told(Shape {
        issuer: "https://login.microsoftonline.com/00000000-1111-4000-8000-000000000001/v2.0",
        metadata: json!({
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            "request_uri_parameter_supported": false,
        }),
        key,
        cache: Some("max-age=86400, private"),
        etag: false,
    });
    let loud = [
        "audit.pkce_missing",
        "audit.implicit_offered",
        "audit.iss_missing",
    ];
    let quiet = [
        "audit.revocation_missing",
        "audit.introspection_missing",
        "audit.backchannel_logout_missing",
        "audit.sender_constraint_missing",
        "audit.par_missing",
        "audit.assertion_algorithms_missing",
        "audit.key_alg_missing",
        "audit.keys_etag_missing",
    ];
    assert_eq!(found, [loud.to_vec(), quiet.to_vec()]);
}

#[test]
fn auth0() {
    let base = "https://acme.eu.auth0.com";
    let found = told(Shape {
        issuer: "https://acme.eu.auth0.com/",
        metadata: json!({
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": format!("{base}/oauth/token"),
            "revocation_endpoint": format!("{base}/oauth/revoke"),
            "jwks_uri": format!("{base}/.well-known/jwks.json"),
            "response_types_supported": ["code", "token", "id_token", "code token id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256", "RS256", "PS256"],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
            ],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256"],
            "code_challenge_methods_supported": ["S256", "plain"],
            "grant_types_supported": [
                "authorization_code",
                "client_credentials",
                "password",
                "implicit",
            ],
            "backchannel_logout_supported": true,
            "dpop_signing_alg_values_supported": ["ES256"],
            "request_uri_parameter_supported": false,
        }),
        key: rsa("a", 256),
        cache: Some("public, max-age=15, stale-while-revalidate=15"),
        etag: true,
    });
    let loud = [
        "audit.implicit_offered",
        "audit.password_offered",
        "audit.iss_missing",
    ];
    let quiet = [
        "audit.introspection_missing",
        "audit.pkce_plain",
        "audit.par_missing",
        "audit.id_token_hmac",
    ];
    assert_eq!(found, [loud.to_vec(), quiet.to_vec()]);
}

#[test]
fn keycloak() {
    let base = "https://sso.example.test/realms/acme/protocol/openid-connect";
    let algorithms = json!(["PS256", "RS256", "ES256", "EdDSA", "HS256"]);
    let found = told(Shape {
        issuer: "https://sso.example.test/realms/acme",
        metadata: json!({
            "authorization_endpoint": format!("{base}/auth"),
            "token_endpoint": format!("{base}/token"),
            "introspection_endpoint": format!("{base}/token/introspect"),
            "revocation_endpoint": format!("{base}/revoke"),
            "pushed_authorization_request_endpoint": format!("{base}/ext/par/request"),
            "jwks_uri": format!("{base}/certs"),
            "mtls_endpoint_aliases": { "token_endpoint": format!("{base}/token") },
            "response_types_supported": ["code", "none", "id_token", "token", "code token"],
            "subject_types_supported": ["public", "pairwise"],
            "id_token_signing_alg_values_supported": algorithms,
            "id_token_encryption_alg_values_supported": ["RSA-OAEP", "RSA-OAEP-256", "RSA1_5"],
            "token_endpoint_auth_methods_supported": [
                "private_key_jwt",
                "client_secret_basic",
                "tls_client_auth",
            ],
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_methods_supported": [
                "private_key_jwt",
                "client_secret_basic",
            ],
            "code_challenge_methods_supported": ["plain", "S256"],
            "grant_types_supported": [
                "authorization_code",
                "client_credentials",
                "implicit",
                "password",
            ],
            "request_uri_parameter_supported": true,
            "require_request_uri_registration": true,
            "tls_client_certificate_bound_access_tokens": true,
            "dpop_signing_alg_values_supported": ["PS256", "ES256"],
            "backchannel_logout_supported": true,
            "authorization_response_iss_parameter_supported": true,
        }),
        key: rsa("a", 256),
        cache: Some("no-cache"),
        etag: false,
    });
    let loud = ["audit.implicit_offered", "audit.password_offered"];
    let quiet = [
        "audit.pkce_plain",
        "audit.id_token_hmac",
        "audit.encryption_rsa1_5",
        "audit.keys_cache_none",
        "audit.keys_etag_missing",
    ];
    assert_eq!(found, [loud.to_vec(), quiet.to_vec()]);
}

/// A cloud's issuer for its workloads has no users and no token endpoint: nothing is asked of it
/// that is for those.
#[test]
fn github_actions() {
    let issuer = "https://token.actions.githubusercontent.com";
    let found = told(Shape {
        issuer,
        metadata: json!({
            "jwks_uri": format!("{issuer}/.well-known/jwks"),
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "claims_supported": ["sub", "aud", "repository_id"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }),
        key: rsa("a", 256),
        cache: None,
        etag: false,
    });
    assert_eq!(
        found,
        [
            vec![],
            vec!["audit.keys_cache_unsaid", "audit.keys_etag_missing"]
        ]
    );
}
