//! What tokens are made of: claims, encodings, signatures. Nothing here knows this provider.

pub(crate) mod claims;
pub(crate) mod encoding;
pub(crate) mod issued;
pub(crate) mod jws;
pub(crate) mod kind;
