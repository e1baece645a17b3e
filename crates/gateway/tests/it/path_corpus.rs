//! `request-paths.json`: the route of each path, and that the upstream gets the path that was
//! decided on.

use crate::client::statuses;
use crate::setup::TestSetup;
use portcullis_testkit::corpus;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Corpus {
    routes: Vec<Map<String, Value>>,
    vectors: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
struct Vector {
    target: String,
    expect: String,
    #[serde(default)]
    or_protected: bool,
    #[serde(default)]
    or_reject: bool,
    /// The path that the upstream gets, if it is spelt differently.
    forwarded: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

/// The HTTP library cuts off a fragment before the decision, so the request is the one without it.
const CUT: [(&str, &str); 2] = [
    ("/public/a#/../admin", "public"),
    ("/admin#/public/a", "protected"),
];

/// The routes of the corpus as settings. These JSON values are TOML values too.
fn settings(routes: &[Map<String, Value>]) -> String {
    let mut settings = String::from("hosts = [\"gw.example\"]\n");
    for route in routes {
        settings.push_str("[[route]]\n");
        settings.extend(
            route
                .iter()
                .map(|(name, value)| format!("{name} = {value}\n")),
        );
    }
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_falls_under_one_rule_and_is_forwarded_as_decided() {
    let corpus: Corpus = corpus::read("request-paths.json");
    assert!(corpus.vectors.len() >= 239);
    let setup = TestSetup::new(&settings(&corpus.routes)).await;
    let mut faults = Vec::new();
    for vector in &corpus.vectors {
        let fields: String = vector
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let raw = format!(
            "GET {} HTTP/1.1\r\nHost: gw.example\r\n{fields}Connection: close\r\n\r\n",
            vector.target
        );
        let answer = setup.client().raw(raw.as_bytes()).await;
        let found = match statuses(&answer).as_slice() {
            [200] => "public",
            [401] => "protected",
            [400 | 421] => "reject",
            other => {
                faults.push(format!("{}: {other:?}", vector.target));
                "something else"
            }
        };
        let saw = setup.upstream.take_requests();
        let cut = CUT
            .iter()
            .find(|(target, _)| *target == vector.target)
            .map(|(_, found)| *found);
        let fits = found == cut.unwrap_or(&vector.expect)
            || (vector.or_protected && found == "protected")
            || (vector.or_reject && found == "reject");
        if !fits {
            faults.push(format!("{}: {found}, not {}", vector.target, vector.expect));
        }
        assert_eq!(saw.len(), usize::from(found == "public"), "{vector:?}");
        for saw in saw {
            let path = saw.target.split('?').next().unwrap();
            assert!(
                path.starts_with("/public")
                    || path == "/healthz"
                    || path.starts_with("/.well-known/"),
                "{saw:?}"
            );
            assert!(!path.contains("/.."), "{saw:?}");
            if let Some(forwarded) = &vector.forwarded {
                assert_eq!(path, forwarded, "{vector:?}");
            }
            // No field arrives that servers read another path or method from.
            for name in [
                "x-original-url",
                "x-rewrite-url",
                "x-http-method-override",
                "x-envoy-original-path",
            ] {
                assert!(saw.values(name).is_empty(), "{saw:?}");
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
