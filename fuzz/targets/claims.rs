//! Any bytes as claims: registered ones have their types, or the token is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_core::Limits;
use portcullis_core::jose::json::Json;
use portcullis_core::jose::{base64url, compact};

fuzz_target!(|data: &[u8]| {
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.AAAA", base64url::encode(data));
    if let Ok(token) = compact::parse(&token, &Limits::default()) {
        let claims = token.unverified_claims();
        for name in ["iss", "jti", "client_id"] {
            assert!(
                claims.claim(name).is_none_or(|value| value.as_str().is_some_and(|text| !text.is_empty()))
            );
        }
        for name in ["exp", "nbf", "iat"] {
            assert!(claims.claim(name).is_none_or(|value| matches!(value, Json::Number(_))));
        }
        assert!(claims.claim("sub").is_none_or(|value| value.as_str().is_some()));
        assert!(claims.scopes().iter().all(|scope| !scope.is_empty()));
    }
});
