//! What went wrong at the provider, in words that say what to do next.

use super::party::Party;
use crate::exit::{Exit, Failure};
use portcullis_client::{Error, Refusal};

/// A failure of a client, with its exit code and the next step.
pub(crate) fn failure(error: &Error, party: &Party) -> Failure {
    match error {
        Error::Config(fault) => Failure::could_not_run(fault.to_string()),
        Error::Refused(refusal) => refused(refusal, party),
        Error::Distrusted(distrust) => {
            let cure = if distrust.is_malformed() {
                "tell whoever runs the provider: its answer does not keep to the standard (RFC \
                    6749, section 5.1)"
            } else {
                "try again; if it stays, the provider is set up wrongly, or somebody is between \
                    you and it"
            };
            Failure::with_cure(Exit::Rejected, distrust, cure)
        }
        Error::Outage(outage) => Failure::with_cure(Exit::Outage, outage, unreachable(party)),
        other => Failure::new(Exit::Outage, other.to_string()),
    }
}

fn unreachable(party: &Party) -> String {
    let start = if party.is_on_this_machine() {
        "start it, as with `portcullis dev`; or "
    } else {
        ""
    };
    format!(
        "{start}compare the issuer with the provider's own spelling, and see that this machine \
            reaches it"
    )
}

fn refused(refusal: &Refusal, party: &Party) -> Failure {
    let mut message = format!("no token: {refusal}");
    message.push_str(&format!("\n    client: {}", party.client));
    Failure::with_cure(Exit::Rejected, message, cure(refusal, party))
}

/// RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, 8693, 8707, 9126, 9449; OpenID Connect Core,
/// section 3.1.2.6.
fn cure(refusal: &Refusal, party: &Party) -> &'static str {
    let error = match (refusal.error(), refusal.status()) {
        ("", Some(401)) => "invalid_client",
        (error, _) => error,
    };
    match error {
        "" => {
            "the provider gave no reason: compare the client, its secret, its grants and its \
                redirect URI there, and see what it logged"
        }
        "invalid_client" if party.proves_itself() => {
            "compare the client's id and secret, key or certificate with the provider's; it may \
                want the secret in the form (--client-secret-post)"
        }
        "invalid_client" => {
            "compare the client's id with the provider's; if the client has a secret there, set \
                OAUTH2_CLIENT_SECRET"
        }
        "invalid_scope" => "ask for scopes that the client may have, with --scope",
        "invalid_target" => {
            "ask for an API that the client may call, with --resource or --audience"
        }
        "unauthorized_client" | "unsupported_grant_type" => {
            "allow this grant for the client at the provider, or choose another: --grant"
        }
        "unsupported_response_type" => {
            "allow the authorization code for the client at the provider"
        }
        "access_denied" => "run it again, and agree; or ask who may allow it",
        "expired_token" => "run it again: the code was not used in time",
        "insufficient_user_authentication" | "unmet_authentication_requirements" => {
            "the provider cannot sign the person in like that: ask for what it knows, with \
                --acr-values"
        }
        "invalid_grant" | "bad_refresh_token" | "invalid_refresh_token" => {
            "run it again to sign in anew; a token that is exchanged must still be good"
        }
        "login_required" | "interaction_required" | "consent_required" => {
            "the person has to sign in, or to agree, once more: portcullis token --grant code"
        }
        "invalid_redirect_uri" => {
            "register http://127.0.0.1/callback for the client at the provider, or name what is \
                registered: --redirect-uri"
        }
        "invalid_dpop_proof" => "compare the clocks of this machine and of the provider",
        "temporarily_unavailable" | "server_error" => "try again later",
        _ => "see what the provider logged about it",
    }
}
