//! Values that the example file left in the settings. They work for nobody, and look as if they
//! did.

use crate::config::IssuerConfig;
use portcullis_core::Faults;
use portcullis_core::config::blank;

/// Warns of what an issuer still holds of an example.
pub(super) fn warn(written: &IssuerConfig, faults: &Faults) {
    // A piece such as `{tenant}` in a URL is a fault, which is told elsewhere.
    if blank(&written.url).is_none() {
        warn_of("url", &written.url, faults);
    }
    for audience in &written.audience {
        warn_of("audience", audience, faults);
    }
    for (member, text) in [
        ("tenant", &written.tenant),
        ("metadata_url", &written.metadata_url),
        ("jwks_uri", &written.jwks_uri),
    ] {
        warn_of(member, text.as_deref().unwrap_or_default(), faults);
    }
    if let Some(introspection) = &written.introspection {
        let within = faults.at("introspection");
        let (endpoint, client) = (&introspection.endpoint, &introspection.client.id);
        warn_of("endpoint", endpoint.as_deref().unwrap_or_default(), &within);
        warn_of("client_id", client.as_deref().unwrap_or_default(), &within);
    }
    if let Some(groups) = &written.groups_lookup {
        let client = groups.client.id.as_deref().unwrap_or_default();
        warn_of("client_id", client, &faults.at("groups_lookup"));
    }
}

fn warn_of(member: &str, text: &str, faults: &Faults) {
    faults.warn_of_placeholder(member, text, "write what your identity provider gave you");
}
