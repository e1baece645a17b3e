//! Made-up identifiers in the forms that providers use: always the same for the same text.

use aws_lc_rs::digest;

/// The first `length` hexadecimal digits of the text's digest: 64 at most.
pub(crate) fn hex(text: &str, length: usize) -> String {
    let digits: String = hash(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.chars().take(length).collect()
}

/// In the form of a UUID.
pub(crate) fn uuid(text: &str) -> String {
    let digits = hex(text, 32);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}

/// A decimal number of that many digits, 32 at most, without leading zeros.
pub(crate) fn digits(text: &str, length: usize) -> String {
    let rest = hash(text);
    let rest: String = rest
        .iter()
        .map(digit)
        .take(length.saturating_sub(1))
        .collect();
    // A leading 1, so that the number always has the full length.
    format!("1{rest}")
}

fn digit(byte: &u8) -> char {
    char::from(b'0' + byte % 10)
}

/// Letters and digits, 32 at most.
pub(crate) fn letters(text: &str, length: usize) -> String {
    hash(text).iter().map(letter).take(length).collect()
}

fn letter(byte: &u8) -> char {
    match byte % 36 {
        digit @ 0..10 => char::from(b'0' + digit),
        letter => char::from(b'a' + letter - 10),
    }
}

fn hash(text: &str) -> Vec<u8> {
    // A digest, so that identifiers survive a restart and tests can hard-code them.
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_stable_and_of_its_length() {
        assert_eq!(uuid("alice"), "2bd806c9-7f0e-00af-1a1f-c3328fa763a9");
        assert_eq!(
            (
                hex("alice", 24).len(),
                digits("alice", 18).len(),
                letters("alice", 28).len()
            ),
            (24, 18, 28)
        );
        assert!(
            digits("bob", 21)
                .parse::<u128>()
                .is_ok_and(|number| number >= 10u128.pow(20))
        );
        assert_ne!(letters("alice", 20), letters("bob", 20));
    }
}
