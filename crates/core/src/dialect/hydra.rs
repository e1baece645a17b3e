//! Ory Hydra and Ory Network. Access tokens are opaque (`ory_at_...`) unless the strategy is `jwt`.
//! Then scopes are an array, `scp`, and an application's own claims are under `ext`.

use super::generic::BASE;
use super::{Dialect, within};
use crate::rejection::Code;

pub(super) static HYDRA: Dialect = Dialect {
    name: "hydra",
    title: "Ory Hydra",
    // Only Ory Network shows in the URL.
    recognises: |host, _| within(host, "oryapis.com"),
    required_claims: &["client_id", "jti"],
    client: &["client_id"],
    tenant: &[],
    // Hydra can be set to lift an application's claims out of `ext`.
    roles: &["ext.roles", "roles"],
    groups: &["ext.groups", "groups"],
    cures: &[
        (
            Code::TokenMalformed,
            "in Hydra, set `strategies.access_token` to `jwt`, or set up `introspection` here: the \
                default is opaque",
        ),
        (
            Code::TokenAudience,
            "in Hydra, allow the audience for the client, and have it ask with `audience`",
        ),
    ],
    ..BASE
};
