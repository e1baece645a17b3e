//! Amazon Cognito user pools. Access tokens have no `aud`: the audiences are the app clients that
//! may call.
//!
//! ID tokens have the same issuer and keys; `token_use` distinguishes them.

use super::generic::BASE;
use super::{AudienceClaim, Dialect, FinalSlash, Mark, SessionClaim, Sign};
use crate::rejection::Code;

pub(super) static COGNITO: Dialect = Dialect {
    name: "cognito",
    title: "Amazon Cognito",
    // The regions in China have a domain of their own.
    final_slash: FinalSlash::Never,
    recognises: |host, _| {
        let amazon = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
        amazon && (host.starts_with("cognito-idp.") || host.starts_with("issuer.cognito-idp."))
    },
    required_claims: &["client_id"],
    marks: &[Mark {
        claim: "token_use",
        values: &["access"],
        proves: true,
    }],
    audience: AudienceClaim::AudOrClient,
    client: &["client_id"],
    // A user pool is an issuer of its own.
    tenant: &[],
    roles: &["cognito:groups"],
    groups: &["cognito:groups"],
    // Everybody who signed in has a username. People choose its text, but not whether it is there.
    application: &[&[Sign::Absent("username"), Sign::SUBJECT_IS_CLIENT]],
    doubtful: &[&[Sign::Absent("username")]],
    sign_in: &["username"],
    // Not among the claims of "Understanding the access token"; `origin_jti` is another thing.
    session_claim: SessionClaim::Never,
    pkce_unannounced: true,
    aliases: |issuer| {
        let other = match issuer.strip_prefix("https://issuer.cognito-idp.") {
            Some(rest) => Some(format!("https://cognito-idp.{rest}")),
            None => issuer
                .strip_prefix("https://cognito-idp.")
                .map(|rest| format!("https://issuer.cognito-idp.{rest}")),
        };
        other.into_iter().collect()
    },
    cures: &[
        (
            Code::TokenType,
            "in Cognito, send the access token (`token_use` is `access`), not the ID token",
        ),
        (
            Code::TokenAudience,
            "Cognito's access tokens have no `aud`: write the ids of the app clients that may call \
                as `audience`",
        ),
        (
            Code::PolicyScope,
            "in Cognito, custom scopes are `<resource server>/<scope>`, and signing in without the \
                hosted pages gives none; `scope_prefix` \
             takes the first part off",
        ),
    ],
    ..BASE
};
