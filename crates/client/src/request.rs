//! The scopes and APIs of a token request.

use portcullis_core::token::Scopes;
use std::fmt;

/// The scopes that a token should have, and the APIs that it is for.
///
/// Providers differ in how they name an API: Entra ID and Okta by scopes only, Auth0 by an
/// audience, and RFC 8707 by a resource.
///
/// ```
/// use portcullis_client::TokenRequest;
///
/// let request = TokenRequest::new()
///     .scope("orders:read orders:write")
///     .resource("https://api.example");
/// assert!(request.scopes().contains("orders:read"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct TokenRequest {
    pub(crate) scope: Option<Box<str>>,
    pub(crate) resources: Vec<Box<str>>,
    pub(crate) audiences: Vec<Box<str>>,
}

impl TokenRequest {
    /// A request for the provider's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these scopes, separated by spaces (RFC 6749, section 3.3).
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        // Malformed scopes are sent as they are, so that the provider's `invalid_scope` shows the
        // mistake. Dropping them here would hide it.
        let mut scopes: Vec<&str> = scope.split(' ').collect();
        scopes.retain(|scope| !scope.is_empty());
        self.scope = match scopes.as_slice() {
            [] => None,
            scopes => Some(scopes.join(" ").into()),
        };
        self
    }

    /// For one more API, by its address (RFC 8707, section 2).
    #[must_use]
    pub fn resource(mut self, resource: &str) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// For one more API, by its name at the provider (RFC 8693, section 2.1; also Auth0's
    /// `audience`).
    #[must_use]
    pub fn audience(mut self, audience: &str) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The requested scopes.
    pub fn scopes(&self) -> Scopes {
        Scopes::parse(self.scope.as_deref().unwrap_or_default())
    }

    /// The members of the form.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        let scope = self.scope.iter().map(|scope| ("scope", &**scope));
        scope.chain(self.resources()).chain(self.audiences())
    }

    /// The members that name an API by its address.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.resources.iter().map(|it| ("resource", &**it))
    }

    fn audiences(&self) -> impl Iterator<Item = (&str, &str)> {
        self.audiences.iter().map(|it| ("audience", &**it))
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_is_a_member_of_its_own() {
        let request = TokenRequest::new()
            .scope("  a  b ")
            .resource("https://x")
            .resource("https://y")
            .audience("z");
        let members: Vec<_> = request.members().collect();
        assert_eq!(
            members,
            [
                ("scope", "a b"),
                ("resource", "https://x"),
                ("resource", "https://y"),
                ("audience", "z")
            ]
        );
        assert_eq!(TokenRequest::new().scope(" "), TokenRequest::new());
    }
}
