//! `door-requests.json`: methods, hosts and types of content in every spelling, by every door. What
//! cannot be read is never 2xx, and no header of a client makes another kind of question of it.

use super::Unexpressed;
use super::case::{Case, Outcome};
use super::door::{Door, Front};
use super::doors::Doors;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_request_gets_more_than_another() {
    let tokens = document("access-tokens.json");
    let world = Doors::of_corpus(&tokens, "default").await;
    let document = document("door-requests.json");
    let (mut asked, mut faults, mut unexpressed) = (0, Vec::new(), Unexpressed::default());
    for row in rows(&document) {
        let id = row["id"].as_str().unwrap();
        let case = case(row);
        for door in Door::ALL {
            let outcome = match unfit(door, &case) {
                Some(why) => Err(why),
                None => world.ask(door, &case).await,
            };
            match outcome {
                Ok(outcome) => {
                    asked += 1;
                    faults.extend(
                        fault(row, &outcome).map(|it| format!("{id} by {}: {it}", door.name())),
                    );
                }
                Err(why) => unexpressed.note(why, door, id),
            }
        }
    }
    unexpressed.print("door-requests", rows(&document).len(), asked);
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(rows(&document).len() >= 100);
}

fn case(row: &Value) -> Case {
    let mut case = Case::get(row["target"].as_str().unwrap_or("/public/a"));
    if let Some(method) = row["method"].as_str() {
        method.clone_into(&mut case.method);
    }
    if let Some(hosts) = row["hosts"].as_array() {
        case.hosts = hosts
            .iter()
            .map(|host| host.as_str().unwrap().to_owned())
            .collect();
    }
    for pair in row["headers"].as_array().into_iter().flatten() {
        case = case.with(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    }
    case
}

/// Why this door can never be asked so.
fn unfit(door: Door, case: &Case) -> Option<&'static str> {
    let is_http = matches!(door, Door::Proxy | Door::Http | Door::Asgi | Door::Wsgi);
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if is_http && (case.method.is_empty() || !case.method.bytes().all(token)) {
        return Some("no HTTP request has such a method");
    }
    if matches!(door, Door::Asked(_)) && case.method.trim() != case.method {
        return Some("space at the end of a header is no part of it");
    }
    match (door, case.hosts.as_slice()) {
        (Door::Layer | Door::Extractor, _) => {
            Some("which host and path is whose is for the application")
        }
        (Door::Asked(Front::IngressNginx), [host]) if host.contains(['/', '?', '#', '\\', ' ']) => {
            Some("nginx has refused such a host")
        }
        (Door::Grpc | Door::GrpcRaw | Door::Asked(Front::IngressNginx), [_, _]) => {
            Some("the one that asks can tell one host only")
        }
        _ => None,
    }
}

fn fault(row: &Value, outcome: &Outcome) -> Option<String> {
    let statuses: Vec<u64> = match row["expect"].as_str().unwrap() {
        "public" => vec![200],
        "protected" => vec![401],
        _ => row["codes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|status| status.as_u64().unwrap())
            .collect(),
    };
    // What the HTTP library refuses by itself has no code.
    let bare = row["expect"] == "refused" && outcome.status == 400 && outcome.code.is_empty();
    let fits = bare || statuses.contains(&u64::from(outcome.status));
    (!fits).then(|| format!("{statuses:?} expected, found {outcome:?}"))
}
