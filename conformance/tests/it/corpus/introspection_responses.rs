//! 59 answers of an introspection endpoint, from a real server through the production code.

use crate::tally::Tally;
use portcullis_core::Denial;
use portcullis_core::credential::Credential;
use portcullis_core::token::NumericDate;
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::corpus::{document, rows};
use portcullis_testkit::{Answer, AnsweringServer, NOW};
use serde_json::Value;
use std::sync::Arc;

#[tokio::test]
async fn every_answer_means_what_it_should() {
    let document = document("introspection-responses.json");
    let endpoint = AnsweringServer::start("").await;
    let mut tally = Tally::new("corpus introspection-responses");
    for row in rows(&document) {
        endpoint.answer(answer(row));
        let server = server(&document, &endpoint.url);
        let found = match server
            .authenticate(Credential::bearer("2YotnFZFEjr1zCsicMWpAA"))
            .await
        {
            Ok(_) => "active".to_owned(),
            Err(Denial::Rejection(rejection)) => rejection.code().to_string(),
            Err(Denial::Outage(outage)) => outage.code().to_string(),
        };
        let id = row["id"].as_str().unwrap();
        let right = match row["expect"].as_str().unwrap() {
            "active" => found == "active",
            "inactive" => found.starts_with("token.") || found.starts_with("proof."),
            "error" => found == "outage.introspection",
            "either" => found == chosen(id),
            other => panic!("{other}"),
        };
        tally.count(id, right, || format!("{found} for {row}"));
        // Nobody follows a redirect with credentials, and nobody asks twice.
        assert_eq!(endpoint.requests().len(), tally.run(), "{id}");
    }
    tally.finish(59);
}

/// What the corpus leaves open (decision 13).
fn chosen(id: &str) -> &'static str {
    match id {
        "aud-missing" => "token.audience",
        "scope-array" => "active",
        "json-wrong-type" => "outage.introspection",
        other => panic!("{other}"),
    }
}

fn answer(row: &Value) -> Answer {
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let mut headers = vec![("content-type", text("content_type"))];
    headers.extend(
        row["location"]
            .as_str()
            .map(|location| ("location", location.to_owned())),
    );
    let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
    Answer {
        status,
        headers,
        body: text("body"),
    }
}

fn server(document: &Value, endpoint: &str) -> ResourceServer {
    let text = format!(
        "[[issuer]]\nurl = {}\naudience = [{}]\n[issuer.introspection]\nauth = \"none\"\nendpoint = \"{endpoint}\"\n",
        document["issuer"], document["audience"]
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    ResourceServer::with_clock(
        settings,
        Arc::new(TestClock::at(NumericDate::from_seconds(NOW))),
    )
}
