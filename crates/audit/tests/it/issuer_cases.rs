//! Each rule has a case in which it fires; in the sound provider and the sound settings, from which
//! every case differs in one thing, none does.

use http::HeaderMap;
use portcullis_audit::handshake::{LeafCertificate, TlsHost};
use portcullis_audit::sample::SampleToken;
use portcullis_audit::{
    Finding, KeySetResponse, MetadataResponse, Observation, RuleCheck, all, examine_issuer,
};
use portcullis_core::Limits;
use portcullis_core::jose::base64url;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_provider::inspect::{InspectedResponse, Inspection};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const NOW: i64 = 1_800_000_000;

/// A provider as its answers have it, to be changed by a case.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) forms: Vec<(String, Reply)>,
    pub(crate) keys: Option<(String, Reply)>,
    pub(crate) door: Option<TlsHost>,
    pub(crate) token: Option<String>,
    pub(crate) signed: Option<bool>,
}

#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
    /// Instead of the body, where it is no JSON.
    pub(crate) raw: Option<String>,
    pub(crate) took: Duration,
    /// No answer at all.
    pub(crate) fault: Option<&'static str>,
}

impl Reply {
    pub(crate) fn of(body: Value) -> Self {
        let date = std::time::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs());
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "public, max-age=3600".to_owned()),
            ("etag", "\"1\"".to_owned()),
            ("strict-transport-security", "max-age=31536000".to_owned()),
            ("date", httpdate::fmt_http_date(date)),
        ];
        Self {
            status: 200,
            headers,
            body,
            raw: None,
            took: Duration::from_millis(20),
            fault: None,
        }
    }

    pub(crate) fn set(&mut self, name: &'static str, value: Option<&str>) {
        self.headers.retain(|(other, _)| *other != name);
        self.headers
            .extend(value.map(|value| (name, value.to_owned())));
    }

    fn inspection(&self, url: &str) -> Inspection {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        let body = self
            .raw
            .clone()
            .unwrap_or_else(|| self.body.to_string())
            .into_bytes();
        let asked = NumericDate::from_seconds(NOW);
        let answer = InspectedResponse {
            status: self.status,
            headers,
            body,
            asked,
            took: self.took,
        };
        let answer = self
            .fault
            .map_or(Ok(answer), |reason| Err(reason.to_owned()));
        Inspection {
            url: url.parse().unwrap(),
            answer,
            cure: None,
        }
    }
}

impl Provider {
    /// One at which nothing can be faulted.
    pub(crate) fn sound() -> Self {
        let url = |path: &str| format!("{ISSUER}{path}");
        let metadata = json!({
            "issuer": ISSUER, "jwks_uri": url("/jwks"), "authorization_endpoint": url("/auth"),
            "token_endpoint": url("/token"), "revocation_endpoint": url("/revoke"),
            "introspection_endpoint": url("/introspect"), "pushed_authorization_request_endpoint": url("/par"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"], "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "introspection_endpoint_auth_methods_supported": ["private_key_jwt"],
            "dpop_signing_alg_values_supported": ["ES256"], "backchannel_logout_supported": true,
        });
        let form = Reply::of(metadata);
        let leaf = LeafCertificate {
            not_before: NOW - 86_400,
            not_after: NOW + 60 * 86_400,
            rsa_bits: None,
            weak_signature: None,
        };
        let door = TlsHost {
            name: "idp.example:443".to_owned(),
            tls13: Ok(()),
            tls12: Ok(()),
            untrusted: None,
            leaf: Some(leaf),
        };
        Self {
            issuer: ISSUER.to_owned(),
            forms: vec![
                (url("/.well-known/openid-configuration"), form.clone()),
                (url("/.well-known/oauth-authorization-server"), form),
            ],
            keys: Some((url("/jwks"), Reply::of(json!({ "keys": [rsa("a", 256)] })))),
            door: Some(door),
            token: Some(token(&json!({}), &json!({}))),
            signed: Some(true),
        }
    }

    /// Changes a member of both metadata documents; null takes it away.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a table of cases reads better without the borrows"
    )]
    fn metadata(&mut self, name: &str, value: Value) {
        for (_, reply) in &mut self.forms {
            match &value {
                Value::Null => _ = reply.body.as_object_mut().unwrap().remove(name),
                value => reply.body[name] = value.clone(),
            }
        }
    }

    fn keys(&mut self, keys: Value) {
        self.reply().body["keys"] = keys;
    }

    /// Changes a member of the one key; null takes it away.
    fn key(&mut self, name: &str, value: Value) {
        let key = self.reply().body["keys"][0].as_object_mut().unwrap();
        match value {
            Value::Null => _ = key.remove(name),
            value => _ = key.insert(name.to_owned(), value),
        }
    }

    /// The answer with the keys.
    fn reply(&mut self) -> &mut Reply {
        &mut self.keys.as_mut().unwrap().1
    }

    fn leaf(&mut self) -> &mut LeafCertificate {
        self.door.as_mut().unwrap().leaf.as_mut().unwrap()
    }

    pub(crate) fn observation(&self) -> Observation {
        let limits = Limits::default();
        let forms = self
            .forms
            .iter()
            .map(|(url, reply)| MetadataResponse::read(reply.inspection(url), &limits))
            .collect();
        let keys = self
            .keys
            .as_ref()
            .map(|(url, reply)| KeySetResponse::read(reply.inspection(url), &limits));
        let mut sample = self
            .token
            .as_ref()
            .map(|text| SampleToken::read(text, None, &limits));
        if let Some(SampleToken::Jwt(token)) = &mut sample {
            token.verified = self.signed;
        }
        Observation {
            issuer: Issuer::parse(self.issuer.clone()).unwrap(),
            now: NumericDate::from_seconds(NOW),
            limits,
            metadata: forms,
            keys,
            hosts: self.door.clone().into_iter().collect(),
            sample,
        }
    }

    pub(crate) fn found(&self) -> Vec<Finding> {
        examine_issuer(&self.observation(), None)
    }
}

/// A public RSA key of so many bytes, with everything that it should say.
pub(crate) fn rsa(kid: &str, bytes: usize) -> Value {
    let modulus = base64url::encode(&vec![0xc5; bytes]);
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB" })
}

/// An access token as RFC 9068 has it, bound to a key; what a case adds takes the place, and null
/// takes away.
fn token(header: &Value, claims: &Value) -> String {
    let mut parts = [
        json!({ "typ": "at+jwt", "alg": "RS256", "kid": "a" }),
        json!({
            "iss": ISSUER, "aud": "api", "sub": "alice", "client_id": "web", "iat": NOW, "exp": NOW + 600,
            "jti": "1", "cnf": { "jkt": "x" },
        }),
    ];
    for (part, changes) in parts.iter_mut().zip([header, claims]) {
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => _ = part.as_object_mut().unwrap().remove(name),
                value => part[name.as_str()] = value.clone(),
            }
        }
    }
    let [header, claims] = parts.map(|part| base64url::encode(part.to_string().as_bytes()));
    format!("{header}.{claims}.{}", base64url::encode(&[0; 256]))
}

type Change = fn(&mut Provider);

/// The rule, and the one thing that makes it fire.
#[rustfmt::skip] // A table, a line each where one will do.
const CASES: &[(&str, Change)] = &[
    ("audit.metadata_missing", |it| it.forms.iter_mut().for_each(|(_, reply)| reply.status = 404)),
    ("audit.metadata_page", |it| {
        it.forms[0].1.raw = Some("<!doctype html><title>App</title>".to_owned());
        it.forms[0].1.set("content-type", Some("text/html; charset=utf-8"));
    }),
    ("audit.metadata_unreadable", |it| it.forms[0].1.raw = Some("{\"issuer\":1,\"issuer\":2}".to_owned())),
    ("audit.issuer_mismatch", |it| it.metadata("issuer", json!("https://idp.example/"))),
    ("audit.metadata_refused", |it| it.metadata("jwks_uri", json!("https:///jwks"))),
    ("audit.jwks_uri_missing", |it| it.metadata("jwks_uri", Value::Null)),
    ("audit.member_missing", |it| it.metadata("subject_types_supported", Value::Null)),
    ("audit.member_type", |it| it.metadata("grant_types_supported", json!("authorization_code"))),
    ("audit.forms_differ", |it| it.forms[1].1.body["token_endpoint"] = json!("https://idp.example/other")),
    ("audit.signed_metadata", |it| it.metadata("signed_metadata", json!("e30.e30."))),
    ("audit.endpoint_plain_http", |it| it.metadata("token_endpoint", json!("http://idp.example/token"))),
    ("audit.endpoint_form", |it| it.metadata("token_endpoint", json!("https://idp.example/token#x"))),
    ("audit.endpoint_inside", |it| it.metadata("token_endpoint", json!("https://10.1.2.3/token"))),
    ("audit.endpoint_hosts", |it| it.metadata("token_endpoint", json!("https://other.example/token"))),
    ("audit.loopback_http", |it| it.issuer = "http://127.0.0.1:9000".to_owned()),
    ("audit.revocation_missing", |it| it.metadata("revocation_endpoint", Value::Null)),
    ("audit.introspection_missing", |it| it.metadata("introspection_endpoint", Value::Null)),
    ("audit.backchannel_logout_missing", |it| it.metadata("backchannel_logout_supported", json!(false))),
    ("audit.pkce_missing", |it| it.metadata("code_challenge_methods_supported", Value::Null)),
    ("audit.pkce_s256_missing", |it| it.metadata("code_challenge_methods_supported", json!(["plain"]))),
    ("audit.pkce_plain", |it| it.metadata("code_challenge_methods_supported", json!(["plain", "S256"]))),
    ("audit.implicit_offered", |it| it.metadata("response_types_supported", json!(["code", "code id_token token"]))),
    ("audit.password_offered", |it| it.metadata("grant_types_supported", json!(["password"]))),
    ("audit.iss_missing", |it| it.metadata("authorization_response_iss_parameter_supported", Value::Null)),
    ("audit.sender_constraint_missing", |it| it.metadata("dpop_signing_alg_values_supported", Value::Null)),
    ("audit.dpop_algorithm", |it| it.metadata("dpop_signing_alg_values_supported", json!(["ES256", "HS256"]))),
    ("audit.par_missing", |it| it.metadata("pushed_authorization_request_endpoint", Value::Null)),
    ("audit.par_contradiction", |it| {
        it.metadata("pushed_authorization_request_endpoint", Value::Null);
        it.metadata("require_pushed_authorization_requests", json!(true));
    }),
    ("audit.request_uri_open", |it| it.metadata("request_uri_parameter_supported", json!(true))),
    ("audit.client_secrets_only", |it| it.metadata("token_endpoint_auth_methods_supported", Value::Null)),
    ("audit.assertion_algorithm_none", |it| {
        it.metadata("token_endpoint_auth_signing_alg_values_supported", json!(["RS256", "none"]));
    }),
    ("audit.assertion_algorithms_missing", |it| {
        it.metadata("token_endpoint_auth_signing_alg_values_supported", Value::Null);
    }),
    ("audit.introspection_open", |it| it.metadata("introspection_endpoint_auth_methods_supported", json!(["none"]))),
    ("audit.algorithms_unusable", |it| it.metadata("id_token_signing_alg_values_supported", json!(["HS256"]))),
    ("audit.id_token_none", |it| it.metadata("id_token_signing_alg_values_supported", json!(["RS256", "none"]))),
    ("audit.id_token_hmac", |it| it.metadata("id_token_signing_alg_values_supported", json!(["RS256", "HS256"]))),
    ("audit.id_token_rs256_missing", |it| it.metadata("id_token_signing_alg_values_supported", json!(["PS256"]))),
    ("audit.encryption_rsa1_5", |it| it.metadata("id_token_encryption_alg_values_supported", json!(["RSA1_5"]))),
    ("audit.keys_unusable", |it| it.keys(json!([]))),
    ("audit.key_private", |it| it.key("d", json!("AQ"))),
    ("audit.key_symmetric", |it| it.keys(json!([rsa("a", 256), { "kty": "oct", "kid": "s", "k": "AQ" }]))),
    ("audit.key_rsa_size", |it| it.keys(json!([rsa("a", 256), rsa("b", 128)]))),
    ("audit.key_rsa_exponent", |it| it.key("e", json!("Aw"))),
    ("audit.key_certificate_mismatch", |it| it.key("x5c", json!([certificate(2_040)]))),
    ("audit.key_certificate_expired", |it| it.key("x5c", json!([certificate(2_020)]))),
    ("audit.key_kid_repeated", |it| it.keys(json!([rsa("a", 256), rsa("a", 384)]))),
    ("audit.key_kid_missing", |it| it.key("kid", Value::Null)),
    ("audit.key_repeated", |it| it.keys(json!([rsa("a", 256), rsa("b", 256)]))),
    ("audit.key_use_missing", |it| it.key("use", Value::Null)),
    ("audit.key_alg_missing", |it| it.key("alg", Value::Null)),
    ("audit.key_unsupported", |it| it.keys(json!([rsa("a", 256), { "kty": "AKP", "kid": "pq", "alg": "ML-DSA-44" }]))),
    ("audit.key_malformed", |it| it.keys(json!([rsa("a", 256), "nonsense"]))),
    ("audit.keys_for_other_algorithms", |it| {
        it.metadata("id_token_signing_alg_values_supported", json!(["RS384"]));
    }),
    ("audit.certificate_untrusted", |it| it.door.as_mut().unwrap().untrusted = Some("expired".to_owned())),
    ("audit.certificate_expiring", |it| it.leaf().not_after = NOW + 3_600),
    ("audit.certificate_weak", |it| it.leaf().rsa_bits = Some(1_024)),
    ("audit.tls13_missing", |it| it.door.as_mut().unwrap().tls13 = Err("no common version".to_owned())),
    ("audit.redirected", |it| it.forms[1].1.status = 302),
    ("audit.content_type", |it| it.reply().set("content-type", Some("text/html; charset=utf-8"))),
    ("audit.keys_cache_long", |it| it.reply().set("cache-control", Some("max-age=604800"))),
    ("audit.keys_cache_none", |it| it.reply().set("cache-control", Some("no-store"))),
    ("audit.keys_cache_unsaid", |it| it.reply().set("cache-control", None)),
    ("audit.keys_etag_missing", |it| it.reply().set("etag", None)),
    ("audit.hsts_missing", |it| it.forms[0].1.set("strict-transport-security", None)),
    ("audit.slow", |it| it.reply().took = Duration::from_millis(1_500)),
    ("audit.document_large", |it| it.reply().body["padding"] = json!("x".repeat(300_000))),
    ("audit.clock_apart", |it| all_dates(it, NOW + 100)),
    ("audit.clock_drifting", |it| all_dates(it, NOW - 30)),
    ("audit.token_refused", |it| it.token = Some(token(&json!({ "alg": "ES256K" }), &json!({})))),
    ("audit.token_unsigned", |it| it.token = Some(token(&json!({ "alg": "none" }), &json!({})))),
    ("audit.token_opaque", |it| it.token = Some("ya29.opaque".to_owned())),
    ("audit.token_encrypted", |it| {
        let header = base64url::encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
        it.token = Some(format!("{header}.a2V5.aXY.dGV4dA.dGFn"));
    }),
    ("audit.token_issuer", |it| it.token = Some(token(&json!({}), &json!({ "iss": "https://other.example" })))),
    ("audit.token_signature", |it| it.signed = Some(false)),
    ("audit.token_id_token", |it| it.token = Some(token(&json!({ "typ": "JWT" }), &json!({ "nonce": "n" })))),
    ("audit.token_endless", |it| it.token = Some(token(&json!({}), &json!({ "exp": null })))),
    ("audit.token_lifetime", |it| {
        it.token = Some(token(&json!({}), &json!({ "exp": NOW + 86_400, "cnf": null })));
    }),
    ("audit.token_audience_missing", |it| it.token = Some(token(&json!({}), &json!({ "aud": null })))),
    ("audit.token_kid_missing", |it| it.token = Some(token(&json!({ "kid": null }), &json!({})))),
    ("audit.token_typ", |it| it.token = Some(token(&json!({ "typ": "JWT" }), &json!({})))),
    ("audit.token_claims_missing", |it| it.token = Some(token(&json!({}), &json!({ "jti": null })))),
    ("audit.token_bearer", |it| it.token = Some(token(&json!({}), &json!({ "cnf": null })))),
    ("audit.token_large", |it| it.token = Some(token(&json!({}), &json!({ "x": "x".repeat(5_000) })))),
];

fn all_dates(provider: &mut Provider, seconds: i64) {
    let date = httpdate::fmt_http_date(
        std::time::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs()),
    );
    provider
        .forms
        .iter_mut()
        .for_each(|(_, reply)| reply.set("date", Some(&date)));
    provider.reply().set("date", Some(&date));
}

/// A certificate of some other key, which ends with this year.
fn certificate(year: i32) -> String {
    use base64::Engine as _;
    let mut params = rcgen::CertificateParams::new(["idp.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 12, 31);
    let certificate = params
        .self_signed(&rcgen::KeyPair::generate().unwrap())
        .unwrap();
    base64::engine::general_purpose::STANDARD.encode(certificate.der())
}

fn ids(findings: &[Finding]) -> Vec<&'static str> {
    findings
        .iter()
        .map(|finding| finding.rule.id)
        .collect()
}

#[test]
fn nothing_fires_at_a_sound_provider() {
    assert_eq!(ids(&Provider::sound().found()), Vec::<&str>::new());
}

#[test]
fn every_rule_fires_in_its_case() {
    for (id, change) in CASES {
        let mut provider = Provider::sound();
        change(&mut provider);
        let found = provider.found();
        assert!(ids(&found).contains(id), "{id}: {:?}", ids(&found));
        assert!(
            found
                .iter()
                .all(|finding| !finding.evidence.is_empty()),
            "{id}"
        );
        // The token is a secret: none of its segments is told.
        let token = provider.token.unwrap();
        let segments: Vec<&str> = token
            .split('.')
            .filter(|segment| segment.len() > 16)
            .collect();
        for finding in &found {
            assert!(
                segments
                    .iter()
                    .all(|segment| !finding.evidence.contains(segment)),
                "{id}: {}",
                finding.evidence
            );
        }
    }
}

#[test]
fn every_rule_has_a_case() {
    let settings = super::settings_cases::CASES.iter().map(|(id, _)| *id);
    let cases: Vec<&str> = CASES
        .iter()
        .map(|(id, _)| *id)
        .chain(settings)
        .chain(super::resource_cases::CASES.iter().map(|(id, _)| *id))
        .chain(
            super::transmitter_cases::CASES
                .iter()
                .map(|(id, _)| *id),
        )
        .collect();
    for rule in all() {
        assert!(
            cases.contains(&rule.id),
            "no case shows that {} fires",
            rule.id
        );
        let kind = CASES.iter().any(|(id, _)| *id == rule.id);
        assert_eq!(
            kind,
            matches!(rule.check, RuleCheck::Issuer(_)),
            "{}",
            rule.id
        );
    }
    assert_eq!(cases.len(), all().count(), "one case each");
}

/// Further shapes of a fault, each of which has one rule and no other of its kind.
#[test]
fn a_fault_is_found_in_each_of_its_shapes() {
    let shapes: &[(&str, &str, Change)] = &[
        ("audit.token_unsigned", "audit.token_refused", |it| {
            it.token = Some(token(&json!({ "alg": "HS256" }), &json!({})));
        }),
        (
            "audit.metadata_unreadable",
            "audit.metadata_missing",
            |it| {
                for (_, reply) in &mut it.forms {
                    reply.fault = Some("the document is larger than 262144 bytes");
                }
            },
        ),
    ];
    for (rule, other, change) in shapes {
        let mut provider = Provider::sound();
        change(&mut provider);
        let found = ids(&provider.found());
        assert!(found.contains(rule), "{rule}: {found:?}");
        assert!(!found.contains(other), "{other}: {found:?}");
    }
}

/// What lies just on the quiet side of a rule.
#[test]
fn rules_keep_quiet_where_nothing_is_wrong() {
    let quiet: &[(&str, Change)] = &[
        ("audit.implicit_offered", |it| {
            it.metadata("response_types_supported", json!(["code", "id_token"]));
        }),
        ("audit.key_kid_repeated", |it| {
            it.keys(
                json!([rsa("a", 256), { "kty": "RSA", "kid": "a", "use": "enc", "n": "AQ", "e": "AQAB" }]),
            );
        }),
        ("audit.key_malformed", |it| {
            it.keys(json!([rsa("a", 256), { "kty": "RSA", "use": "enc", "n": "AQ", "e": "AQAB" }]));
        }),
        ("audit.content_type", |it| {
            it.reply().set(
                "content-type",
                Some("application/jwk-set+json;charset=UTF-8"),
            );
        }),
        ("audit.metadata_missing", |it| it.forms[1].1.status = 404),
        ("audit.metadata_missing", |it| {
            let untrusted = Some("UnknownIssuer".to_owned());
            it.door.as_mut().unwrap().untrusted = untrusted;
            it.forms
                .iter_mut()
                .for_each(|(_, reply)| reply.fault = Some("untrusted"));
        }),
        ("audit.client_secrets_only", |it| {
            it.metadata("token_endpoint_auth_methods_supported", json!(["none"]));
        }),
        ("audit.token_opaque", |it| {
            let header = base64url::encode(br#"{"alg":"dir","enc":"A256GCM"}"#);
            it.token = Some(format!("{header}..aXY.dGV4dA.dGFn"));
        }),
        ("audit.token_lifetime", |it| {
            it.token = Some(token(&json!({}), &json!({ "exp": NOW + 86_400 })));
        }),
        ("audit.token_id_token", |it| {
            it.token = Some(token(&json!({}), &json!({ "nonce": "n" })));
        }),
        ("audit.endpoint_plain_http", |it| {
            it.metadata("token_endpoint", json!("http://127.0.0.1/token"));
        }),
        ("audit.certificate_expiring", |it| {
            // Six days in all, two of them left: this one is renewed every few days.
            (it.leaf().not_before, it.leaf().not_after) = (NOW - 4 * 86_400, NOW + 2 * 86_400);
        }),
        ("audit.clock_drifting", |it| all_dates(it, NOW - 9)),
    ];
    for (id, change) in quiet {
        let mut provider = Provider::sound();
        change(&mut provider);
        assert!(!ids(&provider.found()).contains(id), "{id}");
    }
}
