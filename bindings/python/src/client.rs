//! Tokens for calls to other APIs.

use crate::denial;
use crate::issued_token::IssuedToken;
use crate::pending::{Pending, answer_or_future, wait};
use crate::process::PerProcess;
use portcullis_client::{
    Authentication, Client as RustClient, Error, IssuedToken as RustIssuedToken, PrivateKey,
    Provider, RefreshToken, Secret, SubjectToken, TokenRequest, TokenResponse as RustTokenResponse,
    TokenSource,
};
use portcullis_core::ConfigError;
use pyo3::{Bound, PyAny, PyResult, Python, pyclass, pymethods};
use std::path::PathBuf;

/// A client at an identity provider.
#[pyclass(frozen, module = "portcullis_auth.client")]
pub(crate) struct Client {
    settings: ClientSettings,
    live: PerProcess<TokenSource>,
}

struct ClientSettings {
    issuer: String,
    id: String,
    proof: Proof,
}

/// How the client proves who it is.
enum Proof {
    Public,
    Basic(String),
    Post(String),
    Key(Vec<u8>, Option<String>),
    AssertionFile(PathBuf),
    Certificate(Vec<u8>),
}

impl ClientSettings {
    fn make(&self) -> Result<TokenSource, ConfigError> {
        let authentication = match &self.proof {
            Proof::Public => Authentication::public(),
            Proof::Basic(secret) => Authentication::secret_basic(Secret::new(secret.as_str())),
            Proof::Post(secret) => Authentication::secret_post(Secret::new(secret.as_str())),
            Proof::Key(pem, kid) => {
                Authentication::private_key(PrivateKey::from_pem(pem, kid.as_deref())?)
            }
            Proof::AssertionFile(path) => Authentication::assertion_file(path)?,
            Proof::Certificate(pem) => Authentication::certificate(pem)?,
        };
        let provider = Provider::builder(&self.issuer)?.build();
        let client = RustClient::new(provider, &self.id, authentication);
        Ok(TokenSource::client_credentials(client).build())
    }
}

impl Client {
    fn live(&self, py: Python<'_>) -> PyResult<TokenSource> {
        let source = self.live.get(|| self.settings.make());
        source.map_err(|fault| denial::config_fault(py, &fault))
    }
}

#[pymethods]
impl Client {
    /// A client of this issuer. Nothing is fetched yet.
    #[new]
    #[pyo3(signature = (issuer, client_id, client_secret=None, *, secret_in_form=false,
        private_key=None, key_id=None, assertion_file=None, certificate=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are named, and all but two optional"
    )]
    fn new(
        py: Python<'_>,
        issuer: String,
        client_id: String,
        client_secret: Option<String>,
        secret_in_form: bool,
        private_key: Option<Vec<u8>>,
        key_id: Option<String>,
        assertion_file: Option<PathBuf>,
        certificate: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let mut proofs = Vec::new();
        proofs.extend(client_secret.map(|secret| match secret_in_form {
            true => Proof::Post(secret),
            false => Proof::Basic(secret),
        }));
        proofs.extend(private_key.map(|pem| Proof::Key(pem, key_id)));
        proofs.extend(assertion_file.map(Proof::AssertionFile));
        proofs.extend(certificate.map(Proof::Certificate));
        let proof = proofs.pop().unwrap_or(Proof::Public);
        if !proofs.is_empty() {
            let message = "expected one of client_secret, private_key, assertion_file and \
                certificate, found more";
            return Err(denial::config_error_of(py, message.to_owned()));
        }
        let client = Self {
            settings: ClientSettings {
                issuer,
                id: client_id,
                proof,
            },
            live: PerProcess::new(),
        };
        // Faults are told now, and not at the first request.
        client.live(py)?;
        Ok(client)
    }

    /// The client's id at the provider.
    #[getter]
    fn client_id(&self) -> &str {
        &self.settings.id
    }

    /// The issuer identifier.
    #[getter]
    fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// A token for the client itself, by client credentials: kept, and renewed in time.
    #[pyo3(signature = (scope=None, *, resource=None, audience=None))]
    fn token<'py>(
        &self,
        py: Python<'py>,
        scope: Option<&str>,
        resource: Option<&str>,
        audience: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer_or_future(py, self.own_token(py, request(scope, resource, audience))?)
    }

    /// Like `token`, but waits. Not for the thread of an event loop.
    #[pyo3(signature = (scope=None, *, resource=None, audience=None))]
    fn token_blocking<'py>(
        &self,
        py: Python<'py>,
        scope: Option<&str>,
        resource: Option<&str>,
        audience: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        wait(py, self.own_token(py, request(scope, resource, audience))?)
    }

    /// Drops a token that an API rejected. Returns whether another one can be had.
    #[pyo3(signature = (token, scope=None, *, resource=None, audience=None))]
    fn invalidate(
        &self,
        py: Python<'_>,
        token: &IssuedToken,
        scope: Option<&str>,
        resource: Option<&str>,
        audience: Option<&str>,
    ) -> PyResult<bool> {
        let request = request(scope, resource, audience);
        Ok(self.live(py)?.invalidate_for(&request, &token.0))
    }

    /// New tokens for a refresh token.
    #[pyo3(signature = (refresh_token, scope=None, *, resource=None, audience=None))]
    fn refresh<'py>(
        &self,
        py: Python<'py>,
        refresh_token: &str,
        scope: Option<&str>,
        resource: Option<&str>,
        audience: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = request(scope, resource, audience);
        answer_or_future(py, self.refresh_request(py, refresh_token, request)?)
    }

    /// Like `refresh`, but waits.
    #[pyo3(signature = (refresh_token, scope=None, *, resource=None, audience=None))]
    fn refresh_blocking<'py>(
        &self,
        py: Python<'py>,
        refresh_token: &str,
        scope: Option<&str>,
        resource: Option<&str>,
        audience: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = request(scope, resource, audience);
        wait(py, self.refresh_request(py, refresh_token, request)?)
    }

    /// A token for another API in exchange for one that a user brought (RFC 8693); with
    /// `on_behalf_of`, as Entra ID defines it.
    #[pyo3(signature = (subject_token, scope=None, *, resource=None, audience=None,
        on_behalf_of=false))]
    fn exchange<'py>(
        &self,
        py: Python<'py>,
        subject_token: &str,
        scope: Option<&str>,
        resource: Option<&str>,
        audience: Option<&str>,
        on_behalf_of: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = request(scope, resource, audience);
        answer_or_future(
            py,
            self.exchange_request(py, subject_token, request, on_behalf_of)?,
        )
    }

    /// Like `exchange`, but waits.
    #[pyo3(signature = (subject_token, scope=None, *, resource=None, audience=None,
        on_behalf_of=false))]
    fn exchange_blocking<'py>(
        &self,
        py: Python<'py>,
        subject_token: &str,
        scope: Option<&str>,
        resource: Option<&str>,
        audience: Option<&str>,
        on_behalf_of: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = request(scope, resource, audience);
        wait(
            py,
            self.exchange_request(py, subject_token, request, on_behalf_of)?,
        )
    }

    fn __repr__(&self) -> String {
        format!("<Client {} of {}>", self.settings.id, self.settings.issuer)
    }
}

impl Client {
    fn own_token(
        &self,
        py: Python<'_>,
        request: TokenRequest,
    ) -> PyResult<Pending<Result<RustIssuedToken, Error>>> {
        let source = self.live(py)?;
        Ok(Box::pin(async move { source.token_for(&request).await }))
    }

    fn refresh_request(
        &self,
        py: Python<'_>,
        refresh_token: &str,
        request: TokenRequest,
    ) -> PyResult<Pending<Result<RustTokenResponse, Error>>> {
        let source = self.live(py)?;
        let token = RefreshToken::new(Secret::new(refresh_token));
        Ok(Box::pin(async move {
            source.client().refresh(&token, &request).await
        }))
    }

    fn exchange_request(
        &self,
        py: Python<'_>,
        subject_token: &str,
        request: TokenRequest,
        on_behalf_of: bool,
    ) -> PyResult<Pending<Result<RustTokenResponse, Error>>> {
        let source = self.live(py)?;
        let subject = Secret::new(subject_token);
        Ok(Box::pin(async move {
            let client = source.client();
            match on_behalf_of {
                true => client.on_behalf_of(&subject, &request).await,
                false => {
                    let subject = SubjectToken::access_token(subject);
                    client.exchange(&subject, None, &request).await
                }
            }
        }))
    }
}

fn request(scope: Option<&str>, resource: Option<&str>, audience: Option<&str>) -> TokenRequest {
    let mut request = TokenRequest::new().scope(scope.unwrap_or_default());
    if let Some(resource) = resource {
        request = request.resource(resource);
    }
    if let Some(audience) = audience {
        request = request.audience(audience);
    }
    request
}
