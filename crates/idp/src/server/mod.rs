//! The running provider: its public face, its listeners, start and stop.

pub(crate) mod idp;
pub(crate) mod listen;
pub(crate) mod serve;
pub(crate) mod switches;
