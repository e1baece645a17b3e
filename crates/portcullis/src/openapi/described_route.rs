//! A route as the document will describe it.

use super::operation::Operation;
use super::schemas::Schemas;
use portcullis_core::Requirement;
use std::sync::Arc;

/// A method of a path, and what describes it once the document is made.
#[derive(Clone, Debug)]
pub(super) struct DescribedRoute {
    pub(super) path: String,
    pub(super) endpoint: DescribedMethod,
    /// What the layers around it demand, from the inside out.
    pub(super) demands: Vec<Arc<Requirement>>,
}

/// A method, its handler's description, and the text that a person wrote for it.
#[derive(Clone, Debug)]
pub(super) struct DescribedMethod {
    pub(super) method: &'static str,
    pub(super) describe: fn(&mut Operation, &mut Schemas),
    pub(super) name: Option<&'static str>,
    pub(super) summary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tag: Option<String>,
}
