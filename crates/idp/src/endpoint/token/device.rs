//! The device grant's second half (RFC 8628, section 3.4): a device asks again and again.

use crate::endpoint::http::error::OAuthError;
use crate::endpoint::token::grant_types::DEVICE_CODE;
use crate::endpoint::token::request::Ask;
use crate::store::Grant;
use crate::store::device::{DeviceAnswer, Poll};
use crate::token::encoding::random_text;
use serde_json::Value;

pub(crate) fn tokens(ask: &Ask<'_>) -> Result<Value, OAuthError> {
    let (device_code, now) = (ask.params.need("device_code")?, ask.state.now());
    let mut store = ask.state.store();
    let refused = |error, description| Err(OAuthError::new(error, description));
    let request = match store.poll_device(device_code, &ask.client.id, now) {
        Poll::Allowed(request) => request,
        Poll::Pending => return refused("authorization_pending", "the user has not answered yet"),
        Poll::TooFast => return refused("slow_down", "wait five seconds longer between questions"),
        Poll::Denied => return refused("access_denied", "the user refused"),
        Poll::Expired => return refused("expired_token", "the user took too long: begin anew"),
        Poll::Unknown => {
            return refused(
                "invalid_grant",
                "the code is unknown, used, or for somebody else",
            );
        }
    };
    let DeviceAnswer::Allowed(username, auth_time) = request.answer else {
        return refused("authorization_pending", "the user has not answered yet");
    };
    let grant = Grant {
        id: store.next_grant(),
        client: request.client,
        username,
        scope: request.scope,
        audience: request.audience,
        nonce: None,
        auth_time,
        session: random_text(16),
        jkt: None,
        x5t: None,
        act: None,
        way: DEVICE_CODE,
    };
    drop(store);
    ask.tokens_of_user(&grant, &grant.scope)
}
