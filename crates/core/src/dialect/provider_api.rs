//! The APIs of a provider itself. A client that names no API gets a token for one of them.

use super::Dialect;
use crate::jose::json::Json;
use crate::token::Claims;

/// An API of the provider itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderApi {
    /// Its audience; `{issuer}` stands for the issuer as the token names it.
    pub audience: &'static str,
    /// Its usual name.
    pub title: &'static str,
    /// How a client asks for a token for another API.
    pub cure: &'static str,
}

impl Dialect {
    /// The provider's own API that these claims are for, if they are for no other API.
    pub fn own_api(&self, claims: &Claims) -> Option<&'static ProviderApi> {
        let audience = claims.audience()?;
        let audiences = match audience {
            Json::Array(elements) => elements.as_slice(),
            one => std::slice::from_ref(one),
        };
        let issuer = claims.issuer().unwrap_or_default();
        let mut found = None;
        for audience in audiences {
            let audience = audience.as_str().unwrap_or_default();
            let is_its = |api: &&ProviderApi| api.is_named(audience, issuer);
            // A token for a second API may well be meant for that one.
            found = Some(self.own_apis.iter().find(is_its)?);
        }
        found
    }
}

impl ProviderApi {
    fn is_named(&self, audience: &str, issuer: &str) -> bool {
        // A final slash makes no other API.
        let bare = audience.trim_end_matches('/');
        match self.audience.strip_prefix("{issuer}") {
            Some(path) => bare.strip_prefix(issuer.trim_end_matches('/')) == Some(path),
            None => bare == self.audience,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::jose::json;

    fn title(dialect: &str, claims: &str) -> Option<&'static str> {
        let json = json::parse(claims.as_bytes(), &Limits::default()).unwrap();
        let claims = Claims::from_object(json.as_object().unwrap().clone()).unwrap();
        let api = Dialect::by_name(dialect).unwrap().own_api(&claims)?;
        Some(api.title)
    }

    #[test]
    fn an_api_of_the_provider_is_known_by_its_audience() {
        const GRAPH: &str = r#"{"aud": "00000003-0000-0000-c000-000000000000"}"#;
        for (dialect, claims, expected) in [
            ("entra-v2", GRAPH, Some("Microsoft Graph")),
            (
                "entra-v1",
                r#"{"aud": "https://graph.microsoft.com/"}"#,
                Some("Microsoft Graph"),
            ),
            ("entra-v2", r#"{"aud": "api://orders"}"#, None),
            ("generic", GRAPH, None),
            (
                "auth0",
                r#"{"iss": "https://a.auth0.com/", "aud": "https://a.auth0.com/userinfo"}"#,
                Some("Auth0's user information"),
            ),
            // Auth0 names both where the client asked for an API and for `openid`.
            (
                "auth0",
                r#"{"iss": "https://a.auth0.com/", "aud": ["https://orders.example", "https://a.auth0.com/userinfo"]}"#,
                None,
            ),
            (
                "okta",
                r#"{"iss": "https://acme.okta.com", "aud": "https://acme.okta.com"}"#,
                Some("Okta's own APIs"),
            ),
            (
                "okta",
                r#"{"iss": "https://acme.okta.com/oauth2/default", "aud": "api://default"}"#,
                None,
            ),
            ("okta", "{}", None),
            ("okta", r#"{"aud": []}"#, None),
        ] {
            assert_eq!(title(dialect, claims), expected, "{dialect} {claims}");
        }
    }
}
