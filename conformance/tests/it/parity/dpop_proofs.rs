//! 156 proofs of DPoP, each at every door. What a door remembers as used, no other door has seen: so
//! the doors that share a gateway are of several worlds here.

use super::Unexpressed;
use super::case::{Case, Outcome};
use super::door::Door;
use super::doors::Doors;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many proofs there are.
pub(super) const ROWS: usize = 156;

/// The doors that have memories of their own, each for itself.
const WORLDS: [&[Door]; 4] = [
    &[
        Door::Layer,
        Door::Proxy,
        Door::FRONTS[0],
        Door::FRONTS[1],
        Door::FRONTS[2],
        Door::FRONTS[3],
        Door::Asgi,
        Door::Explanation,
    ],
    &[Door::Extractor, Door::Grpc, Door::Wsgi],
    &[Door::GrpcRaw],
    &[Door::Http],
];

/// Settings by which rows are decided: what clients write before the path, and whether nonces are
/// demanded.
type Terms = (String, bool);

#[tokio::test(flavor = "multi_thread")]
async fn every_proof_gets_the_same_answer_at_every_door() {
    let document = document("dpop-proofs.json");
    let mut worlds: BTreeMap<(Terms, usize), Doors> = BTreeMap::new();
    let (mut asked, mut faults) = (0, Vec::new());
    let mut unexpressed = Unexpressed::default();
    for row in rows(&document) {
        let (terms, case) = (terms(row), case(&document["tokens"], row));
        let mut first: Option<(Door, Outcome)> = None;
        for (index, doors) in WORLDS.iter().enumerate() {
            let key = (terms.clone(), index);
            if !worlds.contains_key(&key) {
                worlds.insert(key.clone(), world(&terms).await);
            }
            for door in *doors {
                let outcome = match worlds[&key].ask(*door, &case).await {
                    Ok(outcome) => outcome,
                    Err(why) => {
                        unexpressed.note(why, *door, row["id"].as_str().unwrap());
                        continue;
                    }
                };
                asked += 1;
                faults.extend(fault(row, *door, &outcome, &first));
                first.get_or_insert((*door, outcome));
            }
        }
    }
    assert_eq!(rows(&document).len(), ROWS);
    unexpressed.print("dpop-proofs", ROWS, asked);
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    let all: usize = WORLDS.iter().map(|doors| doors.len()).sum();
    assert_eq!(all, Door::ALL.len());
}

/// What is wrong with an answer: for the row, or beside that of another door.
fn fault(
    row: &Value,
    door: Door,
    outcome: &Outcome,
    first: &Option<(Door, Outcome)>,
) -> Option<String> {
    let id = row["id"].as_str().unwrap();
    // The corpus fixes the nonces of a server; ours are made of a secret.
    let nonce_of_others = matches!(id, "nonce-required-current" | "nonce-required-previous");
    // An escaped slash is refused unless its route keeps it: that comes before any proof.
    let is_kept_out = id == "htu-reserved-encoding-case" && outcome.code == "request.path";
    let right = match row["expect"].as_str().unwrap() {
        "accept" | "should-accept" if !nonce_of_others => outcome.status == 200,
        "either" => outcome.status == 200 || outcome.code.starts_with("proof."),
        _ => outcome.status == 401 && outcome.code.starts_with("proof."),
    };
    if !right && !is_kept_out {
        return Some(format!("{id} by {}: {outcome:?}", door.name()));
    }
    let (other, told) = first.as_ref()?;
    (!told.equals(outcome)).then(|| {
        let (one, another) = (other.name(), door.name());
        format!("{id}: {told:?} by {one}, {outcome:?} by {another}")
    })
}

fn terms(row: &Value) -> Terms {
    let url = row["request"]["url"].as_str().unwrap();
    let path = url[8..].find('/').unwrap() + 8;
    (url[..path].to_owned(), row["config"].is_string())
}

fn case(tokens: &Value, row: &Value) -> Case {
    let request = &row["request"];
    let text = |name: &str| request[name].as_str().unwrap();
    let (origin, _) = terms(row);
    let token = tokens[text("token")].as_str().unwrap();
    let credentials = format!("{} {token}", text("authorization_scheme"));
    let mut case = Case::get(&text("url")[origin.len()..]).with("Authorization", credentials);
    case.method = text("method").to_owned();
    for proof in request["dpop"].as_array().unwrap() {
        case = case.with("DPoP", proof.as_str().unwrap());
    }
    for pair in row["extra_headers"].as_array().into_iter().flatten() {
        case = case.with(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    }
    case
}

/// All doors, with the issuer of the corpus of tokens.
async fn world((origin, nonces): &Terms) -> Doors {
    let mut tokens = document("access-tokens.json");
    tokens["head"] = format!("public_origin = \"{origin}\"\n").into();
    tokens["tail"] =
        format!("[dpop]\nalgorithms = [\"ES256\", \"EdDSA\"]\nnonces = {nonces}\n").into();
    Doors::of_corpus(&tokens, "default").await
}
