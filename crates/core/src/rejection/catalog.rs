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
    /// The `error` of the challenge (RFC 6750, section 3.1); `None` if the request had
    /// no token, or if no other token would help.
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

// RFC 6750, section 3.1, knows three errors, RFC 9470, section 3, a fourth, RFC 9449, sections 7.1
// and 9, two more. Our codes are finer.
const INVALID_REQUEST: Option<&str> = Some("invalid_request");
pub(super) const INVALID_TOKEN: Option<&str> = Some("invalid_token");
const INVALID_DPOP_PROOF: Option<&str> = Some("invalid_dpop_proof");
const USE_DPOP_NONCE: Option<&str> = Some("use_dpop_nonce");
pub(super) const INSUFFICIENT_SCOPE: Option<&str> = Some("insufficient_scope");
const INSUFFICIENT_USER_AUTHENTICATION: Option<&str> = Some("insufficient_user_authentication");

catalog! {
    // The credential. A request without one gets no `error` (RFC 6750, section 3.1).
    CredentialMissing = "credential.missing", 401, None,
        "a bearer token is required",
        cure "send `Authorization: Bearer <access token>`, or `DPoP` with its proof for a token \
            that is bound to a key",
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
    TokenTooLarge = "token.too_large", 401, INVALID_TOKEN,
        "the access token is too large",
        cure "have the issuer put less into the token, such as fewer groups, or raise \
            `limits.token_bytes`",
        "RFC 8725, section 3.11";
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
    // The binding to a key. `invalid_token` where the client needs another token or another way to
    // send it, the errors of RFC 9449 where it needs another proof.
    ProofMissing = "proof.missing", 401, INVALID_TOKEN,
        "the access token is bound, and the request does not prove that it is the caller's",
        cure "send it as `Authorization: DPoP <access token>` with a proof in `DPoP`, or over a \
            connection with the client certificate that it is bound to",
        "RFC 9449, section 7.2";
    ProofUnbound = "proof.unbound", 401, INVALID_TOKEN,
        "the access token must be bound to a key",
        cure "ask the issuer for a token that is bound, by DPoP or by a client certificate; send \
            other tokens as `Bearer`, where the route lets them in",
        "RFC 9449, section 7.1";
    ProofBinding = "proof.binding", 401, INVALID_TOKEN,
        "the access token is bound to another key",
        cure "sign proofs with the key, or show the certificate, that the token was requested with",
        "RFC 9449, section 7.1";
    ProofUnsupported = "proof.unsupported", 401, INVALID_TOKEN,
        "the access token is bound in a way that cannot be checked here",
        cure "have the issuer bind tokens by `jkt` or `x5t#S256`; proofs of DPoP need the public \
            origin of the API in its settings",
        "RFC 7800, section 3.1";
    ProofHeader = "proof.header", 401, INVALID_DPOP_PROOF,
        "one DPoP proof is required",
        cure "send one `DPoP` header with one proof; see that nothing on the way removes, repeats \
            or joins it",
        "RFC 9449, section 4.3";
    ProofMalformed = "proof.malformed", 401, INVALID_DPOP_PROOF,
        "the DPoP proof is malformed",
        cure "make a signed JWT with the type `dpop+jwt` and the claims `jti`, `htm`, `htu`, `iat` \
            and `ath`",
        "RFC 9449, section 4.2";
    ProofAlgorithm = "proof.algorithm", 401, INVALID_DPOP_PROOF,
        "the DPoP proof is signed with an algorithm that is not accepted",
        cure "sign with one of the `algs` of the challenge",
        "RFC 9449, section 7.1";
    ProofKey = "proof.key", 401, INVALID_DPOP_PROOF,
        "the key in the DPoP proof cannot be used",
        cure "put the public key alone into the header `jwk`, as RFC 7518 writes it",
        "RFC 9449, section 4.3";
    ProofSignature = "proof.signature", 401, INVALID_DPOP_PROOF,
        "the signature of the DPoP proof is invalid",
        cure "sign the proof with the private key that belongs to its `jwk`",
        "RFC 9449, section 4.3";
    ProofMethod = "proof.method", 401, INVALID_DPOP_PROOF,
        "the DPoP proof is for another method",
        cure "make a proof for each request, with its method in `htm`, in upper case",
        "RFC 9449, section 4.3";
    ProofUrl = "proof.url", 401, INVALID_DPOP_PROOF,
        "the DPoP proof is for another URL",
        cure "put the URL that the client asks for into `htu`, without query; see that the \
            settings name the public origin, as clients write it",
        "RFC 9449, section 4.3";
    ProofTime = "proof.time", 401, INVALID_DPOP_PROOF,
        "the DPoP proof is not of this moment",
        cure "make a proof for each request; compare the clocks of the client and of this server",
        "RFC 9449, section 4.3";
    ProofToken = "proof.token", 401, INVALID_DPOP_PROOF,
        "the DPoP proof is for another access token",
        cure "put the SHA-256 of the access token into `ath`, in base64url",
        "RFC 9449, section 4.3";
    ProofReplayed = "proof.replayed", 401, INVALID_DPOP_PROOF,
        "the DPoP proof was used before",
        cure "make a proof for each request, also for one that is sent again; see that nothing on \
            the way sends requests twice",
        "RFC 9449, section 11.1";
    ProofNonce = "proof.nonce", 401, USE_DPOP_NONCE,
        "the DPoP proof needs a nonce of this server",
        cure "send the request again, with a proof that contains the nonce of the header \
            `DPoP-Nonce`",
        "RFC 9449, section 9";
    // The permission. A client can cure two of these by itself: with scopes, or with a new sign-in.
    // The others have no error, or clients would ask for more scopes again and again.
    PolicyScope = "policy.scope", 403, INSUFFICIENT_SCOPE,
        "the access token lacks a scope",
        cure "ask the issuer for a token with the scopes that the challenge names",
        "RFC 6750, section 3.1";
    PolicyStepUp = "policy.step_up", 401, INSUFFICIENT_USER_AUTHENTICATION,
        "the user must sign in again, or in a stronger way",
        cure "have the user sign in with the `acr_values` and `max_age` of the challenge; see that \
            the issuer writes `acr` and `auth_time` into access tokens",
        "RFC 9470, section 3";
    PolicyRole = "policy.role", 403, None,
        "the caller lacks a role",
        cure "have the role given to the user or client at the issuer",
        "RFC 6750, section 3.1";
    PolicyGroupsUnknown = "policy.groups_unknown", 403, None,
        "the groups of the caller are not known",
        cure "have fewer groups in the token, use roles, or set up the question for groups that do \
            not fit into it",
        "RFC 6750, section 3.1";
    PolicyDenied = "policy.denied", 403, None,
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
