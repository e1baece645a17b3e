//! Any bytes as metadata.

use portcullis_core::Limits;
use portcullis_core::token::Issuer;
use portcullis_resource_server::Metadata;

pub(crate) fn run(data: &[u8]) {
    let issuer = Issuer::parse("https://idp.example/tenant-a").expect("an issuer");
    if let Ok(metadata) = Metadata::parse(data, &issuer, &Limits::default()) {
        let loopback = metadata.jwks_uri.host_str().is_some();
        assert!(metadata.jwks_uri.scheme() == "https" || loopback);
    }
}
