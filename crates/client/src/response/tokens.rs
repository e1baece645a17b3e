//! The tokens of a good answer (RFC 6749, section 5.1).

use super::lenient::{scopes, seconds, text};
use crate::error::{Error, sanitize};
use crate::request::TokenRequest;
use crate::token::{IssuedToken, RefreshToken, TokenKind, TokenResponse};
use portcullis_core::jose::json::Object;
use portcullis_core::token::{NumericDate, Scopes};
use portcullis_provider::client_auth::Secret;

/// The tokens of an answer; the ID token is not verified yet.
pub(crate) struct UnverifiedResponse {
    pub(crate) tokens: TokenResponse,
    pub(crate) id_token: Option<Secret>,
}

/// What is assumed where the answer does not say how long the token lasts.
const SHORT: i64 = 120;
/// No token lasts longer than this for us.
const LONGEST: i64 = 366 * 24 * 3_600;

/// Reads the tokens.
pub(crate) fn tokens(
    document: &Object,
    asked: &TokenRequest,
    expected: TokenKind,
    asked_at: NumericDate,
) -> Result<UnverifiedResponse, Error> {
    let text = |name: &str| text(document, name);
    let kind = kind(text("token_type")?, expected)?;
    let access_token = text("access_token")?
        .ok_or_else(|| Error::malformed_response("the answer holds no `access_token`"))?;
    // Less than nothing may stand for "over" or for "without end": the token is used once, and not
    // kept.
    let lasting =
        seconds(document, "expires_in")?.map_or(SHORT, |seconds| seconds.clamp(0, LONGEST));
    let access_token =
        IssuedToken::restore(Secret::new(access_token), kind, asked_at.plus(lasting))?;
    let filled = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(Secret::new);
    let refresh_token = filled(text("refresh_token")?).map(RefreshToken::new);
    let id_token = filled(text("id_token")?);
    let wanted = asked.scopes();
    let said = scopes(document, &wanted)?;
    // These two ask for tokens of their own, which came or did not: the list of scopes may be
    // silent about them.
    let came = |scope: &str| match scope {
        "openid" => id_token.is_some(),
        "offline_access" => refresh_token.is_some(),
        _ => false,
    };
    let scope = said.map_or_else(
        || wanted.clone(),
        |said| with(&said, wanted.iter().filter(|scope| came(scope))),
    );
    let withheld = wanted
        .iter()
        .filter(|wanted| !is_granted(wanted, &scope))
        .collect();
    let issued_token_type = text("issued_token_type")?.map(|kind| sanitize(kind, 256));
    let tokens = TokenResponse {
        access_token,
        refresh_token,
        id_token: None,
        scope,
        withheld,
        issued_token_type,
    };
    Ok(UnverifiedResponse { tokens, id_token })
}

fn with<'s>(said: &'s Scopes, more: impl Iterator<Item = &'s str>) -> Scopes {
    said.iter()
        .chain(more.filter(|scope| !said.contains(scope)))
        .collect()
}

/// Whether a scope that was asked for is among the granted ones. `.default` stands for whatever the
/// client may have; and Entra ID names those of Microsoft Graph without their API.
fn is_granted(wanted: &str, granted: &Scopes) -> bool {
    let (api, bare) = wanted.rsplit_once('/').unwrap_or(("", wanted));
    granted.contains(wanted) || (!api.is_empty() && (bare == ".default" || granted.contains(bare)))
}

/// A token that is bound where none was asked for cannot be used, and one that is not where it
/// should be is worth less than the caller thinks (RFC 9449, section 5). Where nothing is said, a
/// token is one that whoever has it may use.
fn kind(named: Option<&str>, expected: TokenKind) -> Result<TokenKind, Error> {
    let named = named.map(str::trim).filter(|named| !named.is_empty());
    let kind = match named {
        None => Some(TokenKind::Bearer),
        // As Apigee writes it.
        Some(named) if named.eq_ignore_ascii_case("BearerToken") => Some(TokenKind::Bearer),
        Some(named) => TokenKind::from_name(named),
    };
    if kind == Some(expected) {
        return Ok(expected);
    }
    let found = named.map_or_else(
        || "no `token_type`".to_owned(),
        |named| format!("`{}`", sanitize(named, 64)),
    );
    Err(Error::malformed_response(format!(
        "a token of type `{expected}` was asked for, and the answer has {found}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::json;

    fn read_as(text: &str, asked: &str, kind: TokenKind) -> Result<UnverifiedResponse, Error> {
        let json = json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let asked = TokenRequest::new().scope(asked);
        tokens(
            json.as_object().unwrap(),
            &asked,
            kind,
            NumericDate::from_seconds(1_000),
        )
    }

    fn read(text: &str) -> Result<UnverifiedResponse, Error> {
        read_as(text, "a b", TokenKind::Bearer)
    }

    #[test]
    fn a_good_answer_is_read_whole() {
        let granted = read(
            r#"{"access_token":"t","token_type":"bearer","expires_in":300,"scope":"b c","refresh_token":"r","id_token":"i"}"#,
        )
        .unwrap();
        let tokens = &granted.tokens;
        assert_eq!(tokens.access_token().expose(), "t");
        assert_eq!(
            tokens.access_token().expires_at(),
            NumericDate::from_seconds(1_300)
        );
        assert_eq!(
            (
                tokens.scope().to_string(),
                tokens.withheld_scope().to_string()
            ),
            ("b c".into(), "a".into())
        );
        assert_eq!(tokens.refresh_token().map(RefreshToken::expose), Some("r"));
        assert_eq!(granted.id_token.as_ref().map(Secret::expose), Some("i"));
    }

    #[test]
    fn what_is_not_said_is_assumed_short_and_as_asked() {
        for text in [
            r#"{"access_token":"t","token_type":"Bearer"}"#,
            r#"{"access_token":"t"}"#,
            r#"{"access_token":"t","token_type":null,"expires_in":null,"scope":null,"refresh_token":null}"#,
            r#"{"access_token":"t","token_type":" BEARER ","expires_in":""}"#,
            r#"{"access_token":"t","token_type":"BearerToken"}"#,
        ] {
            let tokens = read(text).unwrap().tokens;
            assert_eq!(
                tokens.access_token().expires_at(),
                NumericDate::from_seconds(1_120),
                "{text}"
            );
            assert_eq!(
                (
                    tokens.scope().to_string(),
                    tokens.withheld_scope().is_empty()
                ),
                ("a b".into(), true)
            );
        }
    }

    #[test]
    fn lives_are_read_as_providers_write_them() {
        for (life, ends) in [
            ("\"3599\"", 4_599),
            ("3599.9", 4_599),
            ("\"3599.9\"", 4_599),
            ("0", 1_000),
            ("-1", 1_000),
            ("\"-1\"", 1_000),
            ("99999999999999999999", 1_000 + LONGEST),
        ] {
            let text =
                format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":{life}}}"#);
            let read =
                read(&text).map(|granted| granted.tokens.access_token().expires_at().seconds());
            assert_eq!(read, Ok(ends), "{life}");
        }
    }

    /// The scopes told, and those withheld, of an answer with more members.
    fn scopes_of(asked: &str, members: &str) -> (String, String) {
        let text = format!(r#"{{"access_token":"t","token_type":"Bearer",{members}}}"#);
        let tokens = read_as(&text, asked, TokenKind::Bearer).unwrap().tokens;
        (
            tokens.scope().to_string(),
            tokens.withheld_scope().to_string(),
        )
    }

    #[test]
    fn a_scope_that_asks_for_another_token_is_granted_with_it() {
        let told = |scope: &str, withheld: &str| (scope.to_owned(), withheld.to_owned());
        let asked = "openid offline_access api";
        let both = r#""scope":"api","id_token":"i","refresh_token":"r""#;
        assert_eq!(
            scopes_of(asked, both),
            told("api openid offline_access", "")
        );
        assert_eq!(
            scopes_of(asked, r#""scope":"api","id_token":"i""#),
            told("api openid", "offline_access")
        );
        assert_eq!(
            scopes_of(asked, r#""scope":"","id_token":"i","refresh_token":"r""#).1,
            "api"
        );
    }

    #[test]
    fn scopes_are_read_as_providers_write_them() {
        let withheld = |asked: &str, said: &str| scopes_of(asked, &format!("\"scope\":{said}")).1;
        assert_eq!(withheld("a b", r#"["b","a"]"#), "");
        assert_eq!(withheld("repo gist", "\"gist,repo\""), "");
        assert_eq!(withheld("a,b", "\"a,b\""), "");
        assert_eq!(withheld("a b", "\"a\""), "b");
        assert_eq!(withheld("api://x/.default", "\"api://x/read\""), "");
        assert_eq!(
            withheld(
                "https://graph.microsoft.com/User.Read",
                "\"User.Read profile\""
            ),
            ""
        );
        assert_eq!(
            withheld("https://graph.microsoft.com/Mail.Read", "\"User.Read\""),
            "https://graph.microsoft.com/Mail.Read"
        );
    }

    #[test]
    fn anything_else_is_no_token() {
        for text in [
            "{}",
            r#"{"token_type":"Bearer"}"#,
            r#"{"access_token":"t","token_type":"mac"}"#,
            r#"{"access_token":"t","token_type":"DPoP"}"#,
            r#"{"access_token":"t","token_type":["Bearer"]}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"t\r\nx: y","token_type":"Bearer"}"#,
            r#"{"access_token":7,"token_type":"Bearer"}"#,
            r#"{"access_token":"t","token_type":"Bearer","expires_in":"soon"}"#,
            r#"{"access_token":"t","token_type":"Bearer","expires_in":true}"#,
            r#"{"access_token":"t","token_type":"Bearer","scope":[1]}"#,
            r#"{"access_token":"t","token_type":"Bearer","scope":{}}"#,
            r#"{"access_token":"t","token_type":"Bearer","refresh_token":{}}"#,
            r#"{"access_token":"t","token_type":"Bearer","id_token":1}"#,
        ] {
            assert!(
                matches!(read(text), Err(Error::InvalidResponse(_))),
                "{text}"
            );
        }
        // Whoever asked for a bound token gets no other, also not by silence.
        assert!(read_as(r#"{"access_token":"t"}"#, "", TokenKind::Dpop).is_err());
        assert!(
            read_as(
                r#"{"access_token":"t","token_type":"dpop"}"#,
                "",
                TokenKind::Dpop
            )
            .is_ok()
        );
    }
}
