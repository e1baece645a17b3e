//! The last steps: whether the caller has what the token is bound to. By itself a token cannot show
//! it.

use super::{Explanation, TokenContent};
use crate::ResourceServer;
use crate::resource_request::ResourceRequest;
use portcullis_core::credential::Credential;
use portcullis_core::proof::{self, Confirmation, Presentation};

impl ResourceServer {
    /// Explains a decision about a token and what its request shows beside it: a proof of DPoP, a
    /// client certificate. No proof is used up, and none is looked up among those that were used.
    ///
    /// ```no_run
    /// # async fn example(headers: http::HeaderMap) -> Result<(), Box<dyn std::error::Error>> {
    /// use portcullis_core::EffectiveUrl;
    /// use portcullis_resource_server::{ResourceRequest, ResourceServer};
    ///
    /// let server = ResourceServer::new("https://idp.example", "https://api.example")?;
    /// let url = EffectiveUrl::parse("https://api.example/orders/7");
    /// let request = ResourceRequest {
    ///     url: url.as_ref(),
    ///     ..ResourceRequest::of_headers(&headers, None)
    /// };
    /// let credential = server.find_credential(&headers, None)?;
    /// for step in server.explain_request(credential, &request).await.steps {
    ///     println!("{}: {:?}", step.name, step.outcome);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn explain_request(
        &self,
        credential: Credential<'_>,
        request: &ResourceRequest<'_>,
    ) -> Explanation {
        let mut explanation = self.explain_alone(credential.token()).await;
        let presentation = Presentation {
            method: request.method,
            url: request.url,
            certificate: request.certificate,
            ..Presentation::bearer(credential, request.headers)
        };
        let now = self.clock().now();
        let bound_to = explanation.content.confirmation();
        let steps = proof::explain(bound_to.as_ref(), &presentation, self.proof_terms(), now);
        explanation.steps.extend(steps);
        explanation
    }
}

impl TokenContent {
    /// What the token is bound to, if that can be checked here.
    pub fn confirmation(&self) -> Option<Confirmation> {
        let cnf = self.claims.as_ref()?.get("cnf")?.as_object()?;
        Confirmation::read(cnf)
    }
}
