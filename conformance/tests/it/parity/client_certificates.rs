//! Certificates that a proxy in front tells in a header, at every door, in every format. No upstream
//! and no application gets such a header, in any spelling.

use super::Unexpressed;
use super::case::{Case, Outcome};
use super::door::Door;
use super::doors::{Doors, IDENTITY};
use super::envoy;
use axum::http::{HeaderMap, HeaderName};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::Peer;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn every_certificate_gets_the_same_answer_at_every_door() {
    let document = document("client-certificates.json");
    let mut worlds: BTreeMap<(String, bool), Doors> = BTreeMap::new();
    let (mut asked, mut faults) = (0, Vec::new());
    let mut unexpressed = Unexpressed::default();
    for row in rows(&document) {
        let format = text(row, "format").to_owned();
        let key = (format, row["trusted"] != false);
        if !worlds.contains_key(&key) {
            worlds.insert(key.clone(), world(&document, &key).await);
        }
        let case = case(&document, row);
        for door in Door::ALL {
            let outcome = match ask(&worlds[&key], door, row, &case).await {
                Ok(outcome) => outcome,
                Err(why) => {
                    unexpressed.note(why, door, text(row, "id"));
                    continue;
                }
            };
            asked += 1;
            if let Some(fault) = fault(row, &outcome) {
                let (id, door) = (text(row, "id"), door.name());
                faults.push(format!("{id} by {door}: {fault}: {outcome:?}"));
            }
        }
    }
    unexpressed.print("client-certificates", rows(&document).len(), asked);
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    let count = asked + unexpressed.count();
    assert_eq!(count, rows(&document).len() * Door::ALL.len());
}

fn text<'r>(row: &'r Value, name: &str) -> &'r str {
    row[name].as_str().unwrap()
}

/// What is wrong with an answer, if anything.
fn fault(row: &Value, outcome: &Outcome) -> Option<&'static str> {
    // Where nothing can be removed, another spelling and a named header are refused unread.
    let is_forged = (outcome.status, outcome.code.as_str()) == (400, "request.header");
    let passes = outcome.status == 200;
    let is_refused = outcome.status == 401 && outcome.code.starts_with("proof.");
    match text(row, "expect") {
        "accept" if !passes => Some("refused"),
        "reject" if !is_refused && !is_forged => Some("not refused"),
        "either" if !passes && !is_forged => Some("neither"),
        _ => None,
    }
}

/// What a client gets through this door, or why the door cannot be asked.
async fn ask(doors: &Doors, door: Door, row: &Value, case: &Case) -> Result<Outcome, &'static str> {
    let (format, is_trusted) = (text(row, "format"), row["trusted"] != false);
    let outcome = match door {
        Door::Layer | Door::Extractor => {
            return Err("the library takes certificates from its server, and from no header");
        }
        Door::Asked(_) if !is_trusted => return Err("whoever asks there is trusted"),
        Door::Explanation if !is_trusted => return Err("the headers are read as the proxy's"),
        Door::Grpc | Door::GrpcRaw => by_envoy(doors, case, door == Door::GrpcRaw).await,
        Door::Proxy => {
            let outcome = doors.proxied(case).await.0;
            let seen = doors.upstream.lock().unwrap().take();
            assert!(seen.is_none_or(|seen| !tells(&seen, case)), "{case:?}");
            outcome
        }
        Door::Asgi | Door::Wsgi => {
            let outcome = doors.ask(door, case).await?;
            let (_, answer) = doors.by_python(door, case).await?;
            let seen = String::from_utf8_lossy(&answer.body).to_lowercase();
            let name = row["headers"][0][0].as_str().unwrap_or("none");
            let name = format!("\"{}\"", name.to_lowercase());
            assert!(outcome.status != 200 || !seen.contains(&name), "{seen}");
            outcome
        }
        _ => doors.ask(door, case).await?,
    };
    if door == Door::Http && format != "envoy" {
        assert_ne!(row["token"] == "unbound", outcome.status != 200);
        return Err("by HTTP nobody can tell who is before Envoy");
    }
    let joins =
        matches!(door, Door::Asgi | Door::Wsgi) || (door == Door::Grpc && format != "envoy");
    if joins && row["joined"] == true {
        assert_eq!(outcome.status, 401, "{case:?}");
        return Err("two fields may have been joined there, so a list is refused");
    }
    let repeats = row["headers"].as_array().unwrap().len() > 1;
    if door == Door::Grpc && format == "envoy" && repeats && outcome.status == 200 {
        return Err("Envoy holds one field of this name");
    }
    Ok(outcome)
}

/// Asked by an Envoy whose client is the trusted proxy.
async fn by_envoy(doors: &Doors, case: &Case, raw: bool) -> Outcome {
    let mut request = envoy::request(case, raw);
    let address = core::address::Address::SocketAddress(core::SocketAddress {
        address: "127.0.0.1".to_owned(),
        ..core::SocketAddress::default()
    });
    let source = Peer {
        address: Some(core::Address {
            address: Some(address),
        }),
        ..Peer::default()
    };
    if let Some(attributes) = &mut request.attributes {
        attributes.source = Some(source);
    }
    let response = doors.check(request).await;
    let outcome = envoy::outcome(&response);
    if outcome.status == 200 {
        let mut sent = HeaderMap::new();
        for (name, value) in &case.headers {
            let name: HeaderName = name.parse().unwrap();
            sent.append(name, value.as_slice().try_into().unwrap());
        }
        let seen = envoy::forwarded(sent, &response);
        assert!(!tells(&seen, case), "{seen:?}");
    }
    outcome
}

/// Whether somebody behind sees one of the row's headers, in any spelling.
fn tells(seen: &HeaderMap, case: &Case) -> bool {
    let fold = |name: &str| name.to_ascii_lowercase().replace('_', "-");
    let mut sent = case
        .headers
        .iter()
        .map(|(name, _)| fold(name))
        .filter(|name| name.contains("cert"));
    sent.any(|name| seen.keys().any(|held| fold(held.as_str()) == name))
}

fn case(document: &Value, row: &Value) -> Case {
    let token = row["token"].as_str().unwrap_or("bound");
    let token = text(&document["tokens"], token);
    let mut case = Case::get("/").with("Authorization", format!("Bearer {token}"));
    for pair in row["headers"].as_array().unwrap() {
        case = case.with(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    }
    case
}

/// All doors, with the issuer of the corpus of tokens and a proxy of this format in front.
async fn world(document: &Value, (format, is_trusted): &(String, bool)) -> Doors {
    let mut tokens = portcullis_testkit::corpus::document("access-tokens.json");
    let header = text(&document["headers"], format);
    let proxies = match is_trusted {
        true => "\"127.0.0.1\"",
        false => "\"192.0.2.1\"",
    };
    tokens["gateway"] = format!(
        "trusted_proxies = [{proxies}]\n[gateway.client_certificate]\nformat = \"{format}\"\n\
         header = \"{header}\"\n{IDENTITY}"
    )
    .into();
    Doors::of_corpus(&tokens, "default").await
}
