//! The facts of a token, gathered from the settings and the clock.

use crate::config::client::RegisteredClient;
use crate::config::user::User;
use crate::dialect::facts::{Person, TokenFacts};
use crate::state::IdpState;
use crate::token::encoding::random_text;

/// How many groups Microsoft writes into a JWT before it leaves them all out.
const MOST_GROUPS: usize = 200;

impl TokenFacts {
    pub(crate) fn of_user(state: &IdpState, user: &User, client: &str) -> Self {
        let tenant = user
            .tenant
            .clone()
            .unwrap_or_else(|| state.tenant.clone());
        let person = Person {
            id: state.user_id(user),
            username: user.username.clone(),
            name: user.name.clone(),
            email: user.email.clone(),
        };
        let facts = Self::new(state, client);
        Self {
            issuer: state.issuer_of(&tenant),
            tenant,
            person: Some(person),
            roles: user.roles.clone(),
            groups: user.groups.clone(),
            // Entra ID omits all groups then, not only those beyond the limit.
            overage: user.groups.len() > MOST_GROUPS,
            // The user's claims come last: they win over the client's.
            more: facts
                .more
                .into_iter()
                .chain(user.claims.clone())
                .collect(),
            ..facts
        }
    }

    pub(crate) fn of_client(state: &IdpState, client: &RegisteredClient) -> Self {
        Self {
            roles: client.roles.clone(),
            ..Self::new(state, &client.id)
        }
    }

    fn new(state: &IdpState, client: &str) -> Self {
        let (now, known) = (state.now(), state.client(client));
        Self {
            base: state.base.clone(),
            issuer: state.issuer.to_string(),
            tenant: state.tenant.clone(),
            audience: state.audience_for(client),
            client: client.to_owned(),
            // An unknown client can have no credentials.
            public_client: known.as_ref().is_none_or(|client| client.is_public()),
            person: None,
            scope: None,
            roles: Vec::new(),
            groups: Vec::new(),
            overage: false,
            issued_at: now,
            expires: now + u64::from(state.config.access_token_lifetime),
            signed_in_at: None,
            acr: None,
            session: random_text(16),
            token_id: random_text(16),
            nonce: None,
            at_hash: None,
            more: known
                .map(|client| client.claims.clone())
                .unwrap_or_default(),
        }
    }
}
