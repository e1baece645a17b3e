//! Private keys that need a passphrase: nobody is there to type one.

/// The cure: how a key loses its passphrase.
pub const DECRYPT: &str = "decrypt it with `openssl pkey -in encrypted.pem -out key.pem`, and let \
    only this service read the result";

/// Whether a text in PEM holds an encrypted private key (RFC 7468, section 11; RFC 1421, section
/// 4.6.1.1).
pub fn is_encrypted_key(pem: &[u8]) -> bool {
    let holds = |mark: &[u8]| pem.windows(mark.len()).any(|window| window == mark);
    holds(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || holds(b"Proc-Type: 4,ENCRYPTED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_known() {
        for (pem, encrypted) in [
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII", true),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES",
                true,
            ),
            ("-----BEGIN PRIVATE KEY-----\nMII", false),
            ("", false),
        ] {
            assert_eq!(is_encrypted_key(pem.as_bytes()), encrypted, "{pem}");
        }
    }
}
