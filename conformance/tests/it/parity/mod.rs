//! Every corpus through every door, with equal answers: status, code and challenge.
//!
//! The matrix is made of [`Door::ALL`] and the corpora, so a new door or a new row is in it by
//! itself. A door that cannot express a row says why; those are counted, and named where they are
//! few.

mod access_tokens;
mod assertion;
mod authorization_header;
mod bound_tokens;
mod case;
mod client_certificates;
mod door;
mod door_requests;
mod doors;
mod dpop_example;
mod dpop_proofs;
mod dpop_sequence;
mod envoy;
mod explanation;
mod identity_headers;
mod outage;
mod policies;
mod python;
mod request_paths;
mod resource_audiences;
mod step_up;
pub(crate) mod wire;

use crate::tally::totals;
use case::{Case, Outcome};
use door::Door;
use doors::Doors;
use std::collections::BTreeMap;

/// The suites about bound tokens: what they ask, how much of it, and at how many doors. Each holds
/// its own numbers to these.
pub(crate) const SUITES_OF_BOUND_TOKENS: [(&str, usize, usize); 4] = [
    ("proofs, good and bad", dpop_proofs::ROWS, Door::ALL.len()),
    (
        "steps of the OpenID Foundation's sequence for resource servers with DPoP",
        dpop_sequence::STEPS,
        Door::ALL.len(),
    ),
    (
        "bound tokens without their proof, or with the wrong one",
        bound_tokens::ROWS,
        Door::ALL.len(),
    ),
    (
        "the example of RFC 9449, twice",
        2,
        dpop_example::DOORS.len(),
    ),
];

/// A row of a corpus, and what is right for an answer to it.
struct Row {
    id: String,
    case: Case,
    judge: Judge,
}

/// What is wrong with an answer, if anything.
type Judge = Box<dyn Fn(&Outcome) -> Result<(), String>>;

/// Asks every door about every row: each answer is right, and all are equal. The totals are
/// printed.
async fn run(corpus: &str, worlds: &BTreeMap<&'static str, Doors>, rows: &[(&'static str, Row)]) {
    let (mut asked, mut faults, mut unexpressed) = (0, Vec::new(), Unexpressed::default());
    for (world, row) in rows {
        let mut first: Option<(Door, Outcome)> = None;
        for door in Door::ALL {
            let outcome = match worlds[world].ask(door, &row.case).await {
                Ok(outcome) => outcome,
                Err(why) => {
                    unexpressed.note(why, door, &row.id);
                    continue;
                }
            };
            asked += 1;
            if let Err(fault) = (row.judge)(&outcome) {
                faults.push(format!(
                    "{} by {}: {fault}: {outcome:?}",
                    row.id,
                    door.name()
                ));
            }
            match &first {
                Some((other, told)) if !told.equals(&outcome) => {
                    let (one, another) = (other.name(), door.name());
                    faults.push(format!(
                        "{}: {told:?} by {one}, {outcome:?} by {another}",
                        row.id
                    ));
                }
                Some(_) => {}
                None => first = Some((door, outcome)),
            }
        }
    }
    unexpressed.print(corpus, rows.len(), asked);
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(asked + unexpressed.count(), rows.len() * Door::ALL.len());
}

/// Which door cannot express which rows, by reason.
#[derive(Default)]
struct Unexpressed(BTreeMap<&'static str, BTreeMap<Door, Vec<String>>>);

impl Unexpressed {
    fn note(&mut self, why: &'static str, door: Door, id: &str) {
        self.0
            .entry(why)
            .or_default()
            .entry(door)
            .or_default()
            .push(id.to_owned());
    }

    fn count(&self) -> usize {
        self.0
            .values()
            .flat_map(BTreeMap::values)
            .map(Vec::len)
            .sum()
    }

    fn print(&self, corpus: &str, rows: usize, asked: usize) {
        println!(
            "parity {corpus}: {rows} rows through {} doors, {asked} answers",
            Door::ALL.len()
        );
        totals(&format!("parity {corpus}"), asked, asked, 0);
        for (why, by_door) in &self.0 {
            let mut alike: BTreeMap<&Vec<String>, Vec<&str>> = BTreeMap::new();
            for (door, ids) in by_door {
                alike.entry(ids).or_default().push(door.name());
            }
            for (ids, doors) in alike {
                let doors = if doors.len() == Door::ALL.len() {
                    "any door".to_owned()
                } else {
                    doors.join(", ")
                };
                let named = if ids.len() == rows {
                    "all".to_owned()
                } else {
                    format!("{ids:?}")
                };
                println!(
                    "  not through {doors}, as {why}: {} rows, {named}",
                    ids.len()
                );
            }
        }
    }
}
