//! Logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.4).

use crate::config::user::User;
use crate::dialect::facts::TokenFacts;
use crate::fault::flaw::Flaw;
use crate::issue::draft::SentDraft;
use crate::state::IdpState;
use crate::token::claims::claims;
use crate::token::encoding::random_text;
use crate::token::kind::FlowToken;
use serde_json::json;
use std::fmt;
use std::sync::Arc;

const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How long a client may take to read it, in seconds.
const LIFE: u64 = 120;

/// A logout token in the making: valid as it is, and any part can be broken on purpose.
///
/// [`Idp::logout`](crate::Idp::logout) sends such tokens; this is one to post by hand.
#[must_use = "a token that is not signed is no token"]
pub struct LogoutTokenBuilder {
    state: Arc<IdpState>,
    user: Arc<User>,
    client: String,
    session: Option<String>,
    flaws: Vec<Flaw>,
}

impl LogoutTokenBuilder {
    pub(crate) fn new(state: &Arc<IdpState>, user: Arc<User>, client: &str) -> Self {
        Self {
            state: Arc::clone(state),
            user,
            client: client.to_owned(),
            session: None,
            flaws: Vec::new(),
        }
    }

    /// Of this session alone (`sid`); otherwise of all sessions of the user.
    pub fn session(mut self, sid: &str) -> Self {
        self.session = Some(sid.to_owned());
        self
    }

    /// With this flaw, besides those that are ordered for all logout tokens.
    pub fn flaw(mut self, flaw: Flaw) -> Self {
        self.flaws.push(flaw);
        self
    }

    /// The token, in compact form.
    pub fn sign(self) -> String {
        let facts = TokenFacts::of_user(&self.state, &self.user, &self.client);
        let identity = self.state.shape.id_token(&facts);
        let (key, now) = (self.state.keys.signing_id_tokens(), self.state.now());
        // The type and the missing nonce keep it from being taken for an ID token.
        let told = json!({
            "iss": identity.get("iss"),
            "sub": identity.get("sub"),
            "aud": self.client,
            "iat": now,
            "exp": now + LIFE,
            "jti": random_text(16),
            "sid": self.session,
            "events": { LOGOUT: {} },
        });
        let flaws = [self.state.flaws.take(FlowToken::Logout), self.flaws].concat();
        SentDraft::new(FlowToken::Logout, "logout+jwt", key, claims(told))
            .spoil(&self.state, &flaws)
            .sign(&self.state)
    }
}

impl fmt::Debug for LogoutTokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a logout token in the making")
    }
}
