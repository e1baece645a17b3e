//! The issuer's answer about a token (RFC 7662), plain or signed (RFC 9701).
//!
//! Refuses: an answer that is not strict JSON, and a signed answer of another type, issuer or
//! addressee. Both are the issuer's fault, and an outage for the caller of this module: they say
//! nothing about the token. Only `true` is active. Does not check: audience, times and binding of
//! an active token; [`Verifier::verify_answer`] runs the one [check table](crate::verify::checks)
//! for that.

use super::{Audiences, Claims, Issuer, NumericDate, Origin, VerifiedToken};
use crate::Limits;
use crate::jose::json::{self, Json, Object};
use crate::jose::{CompactJws, VerifyingKey, signature};
use crate::rejection::{Code, Facts, Rejection, quote};
use crate::verify::Verifier;
use std::fmt;

/// The answer to an introspection request, of which only the form was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(Object);

impl Answer {
    /// Reads a plain answer (RFC 7662, section 2.2).
    ///
    /// # Errors
    ///
    /// The error says what is wrong with the document. It says nothing about the token.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, AnswerFault> {
        match json::parse(document, limits) {
            Ok(Json::Object(object)) => Ok(Self(object)),
            Ok(other) => Err(AnswerFault(format!(
                "the answer is {}, not an object",
                other.type_name()
            ))),
            Err(fault) => Err(AnswerFault(format!("the answer is {fault}"))),
        }
    }

    /// Reads a signed answer (RFC 9701, section 5) that one of the issuer's keys must have signed
    /// for `addressee`.
    ///
    /// # Errors
    ///
    /// The error says what is wrong with the answer. It says nothing about the token.
    pub fn open(
        jws: &CompactJws<'_>,
        keys: &[VerifyingKey],
        issuer: &Issuer,
        addressee: &str,
        limits: &Limits,
    ) -> Result<Self, AnswerFault> {
        let typ = jws.header().typ.as_deref().unwrap_or_default();
        // Without its own type, an access token of the issuer could pass for an answer.
        if !typ.eq_ignore_ascii_case("token-introspection+jwt")
            && !typ.eq_ignore_ascii_case("application/token-introspection+jwt")
        {
            let reason = "has another `typ` than `token-introspection+jwt`";
            return Err(AnswerFault::of_signed(reason));
        }
        if signature::check_jws(jws, keys).is_err() {
            return Err(AnswerFault::of_signed("has an invalid signature"));
        }
        let Self(claims) = Self::parse(jws.unverified_payload(), limits)?;
        if claims.get("iss").and_then(Json::as_str) != Some(issuer.as_str()) {
            return Err(AnswerFault::of_signed("names another issuer"));
        }
        // An answer for another server may know more, or less, than one for this API.
        if !is_for(&claims, addressee) {
            return Err(AnswerFault::of_signed("is for somebody else"));
        }
        if claims
            .get("iat")
            .and_then(NumericDate::from_json)
            .is_none()
        {
            return Err(AnswerFault::of_signed("does not say when it was made"));
        }
        match claims.get("token_introspection") {
            Some(Json::Object(answer)) => Ok(Self(answer.clone())),
            _ => Err(AnswerFault::of_signed("holds no `token_introspection`")),
        }
    }

    /// The claims of an active token.
    ///
    /// # Errors
    ///
    /// `token.inactive` unless `active` is `true`; `token.claim_type` for a claim of the wrong
    /// type.
    pub fn into_claims(self) -> Result<Claims, Rejection> {
        // RFC 7662, section 2.2: a boolean. The text `"true"` and the number 1 are not true.
        match self.0.get("active") {
            Some(Json::Bool(true)) => Claims::from_object(self.0),
            other => {
                let found = match other {
                    Some(Json::Bool(_)) => "false".to_owned(),
                    Some(Json::String(text)) => quote(text),
                    Some(other) => other.type_name().to_owned(),
                    None => "none".to_owned(),
                };
                Err(Rejection::with(
                    Code::TokenInactive,
                    Facts::new("`active` to be true", found),
                ))
            }
        }
    }
}

impl Verifier {
    /// All checks of a token that its issuer called active. What the answer leaves out is not
    /// demanded of it, but the audience is, unless the profile says otherwise.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn verify_answer(
        &self,
        claims: Claims,
        now: NumericDate,
    ) -> Result<VerifiedToken, Rejection> {
        self.check_answer(&claims, now)?;
        Ok(VerifiedToken::new(
            claims,
            Origin::Introspected,
            self.clone(),
        ))
    }

    /// Checks what an issuer says about a token that it also signed: type, issuer and times, as far
    /// as it tells them. Audience, tenant and binding stand in the token itself, and were checked
    /// there.
    ///
    /// # Errors
    ///
    /// The first refusal.
    pub fn confirm(&self, claims: &Claims, now: NumericDate) -> Result<(), Rejection> {
        self.check_confirmation(claims, now)
    }
}

/// Whether the claims of a signed answer name this addressee as their audience.
fn is_for(claims: &Object, addressee: &str) -> bool {
    match (Audiences::new([addressee]), claims.get("aud")) {
        (Ok(ours), Some(audience)) => ours.meet(audience),
        _ => false,
    }
}

/// Why an answer to an introspection request cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerFault(String);

impl AnswerFault {
    fn of_signed(reason: &str) -> Self {
        Self(format!("the signed answer {reason}"))
    }
}

impl fmt::Display for AnswerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AnswerFault {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{base64url, compact};
    use crate::verify::Profile;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    fn judged(document: &str) -> Result<String, String> {
        judged_by(Profile::generic(), document)
    }

    fn judged_by(profile: Profile, document: &str) -> Result<String, String> {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let verifier = Verifier::new(issuer, Audiences::new(["api"]).unwrap(), profile);
        let answer = Answer::parse(document.as_bytes(), &Limits::default())
            .map_err(|fault| fault.to_string())?;
        let now = NumericDate::from_seconds(1_000);
        let token = answer
            .into_claims()
            .and_then(|claims| verifier.verify_answer(claims, now)?.into_bearer());
        Ok(token.map_or_else(
            |rejection| rejection.code().to_string(),
            |token| {
                assert!(token.header().is_none() && token.key().is_none());
                "fine".to_owned()
            },
        ))
    }

    #[test]
    fn an_active_token_goes_through_the_table() {
        for (document, expected) in [
            (
                r#"{"active":true,"aud":"api","sub":"s","exp":1100}"#,
                "fine",
            ),
            (
                r#"{"active":true,"aud":["x","api"],"token_type":"bearer"}"#,
                "fine",
            ),
            (
                r#"{"active":true,"aud":"api","iss":"https://idp.example"}"#,
                "fine",
            ),
            (
                r#"{"active":true,"aud":"api","iss":"https://other.example"}"#,
                "token.issuer",
            ),
            (r#"{"active":true,"aud":"other"}"#, "token.audience"),
            (r#"{"active":true}"#, "token.audience"),
            (r#"{"active":true,"aud":"api","exp":900}"#, "token.expired"),
            (
                r#"{"active":true,"aud":"api","exp":"1100"}"#,
                "token.claim_type",
            ),
            (
                r#"{"active":true,"aud":"api","nbf":1100}"#,
                "token.not_yet_valid",
            ),
            (
                r#"{"active":true,"aud":"api","token_type":"refresh_token"}"#,
                "token.type",
            ),
            (
                r#"{"active":true,"aud":"api","token_type":7}"#,
                "token.type",
            ),
            (
                r#"{"active":true,"aud":"api","cnf":{"jkt":"x"}}"#,
                "proof.unsupported",
            ),
            (
                r#"{"active":true,"aud":"api","cnf":{"z":"x"}}"#,
                "proof.unsupported",
            ),
            (r#"{"active":false,"aud":"api"}"#, "token.inactive"),
            (r#"{"active":"true","aud":"api"}"#, "token.inactive"),
            (r#"{"aud":"api"}"#, "token.inactive"),
        ] {
            assert_eq!(judged(document), Ok(expected.to_owned()), "{document}");
        }
    }

    #[test]
    fn an_audience_may_be_left_out_only_where_the_operator_says_so_and_never_be_another() {
        let profile = Profile {
            danger_answers_without_audience: true,
            ..Profile::generic()
        };
        let judged = |document: &str| judged_by(profile.clone(), document).unwrap();
        assert_eq!(judged(r#"{"active":true,"token_type":"Bearer"}"#), "fine");
        assert_eq!(
            judged(r#"{"active":true}"#),
            "token.type",
            "it may be about a refresh token"
        );
        assert_eq!(judged(r#"{"active":true,"aud":"other"}"#), "token.audience");
        assert_eq!(judged(r#"{"active":true,"aud":[]}"#), "token.audience");
    }

    #[test]
    fn a_signed_token_needs_no_more_than_to_be_active() {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let verifier = Verifier::new(issuer, Audiences::new(["api"]).unwrap(), Profile::generic());
        let confirmed = |document: &str| {
            let answer = Answer::parse(document.as_bytes(), &Limits::default()).unwrap();
            let now = NumericDate::from_seconds(1_000);
            let told = answer
                .into_claims()
                .and_then(|claims| verifier.confirm(&claims, now));
            told.map_or_else(
                |rejection| rejection.code().to_string(),
                |()| "fine".to_owned(),
            )
        };
        for (document, expected) in [
            (r#"{"active":true}"#, "fine"),
            (r#"{"active":false}"#, "token.inactive"),
            (r#"{"active":true,"exp":900}"#, "token.expired"),
            (
                r#"{"active":true,"iss":"https://other.example"}"#,
                "token.issuer",
            ),
            (
                r#"{"active":true,"token_type":"refresh_token"}"#,
                "token.type",
            ),
        ] {
            assert_eq!(confirmed(document), expected, "{document}");
        }
    }

    #[test]
    fn what_is_no_answer_says_nothing_about_the_token() {
        for document in [
            "",
            "[]",
            "<html>",
            r#"{"active":true,"active":false}"#,
            r#"{"active":true"#,
        ] {
            assert!(judged(document).is_err(), "{document}");
        }
    }

    /// The answer that a signed one holds, or what is wrong with it.
    fn opened(typ: &str, claims: &str, signed_by: u8) -> Result<Answer, String> {
        let signer = |seed| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let part = |text: &str| base64url::encode(text.as_bytes());
        let input = format!(
            "{}.{}",
            part(&format!(r#"{{"alg":"EdDSA","typ":"{typ}"}}"#)),
            part(claims)
        );
        let signature = signer(signed_by).sign(input.as_bytes());
        let text = format!("{input}.{}", base64url::encode(signature.as_ref()));
        let x = base64url::encode(signer(1).public_key().as_ref());
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
        let key = VerifyingKey::from_jwk(&json::parse(jwk.as_bytes(), &Limits::default()).unwrap())
            .unwrap();
        let jws = compact::parse_jws(&text, &Limits::default()).unwrap();
        let issuer = Issuer::parse("https://idp.example").unwrap();
        Answer::open(&jws, &[key], &issuer, "us", &Limits::default())
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_signed_answer_is_of_its_issuer_and_for_us() {
        let typ = "token-introspection+jwt";
        let claims = |iss: &str, aud: &str, answer: &str| {
            format!(r#"{{"iss":"{iss}","aud":{aud},"iat":1,"token_introspection":{answer}}}"#)
        };
        let good = claims(
            "https://idp.example",
            r#"["x","us"]"#,
            r#"{"active":true,"sub":"s"}"#,
        );
        for typ in [typ, "application/Token-Introspection+JWT"] {
            let claims = opened(typ, &good, 1).unwrap().into_claims().unwrap();
            assert_eq!(claims.subject(), Some("s"));
        }
        for (typ, claims, signed_by, fault) in [
            ("JWT", good.clone(), 1, "has another `typ`"),
            (typ, good.clone(), 2, "has an invalid signature"),
            (
                typ,
                claims("https://other.example", r#""us""#, "{}"),
                1,
                "names another issuer",
            ),
            (
                typ,
                claims("https://idp.example", r#""them""#, "{}"),
                1,
                "is for somebody else",
            ),
            (
                typ,
                r#"{"iss":"https://idp.example","token_introspection":{}}"#.to_owned(),
                1,
                "is for somebody else",
            ),
            (
                typ,
                good.replace(r#""iat":1,"#, ""),
                1,
                "does not say when it was made",
            ),
            (
                typ,
                claims("https://idp.example", r#""us""#, "true"),
                1,
                "holds no `token_introspection`",
            ),
        ] {
            let told = opened(typ, &claims, signed_by).unwrap_err();
            assert!(
                told.starts_with("the signed answer ") && told.contains(fault),
                "{told}"
            );
        }
    }
}
