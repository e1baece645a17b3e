//! Any bytes as claims: registered ones have their types, or the token is refused.

use portcullis_core::Limits;
use portcullis_core::jose::json::Json;
use portcullis_core::jose::{base64url, compact};

pub(crate) fn run(data: &[u8]) {
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.AAAA", base64url::encode(data));
    if let Ok(token) = compact::parse(&token, &Limits::default()) {
        let claims = token.unverified_claims();
        // What may be left out may be `null` too.
        let optional = |name| claims.claim(name).filter(|value| **value != Json::Null);
        let is_text = |value: &Json| value.as_str().is_some_and(|text| !text.is_empty());
        assert!(claims.claim("iss").is_none_or(is_text));
        assert!(
            ["jti", "client_id"]
                .into_iter()
                .all(|name| optional(name).is_none_or(is_text))
        );
        for number in [claims.claim("exp"), claims.claim("nbf"), optional("iat")] {
            assert!(number.is_none_or(|value| matches!(value, Json::Number(_))));
        }
        assert!(optional("sub").is_none_or(|value| value.as_str().is_some()));
        assert!(claims.scopes().iter().all(|scope| !scope.is_empty()));
    }
}
