//! Which proxies are believed, and where they tell the caller, from as written to as meant.

use super::faults::Faults;
use crate::config::{ClientAddressConfig, GatewayConfig};
use crate::request::caller::{CallerHeader, ClientAddress, canonical};
use http::HeaderName;

pub(super) fn client_address(gateway: &GatewayConfig, faults: &mut Faults) -> ClientAddress {
    let mut settings = ClientAddress::default();
    for (index, text) in gateway.trusted_proxies.iter().enumerate() {
        match super::network(text) {
            Some(network) => settings.trusted.push(canonical(network)),
            None if text == "unix" => settings.trusts_unix = true,
            None => {
                let place = format!("gateway.trusted_proxies[{index}]");
                faults.add(
                    place,
                    "an address, a network, or `unix`",
                    "write `10.0.0.7` or `10.0.0.0/8`",
                );
            }
        }
    }
    let Some(ClientAddressConfig { header, proxies }) = &gateway.client_address else {
        return settings;
    };
    settings.is_written = true;
    if gateway.trusted_proxies.is_empty() {
        let cure =
            "name the proxies in front in `gateway.trusted_proxies`: nobody else is believed";
        faults.add(
            "gateway.client_address",
            "trusted proxies that tell the address",
            cure,
        );
    }
    if let Some(name) = header {
        match HeaderName::try_from(name)
            .ok()
            .filter(crate::identity::fits)
        {
            Some(name) => settings.source = CallerHeader::of(name),
            None => {
                let expected = "the name of a header that tells an address";
                let cure = "write `X-Forwarded-For`, `Forwarded`, or one with a single address, \
                    such as `X-Real-IP`";
                faults.add("gateway.client_address.header", expected, cure);
            }
        }
    }
    settings.proxies = proxies.map(usize::from);
    if settings.proxies == Some(0) {
        let cure = "count the proxies that add to the list, or leave it out";
        faults.add("gateway.client_address.proxies", "a number from 1", cure);
    }
    if settings.proxies.is_some() && !settings.source.is_list() {
        let cure = "leave it out: the header holds one address, however many proxies there are";
        faults.add(
            "gateway.client_address.proxies",
            "a header that is a list",
            cure,
        );
    }
    settings
}
