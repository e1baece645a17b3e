//! What most tests here begin with.

use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, idp_on, server_on};
use std::net::SocketAddr;
use std::sync::Arc;

/// A provider that listens there. Its tokens outlive every outage of these tests.
pub(crate) async fn idp(clock: &Arc<TestClock>, listen: SocketAddr) -> Idp {
    let config = IdpConfig {
        listen,
        access_token_lifetime: 80_000,
        ..IdpConfig::default()
    };
    idp_on(clock, config).await
}

pub(crate) fn server(issuer: &str, clock: &Arc<TestClock>) -> ResourceServer {
    server_on(clock, Settings::new(issuer, AUDIENCE).unwrap())
}
