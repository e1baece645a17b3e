//! Strict base64url (RFC 7515, section 2): no padding, no whitespace, no other alphabet, no
//! leftover bits.
//!
//! One byte string has exactly one text, so a signature covers one spelling only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes, or says that the text is not canonical base64url.
///
/// # Errors
///
/// [`NotBase64Url`] for padding, a foreign character, an impossible length or set leftover bits.
pub fn decode(text: &str) -> Result<Vec<u8>, NotBase64Url> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| NotBase64Url)
}

/// Encodes, without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A text that is not canonical base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBase64Url;

impl std::fmt::Display for NotBase64Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not canonical base64url (RFC 7515, section 2)")
    }
}

impl std::error::Error for NotBase64Url {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_each_byte_string() {
        for length in 0..50_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }
    }

    #[test]
    fn refuses_every_other_spelling() {
        // "QQ" is one byte; its last character carries four leftover bits, which must be zero.
        assert_eq!(decode("QQ"), Ok(vec![0x41]));
        for text in [
            "QR", "QQ==", "QQ=", "Q", "Q Q", "QQ\n", "+/8", "QQ\0", "ＱＱ", "QUJD RA",
        ] {
            assert_eq!(decode(text), Err(NotBase64Url), "{text:?}");
        }
    }

    #[test]
    fn the_fault_names_its_section() {
        assert!(
            NotBase64Url
                .to_string()
                .contains("RFC 7515, section 2")
        );
    }
}
