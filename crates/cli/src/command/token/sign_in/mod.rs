//! A person signs in: in the browser on this machine, or in any browser by a code.
//!
//! Addresses and codes are shown on standard error. The address is shown even if the browser opens
//! by itself, since it may open out of sight. Ctrl-C ends the waiting.

pub(super) mod code;
pub(super) mod device;
mod parameters;

pub(super) use parameters::SignInParameters;

use super::request::TokenQuery;
use crate::exit::CommandError;
use crate::stop::stop_signal;
use portcullis_client::ServerMetadata;

/// The requested scopes; by default those that keep a person signed in, as far as the provider
/// lists them.
fn scope(query: &TokenQuery, metadata: &ServerMetadata) -> String {
    if !query.purpose.scope.is_empty() {
        return query.purpose.scope.clone();
    }
    let mut scopes = Vec::new();
    for name in ["openid", "offline_access"] {
        // An unknown scope makes some providers refuse the whole request.
        if is_listed(name, metadata) {
            scopes.push(name);
        }
    }
    scopes.join(" ")
}

fn is_listed(name: &str, metadata: &ServerMetadata) -> bool {
    match metadata.scopes() {
        Some(scopes) => scopes.iter().any(|scope| scope == name),
        None => false,
    }
}

/// Waits for the sign-in, or until the process is told to stop.
async fn unless_stopped<T>(sign_in: impl Future<Output = T>) -> Result<T, CommandError> {
    tokio::select! {
        result = sign_in => Ok(result),
        _ = stop_signal() => Err(CommandError::could_not_run("cancelled: nobody signed in")),
    }
}
