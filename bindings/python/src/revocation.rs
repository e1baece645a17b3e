//! What Python revokes: one token, or all tokens of a subject, a session or a client.

use crate::token::Token;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_resource_server::Revocation;
use pyo3::PyResult;
use pyo3::exceptions::PyValueError;

/// Whose tokens are revoked.
pub(crate) struct RevocationTarget<'a> {
    pub(crate) subject: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
}

/// The one revocation that the arguments name.
pub(crate) fn read(
    token: Option<&Token>,
    issuer: Option<&str>,
    target: &RevocationTarget<'_>,
    now: NumericDate,
) -> PyResult<Revocation> {
    let values = [target.subject, target.session, target.client];
    let count = values.iter().flatten().count() + usize::from(token.is_some());
    if count != 1 {
        let message = "expected one of token, subject, session and client";
        return Err(PyValueError::new_err(format!("{message}; found {count}")));
    }
    if let Some(token) = token {
        let message = "the token has no `jti`: revoke its subject, session or client";
        let revocation = Revocation::of_token(&token.access_token(), now);
        return revocation.ok_or_else(|| PyValueError::new_err(message));
    }
    let Some(issuer) = issuer else {
        let message = "expected issuer: a subject means something only together with it";
        return Err(PyValueError::new_err(message));
    };
    let issuer = Issuer::parse(issuer).map_err(|it| PyValueError::new_err(it.to_string()))?;
    Ok(match values {
        [Some(subject), ..] => Revocation::subject(&issuer, subject, now),
        [_, Some(session), _] => Revocation::session(&issuer, session, now),
        [.., client] => Revocation::client(&issuer, client.unwrap_or_default(), now),
    })
}
