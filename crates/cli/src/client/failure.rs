//! The errors of a provider, each with the next step for the reader.

use super::identity::ClientIdentity;
use crate::exit::{Exit, Failure};
use portcullis_client::{Error, Refusal};

/// An error of the client library, with its exit code and the next step.
pub(crate) fn failure(error: &Error, identity: &ClientIdentity) -> Failure {
    match error {
        Error::Config(fault) => Failure::could_not_run(fault.to_string()),
        Error::Refusal(refusal) => {
            let client = &identity.client_id;
            let message = format!("no token: {refusal}\n    client: {client}");
            Failure::new(Exit::Rejected, message).help(refusal_help(refusal, identity))
        }
        Error::InvalidResponse(invalid) => {
            let help = if invalid.is_malformed() {
                "report it to the operator of the provider: the response violates RFC 6749, \
                    section 5.1"
            } else {
                "try again; if it persists, the provider is misconfigured, or somebody intercepts \
                    the connection"
            };
            Failure::new(Exit::Rejected, invalid.to_string()).help(help)
        }
        Error::Outage(outage) => {
            Failure::new(Exit::Outage, outage.to_string()).help(outage_help(identity))
        }
        other => Failure::new(Exit::Outage, other.to_string()),
    }
}

fn outage_help(identity: &ClientIdentity) -> String {
    let start = if identity.is_on_this_machine() {
        "start it, for example with `portcullis dev`; or "
    } else {
        ""
    };
    format!(
        "{start}compare the issuer with the spelling in the provider's metadata, and check that \
            this machine can reach it"
    )
}

/// RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, 8693, 8707, 9126, 9449; OpenID Connect Core,
/// section 3.1.2.6.
fn refusal_help(refusal: &Refusal, identity: &ClientIdentity) -> &'static str {
    // Some providers refuse credentials with a bare 401 or a page in HTML.
    let error = match (refusal.error(), refusal.status()) {
        ("", Some(401)) => "invalid_client",
        (error, _) => error,
    };
    match error {
        "" => {
            "the provider gave no reason; check the client, its secret, its grants and its \
                redirect URI there, and read its log"
        }
        "invalid_client" if identity.has_credentials() => {
            "compare the client's id and its secret, key or certificate with the provider's; some \
                providers need --client-secret-post"
        }
        "invalid_client" => {
            "compare the client's id with the provider's; if the client has a secret, set \
                OAUTH2_CLIENT_SECRET"
        }
        "invalid_scope" => "request scopes that the client may have, with --scope",
        "invalid_target" => {
            "request an API that the client may call, with --resource or --audience"
        }
        "unauthorized_client" | "unsupported_grant_type" => {
            "allow this grant for the client at the provider, or pass another --grant"
        }
        "unsupported_response_type" => {
            "allow the authorization code grant for the client at the provider"
        }
        "access_denied" => "try again and consent, or ask an administrator to allow it",
        "expired_token" => "try again: the code expired before it was entered",
        "insufficient_user_authentication" | "unmet_authentication_requirements" => {
            "request an authentication context that the provider supports, with --acr-values"
        }
        // The last two are what some providers say instead (RFC 6749 knows the first alone).
        "invalid_grant" | "bad_refresh_token" | "invalid_refresh_token" => {
            "try again to sign in; a token that is exchanged must still be valid"
        }
        "login_required" | "interaction_required" | "consent_required" => {
            "sign in or consent again: portcullis token --grant code"
        }
        "invalid_redirect_uri" => {
            "register http://127.0.0.1/callback for the client at the provider, or pass the \
                registered one with --redirect-uri"
        }
        "invalid_dpop_proof" => "compare the clock of this machine with the provider's",
        "temporarily_unavailable" | "server_error" => "try again later",
        _ => "read the provider's log",
    }
}
