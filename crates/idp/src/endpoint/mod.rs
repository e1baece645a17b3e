//! The endpoints.

mod assertion;
mod authentication;
mod authorize;
mod browser;
mod caller;
mod certificate;
mod console;
mod cors;
mod dev;
pub(crate) mod device;
mod discovery;
mod dpop;
mod error;
mod fault;
mod grant;
mod graph;
mod host;
mod introspect;
mod journal;
mod login;
pub(crate) mod logout;
mod making;
mod own_pages;
mod params;
mod pushed;
mod register;
mod request;
mod revoke;
mod routes;
mod ssf;
mod switches;
mod tokeninfo;
mod userinfo;

pub(crate) use cors::is_origin;
pub(crate) use routes::router;

use crate::config::User;
use crate::mint::TokenBuilder;
use crate::state::State;
use std::sync::Arc;

/// The client for whom users' tokens are, where no flow says another.
pub(crate) const USERS_CLIENT: &str = "web";

/// A token for a user or a client, whichever has that name.
pub(crate) fn token_for(state: &Arc<State>, name: &str) -> TokenBuilder {
    match (state.user(name), state.clients.configured(name)) {
        (Some(user), _) => TokenBuilder::for_user(state, user, USERS_CLIENT),
        (None, Some(client)) => TokenBuilder::for_client(state, &client),
        (None, None) => TokenBuilder::for_user(state, &User::unknown(name), USERS_CLIENT),
    }
}
