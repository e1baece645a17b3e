//! What a request showed beside its token, as arguments and a pasted command name it.

use super::input::PastedRequest;
use crate::args::ProofArguments;
use crate::exit::CommandError;
use http::{HeaderMap, HeaderValue, Method};
use portcullis_core::EffectiveUrl;
use portcullis_core::credential::Credential;
use portcullis_core::proof::{self, Presentation, ProofTerms, Thumbprint};
use portcullis_core::rejection::quote;
use portcullis_core::token::NumericDate;
use portcullis_core::verify::Step;
use portcullis_resource_server::{ResourceRequest, ResourceServer, TokenContent};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::Path;

/// The field of a proof.
pub(super) const DPOP: &str = "dpop";

/// What a request showed beside its token.
#[derive(Debug)]
pub(super) struct ShownProof {
    headers: HeaderMap,
    method: Method,
    url: Option<EffectiveUrl>,
    certificate: Option<Thumbprint>,
    is_bearer: bool,
}

impl ShownProof {
    /// What is typed wins over what was pasted.
    ///
    /// # Errors
    ///
    /// A proof without the URL of its request, and texts that are no proof, method or URL.
    pub(super) fn read(
        arguments: &ProofArguments,
        pasted: &PastedRequest,
    ) -> Result<Self, CommandError> {
        let mut headers = HeaderMap::new();
        if let Some(proof) = arguments.dpop.as_ref().or(pasted.proof.as_ref()) {
            headers.insert(DPOP, field(proof)?);
        }
        let method = arguments.method.as_ref().or(pasted.method.as_ref());
        let url = arguments.url.as_ref().or(pasted.url.as_ref());
        if headers.contains_key(DPOP) && url.is_none() {
            let help = "name it as the client wrote it: `--url https://api.example/orders/7`";
            let message = "expected the URL of the request for the proof, found none";
            return Err(CommandError::could_not_run(message).help(help));
        }
        let file = arguments.client_certificate_file.as_deref();
        Ok(Self {
            headers,
            method: method.map_or(Ok(Method::GET), |it| parse_method(it))?,
            url: url.map(|it| parse_url(it)).transpose()?,
            certificate: file.map(thumbprint).transpose()?,
            is_bearer: pasted.is_bearer && arguments.dpop.is_none(),
        })
    }

    /// The token with the scheme that belongs to what is shown.
    fn credential<'t>(&self, token: &'t str) -> Credential<'t> {
        if self.headers.contains_key(DPOP) && !self.is_bearer {
            Credential::dpop(token)
        } else {
            Credential::bearer(token)
        }
    }

    /// Whether anything was shown.
    pub(super) fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.certificate.is_none()
    }

    /// The request as a server sees it, with its token.
    pub(super) async fn explain(
        &self,
        server: &ResourceServer,
        token: &str,
    ) -> portcullis_resource_server::Explanation {
        // `public_origin` counts there, whatever the client wrote before the path.
        let own = self.url.as_ref();
        let configured = own.and_then(|url| server.effective_url(url.path()));
        let request = ResourceRequest {
            method: &self.method,
            url: configured.as_ref().or(own),
            certificate: self.certificate.as_ref(),
            ..ResourceRequest::of_headers(&self.headers, None)
        };
        let credential = self.credential(token);
        server.explain_request(credential, &request).await
    }

    /// The checks of what was shown alone, by the usual terms.
    pub(super) fn steps(&self, token: &str, content: &TokenContent, now: i64) -> Vec<Step> {
        if self.is_empty() {
            return Vec::new();
        }
        let presentation = Presentation {
            method: &self.method,
            url: self.url.as_ref(),
            certificate: self.certificate.as_ref(),
            ..Presentation::bearer(self.credential(token), &self.headers)
        };
        let bound_to = content.confirmation();
        let terms = ProofTerms::default();
        let now = NumericDate::from_seconds(now);
        proof::explain(bound_to.as_ref(), &presentation, &terms, now)
    }

    /// What to give, if the token is bound and nothing was shown.
    pub(super) fn hint(&self, content: &TokenContent) -> Option<String> {
        let bound_to = content.confirmation()?;
        let mut wanted = Vec::new();
        if bound_to.key.is_some() && !self.headers.contains_key(DPOP) {
            wanted.push("its proof with `--dpop PROOF --method METHOD --url URL`");
        }
        if bound_to.certificate.is_some() && self.certificate.is_none() {
            wanted.push("its client certificate with `--client-certificate-file FILE`");
        }
        if wanted.is_empty() {
            return None;
        }
        let wanted = wanted.join(", and ");
        Some(format!(
            "the token is bound to what its client has; to check a request with it, give {wanted}"
        ))
    }
}

/// The field of a proof, hidden from `Debug`.
pub(super) fn field(proof: &str) -> Result<HeaderValue, CommandError> {
    let Ok(mut value) = HeaderValue::try_from(proof.trim()) else {
        let message = "`--dpop`: expected a proof in one line of ASCII, found other characters";
        return Err(CommandError::could_not_run(message));
    };
    value.set_sensitive(true);
    Ok(value)
}

fn parse_method(text: &str) -> Result<Method, CommandError> {
    Method::from_bytes(text.as_bytes()).map_err(|_| {
        let found = quote(text);
        let message = format!("`--method`: expected a method such as GET, found {found}");
        CommandError::could_not_run(message)
    })
}

fn parse_url(text: &str) -> Result<EffectiveUrl, CommandError> {
    EffectiveUrl::parse(text).ok_or_else(|| {
        let found = quote(text);
        let message = format!("`--url`: expected a URL of http or https, found {found}");
        CommandError::could_not_run(message)
    })
}

/// The thumbprint of the first certificate in a file.
pub(super) fn thumbprint(file: &Path) -> Result<Thumbprint, CommandError> {
    let certificate = CertificateDer::from_pem_file(file).map_err(|_| {
        let message = "expected a certificate in PEM, found none that can be read";
        CommandError::in_file(file, message)
    })?;
    Ok(Thumbprint::of_certificate(&certificate))
}
