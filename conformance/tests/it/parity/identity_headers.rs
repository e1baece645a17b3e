//! 57 requests: what the upstream sees of the caller, whoever forwards it.
//!
//! The proxy forwards by itself, to a real upstream. To Envoy's answers is done here what Envoy
//! does with them; of forward-auth, what the front proxy copies. Which other spellings a front
//! proxy removes is its configuration's business, and so is what is between it and its neighbours.

use super::Unexpressed;
use super::case::{Case, HOST};
use super::door::Door;
use super::doors::Doors;
use super::envoy;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::NOW;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::sync::Arc;

const OWN: [&str; 5] = [
    "x-auth-client",
    "x-auth-email",
    "x-auth-issuer",
    "x-auth-scopes",
    "x-auth-subject",
];

/// What the upstream sees, or the status of a refusal.
type Seen = Result<HeaderMap, u16>;

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_sees_the_same_caller() {
    let idp = Idp::start_at(IdpConfig::default(), || NOW as u64)
        .await
        .unwrap();
    let issuer = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n",
        idp.issuer(),
        idp.audience()
    );
    let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
    let world = Doors::new(&issuer, &[], &clock).await;
    let document = document("identity-headers.json");
    let (mut asked, mut faults, mut unexpressed) = (0, Vec::new(), Unexpressed::default());
    for row in rows(&document) {
        let id = row["id"].as_str().unwrap();
        let subject = row["token_sub"].as_str().unwrap_or("user-1");
        let token = idp
            .token("bob")
            .without("email")
            .claim("sub", subject)
            .sign();
        let case = case(row, &token);
        let mut first: Option<(Door, Vec<(String, String)>)> = None;
        for door in Door::ALL {
            let seen = match seen(&world, door, row, &case).await {
                Ok(seen) => seen,
                Err(why) => {
                    unexpressed.note(why, door, id);
                    continue;
                }
            };
            asked += 1;
            if let Some(fault) = fault(row, &seen, &token) {
                faults.push(format!("{id} by {}: {fault}", door.name()));
            }
            let told = told(&seen);
            match &first {
                Some((other, before)) if *before != told => {
                    faults.push(format!(
                        "{id}: {before:?} by {}, {told:?} by {}",
                        other.name(),
                        door.name()
                    ));
                }
                Some(_) => {}
                None => first = Some((door, told)),
            }
        }
    }
    unexpressed.print("identity-headers", rows(&document).len(), asked);
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(rows(&document).len() >= 57);
}

fn case(row: &Value, token: &str) -> Case {
    let mut case = Case::get(row["route"].as_str().unwrap_or("/orders"));
    if row["route"].is_null() {
        case = case.with("Authorization", format!("Bearer {token}"));
    }
    for pair in row["inbound"].as_array().unwrap() {
        case = case.with(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    }
    case
}

async fn seen(world: &Doors, door: Door, row: &Value, case: &Case) -> Result<Seen, &'static str> {
    let id = row["id"].as_str().unwrap();
    if row["trailers"].is_array() {
        return Err("trailers are tested with the proxy, and nobody else here sees any");
    }
    if matches!(door, Door::Asgi | Door::Wsgi) {
        let hop = ["proxy-connection", "hop-by-hop-proxy-headers"];
        if hop.contains(&id)
            || id.starts_with("xff")
            || id.starts_with("xfcc")
            || id.starts_with("proxy-headers")
        {
            return Err("the application's server says how its clients came");
        }
        let (outcome, answer) = world.by_python(door, case).await?;
        return Ok(match outcome.status {
            200 => Ok(seen_in_process(&answer.body)),
            status => Err(status),
        });
    }
    if door == Door::Explanation {
        let outcome = world.ask(door, case).await?;
        return match outcome.status {
            200 => Err("an explanation forwards nothing"),
            status => Ok(Err(status)),
        };
    }
    if door != Door::Proxy {
        if names_identity_away(case) {
            return refused(
                world,
                door,
                case,
                "what `Connection` names would be dropped: refused",
            )
            .await;
        }
        if case
            .headers
            .iter()
            .any(|(name, _)| ["Connection", "Proxy-Connection"].contains(&name.as_str()))
        {
            return Err("what is between neighbours is the front proxy's");
        }
        if id.starts_with("xff") || id.starts_with("xfcc") {
            return Err("what is said of the client's connection is the front proxy's");
        }
        if row["status"].is_number() {
            return Err("no such header gets past the front proxy");
        }
    }
    match door {
        Door::Layer | Door::Extractor | Door::Asgi | Door::Wsgi | Door::Explanation => {
            Err("a library forwards nothing")
        }
        Door::Proxy => {
            *world.upstream.lock().unwrap() = None;
            let (outcome, _) = world.proxied(case).await;
            let saw = world.upstream.lock().unwrap().take();
            Ok(saw.ok_or(outcome.status))
        }
        Door::Asked(_) if id.starts_with("spoof-") && respelled(case) => {
            refused(
                world,
                door,
                case,
                "what the answer cannot have removed is refused",
            )
            .await
        }
        Door::Asked(_) if id == "spoof-all-family" => {
            refused(
                world,
                door,
                case,
                "what the answer cannot have removed is refused",
            )
            .await
        }
        Door::Asked(_) if id.starts_with("proxy-headers") => {
            Err("which other names go is the front proxy's configuration")
        }
        Door::Asked(front) => {
            let (outcome, answer) = world.asked(front, case).await;
            Ok(if outcome.status == 200 {
                Ok(copied(case, &answer.headers))
            } else {
                Err(outcome.status)
            })
        }
        Door::Grpc | Door::GrpcRaw => {
            let response = world
                .check(envoy::request(case, door == Door::GrpcRaw))
                .await;
            let status = envoy::outcome(&response).status;
            Ok(if status == 200 {
                Ok(envoy::forwarded(sent(case), &response))
            } else {
                Err(status)
            })
        }
        Door::Http => {
            let (outcome, answer) = world.by_http(case).await;
            if outcome.status != 200 {
                return Ok(Err(outcome.status));
            }
            let mut headers = copied(case, &answer.headers);
            let removed = answer.headers["x-envoy-auth-headers-to-remove"]
                .to_str()
                .unwrap()
                .to_owned();
            for name in removed.split(',') {
                headers.remove(name);
            }
            Ok(Ok(headers))
        }
    }
}

/// A door that is asked cannot have the upstream see what the row wants: it refuses, and says
/// `why`.
async fn refused(
    world: &Doors,
    door: Door,
    case: &Case,
    why: &'static str,
) -> Result<Seen, &'static str> {
    if !matches!(door, Door::Layer | Door::Extractor) {
        let outcome = world.ask(door, case).await?;
        assert_eq!(
            (outcome.status, outcome.code.as_str()),
            (400, "request.header"),
            "{case:?} by {}",
            door.name()
        );
    }
    Err(why)
}

/// Whether `Connection` names a header that the gateway sets.
fn names_identity_away(case: &Case) -> bool {
    let fields = case
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let mut names = fields.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    names.any(|name| {
        let name = fold(std::str::from_utf8(name).unwrap().trim());
        name.starts_with("x-auth-") || name.starts_with("x-forwarded-")
    })
}

fn sent(case: &Case) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &case.headers {
        headers.append(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    headers.insert("host", HeaderValue::from_static(HOST));
    headers
}

/// The client's headers, with each identity header of the answer in place of those of its name; the
/// token removed, as the recipes say.
fn copied(case: &Case, answer: &HeaderMap) -> HeaderMap {
    let mut headers = sent(case);
    for name in OWN {
        let mut values = answer.get_all(name).iter();
        let value = values
            .next()
            .unwrap_or_else(|| panic!("no {name}: what a client sent would stay"));
        assert!(values.next().is_none());
        headers.insert(name, value.clone());
    }
    headers.remove("authorization");
    headers
}

/// The headers that an application in Python saw. The token is left to it: both are one process.
fn seen_in_process(body: &[u8]) -> HeaderMap {
    let pairs: Vec<(String, String)> = serde_json::from_slice(body).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::try_from(value).unwrap(),
        );
    }
    headers.remove("authorization");
    headers
}

fn respelled(case: &Case) -> bool {
    case.headers
        .iter()
        .any(|(name, _)| name.contains(['_', '.']))
}

/// What is wrong with what the upstream saw.
fn fault(row: &Value, seen: &Seen, token: &str) -> Option<String> {
    let headers = match (seen, row["status"].as_u64()) {
        (Err(status), Some(expected)) => {
            return (u64::from(*status) != expected).then(|| format!("{status}, not {expected}"));
        }
        // Whole, or refused.
        (Err(431), None) if row["id"] == "long-claim" => return None,
        (Err(status), None) => return Some(format!("refused with {status}")),
        (Ok(_), Some(expected)) => return Some(format!("not refused with {expected}")),
        (Ok(headers), None) => headers,
    };
    let values = |name: &str| -> Vec<String> {
        let same = headers
            .iter()
            .filter(|(held, _)| fold(held.as_str()) == fold(name));
        let texts = same.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned());
        texts.filter(|value| !value.is_empty()).collect()
    };
    for pair in row["upstream_has"].as_array().unwrap() {
        let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        if values(name) != [value] {
            return Some(format!("{name} is {:?}, not {value}", values(name)));
        }
    }
    for pair in row["upstream_lacks"].as_array().unwrap() {
        let value = pair[1].as_str().unwrap().replace("{TOKEN}", token);
        if values(pair[0].as_str().unwrap()).contains(&value) {
            return Some(format!("{pair} is there"));
        }
    }
    let printable = |value: &str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let told = OWN.iter().flat_map(|name| values(name));
    told.into_iter()
        .find(|value| !printable(value))
        .or_else(|| values("authorization").pop())
}

/// All that looks like an identity header and says something.
fn told(seen: &Seen) -> Vec<(String, String)> {
    let Ok(headers) = seen else { return Vec::new() };
    let own = headers
        .iter()
        .filter(|(name, value)| fold(name.as_str()).starts_with("x-auth-") && !value.is_empty());
    let mut told: Vec<_> = own
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    told.sort();
    told
}

fn fold(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}
