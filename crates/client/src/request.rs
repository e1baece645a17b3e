//! What a token is asked for.

use portcullis_core::token::Scopes;
use std::fmt;

/// What a token should be good for: scopes, and the APIs that it is meant for.
///
/// Which of the three an API wants is the provider's matter: Entra ID and Okta take scopes only,
/// Auth0 an audience, RFC 8707 is about resources.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct TokenRequest {
    pub(crate) scope: Option<Box<str>>,
    pub(crate) resources: Vec<Box<str>>,
    pub(crate) audiences: Vec<Box<str>>,
}

impl TokenRequest {
    /// Whatever the provider gives by itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these scopes, separated by spaces (RFC 6749, section 3.3).
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        // What is no scope token is for the provider to refuse: the caller learns of it then.
        let scope = scope
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        self.scope = (!scope.is_empty()).then(|| scope.into());
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

    /// The scopes that are asked for.
    pub fn scopes(&self) -> Scopes {
        Scopes::parse(self.scope.as_deref().unwrap_or_default())
    }

    /// The members of the form.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        let scope = self.scope.iter().map(|scope| ("scope", &**scope));
        let resources = self
            .resources
            .iter()
            .map(|resource| ("resource", &**resource));
        scope.chain(resources).chain(
            self.audiences
                .iter()
                .map(|audience| ("audience", &**audience)),
        )
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
