//! Protected resources with a name of their own (RFC 9728): which one a request is for, whom its
//! tokens must be meant for, and the document by which it describes itself.
//!
//! The name is the operator's word, never a request's: `Host` and forwarded headers only choose
//! among names that are configured.

mod audiences;
mod config;
mod document;
mod path;
mod resource;
mod settings;

pub use audiences::KnownAudiences;
pub use config::ResourceConfig;
pub use document::{ResourceDocuments, ResourceTraits, WELL_KNOWN};
pub use resource::{ProtectedResource, ProtectedResources};
pub(crate) use settings::{Surroundings, resources};

#[cfg(test)]
mod tests;
