//! The dashboard as a document: what Grafana needs to show it, and what people need to read it.
//!
//! `conformance/tests/it/e2e/dashboard.rs` runs its queries.

use serde_json::Value;
use std::collections::BTreeSet;

/// The kinds of panels that Grafana 10 and later have; `graph` and `singlestat` are gone.
const KINDS: [&str; 5] = ["row", "stat", "timeseries", "state-timeline", "table"];
const ROWS: [&str; 7] = [
    "Is it up",
    "Who is refused and why",
    "Keys and providers",
    "Upstreams",
    "Cost",
    "Proofs of possession",
    "Logouts and events",
];
const COLUMNS: u64 = 24;

fn dashboard() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/grafana/portcullis.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().unwrap()
}

#[test]
fn it_tells_a_story_in_seven_rows() {
    let dashboard = dashboard();
    let rows = panels(&dashboard)
        .iter()
        .filter(|it| it["type"] == "row");
    let rows: Vec<&str> = rows
        .map(|row| row["title"].as_str().unwrap())
        .collect();
    assert_eq!(rows, ROWS);
    assert_eq!(panels(&dashboard)[0]["type"], "row");
}

#[test]
fn every_panel_can_be_shown_and_says_what_it_is() {
    let dashboard = dashboard();
    let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        let kind = panel["type"].as_str().unwrap();
        assert!(KINDS.contains(&kind), "{title}: {kind}");
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        assert!(titles.insert(title), "{title} is there twice");
        let description = panel["description"].as_str().unwrap();
        assert!(description.ends_with('.'), "{title}: {description}");
        if kind == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(defaults["unit"].is_string(), "{title}");
        assert!(
            defaults["thresholds"]["steps"][0]["value"].is_null(),
            "{title}"
        );
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let series = query.matches("portcullis_").count();
            // Of a fleet, every part of a query has to mean the chosen gateways.
            let chosen = query.matches("job=~\"$job\",instance=~\"$instance\"");
            assert_eq!(chosen.count(), series, "{title}: {query}");
        }
    }
}

#[test]
fn panels_do_not_overlap() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(at("x") + at("w") <= COLUMNS, "{}", panel["title"]);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} at {x}, {y}", panel["title"]);
            }
        }
    }
}

#[test]
fn variables_choose_the_gateways_and_codes_lead_to_their_pages() {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<&str> = variables
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["datasource", "job", "instance", "code_page"]);
    for panel in panels(&dashboard) {
        let text = panel.to_string();
        // Whatever is counted by code has the link.
        if text.contains("sum by (code)") {
            assert!(text.contains("${code_page}${__"), "{}", panel["title"]);
        }
    }
}
