//! The targets, by the names of their files.

mod callback;
mod claims;
mod client_certificate;
mod coding;
mod compact;
mod config;
mod cookie;
mod credential;
mod differential;
mod explain;
mod ext_authz;
mod forwarded;
mod header;
mod host;
mod introspection;
mod json;
mod jwk;
mod jwks;
mod logout_token;
mod metadata;
mod path;
mod pattern;
mod proofs;
mod resource;
mod revocation;
mod scope;
mod security_event;
mod settings;
mod tokens;
mod websocket;

/// A name, and what is done with the bytes.
type Target = (&'static str, fn(&[u8]));

pub(crate) const ALL: &[Target] = &[
    ("json", json::run),
    ("compact", compact::run),
    ("header", header::run),
    ("claims", claims::run),
    ("jwk", jwk::run),
    ("jwks", jwks::run),
    ("metadata", metadata::run),
    ("resource", resource::run),
    ("credential", credential::run),
    ("scope", scope::run),
    ("config", config::run),
    ("explain", explain::run),
    ("introspection", introspection::run),
    ("differential", differential::run),
    ("pattern", pattern::run),
    ("cookie", cookie::run),
    ("coding", coding::run),
    ("revocation", revocation::run),
    ("settings", settings::run),
    ("path", path::run),
    ("host", host::run),
    ("forwarded", forwarded::run),
    ("client_certificate", client_certificate::run),
    ("ext_authz", ext_authz::run),
    ("websocket", websocket::run),
    ("tokens", tokens::run),
    ("callback", callback::run),
    ("proofs", proofs::run),
    ("logout_token", logout_token::run),
    ("security_event", security_event::run),
];
