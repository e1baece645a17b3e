//! The usual causes of each refusal and outage, the most frequent first.

use super::Code;
use crate::outage::OutageCode;

impl Code {
    /// What usually leads to this refusal, the most frequent first.
    ///
    /// ```
    /// use portcullis_core::Code;
    ///
    /// assert!(Code::TokenIdToken.causes().iter().any(|cause| cause.contains("ID token")));
    /// ```
    pub const fn causes(self) -> &'static [&'static str] {
        match self {
            Self::CredentialMissing => &[
                "the client sends no `Authorization` header",
                "something on the way takes the header out: a redirect to another host, a proxy",
                "the header has another scheme than `Bearer`, such as `Basic` or `DPoP`",
            ],
            Self::CredentialMalformed => &[
                "the variable with the token is empty, so that `Bearer` stands alone",
                "the token has a line break or a quote of the shell around it",
            ],
            Self::CredentialRepeated => &[
                "a library adds the header, and the application adds it once more",
                "a proxy adds a token of its own to the client's",
            ],
            Self::TokenMalformed => &[
                "the token is opaque, and no issuer is set up for introspection",
                "the token was cut, or quotes and line breaks were copied with it",
                "the token is encrypted (five parts)",
            ],
            Self::TokenTooLarge => &[
                "the user is in hundreds of groups, and the issuer lists all of them",
                "the issuer adds roles of other applications",
            ],
            _ => self.causes_of_verification(),
        }
    }

    /// The causes of refusals by the table.
    const fn causes_of_verification(self) -> &'static [&'static str] {
        match self {
            Self::TokenHeader => &["the issuer uses an extension of JWS (`crit`, `b64`)"],
            Self::TokenAlgorithm => &[
                "the issuer signs with a shared secret (HS256)",
                "somebody forged the token: `alg` is `none`, or not that of the key",
                "the settings list fewer algorithms than the issuer uses",
            ],
            Self::TokenType => &[
                "the client sends an ID token, a refresh token or a logout token",
                "the profile does not fit the issuer, which types its access tokens otherwise",
            ],
            Self::TokenIdToken => &[
                "the client sends the `id_token` of the token response",
                "a library of the browser hands out the ID token by default",
            ],
            Self::TokenKeyUnknown => &[
                "the token is older than the issuer's last change of keys",
                "the token comes from another environment or tenant of the same provider",
                "the issuer signs before it publishes the key",
            ],
            Self::TokenSignature => &[
                "the end of the token was cut",
                "the token is for an API of the provider itself, such as Microsoft Graph",
                "the issuer has new keys under an old `kid`, as a test server may after a restart",
                "somebody changed or forged the token",
            ],
            _ => self.causes_of_claims(),
        }
    }

    const fn causes_of_claims(self) -> &'static [&'static str] {
        match self {
            Self::TokenIssuer => &[
                "the issuer in the settings differs: a final slash, a letter's case, a version",
                "the token comes from another environment, such as staging",
                "the issuer is reached under several names, and takes the name of the request",
            ],
            Self::TokenAudience => &[
                "the client did not name this API when it asked for the token",
                "the audience in the settings is written otherwise than the issuer writes it",
                "the client sends a token that it has for another API",
            ],
            Self::TokenExpired => &[
                "the client keeps a token and does not renew it in time",
                "the clock of this server is fast",
            ],
            Self::TokenNotYetValid => {
                &["the clock of this server is slow, or that of the issuer is fast"]
            }
            Self::TokenLifetime => &["the issuer gives tokens a longer life than is accepted"],
            Self::TokenClaimMissing => &[
                "the profile does not fit the issuer",
                "a mapper, scope or optional claim is not switched on at the issuer",
            ],
            Self::TokenClaimType => &[
                "a rule or mapper at the issuer writes a registered claim as another type",
                "a required claim is null",
            ],
            Self::TokenInactive => &[
                "the token ended or was revoked",
                "the client of this API may not ask about the token",
                "the token comes from another environment",
            ],
            _ => self.causes_of_the_caller(),
        }
    }

    const fn causes_of_the_caller(self) -> &'static [&'static str] {
        match self {
            Self::TokenTenant => &["the user signed in to another tenant or organization"],
            Self::TokenKeyIssuer => &["a key of personal accounts or of one tenant signed it"],
            Self::TokenClaimValue => &["the settings demand another value of a claim (`claims`)"],
            Self::TokenRevoked => {
                &["the user signed out, or an administrator revoked the session, user or client"]
            }
            Self::PolicyScope => &[
                "the client did not ask for the scope, or the user did not consent to it",
                "the issuer grants the scope to users only, and an application calls",
            ],
            Self::PolicyStepUp => &[
                "the user signed in too long ago, or without a second factor",
                "the issuer leaves `acr` or `auth_time` out of access tokens",
            ],
            Self::PolicyRole => &[
                "the role is not assigned to the caller, or was assigned after the sign-in",
                "the roles are in another claim than the settings say",
            ],
            Self::PolicyGroupsUnknown => &["the caller is in more groups than fit into a token"],
            Self::PolicyDenied => &["a policy of the route forbids the request"],
            _ => self.causes_of_binding(),
        }
    }

    /// The causes of refusals about tokens that are bound to a key.
    const fn causes_of_binding(self) -> &'static [&'static str] {
        match self {
            Self::ProofMissing => &[
                "the client sends a token that is bound to its key as a plain bearer token",
                "a proxy ends the TLS connection that had the client's certificate",
            ],
            Self::ProofUnbound => &["the client asked for a token without DPoP or a certificate"],
            Self::ProofBinding => &[
                "the client made a new key after it got the token",
                "somebody else sends the token",
            ],
            Self::ProofUnsupported => &[
                "the issuer binds tokens by a method of its own",
                "the settings do not name the public origin of the API",
            ],
            Self::ProofHeader => &["a proxy takes the header `DPoP` out, or joins two"],
            _ => self.causes_of_proofs(),
        }
    }

    const fn causes_of_proofs(self) -> &'static [&'static str] {
        match self {
            Self::ProofMalformed => &["the client leaves out a claim, or the type `dpop+jwt`"],
            Self::ProofAlgorithm => &["the client signs with an algorithm of its own choice"],
            Self::ProofKey => &["the client puts a private key or a symmetric one into `jwk`"],
            Self::ProofSignature => &["the client signs with another key than it shows"],
            Self::ProofMethod => &["the client uses one proof for several requests"],
            Self::ProofUrl => &[
                "a proxy changes the host or the path, and the settings do not name the origin",
                "the client uses one proof for several requests",
            ],
            Self::ProofTime => &["a clock is wrong, or the client uses one proof for too long"],
            Self::ProofToken => &["the client renewed its token, and kept the proof"],
            Self::ProofReplayed => &[
                "the client or a proxy repeats a request with the same proof",
                "somebody repeats an intercepted request",
            ],
            Self::ProofNonce => &["the client does not use the nonce of the last answer yet"],
            // Every code is named above: a test holds it there.
            _ => &[],
        }
    }
}

impl OutageCode {
    /// What usually leads to this outage, the most frequent first.
    pub const fn causes(self) -> &'static [&'static str] {
        match self {
            Self::Keys => &[
                "this server cannot reach the issuer: DNS, firewall, proxy, certificate",
                "the issuer's key set holds no key that can be used",
            ],
            Self::Metadata => &[
                "this server cannot reach the issuer: DNS, firewall, proxy, certificate",
                "the issuer in the settings is not the `issuer` of its metadata",
            ],
            Self::Revocation => &[
                "this server cannot reach the revocation store",
                "the store holds more revocations than `revocation.entries` allows",
            ],
            Self::Introspection => &[
                "the client's id or secret for introspection is wrong",
                "this server cannot reach the introspection endpoint",
            ],
            Self::Groups => &["the client may not read the groups of users in the directory"],
            Self::Policy => &["a policy fails for this caller: an attribute is missing"],
            Self::Replay => &["this server cannot reach the store of used proofs"],
            Self::Provider => &["this machine cannot reach the provider, or the provider fails"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_causes() {
        for code in Code::ALL {
            assert!(!code.causes().is_empty(), "{code}");
        }
        for code in OutageCode::ALL {
            assert!(!code.causes().is_empty(), "{code}");
        }
    }
}
