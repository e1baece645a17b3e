//! Bad bodies, answered by `Valid` and by FastAPI: the same places and the same types of fault, or
//! a row that says why not.

mod models;

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use portcullis_testkit::corpus::{document, rows};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tower::ServiceExt as _;

const ROWS: usize = 95;

#[tokio::test]
async fn every_body_has_its_faults() {
    let document = document("request-bodies.json");
    let app = models::app();
    for row in rows(&document) {
        let found = answer(&app, row).await;
        assert_eq!(found, expectation(row), "{}", row["id"]);
    }
    assert_eq!(rows(&document).len(), ROWS);
}

#[tokio::test]
async fn fastapi_finds_the_same_faults() {
    let Some(place) = std::env::var_os("PORTCULLIS_PYTHON").map(PathBuf::from) else {
        crate::tally::skipped("python is not installed; `cargo xtask test` does it");
        return;
    };
    let python = if place.is_dir() {
        place.join("python")
    } else {
        place
    };
    let document = document("request-bodies.json");
    let theirs = fastapi(&python, &document);
    let mut differences = 0;
    for (row, theirs) in rows(&document).iter().zip(theirs.as_array().unwrap()) {
        let theirs = (
            theirs["status"].as_u64().unwrap(),
            sorted(&theirs["errors"]),
        );
        let expected = match row.get("fastapi") {
            None => expectation(row),
            Some(other) => {
                differences += 1;
                assert!(row["reason"].is_string(), "{}", row["id"]);
                assert_ne!(other, &row["faults"], "{}: no difference", row["id"]);
                faults_as_answer(other)
            }
        };
        assert_eq!(theirs, expected, "{}", row["id"]);
    }
    let alike = ROWS - differences;
    crate::tally::totals("request bodies, beside FastAPI", ROWS, alike, differences);
}

/// The status and the faults that a row demands: each its type and place.
fn expectation(row: &Value) -> (u64, Vec<Value>) {
    faults_as_answer(&row["faults"])
}

fn faults_as_answer(faults: &Value) -> (u64, Vec<Value>) {
    match faults.as_u64() {
        Some(status) => (status, Vec::new()),
        None if sorted(faults).is_empty() => (200, Vec::new()),
        None => (422, sorted(faults)),
    }
}

/// Without the position of a syntax error, which parsers count and name in their own ways.
fn sorted(faults: &Value) -> Vec<Value> {
    let mut faults = faults.as_array().cloned().unwrap_or_default();
    for fault in &mut faults {
        if fault[0] == "json_invalid" {
            assert!(fault[2].is_u64(), "{fault}");
            *fault = json!(["json_invalid", "body", 0]);
        }
    }
    faults.sort_by_key(Value::to_string);
    faults
}

async fn answer(app: &Router, row: &Value) -> (u64, Vec<Value>) {
    let body = row["body"].as_str().unwrap().to_owned();
    let request = Request::post(row["path"].as_str().unwrap());
    let request = request
        .header("content-type", "application/json")
        .body(Body::from(body));
    let response = app.clone().oneshot(request.unwrap()).await.unwrap();
    let status = response.status().as_u16().into();
    let bytes = response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut faults = Vec::new();
    for error in document["errors"].as_array().into_iter().flatten() {
        let mut fault = vec![error["type"].clone()];
        fault.extend(error["loc"].as_array().unwrap().iter().cloned());
        faults.push(Value::from(fault));
    }
    (status, sorted(&Value::from(faults)))
}

/// What FastAPI answers to each row.
fn fastapi(python: &std::path::Path, document: &Value) -> Value {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/validation/main.py");
    let mut command = Command::new(python);
    command
        .args(["-B", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(document.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}
