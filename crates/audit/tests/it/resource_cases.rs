//! Each rule about a resource has a case in which it fires; in the sound resource none does.

use http::HeaderMap;
use portcullis_audit::{Probe, ProbeCredential, ResourceObservation, examine_resource};
use portcullis_core::Limits;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::token::NumericDate;
use portcullis_provider::inspect::{InspectedResponse, Inspection};
use serde_json::{Value, json};
use std::time::Duration;

const ASKED: &str = "https://api.example/orders";

/// A resource as it answers, to be changed by a case.
pub(crate) struct Resource {
    asked: &'static str,
    body: Value,
    cors: Option<&'static str>,
    status: u16,
    issuer: Result<(), String>,
    /// How it answers, if requests are sent: the status, the challenge and the body.
    answers: Vec<(ProbeCredential, Answer)>,
}

/// A status, a challenge and a body.
type Answer = (u16, &'static str, &'static str);

const UNAUTHORIZED: Answer = (401, "Bearer", "{}");

pub(crate) type Change = fn(&mut Resource);

pub(crate) const CASES: &[(&str, Change)] = &[
    ("audit.resource_metadata_missing", |it| it.status = 404),
    ("audit.resource_identity", |it| {
        it.body["resource"] = "https://api.example/orders/".into();
    }),
    ("audit.resource_plain_http", |it| {
        it.asked = "http://api.example/orders";
        it.body["resource"] = it.asked.into();
    }),
    ("audit.resource_issuer_missing", |it| {
        it.body["authorization_servers"] = json!([]);
    }),
    ("audit.resource_issuer", |it| {
        it.issuer = Err("no metadata".to_owned());
    }),
    ("audit.resource_bearer_methods", |it| {
        it.body["bearer_methods_supported"] = json!(["header", "query"]);
    }),
    ("audit.resource_scopes", |it| {
        it.body["scopes_supported"] = json!(["a", "offline_access"]);
    }),
    ("audit.resource_cors", |it| it.cors = None),
    ("audit.api_open", |it| {
        it.answers = [ProbeCredential::None, ProbeCredential::Unsigned]
            .map(|credential| (credential, (200, "", "[]")))
            .to_vec();
    }),
    ("audit.api_forged", |it| it.answers[1].1.0 = 200),
    ("audit.api_refusal", |it| it.answers[1].1.0 = 500),
    ("audit.api_challenge", |it| {
        it.answers[0].1.1 = "Basic realm=api";
    }),
    ("audit.api_trace", |it| {
        it.answers[1].1.2 = "Traceback (most recent call last):\n  File \"api.py\", line 1";
    }),
    ("audit.api_repeats", |it| {
        it.answers[1].1.1 = "Bearer error_description=\"bad: the-signature\"";
    }),
    ("audit.api_token_refused", |it| {
        it.answers.push((ProbeCredential::Given, UNAUTHORIZED));
    }),
];

impl Resource {
    fn sound() -> Self {
        Self {
            asked: ASKED,
            body: json!({
                "resource": ASKED,
                "authorization_servers": ["https://idp.example"],
                "scopes_supported": ["orders:read"],
                "bearer_methods_supported": ["header"],
            }),
            cors: Some("*"),
            status: 200,
            issuer: Ok(()),
            answers: [ProbeCredential::None, ProbeCredential::EmbeddedKey]
                .map(|credential| (credential, UNAUTHORIZED))
                .to_vec(),
        }
    }

    fn found(self) -> Vec<&'static str> {
        let mut headers = HeaderMap::new();
        if let Some(value) = self.cors {
            headers.insert("access-control-allow-origin", value.parse().unwrap());
        }
        let body = self.body.to_string().into_bytes();
        let document = match json::parse(&body, &Limits::default()) {
            Ok(Json::Object(object)) if self.status == 200 => Ok::<Object, _>(object),
            _ => Err(format!("the status is {}", self.status)),
        };
        let names = self.body["authorization_servers"]
            .as_array()
            .unwrap()
            .iter();
        let issuers = names.map(|it| (it.as_str().unwrap().to_owned(), self.issuer.clone()));
        let observation = ResourceObservation {
            asked: self.asked.to_owned(),
            metadata: Inspection {
                url: "https://api.example/.well-known/oauth-protected-resource/orders"
                    .parse()
                    .unwrap(),
                answer: Ok(InspectedResponse {
                    status: self.status,
                    headers,
                    body,
                    asked: NumericDate::from_seconds(1_800_000_000),
                    took: Duration::from_millis(20),
                }),
                cure: None,
            },
            document,
            issuers: issuers.collect(),
            probes: self.answers.into_iter().map(probe).collect(),
        };
        let findings = examine_resource(&observation);
        assert!(findings.iter().all(|it| !it.evidence.is_empty()));
        findings.iter().map(|it| it.rule.id).collect()
    }
}

fn probe((credential, (status, challenge, body)): (ProbeCredential, Answer)) -> Probe {
    let mut headers = HeaderMap::new();
    headers.insert("www-authenticate", challenge.parse().unwrap());
    let inspection = Inspection {
        url: ASKED.parse().unwrap(),
        answer: Ok(InspectedResponse {
            status,
            headers,
            body: body.as_bytes().to_vec(),
            asked: NumericDate::from_seconds(1_800_000_000),
            took: Duration::from_millis(20),
        }),
        cure: None,
    };
    Probe::new(credential, inspection, Some("e30.e30.the-signature"))
}

#[test]
fn every_rule_fires_in_its_case_alone() {
    assert_eq!(Resource::sound().found(), [] as [&str; 0]);
    for (id, change) in CASES {
        let mut resource = Resource::sound();
        change(&mut resource);
        assert_eq!(resource.found(), [*id]);
    }
}
