//! A Portcullis gateway in front: its signed assertion about the caller, in a header of its own.
//!
//! It has a type of its own, so nobody takes it for an access token, nor an access token for it.

use super::generic::BASE;
use super::{Dialect, Discovery, Sign};
use crate::rejection::Code;
use crate::verify::TokenType;
use std::time::Duration;

pub(super) static PORTCULLIS: Dialect = Dialect {
    name: "portcullis",
    title: "a Portcullis gateway in front",
    types: &[TokenType::Assertion],
    required_claims: &["iat", "jti", "kind", "token_issuer"],
    // An assertion is for one request; the gateway writes no later `exp`.
    max_lifetime: Duration::from_secs(360),
    client: &["client_id"],
    tenant: &["tenant"],
    // The gateway knows the kind of caller, and says it outright.
    application: &[&[Sign::Is("kind", "application")]],
    doubtful: &[&[Sign::IsNot("kind", "user")]],
    sign_in: &[],
    discovery: Discovery::KeysAt("/.well-known/portcullis/jwks.json"),
    cures: &[
        (
            Code::TokenAudience,
            "at the gateway, `aud` is `audience` of `[gateway.identity.assertion]`, or \
                `assertion_audience` of the route",
        ),
        (
            Code::CredentialMissing,
            "the gateway sends the assertion in a header of its own: set `token_header` to \
                `portcullis-assertion`",
        ),
    ],
    ..BASE
};
