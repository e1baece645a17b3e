//! Mistakes about keys: a token that does not name its key, at an issuer with many.

use super::Mistake;
use portcullis_core::jose::{Algorithm, Header, Jwks};
use portcullis_core::rejection::quote;

/// The keys among which the signature of a token is sought.
#[derive(Clone, Copy, Debug)]
pub(in crate::explain) struct KeyChoice {
    /// How many could have made it.
    fitting: usize,
    /// How many of them are tried.
    tried: usize,
}

impl KeyChoice {
    /// The choice for a token with this header, if it is more than one key.
    pub(in crate::explain) fn of(header: &Header, set: &Jwks, tried: usize) -> Option<Self> {
        let fitting = fitting(header.kid.as_deref(), header.algorithm, set);
        (fitting > 1).then_some(Self { fitting, tried })
    }

    /// The keys that were found for a token, in words.
    pub(in crate::explain) fn found(choice: Option<Self>, kid: Option<&str>) -> String {
        let name = kid.map_or_else(|| "no `kid`".to_owned(), quote);
        match choice {
            Some(Self { fitting, tried }) if tried < fitting => {
                format!("{name}, {fitting} keys that fit, of which {tried} are tried")
            }
            Some(Self { fitting, .. }) => format!("{name}, {fitting} keys that fit"),
            None if kid.is_none() => "no `kid`, one key that fits".to_owned(),
            None => name,
        }
    }

    /// What was found instead of a signature by one of them.
    pub(in crate::explain) fn failure(choice: Option<Self>) -> String {
        match choice {
            Some(Self { tried, .. }) => format!("a signature of none of the {tried} keys tried"),
            None => "an invalid signature".to_owned(),
        }
    }

    /// The mistake of an issuer that does not name one of many keys.
    pub(in crate::explain) fn mistake(self, kid: Option<&str>) -> Option<Mistake> {
        if self.tried >= self.fitting {
            return None;
        }
        let (fitting, tried) = (self.fitting, self.tried);
        let name = match kid {
            Some(_) => "shares its `kid` with others",
            None => "is not named by a `kid`",
        };
        Some(Mistake::whole(format!(
            "the issuer publishes {fitting} keys that fit, only {tried} are tried for one token, \
                and the key of this one {name}: have the issuer write a `kid` of its own for each \
                key into its tokens and its key set, or raise `limits.keys_tried`"
        )))
    }
}

fn fitting(kid: Option<&str>, algorithm: Algorithm, set: &Jwks) -> usize {
    let fits = |key: &&portcullis_core::jose::VerifyingKey| {
        key.allows(algorithm) && (kid.is_none() || key.kid() == kid)
    };
    set.keys().iter().filter(fits).count()
}
