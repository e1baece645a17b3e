//! The questions that a server is asked, ready to be waited for, and their answers.

use super::Server;
use crate::denial;
use crate::pending::{Answer, Pending};
use crate::request::{self, AccessRequest, RoutedRequest};
use crate::requirement::Requirement;
use crate::revocation;
use crate::token::Token;
use http::HeaderMap;
use portcullis_core::Requirement as Demand;
use portcullis_gateway::{Admission, TurnedAway};
use portcullis_resource_server::{DenialResponse, TokenEnd};
use pyo3::{Bound, IntoPyObjectExt as _, PyAny, PyResult, Python};
use std::sync::{Arc, LazyLock};

static VALID_TOKEN: LazyLock<Arc<Demand>> = LazyLock::new(|| Arc::new(Demand::ValidToken));

impl Server {
    pub(super) fn decision(
        &self,
        headers: &Bound<'_, PyAny>,
        query: Option<&str>,
        requirement: Option<&Requirement>,
        method: Option<&str>,
        websocket: bool,
    ) -> PyResult<Pending<request::Decision>> {
        let server = self.resource_server(headers.py())?;
        let request = AccessRequest {
            headers: request::headers(headers, method, websocket, &server)?,
            server,
            query: query.map(str::to_owned),
            requirement: match requirement {
                Some(requirement) => requirement.demand(),
                None => Arc::clone(&VALID_TOKEN),
            },
        };
        Ok(Box::pin(request.decide()))
    }

    /// The decision about a token that came by other means than a request.
    pub(super) fn verification(
        &self,
        py: Python<'_>,
        token: &str,
        requirement: Option<&Requirement>,
    ) -> PyResult<Pending<request::Decision>> {
        let request = AccessRequest {
            headers: request::authorization(token),
            server: self.resource_server(py)?,
            query: None,
            requirement: match requirement {
                Some(requirement) => requirement.demand(),
                None => Arc::clone(&VALID_TOKEN),
            },
        };
        Ok(Box::pin(request.decide()))
    }

    pub(super) fn permission(
        &self,
        py: Python<'_>,
        token: &Token,
        requirement: &Requirement,
    ) -> PyResult<Pending<request::Decision>> {
        let (server, token) = (self.resource_server(py)?, token.access_token());
        let requirement = requirement.demand();
        Ok(Box::pin(async move {
            match server.permit(token, &requirement).await {
                Ok(permit) => Ok(permit.into_token()),
                Err(denial) => Err(DenialResponse::new(denial, &server, &HeaderMap::new())),
            }
        }))
    }

    pub(super) fn admission(
        &self,
        py: Python<'_>,
        request: RoutedRequest<'_, '_>,
    ) -> PyResult<Pending<Result<Admission, TurnedAway>>> {
        let (gateway, request) = (self.live(py)?, request.read()?);
        Ok(Box::pin(async move { gateway.admit(request).await }))
    }

    pub(super) fn revocation(
        &self,
        py: Python<'_>,
        token: Option<&Token>,
        issuer: Option<&str>,
        target: [Option<&str>; 4],
    ) -> PyResult<Pending<Result<(), DenialResponse>>> {
        let server = self.resource_server(py)?;
        let revocation = revocation::read(token, issuer, target, self.clock.now())?;
        Ok(Box::pin(async move {
            let revoked = server.revoke(revocation).await;
            revoked.map_err(|it| DenialResponse::new(it.into(), &server, &HeaderMap::new()))
        }))
    }
}

impl Answer for request::Decision {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Ok(token) => Token::from(token).into_bound_py_any(py),
            Err(response) => Err(denial::of_response(py, response)),
        }
    }
}

impl Answer for Result<(), DenialResponse> {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        self.map_err(|response| denial::of_response(py, response))?;
        Ok(py.None().into_bound(py))
    }
}

impl Answer for TokenEnd {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        self.phrase().into_bound_py_any(py)
    }
}
