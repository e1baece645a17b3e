//! Devices that wait for a user to allow them in (RFC 8628).

use crate::store::Store;
use crate::token::encoding::random_text;

/// How long a user has, in seconds.
pub(crate) const LIFE: u64 = 600;

/// One device's request.
#[derive(Clone)]
pub(crate) struct DeviceRequest {
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) audience: String,
    pub(crate) answer: DeviceAnswer,
    expires: u64,
    interval: u64,
    may_poll_at: u64,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DeviceAnswer {
    Pending,
    /// The user of that name allowed it, at that time.
    Allowed(String, u64),
    Denied,
}

/// What a device hears that asks.
pub(crate) enum Poll {
    Unknown,
    Expired,
    TooFast,
    Pending,
    Denied,
    Allowed(DeviceRequest),
}

impl Store {
    /// Remembers a request: the code for the device and the one for its user.
    pub(crate) fn add_device(
        &mut self,
        (client, scope, audience): (String, String, String),
        interval: u64,
        now: u64,
    ) -> (String, String) {
        let (device_code, user_code) = (random_text(32), new_user_code());
        let answer = DeviceAnswer::Pending;
        let (expires, may_poll_at) = (now + LIFE, now);
        let request = DeviceRequest {
            client,
            scope,
            audience,
            answer,
            expires,
            interval,
            may_poll_at,
        };
        // Twice as long, to tell a device that comes late from one that makes a code up.
        let forgotten = now + 2 * LIFE;
        self.device_codes
            .insert(&device_code, user_code.clone(), forgotten, now);
        self.devices.insert(&user_code, request, forgotten, now);
        (device_code, user_code)
    }

    /// A request that still waits for its user, by the code that the user has, however it was
    /// typed.
    pub(crate) fn waiting_device(&mut self, typed: &str, now: u64) -> Option<&mut DeviceRequest> {
        let found = self.devices.find(&user_code(typed), now)?;
        (now < found.expires && found.answer == DeviceAnswer::Pending).then_some(found)
    }

    /// Answers a device of this client (RFC 8628, section 3.5). What is allowed is given out once.
    pub(crate) fn poll_device(&mut self, device_code: &str, client: &str, now: u64) -> Poll {
        let Some(user_code) = self.device_codes.find(device_code, now).cloned() else {
            return Poll::Unknown;
        };
        let found = self
            .devices
            .find(&user_code, now)
            .filter(|found| found.client == client);
        let Some(found) = found else {
            return Poll::Unknown;
        };
        if now >= found.expires {
            return Poll::Expired;
        }
        match found.answer {
            DeviceAnswer::Denied => Poll::Denied,
            DeviceAnswer::Allowed(..) => {
                self.device_codes.remove(device_code);
                self.devices
                    .remove(&user_code)
                    .map_or(Poll::Unknown, Poll::Allowed)
            }
            DeviceAnswer::Pending => {
                let too_fast = now < found.may_poll_at;
                if too_fast && found.interval > 0 {
                    found.interval += 5;
                }
                found.may_poll_at = now + found.interval;
                if too_fast {
                    Poll::TooFast
                } else {
                    Poll::Pending
                }
            }
        }
    }
}

/// Without vowels, so that no word comes out, and without what looks alike (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

fn new_user_code() -> String {
    let drawn = random_text(64).into_bytes().into_iter();
    // Base64url has 64 characters of equal chance: 60 of them are three times twenty.
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let number = |character: u8| ALPHABET.iter().position(|known| *known == character);
    let fair = drawn.filter_map(number).filter(|number| *number < 60);
    let letters: Vec<u8> = fair
        .filter_map(|number| LETTERS.get(number % 20).copied())
        .take(8)
        .collect();
    let text = String::from_utf8(letters).unwrap_or_default();
    let (first, second) = text.split_at_checked(4).unwrap_or((&text, ""));
    format!("{first}-{second}")
}

/// A user's code as it was given out, whatever case and separators were typed.
fn user_code(typed: &str) -> String {
    let letters: String = typed
        .chars()
        .filter(char::is_ascii_alphabetic)
        .take(9)
        .collect();
    let letters = letters.to_ascii_uppercase();
    letters.split_at_checked(4).map_or_else(
        || letters.clone(),
        |(first, second)| format!("{first}-{second}"),
    )
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
