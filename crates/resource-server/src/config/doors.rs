//! The tables of the one document that the resource server leaves to others.

/// The tables that one document may hold beside the resource server's: they are the gateway's to
/// read.
pub const DOORS: [&str; 8] = [
    "gateway",
    "forward_auth",
    "ext_authz",
    "receivers",
    "log",
    "route",
    "upstream",
    "cedar",
];
