//! Any text as a token: what is read is spelled in one way only.

use portcullis_core::Limits;
use portcullis_core::jose::{base64url, compact};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(jws) = compact::parse_jws(text, &Limits::default()) {
        assert_eq!(text.matches('.').count(), 2);
        assert!(text.contains(&format!(
            ".{}.",
            base64url::encode(jws.unverified_payload())
        )));
    }
    let _ = compact::parse(text, &Limits::default());
}
