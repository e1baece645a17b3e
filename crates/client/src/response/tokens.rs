//! The tokens of a successful response (RFC 6749, section 5.1).

use super::lenient::{scopes, seconds, text};
use crate::error::{Error, sanitize};
use crate::request::TokenRequest;
use crate::token::{IssuedToken, RefreshToken, TokenKind, TokenResponse};
use portcullis_core::jose::json::Object;
use portcullis_core::token::{NumericDate, Scopes};
use portcullis_provider::client_auth::Secret;

/// The tokens of a response. The ID token is not verified yet.
pub(crate) struct UnverifiedResponse {
    pub(crate) tokens: TokenResponse,
    pub(crate) id_token: Option<Secret>,
}

/// The assumed lifetime, in seconds, of a token without `expires_in`.
const SHORT: i64 = 120;
/// The longest lifetime, in seconds, that is believed.
const LONGEST: i64 = 366 * 24 * 3_600;

/// Reads the tokens. `requested_at` is the time just before the request went out.
///
/// # Errors
///
/// A response without an access token, with a token of another kind, or with a malformed member.
pub(crate) fn tokens(
    document: &Object,
    request: &TokenRequest,
    expected: TokenKind,
    requested_at: NumericDate,
) -> Result<UnverifiedResponse, Error> {
    let kind = kind(text(document, "token_type")?, expected)?;
    let Some(access_token) = text(document, "access_token")? else {
        return Err(Error::malformed_response(
            "the response holds no `access_token`",
        ));
    };
    let lifetime = lifetime(document)?;
    let access_token =
        IssuedToken::restore(Secret::new(access_token), kind, requested_at.plus(lifetime))?;
    let refresh_token = secret(document, "refresh_token")?.map(RefreshToken::new);
    let id_token = secret(document, "id_token")?;
    let wanted = request.scopes();
    let mut granted = match scopes(document, &wanted)? {
        Some(granted) => granted,
        // RFC 6749, section 5.1: without `scope`, the provider granted what was requested.
        None => wanted.clone(),
    };
    for scope in wanted.iter() {
        // These two scopes ask for a token. The token itself proves the grant, and many providers
        // leave the two out of `scope`.
        let has_token = match scope {
            "openid" => id_token.is_some(),
            "offline_access" => refresh_token.is_some(),
            _ => false,
        };
        if has_token && !granted.contains(scope) {
            granted = granted.iter().chain([scope]).collect();
        }
    }
    let mut withheld = Vec::new();
    for scope in wanted.iter() {
        if !is_granted(scope, &granted) {
            withheld.push(scope);
        }
    }
    let issued_token_type = text(document, "issued_token_type")?;
    let tokens = TokenResponse {
        access_token,
        refresh_token,
        id_token: None,
        withheld: withheld.into_iter().collect(),
        scope: granted,
        issued_token_type: issued_token_type.map(|uri| sanitize(uri, 256)),
    };
    Ok(UnverifiedResponse { tokens, id_token })
}

/// The lifetime of the access token, in seconds.
fn lifetime(document: &Object) -> Result<i64, Error> {
    let Some(seconds) = seconds(document, "expires_in")? else {
        return Ok(SHORT);
    };
    // Some providers write a negative number for "expired", others for "never". Both readings are
    // safe with zero: the token serves one request and is not cached.
    Ok(seconds.clamp(0, LONGEST))
}

/// A token of the response; `None` if it is missing or empty.
fn secret(document: &Object, name: &str) -> Result<Option<Secret>, Error> {
    Ok(match text(document, name)? {
        None | Some("") => None,
        Some(text) => Some(Secret::new(text)),
    })
}

/// Whether a requested scope is among the granted ones.
fn is_granted(wanted: &str, granted: &Scopes) -> bool {
    if granted.contains(wanted) {
        return true;
    }
    let Some((api, bare)) = wanted.rsplit_once('/') else {
        return false;
    };
    // `.default` stands for everything that the client may have, so no response lists it. Entra ID
    // also lists the scopes of Microsoft Graph without the address of the API.
    !api.is_empty() && (bare == ".default" || granted.contains(bare))
}

/// The kind of the token, which must be the expected one (RFC 9449, section 5).
fn kind(name: Option<&str>, expected: TokenKind) -> Result<TokenKind, Error> {
    let name = name.map(str::trim).unwrap_or_default();
    let kind = match name {
        // A bearer token is the weaker kind, so silence never passes for a bound token.
        "" => Some(TokenKind::Bearer),
        // Apigee writes it this way.
        _ if name.eq_ignore_ascii_case("BearerToken") => Some(TokenKind::Bearer),
        _ => TokenKind::from_name(name),
    };
    if kind == Some(expected) {
        return Ok(expected);
    }
    // The client has no key for an unexpected bound token. An unexpected bearer token is worth less
    // than the caller believes: whoever steals it can use it.
    let found = match name {
        "" => "no `token_type`".to_owned(),
        _ => format!("`{}`", sanitize(name, 64)),
    };
    Err(Error::malformed_response(format!(
        "expected a token of type `{expected}`, found {found}"
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
        let tokens = read_as(&text, asked, TokenKind::Bearer)
            .unwrap()
            .tokens;
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
