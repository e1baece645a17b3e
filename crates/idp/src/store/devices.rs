//! The device requests, by either of their codes (RFC 8628).

use crate::store::Store;
use crate::store::device::{
    DeviceAnswer, DevicePoll, DeviceRequest, LIFE, new_user_code, user_code,
};
use crate::token::encoding::random_text;

impl Store {
    /// Remembers a request, and returns the code for the device and the one for its user.
    pub(crate) fn add_device(
        &mut self,
        (client, scope, audience): (String, String, String),
        interval: u64,
        now: u64,
    ) -> (String, String) {
        let (device_code, user_code) = (random_text(32), new_user_code());
        let answer = DeviceAnswer::Pending;
        // The first poll may come at once (RFC 8628, section 3.2).
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
        // Kept twice as long, to tell a late device from one that made its code up.
        let forgotten = now + 2 * LIFE;
        self.device_codes
            .insert(&device_code, user_code.clone(), forgotten, now);
        self.devices
            .insert(&user_code, request, forgotten, now);
        (device_code, user_code)
    }

    /// The request that waits under a user's code, however it was typed.
    pub(crate) fn waiting_device(&mut self, typed: &str, now: u64) -> Option<&mut DeviceRequest> {
        // An answered request is no longer waiting: a second answer cannot change the first.
        let found = self.devices.find(&user_code(typed), now)?;
        (now < found.expires && found.answer == DeviceAnswer::Pending).then_some(found)
    }

    /// Answers a poll of this client (RFC 8628, section 3.5). An allowed request is returned once.
    pub(crate) fn poll_device(&mut self, device_code: &str, client: &str, now: u64) -> DevicePoll {
        let Some(user_code) = self.device_codes.find(device_code, now).cloned() else {
            return DevicePoll::Unknown;
        };
        let Some(found) = self.devices.find(&user_code, now) else {
            return DevicePoll::Unknown;
        };
        if found.client != client {
            return DevicePoll::Unknown;
        }
        if now >= found.expires {
            return DevicePoll::Expired;
        }
        match found.answer {
            DeviceAnswer::Denied => DevicePoll::Denied,
            DeviceAnswer::Allowed(..) => {
                // A code is good once, as an authorization code is.
                self.device_codes.remove(device_code);
                match self.devices.remove(&user_code) {
                    Some(request) => DevicePoll::Allowed(request),
                    None => DevicePoll::Unknown,
                }
            }
            DeviceAnswer::Pending => found.poll(now),
        }
    }
}
