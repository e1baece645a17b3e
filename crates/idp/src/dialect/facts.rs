//! The content of a token, before a provider's names are given to it.

use crate::dialect::ids;
use crate::token::claims::JsonObject;

/// The content of a token, in no dialect. Each provider's shape writes it under its own names.
pub(crate) struct TokenFacts {
    /// The issuer without its path; every address of the provider begins with it.
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
    /// When the user signed in, if a flow saw it.
    pub(crate) signed_in_at: Option<u64>,
    /// The authentication context, if it is not the provider's usual one.
    pub(crate) acr: Option<String>,
    /// The same in all tokens of one sign-in.
    pub(crate) session: String,
    /// Different for every token.
    pub(crate) token_id: String,
    pub(crate) nonce: Option<String>,
    pub(crate) at_hash: Option<String>,
    /// Extra claims of the client and the user, copied from the settings.
    pub(crate) more: JsonObject,
}

/// The user a token is about.
pub(crate) struct Person {
    /// The stable identifier, in the provider's format.
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

impl TokenFacts {
    /// When the user signed in, or else when the token was issued.
    pub(crate) fn auth_time(&self) -> u64 {
        self.signed_in_at.unwrap_or(self.issued_at)
    }

    /// The username, or the client's id.
    pub(crate) fn name(&self) -> &str {
        match &self.person {
            Some(person) => &person.username,
            None => &self.client,
        }
    }

    /// The user's address.
    pub(crate) fn email(&self) -> Option<&str> {
        self.person.as_ref()?.email.as_deref()
    }

    /// `true` for a user with an address: nobody here has to confirm one.
    pub(crate) fn email_verified(&self) -> Option<bool> {
        self.email().is_some().then_some(true)
    }

    pub(crate) fn username(&self) -> Option<&str> {
        Some(&self.person.as_ref()?.username)
    }

    pub(crate) fn full_name(&self) -> Option<&str> {
        Some(&self.person.as_ref()?.name)
    }

    /// The user's identifier, or the client's id.
    pub(crate) fn subject(&self) -> &str {
        match &self.person {
            Some(person) => &person.id,
            None => &self.client,
        }
    }

    /// The email address, or else the username; some providers sign users in by it.
    pub(crate) fn login(&self) -> &str {
        match self.email() {
            Some(email) => email,
            None => self.name(),
        }
    }

    pub(crate) fn scopes(&self) -> Vec<&str> {
        let scope = self.scope.as_deref().unwrap_or_default();
        scope
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .collect()
    }

    pub(crate) fn roles_if_any(&self) -> Option<&[String]> {
        // `None` leaves the claim out: an empty array means something else to some APIs.
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
        // `None` leaves the claim out.
        (!all.is_empty()).then_some(all)
    }

    /// A GUID that is stable for this token and purpose.
    pub(crate) fn guid(&self, purpose: &str) -> String {
        ids::uuid(&format!("{purpose} {}", self.token_id))
    }

    /// The identifier of the client itself, for providers that give clients one like a user's.
    pub(crate) fn service_guid(&self) -> String {
        ids::uuid(&format!("service {}", self.client))
    }

    /// The claims that OpenID Connect asks of an ID token (Core, section 2), about the subject of
    /// that name.
    pub(crate) fn openid(&self, subject: &str) -> JsonObject {
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
