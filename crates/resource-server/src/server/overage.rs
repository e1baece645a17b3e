//! Groups that did not fit into a token, looked up where a decision hangs on them.

use super::ResourceServer;
use portcullis_core::token::AccessToken;
use portcullis_core::{Denial, Requirement};

impl ResourceServer {
    /// The token with the groups that it could not hold, where the verdict hangs on them.
    pub(crate) async fn with_needed_groups(
        &self,
        token: AccessToken,
        requirement: &Requirement,
    ) -> Result<AccessToken, Denial> {
        if !requirement.hangs_on_groups(&token, self.0.clock.now()) {
            return Ok(token);
        }
        let issuer = self.0.issuers.find(Some(token.issuer().as_str()))?;
        // Without a resolver the groups stay unknown, and the policy refuses for that.
        let Some(resolver) = &issuer.groups else {
            return Ok(token);
        };
        let groups = resolver.groups(&token).await?;
        Ok(token.with_groups(groups))
    }
}
