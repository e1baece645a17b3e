//! 33 requests: where the token is read from.

use super::case::{Case, Outcome};
use super::doors::Doors;
use super::{Row, run};
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_found_in_the_same_places() {
    let tokens = document("access-tokens.json");
    let good = rows(&tokens)
        .iter()
        .find(|row| row["id"] == "base-rs256")
        .unwrap()["token"]
        .as_str()
        .unwrap();
    let worlds = BTreeMap::from([("default", Doors::of_corpus(&tokens, "default").await)]);
    let document = document("authorization-header.json");
    let table: Vec<_> = rows(&document)
        .iter()
        .map(|row| ("default", asked(row, good)))
        .collect();
    assert_eq!(table.len(), 33);
    run("authorization-header", &worlds, &table).await;
}

fn asked(row: &Value, good: &str) -> Row {
    let path = if row["rule_scope"].is_string() {
        "/write"
    } else {
        "/"
    };
    let query = row["query"]
        .as_str()
        .map(|query| format!("?{}", query.replace("{TOKEN}", good)));
    let mut case = Case::get(&format!("{path}{}", query.unwrap_or_default()));
    case.method = row["method"].as_str().unwrap_or("GET").to_owned();
    case.body = row["body"]
        .as_str()
        .unwrap_or_default()
        .replace("{TOKEN}", good);
    for pair in row["headers"].as_array().unwrap() {
        let value = pair[1].as_str().unwrap().replace("{TOKEN}", good);
        // Space at the end of a field is no part of it: what arrives is the scheme alone.
        case = case.with(pair[0].as_str().unwrap(), value.trim_end());
    }
    let statuses: Vec<u64> = match row["any_of"].as_array() {
        Some(statuses) => statuses.iter().filter_map(Value::as_u64).collect(),
        None => vec![row["status"].as_u64().unwrap()],
    };
    let error = row["error"]
        .as_str()
        .filter(|_| row["any_of"].is_null())
        .map(str::to_owned);
    let start = good[..20].to_owned();
    let judge = move |outcome: &Outcome| {
        let challenge = outcome.challenge.clone().unwrap_or_default();
        let told = challenge
            .split("error=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default();
        if !statuses.contains(&u64::from(outcome.status)) {
            return Err(format!("not one of {statuses:?}"));
        }
        if error.as_ref().is_some_and(|error| error != told) || challenge.contains(&start) {
            return Err(format!("another challenge than {error:?}"));
        }
        Ok(())
    };
    Row {
        id: row["id"].as_str().unwrap().to_owned(),
        case,
        judge: Box::new(judge),
    }
}
