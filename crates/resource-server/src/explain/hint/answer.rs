//! Mistakes with a token that the issuer was asked about.

use super::Mistake;
use portcullis_core::rejection::Code;
use portcullis_core::token::Claims;

/// The probable mistake with a token that the issuer was asked about.
pub(in crate::explain) fn of_answer(code: &str, claims: Option<&Claims>) -> Option<Mistake> {
    let is = |wanted: Code| code == wanted.as_str();
    if is(Code::TokenInactive) {
        // RFC 7662, section 2.2: the issuer should not say why.
        let hint = "the issuer says only that the token is not active: it ended, was revoked, is \
            of another environment, or this API's client may not ask about it";
        return Some(Mistake::part(hint));
    }
    let claims = claims?;
    if claims.audience().is_some() {
        return None;
    }
    if is(Code::TokenType) && claims.claim("token_type").is_none() {
        let hint = "the issuer's answer names neither the token's audience nor its type: have it \
            name this API in `aud`, or send `token_type`; if that endpoint knows nothing but \
            access tokens, set `danger_answers_without_type`";
        return Some(Mistake::part(hint));
    }
    if is(Code::TokenAudience) {
        let hint = "the issuer's answer names no audience: have it name this API; if that endpoint \
            answers for this API alone, set `danger_answers_without_audience`";
        return Some(Mistake::part(hint));
    }
    None
}
