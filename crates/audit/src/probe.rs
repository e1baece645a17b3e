//! A request to an API, and what it answered.

use portcullis_provider::inspect::Inspection;

/// What a request bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeCredential {
    /// Nothing.
    None,
    /// A text that is no token of anybody.
    Garbage,
    /// A JWT with `alg: none`.
    Unsigned,
    /// A JWT with a good signature by a key that nobody knows.
    UnknownKey,
    /// The same, with the public key in its header (`jwk`).
    EmbeddedKey,
    /// The token of the operator, with another signature.
    ChangedSignature,
    /// The token of the operator as it is: only this one may be accepted.
    Given,
}

impl ProbeCredential {
    /// What it is, as reports have it.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::None => "without a token",
            Self::Garbage => "with a text that is no token",
            Self::Unsigned => "with a token without a signature (`alg: none`)",
            Self::UnknownKey => "with a token that an unknown key signed",
            Self::EmbeddedKey => "with a token that brings its own key (`jwk`)",
            Self::ChangedSignature => "with your token and a changed signature",
            Self::Given => "with your token",
        }
    }

    /// Whether it is a token that its issuer did not sign.
    #[must_use]
    pub const fn is_forged(self) -> bool {
        !matches!(self, Self::None | Self::Given)
    }
}

/// A request to the API, and what it answered.
#[derive(Debug)]
pub struct Probe {
    /// What the request bore.
    pub credential: ProbeCredential,
    /// The answer.
    pub inspection: Inspection,
    /// Whether the answer repeats the token.
    pub is_repeated: bool,
}

impl Probe {
    /// The status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        // A connection that broke is no refusal, and no finding of its own.
        Some(self.inspection.answer.as_ref().ok()?.status)
    }

    /// The answer to a request that bore this token.
    #[must_use]
    pub fn new(credential: ProbeCredential, inspection: Inspection, token: Option<&str>) -> Self {
        // The signature: the rest of a token may rightly stand elsewhere.
        let signature = match token {
            Some(token) => last_part(token),
            None => "",
        };
        // Without a token nothing can be repeated, and every text holds an empty one.
        let is_repeated = !signature.is_empty() && repeats(&inspection, signature);
        Self {
            credential,
            inspection,
            is_repeated,
        }
    }
}

/// What stands behind the last dot that something follows.
fn last_part(token: &str) -> &str {
    let token = token.trim_end_matches('.');
    match token.rsplit_once('.') {
        Some((_, part)) => part,
        None => token,
    }
}

/// Whether the body or a header field holds this.
fn repeats(inspection: &Inspection, part: &str) -> bool {
    let Ok(answer) = &inspection.answer else {
        return false;
    };
    if holds(&answer.body, part) {
        return true;
    }
    for value in answer.headers.values() {
        // A challenge with a description is the usual place.
        if holds(value.as_bytes(), part) {
            return true;
        }
    }
    false
}

fn holds(bytes: &[u8], part: &str) -> bool {
    // The whole body was read already, within the bound on documents.
    let mut windows = bytes.windows(part.len());
    windows.any(|it| it == part.as_bytes())
}
