//! Which proxies are believed, and where they tell the caller, from as written to as meant.

use super::scalar::network;
use crate::config::{ClientAddressConfig, GatewayConfig};
use crate::request::caller::{CallerHeader, ClientAddress, canonical};
use http::HeaderName;
use portcullis_core::Faults;

pub(super) fn client_address(gateway: &GatewayConfig, faults: &Faults) -> ClientAddress {
    let mut settings = ClientAddress::default();
    for (index, text) in gateway.trusted_proxies.iter().enumerate() {
        match network(text) {
            // Peers are compared as IPv4 where they can be, so a mapped network would never match.
            Some(network) => settings.trusted.push(canonical(network)),
            None if text == "unix" => settings.trusts_unix = true,
            None => faults
                .expected(
                    &format!("trusted_proxies[{index}]"),
                    "an address, a network, or `unix`",
                )
                .found(text)
                .help("write `10.0.0.7` or `10.0.0.0/8`"),
        }
    }
    let Some(written) = &gateway.client_address else {
        return settings;
    };
    settings.is_written = true;
    // The header is ignored from everybody else, so the table alone would do nothing in silence.
    if gateway.trusted_proxies.is_empty() {
        let help =
            "name the proxies in front in `gateway.trusted_proxies`: nobody else is believed";
        faults
            .expected("client_address", "trusted proxies that tell the address")
            .found_as("none")
            .given(&["trusted_proxies"])
            .help(help);
    }
    read_header(written, &mut settings, &faults.at("client_address"));
    settings
}

fn read_header(written: &ClientAddressConfig, settings: &mut ClientAddress, faults: &Faults) {
    if let Some(name) = &written.header {
        match HeaderName::try_from(name) {
            // A header that frames or routes the request means something else to every server.
            Ok(header) if crate::identity::fits(&header) => {
                settings.source = CallerHeader::of(header);
            }
            _ => {
                let help = "write `X-Forwarded-For`, `Forwarded`, or one with a single address, \
                    such as `X-Real-IP`";
                faults
                    .expected("header", "the name of a header that tells an address")
                    .found(name)
                    .help(help);
            }
        }
    }
    let Some(proxies) = written.proxies else {
        return;
    };
    settings.proxies = Some(usize::from(proxies));
    if proxies == 0 {
        faults
            .expected("proxies", "a number from 1")
            .found(proxies)
            .help("count the proxies that add to the list, or leave it out");
    }
    if !settings.source.is_list() {
        let help = "leave it out: the header holds one address, however many proxies there are";
        faults
            .expected("proxies", "a header that is a list")
            .found_as("one with a single address")
            .given(&["header"])
            .help(help);
    }
}
