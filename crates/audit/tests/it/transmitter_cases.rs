//! Each rule about a transmitter has a case in which it fires; in the sound transmitter none does.

use http::HeaderMap;
use portcullis_audit::{KeySetResponse, TransmitterObservation, examine_transmitter};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_provider::inspect::{InspectedResponse, Inspection};
use serde_json::{Value, json};
use std::time::Duration;

const ISSUER: &str = "https://tr.example.com";

/// A transmitter as it answers, to be changed by a case.
pub(crate) struct Transmitter {
    body: Value,
    keys: Value,
    status: u16,
    media_type: &'static str,
}

pub(crate) type Change = fn(&mut Transmitter);

pub(crate) const CASES: &[(&str, Change)] = &[
    ("audit.ssf_metadata_missing", |it| it.status = 404),
    ("audit.ssf_issuer", |it| {
        it.body["issuer"] = "https://tr.example.com/".into();
    }),
    ("audit.ssf_plain_http", |it| {
        it.body["status_endpoint"] = "http://tr.example.com/status".into();
    }),
    ("audit.ssf_endpoint", |it| {
        it.body["status_endpoint"] = "https://a:b@tr.example.com/status".into();
    }),
    ("audit.ssf_member_type", |it| {
        it.body["default_subjects"] = "SOME".into();
    }),
    ("audit.ssf_keys", |it| it.keys = json!({ "keys": [] })),
    ("audit.ssf_key_unusable", |it| {
        let small = json!({ "kty": "RSA", "kid": "small", "n": "AQAB", "e": "AQAB" });
        it.keys["keys"].as_array_mut().unwrap().push(small);
    }),
    ("audit.ssf_rs256_missing", |it| {
        it.keys["keys"][0]["alg"] = "PS256".into();
    }),
    ("audit.ssf_delivery", |it| {
        it.body["delivery_methods_supported"] = json!(["urn:example:pigeon"]);
    }),
    ("audit.ssf_delivery_missing", |it| {
        it.body["delivery_methods_supported"] = Value::Null;
    }),
    ("audit.ssf_poll_missing", |it| {
        it.body["delivery_methods_supported"] = json!(["urn:ietf:rfc:8935"]);
    }),
    ("audit.ssf_spec_version", |it| {
        it.body["spec_version"] = "1_0-ID3".into();
    }),
    ("audit.ssf_configuration_missing", |it| {
        it.body["configuration_endpoint"] = Value::Null;
    }),
    ("audit.ssf_verification_missing", |it| {
        it.body["verification_endpoint"] = Value::Null;
    }),
    ("audit.ssf_status_missing", |it| {
        it.body["status_endpoint"] = Value::Null;
    }),
    ("audit.ssf_authorization", |it| {
        it.body["authorization_schemes"] = json!([{ "spec_urn": "urn:ietf:rfc:8705" }]);
    }),
    ("audit.ssf_default_subjects", |it| {
        it.body["default_subjects"] = "NONE".into();
    }),
    ("audit.ssf_critical_members", |it| {
        it.body["critical_subject_members"] = json!(["user", "tenant"]);
    }),
    ("audit.ssf_elsewhere", |it| {
        it.body["status_endpoint"] = "https://status.example.net".into();
    }),
    ("audit.ssf_media_type", |it| it.media_type = "text/plain"),
];

impl Transmitter {
    fn sound() -> Self {
        let modulus = "w".repeat(342);
        Self {
            body: json!({
                "spec_version": "1_0",
                "issuer": ISSUER,
                "jwks_uri": "https://tr.example.com/jwks",
                "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
                "configuration_endpoint": "https://api.example.com/streams",
                "status_endpoint": "https://api.example.com/status",
                "verification_endpoint": "https://api.example.com/verify",
                "authorization_schemes": [{ "spec_urn": "urn:ietf:rfc:6749" }],
                "default_subjects": "ALL",
                "critical_subject_members": ["session"],
            }),
            keys: json!({ "keys": [
                { "kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB" },
                { "kty": "EC", "kid": "b", "use": "enc", "crv": "P-256", "x": "AA", "y": "AA" },
            ] }),
            status: 200,
            media_type: "application/json; charset=utf-8",
        }
    }

    fn found(&self) -> Vec<&'static str> {
        self.found_at(ISSUER)
    }

    fn found_at(&self, issuer: &str) -> Vec<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", self.media_type.parse().unwrap());
        let metadata = inspection("/.well-known/ssf-configuration", self.status, &self.body);
        let metadata = Inspection {
            answer: metadata
                .answer
                .map(|it| InspectedResponse { headers, ..it }),
            ..metadata
        };
        let document = match json::parse(self.body.to_string().as_bytes(), &Limits::default()) {
            Ok(Json::Object(object)) if self.status == 200 => Ok::<Object, _>(object),
            _ => Err(format!("the status is {}", self.status)),
        };
        let keys = inspection("/jwks", 200, &self.keys);
        let observation = TransmitterObservation {
            issuer: Issuer::parse(issuer).unwrap(),
            metadata,
            document,
            keys: (self.status == 200).then(|| KeySetResponse::read(keys, &Limits::default())),
        };
        let findings = examine_transmitter(&observation);
        assert!(findings.iter().all(|it| !it.evidence.is_empty()));
        findings.iter().map(|it| it.rule.id).collect()
    }
}

fn inspection(path: &str, status: u16, body: &Value) -> Inspection {
    Inspection {
        url: format!("{ISSUER}{path}").parse().unwrap(),
        answer: Ok(InspectedResponse {
            status,
            headers: HeaderMap::new(),
            body: body.to_string().into_bytes(),
            asked: NumericDate::from_seconds(1_800_000_000),
            took: Duration::from_millis(20),
        }),
        cure: None,
    }
}

#[test]
fn every_rule_fires_in_its_case_alone() {
    assert_eq!(Transmitter::sound().found(), [] as [&str; 0]);
    for (id, change) in CASES {
        let mut transmitter = Transmitter::sound();
        change(&mut transmitter);
        assert_eq!(transmitter.found(), [*id]);
    }
}

#[test]
fn addresses_are_judged_by_where_the_issuer_is() {
    let mut transmitter = Transmitter::sound();
    transmitter.body["status_endpoint"] = "https://10.0.0.1/status".into();
    let found = transmitter.found();
    assert_eq!(found, ["audit.ssf_endpoint", "audit.ssf_elsewhere"]);
    // On this machine, http is no finding, and neighbours are no strangers.
    let local = "http://127.0.0.1:9000";
    transmitter.body["issuer"] = local.into();
    for name in [
        "configuration_endpoint",
        "status_endpoint",
        "verification_endpoint",
    ] {
        transmitter.body[name] = format!("{local}/x").into();
    }
    assert_eq!(transmitter.found_at(local), [] as [&str; 0]);
}

#[test]
fn members_of_another_type_are_told_one_by_one() {
    for (name, value) in [
        ("spec_version", json!(1)),
        ("status_endpoint", json!({})),
        ("delivery_methods_supported", json!("urn:ietf:rfc:8935")),
        ("critical_subject_members", json!([1])),
        ("authorization_schemes", json!(["urn:ietf:rfc:6749"])),
        ("default_subjects", json!(true)),
    ] {
        let mut transmitter = Transmitter::sound();
        transmitter.body[name] = value;
        let found = transmitter.found();
        assert!(
            found.contains(&"audit.ssf_member_type"),
            "{name}: {found:?}"
        );
    }
}
