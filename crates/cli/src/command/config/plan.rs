//! From the operations of a document to routes that decide each as the document says.
//!
//! A path is a row, and its methods with equal demands become one route. Two things make this more
//! than a list:
//!
//! - A template that no route can tell from others (`/files/{name}.{ext}`) becomes a wider path.
//!   Its route then decides requests of other operations, or of none, so it demands what they do
//!   as well, and a token at the least.
//! - Two templates may fit one path (`/books/{id}` and `/{kind}/new` fit `/books/new`). OpenAPI
//!   leaves open which of them counts, and the API may choose otherwise than the gateway. So that
//!   path becomes a row of its own, which demands both.

mod overlap;
mod route_demand;
mod row;

pub(super) use route_demand::RouteDemand;
pub(super) use row::PlannedRoute;

use super::openapi::Operation;
use super::openapi::demand::Demand;
use super::openapi::notes::Notes;
use super::openapi::template::Template;
use crate::exit::CommandError;
use row::Row;
use std::collections::HashMap;

/// The routes for these operations, in the order of the document. The notes say where a route
/// differs from its operation.
///
/// # Errors
///
/// A document with so many templates that fit one path that the routes would be too many.
pub(super) fn plan(
    operations: &[Operation],
    notes: &mut Notes,
) -> Result<Vec<PlannedRoute>, CommandError> {
    let mut rows = rows(operations, notes);
    overlap::widen(&mut rows, notes);
    let Some(rows) = overlap::separate(rows, notes) else {
        return Err(CommandError::could_not_run(
            "expected templates of which few fit one path, found thousands of paths that fit two",
        )
        .help("begin the paths of a resource with a name of its own"));
    };
    Ok(rows.iter().flat_map(Row::to_routes).collect())
}

/// The rows of the paths: one for each shape.
fn rows(operations: &[Operation], notes: &mut Notes) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for operation in operations {
        let Some(template) = &operation.template else {
            continue;
        };
        let place = *places.entry(template.shape()).or_insert(rows.len());
        if place == rows.len() {
            rows.push(Row::new(template.segments.clone()));
        }
        let demand = demand(operation, template, notes);
        if let Some(row) = rows.get_mut(place)
            && row.join(operation, template, demand)
        {
            notes.add(JOINED, &operation.to_string());
        }
    }
    for row in &mut rows {
        row.join_head();
    }
    rows
}

const JOINED: &str = "for the gateway, another operation has the same method and path; the route \
                      demands what both do";
const SILENT: &str = "the document has no `security` for it; the route demands a valid token";
const OPTIONAL: &str = "the document permits calls without a token, the route does not; write \
                        `access = \"optional\"` if the API tells its callers apart";

/// What a route for an operation demands.
fn demand(operation: &Operation, template: &Template, notes: &mut Notes) -> RouteDemand {
    let label = operation.to_string();
    if !template.is_exact {
        let remark = format!(
            "no route can tell this path from others; the route is for {}, and demands what the \
             others do as well, a valid token at the least",
            template.to_path()
        );
        notes.add(remark, &label);
    }
    match &operation.demand {
        Demand::Public if template.is_exact => RouteDemand::Public,
        // The wider path is the path of others too, which are not public.
        Demand::Public => RouteDemand::valid_token(),
        Demand::Silent => {
            notes.add(SILENT, &label);
            RouteDemand::valid_token()
        }
        Demand::Optional(sets) => {
            notes.add(OPTIONAL, &label);
            RouteDemand::token(sets.clone())
        }
        Demand::Token(sets) => RouteDemand::token(sets.clone()),
    }
}

#[cfg(test)]
mod tests;
