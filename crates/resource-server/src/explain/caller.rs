//! The caller behind a token, for a demand to be explained beside what the caller has.

use crate::ResourceServer;
use crate::server::RememberedToken;
use crate::token_digest::token_digest;
use portcullis_core::credential::Credential;
use portcullis_core::token::AccessToken;
use portcullis_core::{Denial, Requirement};

impl ResourceServer {
    /// The caller of a token that passes every check of its own, with groups looked up where the
    /// requirement hangs on them. For people: this is no permit.
    ///
    /// Whether the token was revoked is not looked at. That is a step of
    /// [`explain`](Self::explain), and a store that cannot be reached must not hide what the
    /// caller has.
    ///
    /// # Errors
    ///
    /// The refusal, or the outage that leaves it open.
    pub async fn explain_caller(
        &self,
        credential: Credential<'_>,
        requirement: &Requirement,
    ) -> Result<AccessToken, Denial> {
        let text = credential.token();
        let digest = token_digest(text);
        let token = match self.issuers().find_introspector(text, self.limits())? {
            Some((opaque, introspector)) => introspector.verify(opaque, &digest).await?,
            None => {
                let RememberedToken { token, .. } = self.find_or_verify(credential, digest).await?;
                token
            }
        };
        // A bound token says nothing about who sends it without its proof.
        self.with_needed_groups(token.into_bearer()?, requirement)
            .await
    }
}
