//! Values that the example file left in the settings. They work for nobody, and look as if they
//! did.

use super::upstream::Upstreams;
use crate::config::GatewayConfig;
use portcullis_core::Faults;

/// Warns of what the gateway's tables still hold of an example.
pub(super) fn warn(gateway: &GatewayConfig, upstreams: &Upstreams, faults: &Faults) {
    for (index, host) in gateway.hosts.iter().enumerate() {
        warn_of(&format!("hosts[{index}]"), host, faults);
    }
    if let Some(assertion) = &gateway.identity.assertion {
        let within = faults.at("identity.assertion");
        warn_of("issuer", &assertion.issuer, &within);
        warn_of("audience", &assertion.audience, &within);
    }
    // A URL of a route or of the gateway is an upstream of its own, called by that URL.
    for server in upstreams.servers() {
        warn_of("upstream", &server, faults);
    }
}

fn warn_of(member: &str, text: &str, faults: &Faults) {
    faults.warn_of_placeholder(member, text, "write your own in its place");
}
