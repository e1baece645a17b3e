//! `identity-headers.json` through the program in front: what the API sees of the caller, or a
//! refusal.

use super::calls::{Front, bearer};
use super::setup::RecipeSetup;
use portcullis_testkit::corpus;
use serde_json::Value;

/// Sends every row. A row that forges something may be refused where `front` says so; all others
/// pass.
pub(super) fn send(world: &RecipeSetup, front: &Front) {
    let document = corpus::document("identity-headers.json");
    let rows = corpus::rows(&document);
    let (mut passed, mut refused, mut faults) = (0, 0, Vec::new());
    // Trailers, and what the other doors answer, are tested elsewhere.
    for row in rows
        .iter()
        .filter(|row| row["trailers"].is_null() && row["mode"].is_null())
    {
        let is_public = row["route"].is_string();
        let subject = row["token_sub"].as_str().unwrap_or("user-1");
        let token = bearer(&world.idp.token("bob").claim("sub", subject).sign());
        let mut lines: Vec<String> = row["inbound"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| format!("{}: {}", text(&pair[0]), text(&pair[1])))
            .collect();
        let target = if is_public {
            "/public-data"
        } else {
            "/protected-data"
        };
        lines.extend((!is_public).then(|| token.clone()));
        let answer = world.send("GET", target, &lines);
        let got = world.taken();
        let fault = match got.first() {
            Some(_) if row["status"].is_number() => Some("not refused".to_owned()),
            Some((_, _, headers)) => {
                passed += 1;
                seen(row, headers, is_public)
            }
            None => {
                refused += 1;
                let fits = (400..500).contains(&answer.status) || row["id"] == "long-claim";
                (!fits || !may_be_refused(row, front)).then(|| format!("refused: {answer:?}"))
            }
        };
        faults.extend(fault.map(|fault| format!("{}: {fault}", row["id"])));
    }
    println!(
        "identity-headers: {passed} passed on, {refused} refused, {} faults",
        faults.len()
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What is wrong with what the API saw, if anything.
fn seen(row: &Value, headers: &[String], is_public: bool) -> Option<String> {
    let told: Vec<(String, &str)> = headers
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (folded(name), value))
        .filter(|(name, value)| {
            !value.is_empty() && (name.starts_with("x-auth-") || name == "authorization")
        })
        .collect();
    let forged = row["inbound"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| text(&pair[1]));
    let mut forged = forged.filter(|value| told.iter().any(|(_, held)| held == value));
    if let Some(value) = forged.next() {
        return Some(format!("{value} gets to the API: {told:?}"));
    }
    let counted = |name: &str| told.iter().filter(|(held, _)| held == name).count();
    let expected = usize::from(!is_public);
    let fits = counted("x-auth-subject") == expected && counted("x-auth-issuer") == expected;
    (!fits || counted("authorization") > 0).then(|| format!("the API sees {told:?}"))
}

fn may_be_refused(row: &Value, front: &Front) -> bool {
    let id = text(&row["id"]);
    let respelled = row["inbound"]
        .as_array()
        .unwrap()
        .iter()
        .any(|pair| text(&pair[0]).contains(['_', '.']));
    let names_a_header = id.starts_with("hop-by-hop");
    row["status"].is_number()
        || (respelled && front.respelled == 400)
        || (["spoof-all-family", "spoof-claim-absent"].contains(&id) && front.unknown == 400)
        // Envoy refuses some of them by itself; a token that was named away is none.
        || (names_a_header && (front.named_away == 400 || !id.starts_with("hop-by-hop-identity")))
        // The program's own limit on heads may be lower than ours.
        || id == "long-claim"
}

fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}
