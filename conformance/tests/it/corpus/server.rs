//! The corpus through the live server: it decides as the core does, and what it explains is what it
//! decides.

use crate::tally::Tally;
use portcullis_core::Limits;
use portcullis_core::credential::Credential;
use portcullis_core::jose::Jwks;
use portcullis_core::token::NumericDate;
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, IssuerConfig, ResourceServer, Settings};
use portcullis_testkit::corpus::{document, rows};
use portcullis_testkit::{CorpusVerifier, NOW};
use serde_json::Value;
use std::sync::Arc;

/// The configuration of this name, written as an operator would.
fn server(document: &Value, name: &str) -> ResourceServer {
    let default = &document["configurations"]["default"]["issuers"];
    let issuers = document["configurations"][name]["issuers"]
        .as_array()
        .or(default.as_array())
        .unwrap();
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let written = |issuer: &Value| IssuerConfig {
        url: issuer["issuer"].as_str().unwrap().to_owned(),
        audience: texts(&issuer["audiences"]),
        algorithms: Some(texts(&issuer["algorithms"])),
        profile: Some(
            if name == "lenient-typ" {
                "generic"
            } else {
                "rfc9068"
            }
            .to_owned(),
        ),
        ..IssuerConfig::default()
    };
    let config = Config {
        issuer: issuers.iter().map(written).collect(),
        ..Config::default()
    };
    let settings = issuers
        .iter()
        .fold(Settings::try_from(config).unwrap(), |settings, issuer| {
            let identifier = issuer["issuer"].as_str().unwrap();
            let keys = serde_json::json!({ "keys": document["jwks"][identifier] }).to_string();
            settings.with_fixed_keys_of(
                identifier,
                &Jwks::parse(keys.as_bytes(), &Limits::default()).unwrap(),
            )
        });
    ResourceServer::with_clock(
        settings,
        Arc::new(TestClock::at(NumericDate::from_seconds(NOW))),
    )
}

#[tokio::test]
async fn what_is_explained_is_what_is_decided() {
    let document = document("access-tokens.json");
    let mut tally = Tally::new("corpus access-tokens, explained");
    for name in ["default", "lenient-typ", "two-issuers"] {
        let (server, line) = (
            server(&document, name),
            CorpusVerifier::new(&document, name),
        );
        for row in rows(&document)
            .iter()
            .filter(|row| row["config"].as_str().unwrap_or("default") == name)
        {
            let token = row["token"].as_str().unwrap();
            let pure = line.verify(token).map_or_else(
                |rejection| rejection.code().to_string(),
                |_| "fine".to_owned(),
            );
            // Twice: the second time the token is remembered, if it is a good one.
            for _ in 0..2 {
                let decided = match server.authenticate(Credential::bearer(token)).await {
                    Ok(_) => "fine".to_owned(),
                    Err(portcullis_core::Denial::Rejection(rejection)) => {
                        rejection.code().to_string()
                    }
                    Err(portcullis_core::Denial::Outage(outage)) => outage.code().to_string(),
                };
                assert_eq!(decided, pure, "{}", row["id"]);
            }
            let explanation = server.explain(token).await;
            let explained = explanation
                .first_obstacle()
                .map_or("fine", |step| step.code);
            tally.count(row["id"].as_str().unwrap(), explained == pure, || {
                format!("{explained}, not {pure}")
            });
        }
    }
    tally.finish(500);
}
