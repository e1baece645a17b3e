//! A document of OpenAPI, 3.0 or 3.1: its operations, and what each demands of its callers.
//!
//! Only what decides about access is read: paths, methods, servers, security. A fault there is
//! reported, and never guessed around: a route that is left out, or is looser than the document,
//! would open the API. Schemas, parameters and responses are not looked at.

pub(super) mod demand;
mod document;
mod node;
pub(super) mod notes;
mod operations;
mod reference;
pub(super) mod relation;
mod security;
mod servers;
pub(super) mod template;
mod text;
mod yaml;

pub(super) use document::Document;
pub(super) use operations::Operation;

#[cfg(test)]
pub(super) mod sample_tests;
