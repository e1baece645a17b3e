//! One entry per code: the status, the error of the challenge, the client's phrase, the cure and
//! the RFC.
//!
//! The codes, the wire answers and the documents are derived from this table and from nowhere else.

use std::fmt;

/// Everything that is fixed for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeEntry {
    /// The code as it is written: in bodies, logs and metric labels.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The `error` of the challenge (RFC 6750, section 3.1); `None` if the request had no token.
    pub error: Option<&'static str>,
    /// The phrase for the client.
    pub phrase: &'static str,
    /// The cure, for the person who can apply it.
    pub cure: &'static str,
    /// The section that demands the refusal.
    pub rfc: &'static str,
}

macro_rules! catalog {
    ($(
        $variant:ident = $code:literal, $status:literal, $error:expr, $phrase:literal,
        cure $cure:literal, $rfc:literal;
    )*) => {
        /// Why a request was refused. A code never changes its meaning.
        ///
        /// ```
        /// use portcullis_core::Code;
        ///
        /// let entry = Code::TokenExpired.entry();
        /// assert_eq!((entry.code, entry.status), ("token.expired", 401));
        /// assert_eq!(entry.phrase, "the access token expired");
        /// assert!(entry.cure.starts_with("get a new token"));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`: ", $phrase, ". ", $rfc, ".")] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Everything that is fixed for this code.
            pub const fn entry(self) -> CodeEntry {
                match self {
                    $(Self::$variant => CodeEntry {
                        code: $code,
                        status: $status,
                        error: $error,
                        phrase: $phrase,
                        cure: $cure,
                        rfc: $rfc,
                    },)*
                }
            }
        }
    };
}

// RFC 6750, section 3.1, knows three errors, RFC 9470, section 3, a fourth. Our codes are finer.
const INVALID_REQUEST: Option<&str> = Some("invalid_request");
const INVALID_TOKEN: Option<&str> = Some("invalid_token");
const INSUFFICIENT_SCOPE: Option<&str> = Some("insufficient_scope");
const INSUFFICIENT_USER_AUTHENTICATION: Option<&str> = Some("insufficient_user_authentication");

catalog! {
    // The credential. A request without one gets no `error` (RFC 6750, section 3.1).
    CredentialMissing = "credential.missing", 401, None,
        "a bearer token is required",
        cure "send `Authorization: Bearer <access token>`; instead of a token bound to a key \
            (`DPoP`), which cannot be checked here, get one that is not bound",
        "RFC 6750, section 3";
    CredentialMalformed = "credential.malformed", 400, INVALID_REQUEST,
        "the Authorization header is malformed",
        cure "write one space between `Bearer` and the token, and nothing after it",
        "RFC 6750, section 2.1";
    CredentialRepeated = "credential.repeated", 400, INVALID_REQUEST,
        "more than one credential was sent",
        cure "send the token once, in one Authorization header, and not in the query",
        "RFC 6750, section 2";
    // The token. The challenge says `invalid_token`: the client needs another one, whatever is
    // wrong.
    TokenMalformed = "token.malformed", 401, INVALID_TOKEN,
        "the access token is malformed",
        cure "send a JWT in compact form, whole and unchanged; an opaque token needs an issuer set \
            up for introspection",
        "RFC 7515, section 7.1";
    TokenHeader = "token.header", 401, INVALID_TOKEN,
        "the access token has an unsupported header",
        cure "have the issuer leave out `crit` and `b64`, and write `kid` and `typ` as strings",
        "RFC 7515, section 4.1.11";
    TokenAlgorithm = "token.algorithm", 401, INVALID_TOKEN,
        "the access token is signed with an algorithm that is not accepted",
        cure "sign with an accepted asymmetric algorithm, the one that the key is published for",
        "RFC 8725, section 3.1";
    TokenType = "token.type", 401, INVALID_TOKEN,
        "the token is not an access token",
        cure "send the access token; if the issuer types its access tokens otherwise, choose its \
            profile",
        "RFC 9068, section 4";
    TokenIdToken = "token.id_token", 401, INVALID_TOKEN,
        "an ID token is not an access token",
        cure "send the `access_token` of the token response, not its `id_token`",
        "RFC 9068, section 5";
    TokenKeyUnknown = "token.key_unknown", 401, INVALID_TOKEN,
        "the access token is signed with an unknown key",
        cure "get a new token; if it goes on, compare the `kid` with the keys that the issuer \
            publishes",
        "RFC 7515, section 6";
    TokenSignature = "token.signature", 401, INVALID_TOKEN,
        "the signature of the access token is invalid",
        cure "send the token as the issuer made it; check that nothing on the way rewrites it",
        "RFC 7515, section 5.2";
    TokenIssuer = "token.issuer", 401, INVALID_TOKEN,
        "the access token was issued by someone else",
        cure "get the token from the configured issuer; issuers compare byte for byte, the final \
            slash too",
        "RFC 9068, section 4";
    TokenAudience = "token.audience", 401, INVALID_TOKEN,
        "the access token is meant for another audience",
        cure "ask the issuer for a token for this API (`resource`, `audience` or scope), or add \
            its audience to the settings",
        "RFC 9068, section 4";
    TokenExpired = "token.expired", 401, INVALID_TOKEN,
        "the access token expired",
        cure "get a new token; if it is new, compare the clocks",
        "RFC 7519, section 4.1.4";
    TokenNotYetValid = "token.not_yet_valid", 401, INVALID_TOKEN,
        "the access token is not valid yet",
        cure "compare the clocks of the issuer and of this server",
        "RFC 7519, section 4.1.5";
    TokenLifetime = "token.lifetime", 401, INVALID_TOKEN,
        "the access token lives longer than is accepted",
        cure "shorten the lifetime at the issuer, or raise the accepted maximum",
        "RFC 9700, section 4.10";
    TokenClaimMissing = "token.claim_missing", 401, INVALID_TOKEN,
        "the access token lacks a required claim",
        cure "have the issuer add the claim, or choose the profile that fits the issuer",
        "RFC 9068, section 2.2";
    TokenClaimType = "token.claim_type", 401, INVALID_TOKEN,
        "a claim of the access token has the wrong type",
        cure "have the issuer write the claim as its specification says",
        "RFC 7519, section 4.1";
    TokenInactive = "token.inactive", 401, INVALID_TOKEN,
        "the access token is not active",
        cure "get a new token; if it is new, see that the issuer lets this API introspect it",
        "RFC 7662, section 2.2";
    TokenTenant = "token.tenant", 401, INVALID_TOKEN,
        "the access token is from another tenant",
        cure "get the token in the configured tenant",
        "RFC 8725, section 3.8";
    TokenKeyIssuer = "token.key_issuer", 401, INVALID_TOKEN,
        "the access token is signed with a key of another tenant",
        cure "get the token from the tenant that it names; a key that names an issuer signs for \
            that issuer only",
        "RFC 8725, section 3.8";
    TokenClaimValue = "token.claim_value", 401, INVALID_TOKEN,
        "a claim of the access token has a value that is not accepted",
        cure "compare the token's claims with `claims` in the settings of its issuer",
        "RFC 8725, section 3.8";
    TokenRevoked = "token.revoked", 401, INVALID_TOKEN,
        "the access token was revoked",
        cure "sign in again, or get a new token; `portcullis revoke --list` shows what was \
            revoked, and since when",
        "RFC 6750, section 3.1";
    // The binding to a key.
    ProofMissing = "proof.missing", 401, INVALID_TOKEN,
        "the access token is bound to a key, and proofs of it cannot be checked here",
        cure "get a token that is not bound to a key: without DPoP and without a client \
            certificate; this version checks no proofs",
        "RFC 9449, section 7.2";
    ProofUnsupported = "proof.unsupported", 401, INVALID_TOKEN,
        "the access token is bound in a way that cannot be checked here",
        cure "have the issuer give out tokens that are not bound to a key; this version checks no \
            proofs",
        "RFC 7800, section 3.1";
    // The permission. A client can cure two of these by itself: with scopes, or with a new sign-in.
    PolicyScope = "policy.scope", 403, INSUFFICIENT_SCOPE,
        "the access token lacks a scope",
        cure "ask the issuer for a token with the scopes that the challenge names",
        "RFC 6750, section 3.1";
    PolicyStepUp = "policy.step_up", 401, INSUFFICIENT_USER_AUTHENTICATION,
        "the user must sign in again, or in a stronger way",
        cure "have the user sign in with the `acr_values` and `max_age` of the challenge; see that \
            the issuer writes `acr` and `auth_time` into access tokens",
        "RFC 9470, section 3";
    PolicyRole = "policy.role", 403, INSUFFICIENT_SCOPE,
        "the caller lacks a role",
        cure "have the role given to the user or client at the issuer",
        "RFC 6750, section 3.1";
    PolicyGroupsUnknown = "policy.groups_unknown", 403, INSUFFICIENT_SCOPE,
        "the groups of the caller are not known",
        cure "have fewer groups in the token, use roles, or set up the question for groups that do \
            not fit into it",
        "RFC 6750, section 3.1";
    PolicyDenied = "policy.denied", 403, INSUFFICIENT_SCOPE,
        "the caller may not do this",
        cure "see the requirement of the route",
        "RFC 6750, section 3.1";
}

impl Code {
    /// The code as it is written.
    pub const fn as_str(self) -> &'static str {
        self.entry().code
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_refusal_and_fit_for_a_header() {
        for code in Code::ALL {
            let entry = code.entry();
            assert!(matches!(entry.status, 400 | 401 | 403), "{code}");
            // The characters that RFC 6750, section 3, allows in an error description.
            assert!(
                entry
                    .phrase
                    .bytes()
                    .all(|byte| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\'))
            );
            assert!(!entry.cure.is_empty() && !entry.rfc.is_empty());
            assert_eq!(
                Code::ALL
                    .iter()
                    .filter(|other| other.as_str() == entry.code)
                    .count(),
                1,
                "{code}"
            );
        }
    }
}
