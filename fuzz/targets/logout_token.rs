//! Any bytes as the claims of a logout token that the issuer signed: what is taken is one by
//! another parser too, and what is refused ends nothing.

use crate::shared;
use serde_json::Value;

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

pub(crate) fn run(data: &[u8]) {
    let token = shared::signed("logout+jwt", data);
    let form = format!("logout_token={token}");
    let media = "application/x-www-form-urlencoded";
    let (status, entries) = shared::receive("/logout", media, form.as_bytes());
    if status != 200 {
        assert_eq!((status, entries), (400, 0));
        return;
    }
    let claims: Value = serde_json::from_slice(data).expect("claims");
    assert_eq!(claims["iss"], "https://idp.example/tenant-a");
    assert!(shared::is_for(&claims, "client-1"));
    assert!(claims["events"][LOGOUT].is_object());
    assert!(claims.get("nonce").is_none());
    assert!(claims["jti"].is_string() && claims["exp"].is_number());
    let named = |name: &str| {
        claims[name]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    };
    assert!(named("sub") || named("sid"));
    let age = 1_800_000_000.0 - claims["iat"].as_f64().expect("a number");
    assert!((-61.0..=3_601.0).contains(&age), "{age}");
}
