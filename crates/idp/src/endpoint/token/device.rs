//! The device grant's second half (RFC 8628, section 3.4): a device asks again and again.

use crate::dialect::shape::RefreshRule;
use crate::endpoint::authorize::request::asks_offline;
use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::grant_types::DEVICE_CODE;
use crate::endpoint::token::request::GrantRequest;
use crate::store::UserGrant;
use crate::store::device::{DeviceAnswer, DevicePoll};
use crate::token::encoding::random_text;
use serde_json::Value;

pub(crate) fn tokens(ask: &GrantRequest<'_>) -> Result<Value, OAuthError> {
    let (device_code, now) = (ask.params.need("device_code")?, ask.state.now());
    let mut store = ask.state.store();
    let (error, description) = match store.poll_device(device_code, &ask.client.id, now) {
        DevicePoll::Allowed(request) => {
            if let DeviceAnswer::Allowed(username, auth_time) = request.answer {
                let rule = ask.state.config.dialect.shape().refresh_rule();
                let grant = UserGrant {
                    // Google's `access_type` is for browsers: devices always get refresh tokens.
                    offline: rule != RefreshRule::OfflineScope || asks_offline(&request.scope),
                    id: store.next_grant(),
                    client: request.client,
                    username,
                    scope: request.scope,
                    audience: request.audience,
                    nonce: None,
                    auth_time,
                    acr: None,
                    // A session of its own: the device stays signed in when the browser signs out.
                    session: random_text(16),
                    jkt: None,
                    x5t: None,
                    act: None,
                    way: DEVICE_CODE,
                };
                // The tokens need the store themselves: holding its lock would be a deadlock.
                drop(store);
                return ask.tokens_of_user(&grant, &grant.scope);
            }
            PENDING
        }
        DevicePoll::Pending => PENDING,
        DevicePoll::TooFast => ("slow_down", "wait five seconds longer between polls"),
        DevicePoll::Denied => ("access_denied", "the user denied access"),
        DevicePoll::Expired => ("expired_token", "the user took too long: start again"),
        DevicePoll::Unknown => (
            "invalid_grant",
            "the code is unknown, used, or another client's",
        ),
    };
    Err(OAuthError::new(error, description))
}

const PENDING: (&str, &str) = ("authorization_pending", "the user has not answered yet");
