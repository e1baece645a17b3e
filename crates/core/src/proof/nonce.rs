//! Nonces that need no memory (RFC 9449, sections 8 and 9): a time slot under a key that replicas
//! share.
//!
//! The nonce of a slot and the one before it are good, so one that a client just read does not end
//! under its hands.

use crate::jose::base64url;
use crate::token::NumericDate;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use std::fmt;

/// Makes and knows nonces. Whoever has the same secret knows the same ones.
#[derive(Clone)]
pub struct Nonces {
    key: hmac::Key,
    slot_seconds: i64,
}

/// How much of the authentication code a nonce shows: 128 bits.
const CODE_BYTES: usize = 16;

impl Nonces {
    /// Shortest secret, in bytes: 128 bits, if they are random.
    pub const SHORTEST_SECRET: usize = 16;

    /// Nonces under this secret; each is good for `slot_seconds` at least, and for twice that at
    /// most. `None` for a secret that is too short, or slots shorter than a second.
    pub fn new(secret: &[u8], slot_seconds: u32) -> Option<Self> {
        if secret.len() < Self::SHORTEST_SECRET || slot_seconds == 0 {
            return None;
        }
        Some(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            slot_seconds: slot_seconds.into(),
        })
    }

    /// The nonce for the next proof.
    pub fn current(&self, now: NumericDate) -> String {
        base64url::encode(&self.code(self.slot(now)))
    }

    /// Whether a nonce is of this slot or of the one before.
    pub fn know(&self, nonce: &str, now: NumericDate) -> bool {
        let Ok(shown) = base64url::decode(nonce) else {
            return false;
        };
        let slot = self.slot(now);
        [slot, slot.saturating_sub(1)]
            .into_iter()
            .any(|slot| verify_slices_are_equal(&shown, &self.code(slot)).is_ok())
    }

    /// The longest time for which a nonce is known, in seconds.
    pub(super) fn longest_seconds(&self) -> i64 {
        self.slot_seconds.saturating_mul(2)
    }

    fn slot(&self, now: NumericDate) -> i64 {
        now.seconds().div_euclid(self.slot_seconds)
    }

    fn code(&self, slot: i64) -> Vec<u8> {
        // The name keeps this use of a secret apart from any other.
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"portcullis dpop nonce ");
        context.update(&slot.to_be_bytes());
        let code = context.sign();
        code.as_ref()
            .iter()
            .copied()
            .take(CODE_BYTES)
            .collect()
    }
}

/// Shows no key.
impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nonces of {} s", self.slot_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef";

    #[test]
    fn two_slots_are_known_and_no_more() {
        let nonces = Nonces::new(SECRET, 60).unwrap();
        let at = NumericDate::from_seconds;
        let nonce = nonces.current(at(600));
        assert_eq!(nonce, nonces.current(at(659)));
        assert_ne!(nonce, nonces.current(at(660)));
        for (second, known) in [(600, true), (719, true), (720, false), (599, false)] {
            assert_eq!(nonces.know(&nonce, at(second)), known, "{second}");
        }
        for other in [
            "",
            "NONCE",
            &format!("{nonce}A"),
            nonce.trim_end_matches(char::is_alphanumeric),
        ] {
            assert!(!nonces.know(other, at(600)), "{other}");
        }
    }

    #[test]
    fn replicas_with_one_secret_know_each_others_nonces() {
        let at = NumericDate::from_seconds(1_000);
        let (one, two) = (
            Nonces::new(SECRET, 60).unwrap(),
            Nonces::new(SECRET, 60).unwrap(),
        );
        let other = Nonces::new(b"another secret!!", 60).unwrap();
        assert!(two.know(&one.current(at), at));
        assert!(!other.know(&one.current(at), at));
        assert!(Nonces::new(b"short", 60).is_none() && Nonces::new(SECRET, 0).is_none());
        assert_eq!(format!("{one:?}"), "nonces of 60 s");
    }
}
