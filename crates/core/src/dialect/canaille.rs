//! Canaille. A user's access token looks like the ID token beside it: type `JWT`, the same
//! audience, `auth_time`, and nothing about the client or the grant.
//!
//! Only ID tokens have `nonce` and `at_hash` there, so only these distinguish the two. That is why
//! this profile has to be chosen: `generic` takes such a token for an ID token.

use super::Dialect;
use super::generic::BASE;
use crate::rejection::Code;

pub(super) static CANAILLE: Dialect = Dialect {
    name: "canaille",
    title: "Canaille",
    cures: &[(
        Code::TokenLifetime,
        "Canaille's tokens live for ten days by default; set `max_lifetime` of the issuer",
    )],
    ..BASE
};
