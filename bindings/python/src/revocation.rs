//! What Python revokes: one token, or all tokens of a subject, a session, a client or a key.

use crate::token::Token;
use portcullis_core::proof::Thumbprint;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_resource_server::Revocation;
use pyo3::PyResult;
use pyo3::exceptions::PyValueError;

/// The one revocation that the arguments name: a token, or one of the target: a subject, a session,
/// a client, or the thumbprint of a key or a certificate.
pub(crate) fn read(
    token: Option<&Token>,
    issuer: Option<&str>,
    target: [Option<&str>; 4],
    now: NumericDate,
) -> PyResult<Revocation> {
    let count = target.iter().flatten().count() + usize::from(token.is_some());
    if count != 1 {
        let message = "expected one of token, subject, session, client and key";
        return Err(PyValueError::new_err(format!("{message}; found {count}")));
    }
    if let Some(token) = token {
        let message = "the token has no `jti`: revoke its subject, session or client";
        let revocation = Revocation::of_token(&token.access_token(), now);
        return revocation.ok_or_else(|| PyValueError::new_err(message));
    }
    // A key is stolen at every issuer.
    if let [.., Some(text)] = target {
        let message = "expected key to be a SHA-256 in base64url, as in `cnf`";
        let key = Thumbprint::parse(text).ok_or_else(|| PyValueError::new_err(message))?;
        return Ok(Revocation::key(&key, now));
    }
    let Some(issuer) = issuer else {
        let message = "expected issuer: a subject means something only together with it";
        return Err(PyValueError::new_err(message));
    };
    let issuer = Issuer::parse(issuer).map_err(|it| PyValueError::new_err(it.to_string()))?;
    Ok(match target {
        [Some(subject), ..] => Revocation::subject(&issuer, subject, now),
        [_, Some(session), ..] => Revocation::session(&issuer, session, now),
        [_, _, client, _] => Revocation::client(&issuer, client.unwrap_or_default(), now),
    })
}
