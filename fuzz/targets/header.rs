//! Any bytes as a header.

use portcullis_core::Limits;
use portcullis_core::jose::{base64url, compact};

pub(crate) fn run(data: &[u8]) {
    let token = format!("{}.e30.AAAA", base64url::encode(data));
    if let Ok(token) = compact::parse(&token, &Limits::default()) {
        let header: serde_json::Value =
            serde_json::from_slice(data).expect("another parser reads it");
        assert!(
            header.get("crit").is_none() && header.get("b64").is_none(),
            "an extension was let through"
        );
        assert_ne!(token.header().algorithm.name(), "none");
    }
}
