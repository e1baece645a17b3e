//! Whether access tokens name the session that they come from.
//!
//! A logout names a session by its `sid` (OpenID Connect Back-Channel Logout 1.0, section 2.4).
//! That says something about an access token only if the same `sid` is in there, which no standard
//! demands.

/// Whether the access tokens of people have `sid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionClaim {
    /// All of them have it.
    Always,
    /// They have it once this is done at the provider.
    OptIn(&'static str),
    /// None of them has it, by the provider's documents.
    Never,
    /// Nobody has looked it up, or it depends on the provider's settings.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::SessionClaim;
    use crate::Dialect;

    #[test]
    fn each_provider_is_as_its_documents_say() {
        let of = |name| Dialect::by_name(name).unwrap().session_claim;
        for name in ["keycloak", "pingone", "authentik"] {
            assert_eq!(of(name), SessionClaim::Always, "{name}");
        }
        for name in ["okta", "auth0", "google", "cognito"] {
            assert_eq!(of(name), SessionClaim::Never, "{name}");
        }
        for name in ["entra-v1", "entra-v2"] {
            assert!(matches!(of(name), SessionClaim::OptIn(_)), "{name}");
        }
        for name in ["generic", "rfc9068", "zitadel", "entra-b2c"] {
            assert_eq!(of(name), SessionClaim::Unknown, "{name}");
        }
    }
}
