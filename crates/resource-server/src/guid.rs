//! GUIDs as Microsoft writes them: the ids of tenants, and of callers in a directory.

/// Whether a text is a GUID in lower case, with four dashes.
///
/// Nothing else is put into an address: such a text cannot leave its place in a URL.
pub(crate) fn is_guid(text: &str) -> bool {
    let mut lengths = Vec::new();
    // A sixth part must be seen, and the rest of a long text need not be looked at.
    for part in text.split('-').take(6) {
        if !part.bytes().all(is_lower_hex) {
            return false;
        }
        lengths.push(part.len());
    }
    lengths == [8, 4, 4, 4, 12]
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}
