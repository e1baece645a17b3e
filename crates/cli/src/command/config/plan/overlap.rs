//! Paths that fit two rows.
//!
//! Only demands are put together here. That the gateway decides by the written routes as it is
//! planned is checked by the gateway itself, in `init`.

use super::super::openapi::notes::Notes;
use super::super::openapi::relation::{Relation, relation};
use super::super::openapi::template::{Segment, spell};
use super::route_demand::RouteDemand;
use super::row::Row;
use http::Method;
use std::collections::HashMap;

/// The most rows that are added for paths that fit two others.
const MOST_ADDED: usize = 2_000;

/// Makes rows that are wider than their operations demand what the rows around them do: a request
/// that only the wider path fits is one of theirs. Rows within a wider one demand what it does
/// where the document may prefer its operations.
pub(super) fn widen(rows: &mut [Row], notes: &mut Notes) {
    let before = rows.to_vec();
    let wide: Vec<&Row> = before.iter().filter(|row| !row.is_exact()).collect();
    if wide.is_empty() {
        return;
    }
    for row in rows {
        let around: Vec<&Row> = match row.is_exact() {
            true => wide
                .iter()
                .copied()
                .filter(|wide| row.has_rival_in(wide))
                .collect(),
            false => before.iter().collect(),
        };
        for other in around {
            if relation(&row.segments, &other.segments) != Relation::Within {
                continue;
            }
            let has_changed = demand_both(row, other);
            if has_changed && row.is_exact() {
                let (path, other) = (spell(&row.segments, true), spell(&other.segments, true));
                notes.add(
                    format!("{other} may fit as well; the route demands both"),
                    &path,
                );
            }
        }
    }
}

/// Makes a row demand what another one does for the same methods. Returns whether that was new.
fn demand_both(row: &mut Row, other: &Row) -> bool {
    let mut has_changed = false;
    for method in shared_methods(row, other) {
        if let (Some(own), Some(theirs)) = (row.demand(&method), other.demand(&method)) {
            let both = own.and(theirs);
            has_changed |= both != *own;
            row.add(&method, both);
        }
    }
    has_changed
}

/// Adds a row for paths that fit two rows, neither within the other, with both demands. Returns
/// nothing if there are too many.
pub(super) fn separate(rows: Vec<Row>, notes: &mut Notes) -> Option<Vec<Row>> {
    let most = rows.len() + MOST_ADDED;
    let mut table = Table::new(rows);
    // An added row may overlap with others in turn. Demands only grow, so there is an end.
    loop {
        let mut has_changed = false;
        for one in 0..table.rows.len() {
            for other in 0..one {
                has_changed |= table.separate(other, one, notes);
            }
            if table.rows.len() > most {
                return None;
            }
        }
        if !has_changed {
            return Some(table.rows);
        }
    }
}

/// The rows by their shapes.
struct Table {
    rows: Vec<Row>,
    places: HashMap<String, usize>,
    /// The methods that the document has for each of its rows. It decides them itself.
    documented: Vec<Vec<Method>>,
}

impl Table {
    fn new(rows: Vec<Row>) -> Self {
        let (mut places, mut documented) = (HashMap::new(), Vec::new());
        for (place, row) in rows.iter().enumerate() {
            places.insert(spell(&row.segments, false), place);
            documented.push(row.methods());
        }
        Self {
            rows,
            places,
            documented,
        }
    }

    /// Gives the paths that fit both rows the demands of both, where the gateway would decide by
    /// the looser one. Returns whether that changed anything.
    fn separate(&mut self, one: usize, other: usize, notes: &mut Notes) -> bool {
        let (Some(one), Some(other)) = (self.rows.get(one), self.rows.get(other)) else {
            return false;
        };
        let (winner, loser) = match relation(&one.segments, &other.segments) {
            Relation::First => (one, other),
            Relation::Second => (other, one),
            Relation::Apart | Relation::Within | Relation::Around => return false,
        };
        let (mut demands, mut is_looser) = (Vec::new(), false);
        for method in shared_methods(winner, loser) {
            if let (Some(own), Some(theirs)) = (winner.demand(&method), loser.demand(&method)) {
                is_looser |= !own.implies(theirs);
                demands.push((method, own.and(theirs)));
            }
        }
        // Where the winner demands as much as the loser, either choice is safe.
        if !is_looser {
            return false;
        }
        let segments = closest(&winner.segments, &loser.segments);
        let winner = spell(&winner.segments, true);
        let loser = spell(&loser.segments, true);
        let remark = format!("{winner} and {loser} both fit this path; its route demands both");
        self.add(segments, demands, &remark, notes)
    }

    fn add(
        &mut self,
        segments: Vec<Segment>,
        demands: Vec<(Method, RouteDemand)>,
        remark: &str,
        notes: &mut Notes,
    ) -> bool {
        let path = spell(&segments, true);
        let shape = spell(&segments, false);
        let place = *self.places.entry(shape).or_insert(self.rows.len());
        if place == self.rows.len() {
            self.rows.push(Row::new(segments));
            self.documented.push(Vec::new());
        }
        let (Some(row), Some(documented)) = (self.rows.get_mut(place), self.documented.get(place))
        else {
            return false;
        };
        let mut has_changed = false;
        for (method, demand) in demands {
            // As in the gateway, GET stands for HEAD.
            let is_head = method == Method::HEAD && documented.contains(&Method::GET);
            if is_head || documented.contains(&method) {
                continue;
            }
            let is_met = row
                .demand(&method)
                .is_some_and(|it| it.implies(&demand));
            if !is_met || !row.methods().contains(&method) {
                row.add(&method, demand);
                notes.add(remark, &format!("{method} {path}"));
                has_changed = true;
            }
        }
        has_changed
    }
}

/// The segments of the paths that fit both.
fn closest(one: &[Segment], other: &[Segment]) -> Vec<Segment> {
    let pairs = one.iter().zip(other);
    let closest = pairs.map(|(one, other)| match one {
        Segment::Literal(_) => one.clone(),
        Segment::Any(_) | Segment::Part => match other {
            Segment::Literal(_) => other.clone(),
            // The two names may be those of other segments as well.
            Segment::Any(_) | Segment::Part => Segment::Any(None),
        },
    });
    closest.collect()
}

/// The methods that requests of both rows have, `HEAD` where one of them lists it.
fn shared_methods(one: &Row, other: &Row) -> Vec<Method> {
    let mut methods = one.methods();
    methods.extend(other.methods());
    methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    methods.dedup();
    methods.retain(|method| one.demand(method).is_some() && other.demand(method).is_some());
    methods
}
