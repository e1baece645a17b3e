//! Google and Firebase. Google's access tokens are opaque and for Google only; an API can verify ID
//! tokens.

use super::generic::BASE;
use super::{Dialect, FinalSlash, SessionClaim, Sign, Unfit};
use crate::rejection::Code;
use crate::token::Issuer;
use crate::verify::TokenType;

/// Google ID tokens as bearers. Their issuer has two spellings, with and without `https://`.
pub(super) static GOOGLE: Dialect = Dialect {
    name: "google",
    title: "Google",
    final_slash: FinalSlash::Never,
    recognises: |host, _| host == "accounts.google.com",
    types: &[TokenType::Jwt],
    bears_id_tokens: true,
    client: &["azp"],
    // The Workspace domain; private accounts have none.
    tenant: &["hd"],
    required_claims: &["sub", "iat"],
    // The consent screen of the client decides who may sign in: everybody, unless it is "Internal".
    // Nothing in a token says which.
    anybody: "anybody with a Google account can have a token",
    // A service account is its own client. Google numbers both, so people cannot choose them.
    application: &[&[Sign::SUBJECT_IS_CLIENT]],
    doubtful: &[&[Sign::EndsWith("email", ".gserviceaccount.com")]],
    // Google writes `iss` both ways, and documents both.
    aliases: |issuer| {
        issuer
            .strip_prefix("https://")
            .map(str::to_owned)
            .into_iter()
            .collect()
    },
    // Not among the claims of "OpenID Connect", which lists those of ID tokens.
    session_claim: SessionClaim::Never,
    cures: &[
        (
            Code::TokenMalformed,
            "Google's access tokens (`ya29.`) are opaque and for Google's own APIs: send the ID \
                token, asked for with this API's client id",
        ),
        (
            Code::TokenAudience,
            "for Google, `aud` is the OAuth client id that the ID token was asked for with",
        ),
        (
            Code::TokenTenant,
            "for Google, `hd` is the Workspace domain; private accounts have none",
        ),
    ],
    ..BASE
};

/// Firebase Authentication: ID tokens as bearers, with the project's id as audience.
pub(super) static FIREBASE: Dialect = Dialect {
    name: "firebase",
    title: "Firebase Authentication",
    final_slash: FinalSlash::Never,
    recognises: |host, _| host == "securetoken.google.com",
    types: &[TokenType::Jwt],
    required_claims: &["sub", "iat", "auth_time"],
    bears_id_tokens: true,
    // The tokens name the project, and no client.
    client: &[],
    tenant: &["firebase.tenant"],
    application: &[],
    anybody: "whoever signs up can have a token, unless the project blocks that",
    unfit: audience_is_the_project,
    cures: &[(
        Code::TokenSignature,
        "the Firebase emulator signs nothing, and custom tokens are for signing in: send the ID \
            token that signing in gives",
    )],
    ..BASE
};

fn audience_is_the_project(issuer: &Issuer, audiences: &[String]) -> Option<Unfit> {
    let project = issuer.as_str().rsplit('/').next().unwrap_or_default();
    let real = issuer
        .as_str()
        .starts_with("https://securetoken.google.com/");
    (real && audiences.iter().any(|audience| audience != project)).then_some(Unfit {
        expected: "the project's id as the only audience: it is the last part of the issuer",
        cure: "write the project's id, as in the issuer's URL",
    })
}
