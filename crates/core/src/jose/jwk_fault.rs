//! Why a published key cannot be used.

use std::fmt;

/// Why one key of a set cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwkFault {
    /// The element is not a JSON object.
    NotAnObject,
    /// It holds private or symmetric key material, which belongs in no published set.
    Secret,
    /// `use` or `key_ops` say that it is for something else.
    NotForSignatures,
    /// `kty` or `crv` is unknown here.
    KeyType,
    /// `alg` is unknown, or does not fit the type of the key.
    Algorithm,
    /// A member that the type needs is missing or not canonical base64url.
    MissingMember(&'static str),
    /// A member has the wrong type.
    MemberType(&'static str),
    /// An RSA modulus outside 2048 to 8192 bits.
    RsaSize,
    /// An RSA exponent that is even, 1, or beyond 64 bits.
    RsaExponent,
    /// A coordinate that is longer than its curve allows.
    Coordinate(&'static str),
    /// A point that is not on its curve, or of small order.
    Point,
}

impl fmt::Display for JwkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("not an object"),
            Self::Secret => {
                f.write_str("it holds secret key material: the key must be considered compromised")
            }
            Self::NotForSignatures => f.write_str("it is not for verifying signatures"),
            Self::KeyType => f.write_str("its type or curve is not supported"),
            Self::Algorithm => f.write_str("its `alg` is not supported, or does not fit its type"),
            Self::MissingMember(name) => {
                write!(f, "`{name}` is missing or not canonical base64url")
            }
            Self::MemberType(name) => write!(f, "`{name}` has the wrong type"),
            Self::RsaSize => f.write_str("the RSA modulus is outside 2048 to 8192 bits"),
            Self::RsaExponent => f.write_str("the RSA exponent is even, 1, or beyond 64 bits"),
            Self::Coordinate(name) => write!(f, "`{name}` is longer than its curve allows"),
            Self::Point => f.write_str("it is no valid point of its curve"),
        }
    }
}

impl std::error::Error for JwkFault {}
