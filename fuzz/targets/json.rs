//! Any bytes as JSON: what we read, another parser reads, and reads alike.

use portcullis_core::Limits;
use portcullis_core::jose::json;

pub(crate) fn run(data: &[u8]) {
    if let Ok(ours) = json::parse(data, &Limits::default()) {
        let theirs: serde_json::Value =
            serde_json::from_slice(data).expect("the other parser reads it too");
        assert_eq!(
            serde_json::to_value(&ours).expect("it can be written"),
            theirs
        );
    }
}
