//! Tokens, good ones and deliberately bad ones.

use crate::config::client::RegisteredClient;
use crate::config::user::User;
use crate::dialect::facts::TokenFacts;
use crate::issue::signer::Signer;
use crate::keys::signing_key::IssuerKey;
use crate::state::{IdpState, USERS_CLIENT};
use crate::store::UserGrant;
use crate::token::claims::{JsonObject, claims};
use crate::token::encoding::random_text;
use crate::token::issued::IssuedAccessToken;
use crate::token::jws::compact;
use crate::token::kind::{FlowToken, TokenFormat};
use serde_json::{Value, json};
use std::sync::Arc;

/// A token for a user or a client, whichever has that name.
pub(crate) fn token_for(state: &Arc<IdpState>, name: &str) -> TokenBuilder {
    match (state.user(name), state.clients.get(name)) {
        (Some(user), _) => TokenBuilder::for_user(state, &user, USERS_CLIENT),
        (None, Some(client)) => TokenBuilder::for_client(state, &client),
        (None, None) => TokenBuilder::for_user(state, &User::unknown(name), USERS_CLIENT),
    }
}

/// An access token in the making: valid as it is, and any part can be broken on purpose.
///
/// Audience, scopes, roles and groups go where the imitated provider keeps them; without one, the
/// token is as RFC 9068 has it. A claim or header member that is set by its name replaces whatever
/// the provider would write.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let idp = portcullis_idp::Idp::start(Default::default()).await?;
/// let good = idp.token("alice").scope("orders:read").sign();
/// let expired = idp.token("alice").expire().sign();
/// # Ok(())
/// # }
/// ```
#[must_use = "a token that is not signed is no token"]
pub struct TokenBuilder {
    pub(crate) state: Arc<IdpState>,
    pub(crate) facts: TokenFacts,
    pub(crate) kind: FlowToken,
    pub(crate) edits: Vec<Edit>,
    pub(crate) kid: String,
    pub(crate) key: Arc<IssuerKey>,
    pub(crate) signer: Signer,
    grant: Option<u64>,
    way: &'static str,
    pub(crate) flaws: Vec<String>,
}

/// What is changed in a token after the dialect has written it.
pub(crate) enum Edit {
    Claim(String, Value),
    NoClaim(String),
    Header(String, Value),
    NoHeader(String),
}

impl TokenBuilder {
    pub(crate) fn for_user(state: &Arc<IdpState>, user: &User, client: &str) -> Self {
        Self::new(state, TokenFacts::of_user(state, user, client))
    }

    pub(crate) fn for_client(state: &Arc<IdpState>, client: &RegisteredClient) -> Self {
        Self::new(state, TokenFacts::of_client(state, client))
    }

    fn new(state: &Arc<IdpState>, facts: TokenFacts) -> Self {
        let (state, key) = (Arc::clone(state), state.keys.signing());
        let (kid, edits, signer) = (key.kid.clone(), Vec::new(), Signer::Key);
        Self {
            state,
            facts,
            kind: FlowToken::Access,
            edits,
            kid,
            key,
            signer,
            grant: None,
            way: "on command",
            flaws: Vec::new(),
        }
    }

    /// Of the signing in that this grant came of: it ends with it.
    pub(crate) fn of_grant(mut self, grant: &UserGrant) -> Self {
        self.facts.signed_in_at = Some(grant.auth_time);
        self.facts.session.clone_from(&grant.session);
        self.facts.acr.clone_from(&grant.acr);
        // Ties the token to the grant: revoking one revokes the other.
        (self.grant, self.way) = (Some(grant.id), grant.way);
        match &grant.act {
            Some(act) => self.claim("act", act.clone()),
            None => self,
        }
    }

    /// Good only with what the caller proved.
    pub(crate) fn bind(self, cnf: Option<Value>) -> Self {
        match cnf {
            Some(cnf) => self.claim("cnf", cnf),
            None => self,
        }
    }

    /// Over at that time, if not before.
    pub(crate) fn ends_by(mut self, expires: u64) -> Self {
        // An exchanged token must not outlive its subject.
        self.facts.expires = self.facts.expires.min(expires);
        self
    }

    /// How many seconds it lasts.
    pub(crate) fn life(&self) -> u64 {
        self.facts.expires.saturating_sub(self.state.now())
    }

    /// Got by that grant, as `grant_type` names it.
    pub(crate) fn by(mut self, grant_type: &'static str) -> Self {
        self.way = grant_type;
        self
    }

    /// For this audience. Cognito names the client in its place: the token is then for that client.
    pub fn audience(mut self, audience: &str) -> Self {
        // Only the facts: where the audience goes is up to the dialect.
        audience.clone_into(&mut self.facts.audience);
        self
    }

    /// With these scopes, a space between.
    ///
    /// Google, Firebase, ZITADEL, Cloudflare, Kubernetes and the CI providers write no scopes into
    /// tokens; nor does the imitation. An Entra application has its permissions among the roles.
    pub fn scope(mut self, scope: &str) -> Self {
        self.facts.scope = Some(scope.to_owned());
        self
    }

    /// With this role besides the others.
    ///
    /// Google, Kubernetes and the CI providers know no roles; nor does the imitation.
    pub fn role(mut self, role: &str) -> Self {
        self.facts.roles.push(role.to_owned());
        self
    }

    /// Of a user who signed in in this way: where the provider says so, if it does.
    pub fn acr(mut self, acr: &str) -> Self {
        self.facts.acr = Some(acr.to_owned());
        self
    }

    /// Of a user who signed in at this moment, in seconds since 1970.
    pub fn auth_time(mut self, seconds: u64) -> Self {
        self.facts.signed_in_at = Some(seconds);
        self
    }

    /// With groups that are too many for the token (Entra ID): it says only where to ask for them.
    pub fn group_overage(mut self) -> Self {
        self.facts.overage = true;
        self
    }

    /// Good for so many seconds.
    pub fn lifetime(mut self, seconds: u32) -> Self {
        self.facts.expires = self.facts.issued_at.saturating_add(seconds.into());
        self
    }

    /// With this claim, whatever it was before.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.edits
            .push(Edit::Claim(name.to_owned(), value.into()));
        self
    }

    /// Bound to the key of this thumbprint (RFC 7638): good only with a proof by it (RFC 9449,
    /// section 6.1).
    pub fn bound_to_key(self, thumbprint: &str) -> Self {
        self.claim("cnf", json!({ "jkt": thumbprint }))
    }

    /// Bound to the certificate of this SHA-256 thumbprint, in base64url (RFC 8705, section 3.1).
    pub fn bound_to_certificate(self, thumbprint: &str) -> Self {
        self.claim("cnf", json!({ "x5t#S256": thumbprint }))
    }

    /// With this header member, whatever it was before.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.edits
            .push(Edit::Header(name.to_owned(), value.into()));
        self
    }

    /// Without this header member.
    pub fn without_header(mut self, name: &str) -> Self {
        self.edits.push(Edit::NoHeader(name.to_owned()));
        self
    }

    /// Without this claim.
    pub fn without(mut self, name: &str) -> Self {
        self.edits.push(Edit::NoClaim(name.to_owned()));
        self
    }

    /// With another `typ`, or without one.
    pub fn typ(mut self, typ: Option<&str>) -> Self {
        self.edits.push(match typ {
            Some(typ) => Edit::Header("typ".to_owned(), typ.into()),
            None => Edit::NoHeader("typ".to_owned()),
        });
        self
    }

    /// Bad as an access token: an ID token for the same caller and audience.
    ///
    /// Where ID tokens are what an API gets (Google, Firebase, Kubernetes, the CI providers), it is
    /// a good one.
    pub fn id_token(self) -> Self {
        let (nonce, at_hash) = (random_text(8), random_text(16));
        self.into_id_token(Some(nonce), Some(at_hash))
    }

    pub(crate) fn into_id_token(mut self, nonce: Option<String>, at_hash: Option<String>) -> Self {
        self.kind = FlowToken::Id;
        self.key = self.state.keys.signing_id_tokens();
        // Some providers sign ID tokens with a key of their own.
        self.kid.clone_from(&self.key.kid);
        (self.facts.nonce, self.facts.at_hash) = (nonce, at_hash);
        self
    }

    /// The token as a JWT, in compact form.
    pub fn sign(self) -> String {
        let (header, claims) = self.header_and_claims();
        let token = compact(&header, &claims, |input| self.signature(input));
        self.remember_flaws(&token);
        token
    }

    /// A text that says nothing and stands for the token: introspection tells what this builder
    /// says.
    pub fn opaque(self) -> String {
        let (_, claims) = self.header_and_claims();
        let token = self.state.shape.opaque_token();
        self.remember(&token, claims);
        token
    }

    /// The token as the provider hands it out, signed or opaque, and known to introspection.
    pub fn issue(self) -> String {
        let format = self.state.format();
        self.issue_as(format)
    }

    /// As [`issue`](Self::issue), in this format.
    pub(crate) fn issue_as(self, format: TokenFormat) -> String {
        if format == TokenFormat::Opaque {
            return self.opaque();
        }
        let (header, claims) = self.header_and_claims();
        let token = compact(&header, &claims, |input| self.signature(input));
        self.remember(&token, claims);
        token
    }

    /// Header and claims in the provider's words, then changed by name.
    pub(crate) fn header_and_claims(&self) -> (JsonObject, JsonObject) {
        let shape = self.state.shape;
        let mut header = claims(json!({ "alg": self.key.algorithm.name(), "kid": self.kid }));
        header.extend(shape.header(self.kind, &self.kid));
        let mut claims = match self.kind {
            FlowToken::Access => shape.access_token(&self.facts),
            _ => shape.id_token(&self.facts),
        };
        // After the dialect, so that the settings win; before the edits of a test.
        claims.extend(self.facts.more.clone());
        // In the order of the calls, so that a later edit wins over an earlier one.
        for edit in &self.edits {
            match edit {
                Edit::Claim(name, value) => _ = claims.insert(name.clone(), value.clone()),
                Edit::NoClaim(name) => _ = claims.remove(name),
                Edit::Header(name, value) => _ = header.insert(name.clone(), value.clone()),
                Edit::NoHeader(name) => _ = header.remove(name),
            }
        }
        (header, claims)
    }

    /// The subject, in the provider's words.
    pub(crate) fn subject(&self) -> String {
        let (_, claims) = self.header_and_claims();
        claims
            .get("sub")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    fn signature(&self, input: &[u8]) -> Vec<u8> {
        self.signer.sign(&self.key, input)
    }

    fn remember(&self, token: &str, claims: JsonObject) {
        self.remember_flaws(token);
        // An edited `exp` counts for introspection too.
        let expires = claims
            .get("exp")
            .and_then(Value::as_u64)
            .unwrap_or(self.facts.expires);
        let issued = IssuedAccessToken {
            claims,
            client: self.facts.client.clone(),
            audience: self.facts.audience.clone(),
            scope: self.facts.scope.clone(),
            username: self
                .facts
                .person
                .as_ref()
                .map(|person| person.username.clone()),
            grant: self.grant,
            auth_time: self.facts.signed_in_at,
            // Without a grant, no flow began the session, and no logout could end it.
            session: self.grant.map(|_| self.facts.session.clone()),
            way: self.way,
            expires,
        };
        self.state
            .store()
            .add_access_token(token, issued, self.state.now());
    }
}

impl std::fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a token in the making")
    }
}
