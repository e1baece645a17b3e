//! The errors of a provider, each with the next step for the reader.

use super::identity::ClientIdentity;
use crate::exit::{CommandError, Exit};
use portcullis_client::{Error, Refusal};
use portcullis_core::Outage;
use portcullis_provider::fetch::NetworkCause;

/// An error of the client library, with its exit code and the next step.
pub(crate) fn convert_error(error: &Error, identity: &ClientIdentity) -> CommandError {
    match error {
        Error::Config(fault) => {
            let message = format!("{}: {}", fault.place(), fault.message());
            CommandError::could_not_run(message).help(fault.help())
        }
        Error::Refusal(refusal) => {
            let client = &identity.client_id;
            let message = format!("no token: {refusal}\n    client: {client}");
            CommandError::new(Exit::Rejected, message).help(refusal_help(refusal, identity))
        }
        Error::InvalidResponse(invalid) => {
            let help = if invalid.is_malformed() {
                "report it to the operator of the provider: the response violates RFC 6749, \
                    section 5.1"
            } else {
                "try again; if it persists, the provider is misconfigured, or somebody intercepts \
                    the connection"
            };
            CommandError::new(Exit::Rejected, invalid.to_string()).help(help)
        }
        Error::Outage(outage) => {
            // Without its code: that is for logs and their filters.
            let exit = match error.is_missing_endpoint() {
                true => Exit::CouldNotRun,
                false => Exit::Outage,
            };
            CommandError::new(exit, outage.facts()).help(outage_help(outage, identity))
        }
        other => CommandError::new(Exit::Outage, other.to_string()),
    }
}

fn outage_help(outage: &Outage, identity: &ClientIdentity) -> String {
    let cure = if outage.has_own_cure() {
        outage.cure()
    } else {
        "compare the issuer with the spelling in the provider's metadata"
    };
    if identity.is_on_this_machine() && cure == NetworkCause::Refused.cure() {
        return format!("{cure}; `portcullis dev` starts one on this machine");
    }
    cure.to_owned()
}

fn refusal_help(refusal: &Refusal, identity: &ClientIdentity) -> &'static str {
    // Some providers refuse credentials with a bare 401 or a page in HTML.
    let error = match (refusal.error(), refusal.status()) {
        ("", Some(401)) => "invalid_client",
        (error, _) => error,
    };
    // Advice about a secret would mislead here: none was sent.
    if error == "invalid_client" && !identity.has_credentials() {
        return PUBLIC_CLIENT;
    }
    for (errors, help) in REFUSALS {
        if errors.contains(&error) {
            return help;
        }
    }
    "read the provider's log"
}

const PUBLIC_CLIENT: &str = "compare the client's id with the provider's; if the client has a \
    secret, set OAUTH2_CLIENT_SECRET";

/// The help for each error code (RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, 8693, 8707, 9126 and
/// 9449; OpenID Connect Core, section 3.1.2.6).
const REFUSALS: &[(&[&str], &str)] = &[
    (
        &[""],
        "the provider gave no reason; check the client, its secret, its grants and its redirect \
            URI there, and read its log",
    ),
    (
        &["invalid_client"],
        "compare the client's id and its secret, key or certificate with the provider's; some \
            providers need --client-secret-post",
    ),
    (
        &["invalid_scope"],
        "request scopes that the client may have, with --scope",
    ),
    (
        &["invalid_target"],
        "request an API that the client may call, with --resource or --audience",
    ),
    (
        &["unauthorized_client", "unsupported_grant_type"],
        "allow this grant for the client at the provider, or pass another --grant",
    ),
    (
        &["unsupported_response_type"],
        "allow the authorization code grant for the client at the provider",
    ),
    (
        &["access_denied"],
        "try again and consent, or ask an administrator to allow it",
    ),
    (
        &["expired_token"],
        "try again: the code expired before it was entered",
    ),
    (
        &[
            "insufficient_user_authentication",
            "unmet_authentication_requirements",
        ],
        "request an authentication context that the provider supports, with --acr-values",
    ),
    (
        // RFC 6749 knows the first alone; some providers say the others.
        &[
            "invalid_grant",
            "bad_refresh_token",
            "invalid_refresh_token",
        ],
        "try again to sign in; a token that is exchanged must still be valid",
    ),
    (
        &["login_required", "interaction_required", "consent_required"],
        "sign in or consent again: portcullis token --grant code",
    ),
    (
        &["invalid_redirect_uri"],
        "register http://127.0.0.1/callback for the client at the provider, or pass the \
            registered one with --redirect-uri",
    ),
    (
        &["invalid_dpop_proof"],
        "compare the clock of this machine with the provider's",
    ),
    (
        &["temporarily_unavailable", "server_error"],
        "try again later",
    ),
];
