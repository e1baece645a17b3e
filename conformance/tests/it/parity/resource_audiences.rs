//! `resource-audiences.json`: a token for one resource is refused at another one, in the same words
//! through every door.

use super::case::{Case, Outcome};
use super::doors::Doors;
use super::{Row, run};
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::NOW;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_its_own_resource_alone() {
    let document = document("resource-audiences.json");
    let idp = Idp::start_at(IdpConfig::default(), || NOW as u64)
        .await
        .unwrap();
    let issuers = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = {}\n{}",
        idp.issuer(),
        document["audiences"],
        document["resources"].as_str().unwrap()
    );
    let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
    let worlds = BTreeMap::from([("resources", Doors::new(&issuers, &[], &clock).await)]);
    let mut table = Vec::new();
    for row in rows(&document) {
        table.push(("resources", read(&idp, row)));
    }
    assert!(table.len() > 20);
    run("resource-audiences", &worlds, &table).await;
}

fn read(idp: &Idp, row: &Value) -> Row {
    let row = row.clone();
    let mut case = Case::get(row["target"].as_str().unwrap());
    if row["aud"] != "none" {
        let token = idp.token("bob");
        let token = token.scope(row["token_scope"].as_str().unwrap_or("orders:write"));
        let token = match &row["aud"] {
            Value::Null => token.without("aud"),
            audience => token.claim("aud", audience.clone()),
        };
        case = case.with("Authorization", format!("Bearer {}", token.sign()));
    }
    Row {
        id: row["id"].as_str().unwrap().to_owned(),
        case,
        judge: Box::new(move |outcome| judge(&row, outcome)),
    }
}

fn judge(row: &Value, outcome: &Outcome) -> Result<(), String> {
    let challenge = outcome.challenge.as_deref().unwrap_or_default();
    if row["status"] != outcome.status || row["code"] != *outcome.code {
        return Err(format!("not {} {}", row["status"], row["code"]));
    }
    for (name, expected) in [
        ("resource_metadata", &row["metadata"]),
        ("scope", &row["scope"]),
    ] {
        let named = challenge.split_once(&format!(", {name}=\""));
        let found = named.and_then(|(_, rest)| rest.split('"').next());
        if found != expected.as_str() {
            return Err(format!("not {name}={expected}"));
        }
    }
    Ok(())
}
