//! Schemes that authenticate a connection instead of a request: NTLM, and Negotiate (RFC 4559),
//! which carries it.
//!
//! Connections to an upstream carry the requests of many callers. Whoever such a scheme had let in
//! would have let in everybody who comes after by the same connection.

const SCHEMES: [&[u8]; 3] = [b"ntlm", b"negotiate", b"kerberos"];

/// Whether a credential or a challenge is of a scheme that authenticates its connection.
pub(crate) fn authenticates_connection(text: &[u8]) -> bool {
    let scheme = text
        .trim_ascii_start()
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .next()
        .unwrap_or_default();
    // Schemes compare without case (RFC 9110, section 11.1).
    let mut known = SCHEMES.iter();
    known.any(|name| name.eq_ignore_ascii_case(scheme))
}
