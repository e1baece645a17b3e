//! How a client proves to an issuer which client it is: the client authentication of RFC 6749,
//! section 2.3, RFC 7523 and RFC 8705.
//!
//! Secrets and keys are read at the start and never printed; an assertion that is kept in a file is
//! read each time. A secret goes only where the operator or the issuer's own metadata says, over
//! TLS or loopback, and no redirect is followed: [`fetch`](crate::fetch) sees to that.

mod assertion;
mod assertion_file;
mod secret;

pub use assertion::Assertion;
pub use assertion_file::AssertionFile;
pub use secret::Secret;

use crate::fetch::{Authorization, EndpointBody, OwnCertificate};
use portcullis_core::token::NumericDate;
use std::fmt;
use url::form_urlencoded::{Serializer, byte_serialize};

/// A client of an issuer, and how it proves itself.
#[derive(Clone)]
pub struct ClientAuth {
    /// The client's id.
    pub id: Box<str>,
    /// How it proves itself.
    pub proof: Proof,
}

/// The ways in which a client proves itself.
#[derive(Clone)]
#[non_exhaustive]
pub enum Proof {
    /// None: the endpoint authenticates nobody.
    None,
    /// A public client: it sends its id, and proves nothing (RFC 6749, section 3.2.1).
    Public,
    /// `client_secret_basic`: id and secret in the Authorization header.
    Basic(Secret),
    /// `client_secret_post`: id and secret in the form.
    Post(Secret),
    /// `private_key_jwt`: a signed assertion (RFC 7523, section 2.2).
    Assertion(Assertion),
    /// `private_key_jwt` with an assertion that somebody else signs and keeps in a file.
    AssertionFile(AssertionFile),
    /// `tls_client_auth` and `self_signed_tls_client_auth`: a certificate (RFC 8705, section 2).
    Certificate(OwnCertificate),
}

impl Proof {
    /// The name of the method (RFC 7591, section 2; RFC 8705, section 2).
    pub fn method(&self) -> &'static str {
        match self {
            Self::None | Self::Public => "none",
            Self::Basic(_) => "client_secret_basic",
            Self::Post(_) => "client_secret_post",
            Self::Assertion(_) | Self::AssertionFile(_) => "private_key_jwt",
            Self::Certificate(_) => "tls_client_auth",
        }
    }
}

impl ClientAuth {
    /// A form with these members and the proof; the content of the Authorization header, where the
    /// proof goes there, comes beside it. `audience` is the audience of an assertion.
    ///
    /// # Errors
    ///
    /// An assertion that this machine cannot sign, or that is not in its file.
    pub fn form(
        &self,
        members: &[(&str, &str)],
        audience: &str,
        now: NumericDate,
    ) -> Result<(EndpointBody, Option<Authorization>), String> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(members);
        let authorization = self.prove(&mut form, audience, now)?;
        Ok((EndpointBody::Form(form.finish().into()), authorization))
    }

    fn prove(
        &self,
        form: &mut Serializer<'_, String>,
        audience: &str,
        now: NumericDate,
    ) -> Result<Option<Authorization>, String> {
        match &self.proof {
            Proof::None => {}
            Proof::Basic(secret) => {
                // Both are form-encoded before they are joined (RFC 6749, section 2.3.1): an id
                // with a colon could not be told from its secret otherwise.
                let id = encode(&self.id);
                let secret = Secret::new(encode(secret.expose()));
                return Ok(Some(Authorization::Basic { id, secret }));
            }
            Proof::Post(secret) => {
                form.append_pair("client_id", &self.id)
                    .append_pair("client_secret", secret.expose());
            }
            Proof::Assertion(assertion) => {
                self.assert(form, &assertion.sign(&self.id, audience, now)?);
            }
            Proof::AssertionFile(file) => self.assert(form, file.read()?.expose()),
            // RFC 8705, section 2: with a certificate the id is the only thing in the form that
            // says which client asks.
            Proof::Public | Proof::Certificate(_) => {
                form.append_pair("client_id", &self.id);
            }
        }
        Ok(None)
    }

    fn assert(&self, form: &mut Serializer<'_, String>, signed: &str) {
        // RFC 7521, section 4.2, makes the id optional; several providers insist on it.
        form.append_pair("client_id", &self.id)
            .append_pair("client_assertion_type", ASSERTION_TYPE)
            .append_pair("client_assertion", signed);
    }

    /// Whether its secret is empty, so that it would prove nothing.
    pub fn has_empty_secret(&self) -> bool {
        matches!(
            &self.proof,
            Proof::Basic(secret) | Proof::Post(secret) if secret.expose().trim().is_empty(),
        )
    }

    /// The certificate to present, where that is the proof.
    pub fn certificate(&self) -> Option<&OwnCertificate> {
        match &self.proof {
            Proof::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }
}

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Shows the method only.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method())
    }
}

/// Shows the id only.
impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the client `{}`", self.id)
    }
}

/// The type of a JWT as an assertion (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[cfg(test)]
mod tests {
    use super::*;

    fn proven(proof: Proof) -> (String, Option<(String, String)>) {
        let client = ClientAuth {
            id: "a b:c".into(),
            proof,
        };
        let now = NumericDate::from_seconds(1_000);
        let (EndpointBody::Form(form), header) = client
            .form(&[("a", "&")], "https://idp.example", now)
            .unwrap()
        else {
            panic!("no form")
        };
        let header = header.map(|header| match header {
            Authorization::Basic { id, secret } => (id, secret.expose().to_owned()),
            _ => panic!("no client has a token to show"),
        });
        (form.strip_prefix("a=%26").unwrap().to_owned(), header)
    }

    #[test]
    fn basic_encodes_both_halves_before_they_are_joined() {
        let (form, header) = proven(Proof::Basic(Secret::new("s:%+ü")));
        assert_eq!(form, "");
        assert_eq!(
            header,
            Some(("a+b%3Ac".to_owned(), "s%3A%25%2B%C3%BC".to_owned()))
        );
    }

    #[test]
    fn post_puts_both_into_the_form_and_nothing_into_the_header() {
        let (form, header) = proven(Proof::Post(Secret::new("s&x=")));
        assert_eq!(
            (form.as_str(), header),
            ("&client_id=a+b%3Ac&client_secret=s%26x%3D", None)
        );
        assert_eq!(proven(Proof::None), (String::new(), None));
        assert_eq!(
            proven(Proof::Public),
            ("&client_id=a+b%3Ac".to_owned(), None)
        );
    }

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let secret = Secret::new("marked");
        let client = ClientAuth {
            id: "api".into(),
            proof: Proof::Post(secret.clone()),
        };
        assert_eq!(
            format!("{client:?} {secret:?}"),
            "the client `api` a secret"
        );
    }
}
