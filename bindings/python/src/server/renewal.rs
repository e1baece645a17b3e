//! Servers that begin anew, for the tests of an application: one that rotates the keys of its
//! provider leaves the next one a server without fetches to force.

use super::LiveGateway;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The servers of this process. It is locked with the GIL held, and runs no Python meanwhile.
static SERVERS: Mutex<Vec<Weak<LiveGateway>>> = Mutex::new(Vec::new());

pub(super) fn remember(live: &Arc<LiveGateway>) {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.retain(|server| server.strong_count() > 0);
    servers.push(Arc::downgrade(live));
}

/// Has the servers that trust this issuer begin anew, as after a restart: without keys, with a full
/// budget of fetches, and without what was revoked in memory.
pub(crate) fn renew_servers(issuer: &str) {
    let servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    for live in servers.iter().filter_map(Weak::upgrade) {
        live.forget_if(|gateway| {
            let keys = gateway.resource_server().status().keys;
            keys.iter()
                .any(|(trusted, _)| trusted.as_str() == issuer)
        });
    }
}
