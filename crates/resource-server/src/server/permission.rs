//! What a verified caller may do: at the resource of the request, and by its requirement.

use super::ResourceServer;
use crate::resource_request::ResourceRequest;
use crate::resources::ProtectedResource;
use portcullis_core::rejection::Rejection;
use portcullis_core::token::AccessToken;
use portcullis_core::{Denial, Permit, Requirement, policy};

impl ResourceServer {
    /// Permits a request as [`permit`](Self::permit) does. Its token was verified before, for this
    /// very request.
    ///
    /// # Errors
    ///
    /// The refusal; or the outage, where the groups cannot be had.
    pub async fn permit_request(
        &self,
        token: AccessToken,
        request: &ResourceRequest<'_>,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        let permit = self.permit_at(token, request.resource, requirement);
        permit.await.map_err(|denial| match denial {
            Denial::Rejection(rejection) => Self::describe(rejection, request, requirement).into(),
            outage @ Denial::Outage(_) => outage,
        })
    }

    pub(super) async fn permit_at(
        &self,
        token: AccessToken,
        resource: Option<&ProtectedResource>,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        // A requirement with an audience of its own knows better than the path.
        if let Some(resource) = resource
            && requirement.demanded_audience().is_none()
        {
            let permit = policy::permit(token, resource.audience(), self.0.clock.now())?;
            return self.permit(permit.into_token(), requirement).await;
        }
        self.permit(token, requirement).await
    }

    /// Permits a request with a verified token that meets the requirement. Where that depends on
    /// groups that did not fit into the token, they are looked up, if its issuer's settings say
    /// how.
    ///
    /// # Errors
    ///
    /// The refusal; or the outage, where the groups cannot be had.
    pub async fn permit(
        &self,
        token: AccessToken,
        requirement: &Requirement,
    ) -> Result<Permit, Denial> {
        self.check_guard(requirement)?;
        let token = self.with_needed_groups(token, requirement).await?;
        // The clock is read again: looking groups up takes time.
        policy::permit(token, requirement, self.0.clock.now())
    }

    /// Says in the challenge where the resource of a request describes itself.
    pub(super) fn describe(
        rejection: Rejection,
        request: &ResourceRequest<'_>,
        requirement: &Requirement,
    ) -> Rejection {
        match request.resource {
            Some(resource) => {
                rejection.at_resource(resource.metadata_url(), requirement.needed_scopes())
            }
            None => rejection,
        }
    }
}
