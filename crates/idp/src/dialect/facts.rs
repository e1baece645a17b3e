//! What a token is to say, before a provider's words are found for it.

use crate::dialect::ids;
use crate::token::claims::Claims;

/// The content of a token, in no dialect. Each provider's shape writes it under its own names.
pub(crate) struct Facts {
    /// The issuer without its path: where everything of the provider begins.
    pub(crate) base: String,
    pub(crate) issuer: String,
    /// What the provider calls tenant, realm, pool, project or server; may be empty.
    pub(crate) tenant: String,
    pub(crate) audience: String,
    pub(crate) client: String,
    /// Whether the client has no credentials.
    pub(crate) public_client: bool,
    /// The user; none where the client acts for itself.
    pub(crate) person: Option<Person>,
    pub(crate) scope: Option<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) groups: Vec<String>,
    /// Whether the groups are too many for a token.
    pub(crate) overage: bool,
    pub(crate) issued_at: u64,
    pub(crate) expires: u64,
    /// When the user signed in, where that was seen.
    pub(crate) signed_in_at: Option<u64>,
    /// How the user signed in, where the provider's usual way is not meant.
    pub(crate) acr: Option<String>,
    /// The same for all tokens of one signing in.
    pub(crate) session: String,
    /// Different for every token.
    pub(crate) token_id: String,
    pub(crate) nonce: Option<String>,
    pub(crate) at_hash: Option<String>,
    /// What the settings say of the client and the user besides, word for word.
    pub(crate) more: Claims,
}

/// The user whom a token is about.
pub(crate) struct Person {
    /// The stable identifier, in the form that the provider gives to its own.
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

impl Facts {
    /// When the user signed in; where nobody saw it, when the token was issued.
    pub(crate) fn auth_time(&self) -> u64 {
        self.signed_in_at.unwrap_or(self.issued_at)
    }

    /// The username, or the client's id.
    pub(crate) fn name(&self) -> &str {
        self.person
            .as_ref()
            .map_or(&self.client, |person| &person.username)
    }

    /// The user's address.
    pub(crate) fn email(&self) -> Option<&str> {
        self.person
            .as_ref()
            .and_then(|person| person.email.as_deref())
    }

    /// The address if the user has one, else the username: what some providers sign in with.
    pub(crate) fn login(&self) -> &str {
        self.email().unwrap_or_else(|| self.name())
    }

    pub(crate) fn scopes(&self) -> Vec<&str> {
        self.scope
            .iter()
            .flat_map(|scope| scope.split(' '))
            .filter(|scope| !scope.is_empty())
            .collect()
    }

    pub(crate) fn roles_if_any(&self) -> Option<&[String]> {
        (!self.roles.is_empty()).then_some(&self.roles[..])
    }

    pub(crate) fn groups_if_any(&self) -> Option<&[String]> {
        (!self.groups.is_empty()).then_some(&self.groups[..])
    }

    /// Roles and groups together, for providers that know groups only.
    pub(crate) fn roles_and_groups(&self) -> Option<Vec<&str>> {
        let all: Vec<&str> = self
            .roles
            .iter()
            .chain(&self.groups)
            .map(String::as_str)
            .collect();
        (!all.is_empty()).then_some(all)
    }

    /// A GUID that goes with this token and that use.
    pub(crate) fn guid(&self, purpose: &str) -> String {
        ids::uuid(&format!("{purpose} {}", self.token_id))
    }

    /// What a provider calls the client itself, where it gives clients an identifier like a user's.
    pub(crate) fn service_guid(&self) -> String {
        ids::uuid(&format!("service {}", self.client))
    }

    /// The claims that OpenID Connect asks of an ID token (Core, section 2), about the subject of
    /// that name.
    pub(crate) fn openid(&self, subject: &str) -> Claims {
        crate::token::claims::claims(serde_json::json!({
            "iss": self.issuer,
            "sub": subject,
            "aud": self.audience,
            "iat": self.issued_at,
            "exp": self.expires,
            "nonce": self.nonce,
        }))
    }
}
