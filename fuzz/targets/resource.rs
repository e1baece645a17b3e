//! Any bytes as the metadata of a resource (RFC 9728).

use portcullis_core::Limits;
use portcullis_provider::resource_metadata::{MetadataSource, ResourceMetadata};

const ASKED: &str = "https://api.example/orders/7";

pub(crate) fn run(data: &[u8]) {
    let limits = Limits::default();
    for source in [
        MetadataSource::WellKnown(ASKED),
        MetadataSource::Challenge(ASKED),
    ] {
        let Ok(metadata) = ResourceMetadata::parse(data, source, &limits) else {
            continue;
        };
        // Whatever it says, it is about what was asked, and leads to https.
        assert!(ASKED.starts_with(&metadata.resource));
        assert!(metadata.resource.starts_with("https://api.example"));
        assert!(!metadata.issuers.is_empty());
        let is_https = |it: &String| it.to_ascii_lowercase().starts_with("https://");
        assert!(metadata.issuers.iter().all(is_https));
    }
}
