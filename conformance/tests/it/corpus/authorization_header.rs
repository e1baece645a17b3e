//! 33 requests: where the token is read from, and what is answered.

use crate::tally::Tally;
use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_core::challenge::challenge;
use portcullis_core::{Requirement, credential};
use portcullis_testkit::CorpusVerifier;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;

#[test]
fn every_request_gets_its_answer() {
    let tokens = document("access-tokens.json");
    let good = rows(&tokens)
        .iter()
        .find(|row| row["id"] == "base-rs256")
        .unwrap()["token"]
        .as_str()
        .unwrap();
    let document = document("authorization-header.json");
    let line = CorpusVerifier::strict();
    let mut tally = Tally::new("corpus authorization-header");
    for row in rows(&document) {
        let headers = headers(row, good);
        let query = row["query"]
            .as_str()
            .map(|query| query.replace("{TOKEN}", good));
        let requirement = row["rule_scope"]
            .as_str()
            .map_or(Requirement::ValidToken, Requirement::scope);
        let result = credential::find(&headers, query.as_deref())
            .and_then(|found| line.permit(found.token(), &requirement));
        let (status, error) = match &result {
            Ok(_) => (200, None),
            Err(rejection) => (
                challenge(rejection, "api").status,
                rejection.code().entry().error,
            ),
        };
        let allowed: Vec<u64> = match row["any_of"].as_array() {
            Some(statuses) => statuses.iter().filter_map(Value::as_u64).collect(),
            None => vec![row["status"].as_u64().unwrap()],
        };
        let error_fits = row["any_of"].is_array()
            || row["error"].as_str().unwrap_or_default() == error.unwrap_or_default();
        let right = allowed.contains(&u64::from(status)) && error_fits;
        tally.count(row["id"].as_str().unwrap(), right, || {
            format!("{status} {error:?} for {row}")
        });
        if let (Some(scope), Err(rejection)) = (row["rule_scope"].as_str(), &result) {
            assert!(
                challenge(rejection, "api")
                    .www_authenticate
                    .contains(&format!("scope=\"{scope}\""))
            );
        }
    }
    tally.finish(33);
}

fn headers(row: &Value, good: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for pair in row["headers"].as_array().unwrap() {
        let name = HeaderName::from_bytes(pair[0].as_str().unwrap().as_bytes()).unwrap();
        let value = pair[1].as_str().unwrap().replace("{TOKEN}", good);
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}
