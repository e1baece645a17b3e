//! `cnf`: what a token is bound to (RFC 7800, section 3.1).

use super::Thumbprint;
use crate::jose::json::{Json, Object};

/// What a token is bound to. With both, both must be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Confirmation {
    /// `jkt`: a key that proofs are signed with (RFC 9449, section 6.1).
    pub key: Option<Thumbprint>,
    /// `x5t#S256`: the certificate of the connection (RFC 8705, section 3.1).
    pub certificate: Option<Thumbprint>,
}

impl Confirmation {
    /// The members of `cnf` that can be checked here.
    pub const MEMBERS: [&str; 2] = ["jkt", "x5t#S256"];

    /// Reads `cnf`. `None` if it is empty, or holds anything else: a binding that is not understood
    /// must not be taken for one that is met.
    pub fn read(cnf: &Object) -> Option<Self> {
        let mut confirmation = Self {
            key: None,
            certificate: None,
        };
        for (name, value) in cnf.iter() {
            let thumbprint = value.as_str().and_then(Thumbprint::parse)?;
            match name {
                "jkt" => confirmation.key = Some(thumbprint),
                "x5t#S256" => confirmation.certificate = Some(thumbprint),
                _ => return None,
            }
        }
        (!cnf.is_empty()).then_some(confirmation)
    }

    /// Whether a `cnf` member is one of ours, and no thumbprint.
    pub(crate) fn is_malformed(name: &str, value: &Json) -> bool {
        Self::MEMBERS.contains(&name) && value.as_str().and_then(Thumbprint::parse).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::jose::{base64url, json};

    fn read(text: &str) -> Option<Confirmation> {
        let json = json::parse(text.as_bytes(), &Limits::default()).unwrap();
        Confirmation::read(json.as_object().unwrap())
    }

    #[test]
    fn only_what_can_be_checked_is_read() {
        let text = base64url::encode(&[1; 32]);
        let thumbprint = Thumbprint::from_bytes([1; 32]);
        let both = read(&format!(r#"{{"jkt":"{text}","x5t#S256":"{text}"}}"#)).unwrap();
        assert_eq!(
            (both.key, both.certificate),
            (Some(thumbprint), Some(thumbprint))
        );
        let key = read(&format!(r#"{{"jkt":"{text}"}}"#)).unwrap();
        assert_eq!((key.key, key.certificate), (Some(thumbprint), None));
        for cnf in [
            "{}".to_owned(),
            format!(r#"{{"jwk":"{text}"}}"#),
            format!(r#"{{"jkt":"{text}","kid":"k"}}"#),
            r#"{"jkt":null}"#.to_owned(),
            r#"{"jkt":""}"#.to_owned(),
            format!(r#"{{"jkt":["{text}"]}}"#),
            format!(r#"{{"jkt":"{text}="}}"#),
        ] {
            assert_eq!(read(&cnf), None, "{cnf}");
        }
    }
}
