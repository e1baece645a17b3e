//! A device that waits for its user (RFC 8628).

use crate::token::encoding::random_text;

/// How long a user has to answer, in seconds.
pub(crate) const LIFE: u64 = 600;

/// The request of one device.
#[derive(Clone)]
pub(crate) struct DeviceRequest {
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) audience: String,
    pub(crate) answer: DeviceAnswer,
    pub(super) expires: u64,
    pub(super) interval: u64,
    pub(super) may_poll_at: u64,
}

impl DeviceRequest {
    /// Notes a poll before the user answered. Polling too fast costs five seconds more each time.
    pub(super) fn poll(&mut self, now: u64) -> DevicePoll {
        let too_fast = now < self.may_poll_at;
        // An interval of 0 turns the limit off, for tests.
        if too_fast && self.interval > 0 {
            self.interval += 5;
        }
        self.may_poll_at = now + self.interval;
        if too_fast {
            DevicePoll::TooFast
        } else {
            DevicePoll::Pending
        }
    }
}

/// The user's answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DeviceAnswer {
    Pending,
    /// The user of that name allowed it, at that time.
    Allowed(String, u64),
    Denied,
}

/// The answer to a poll of a device (section 3.5).
pub(crate) enum DevicePoll {
    Unknown,
    Expired,
    TooFast,
    Pending,
    Denied,
    Allowed(DeviceRequest),
}

/// No vowels, so that no word comes out, and no letters that look alike (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

pub(super) fn new_user_code() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut letters = Vec::new();
    for character in random_text(64).bytes() {
        let number = ALPHABET.iter().position(|known| *known == character);
        // Base64url has 64 characters of equal chance: 60 of them are three times twenty, and the
        // other four would make some letters likelier.
        if let Some(number @ 0..60) = number {
            letters.extend(LETTERS.get(number % 20));
        }
    }
    letters.truncate(8);
    let text = String::from_utf8(letters).unwrap_or_default();
    let (first, second) = text.split_at_checked(4).unwrap_or((&text, ""));
    format!("{first}-{second}")
}

/// The code as it was issued, whatever case and separators the user typed.
pub(super) fn user_code(typed: &str) -> String {
    // Nine letters, so that a code that is too long matches nothing.
    let letters = typed.chars().filter(char::is_ascii_alphabetic).take(9);
    let letters = letters.collect::<String>().to_ascii_uppercase();
    match letters.split_at_checked(4) {
        Some((first, second)) => format!("{first}-{second}"),
        None => letters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_codes_are_eight_letters_that_may_be_typed_carelessly() {
        for _ in 0..50 {
            let code = new_user_code();
            assert_eq!(code.len(), 9, "{code}");
            assert!(
                code.replace('-', "")
                    .bytes()
                    .all(|letter| LETTERS.contains(&letter)),
                "{code}"
            );
            assert_eq!(user_code(&code.replace('-', " ").to_lowercase()), code);
        }
        assert_ne!(user_code("BCDF-GHJKL"), user_code("BCDF-GHJK"));
    }
}
