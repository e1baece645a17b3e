//! The settings of questions to an issuer and to a directory, as written.

use portcullis_provider::client_auth::Secret;
use serde::Deserialize;
use std::path::PathBuf;

/// How an issuer is asked about tokens (RFC 7662), as written: `[issuer.introspection]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct IntrospectionConfig {
    /// Where to ask. Default: the `introspection_endpoint` of the issuer's metadata.
    pub endpoint: Option<String>,
    /// Who asks: the id of a client that this API has at the issuer.
    pub client_id: Option<String>,
    /// The client's secret, for programs. A file cannot hold it: see `client_secret_file` and
    /// `client_secret_env`.
    #[serde(skip)]
    pub client_secret: Option<Secret>,
    /// A file that holds the client's secret and nothing else; white space around it is left out.
    pub client_secret_file: Option<PathBuf>,
    /// The variable, of the environment or of `.env`, that holds the client's secret.
    pub client_secret_env: Option<String>,
    /// How the client proves itself: `client_secret_basic` (default), `client_secret_post`,
    /// `private_key_jwt`, `tls_client_auth`, or `none` where the endpoint asks nobody who they are.
    pub auth: Option<String>,
    /// A file that holds an assertion of the client, signed by somebody else (workload identity):
    /// read each time it is sent. It stands in for `auth = "private_key_jwt"` with a key.
    pub client_assertion_file: Option<PathBuf>,
    /// The client's private key in PEM: PKCS#8 for `private_key_jwt`; for `tls_client_auth` the key
    /// of the certificate, which may also stand in `certificate_file`.
    pub private_key_file: Option<PathBuf>,
    /// The `kid` by which the issuer knows the key.
    pub key_id: Option<String>,
    /// `RS256` (default) or `PS256`, where the key is an RSA key.
    pub signing_algorithm: Option<String>,
    /// The client's certificate in PEM, for `tls_client_auth`; for `private_key_jwt` it names the
    /// key by its thumbprint, as Entra ID wants.
    pub certificate_file: Option<PathBuf>,
    /// Whether answers must be signed (RFC 9701). Default false.
    pub signed: bool,
    /// The tokens to ask about: `opaque` (default), or `all`: those that the issuer signed as well,
    /// once they are verified, so that revocation is seen at once.
    pub tokens: Option<String>,
    /// What this issuer's opaque tokens begin with, such as `ory_at_`. One issuer at most can go
    /// without.
    pub prefix: Option<String>,
    /// How long an answer is remembered at most, in seconds. Default 60, at most 3,600; 0 asks for
    /// every request.
    pub cache_seconds: Option<u64>,
    /// Accepts answers that do not say for whom a token is, because this endpoint answers for this
    /// API alone. Default false.
    pub danger_answers_without_audience: bool,
    /// Accepts answers that say neither for whom a token is nor that it is an access token, because
    /// this endpoint knows no other tokens: where it knows refresh tokens, each of them opens this
    /// API. Default false.
    pub danger_answers_without_type: bool,
}

/// How Microsoft Graph is asked for groups that do not fit into a token, as written:
/// `[issuer.groups_lookup]`.
///
/// The members for the client mean what they mean in [`IntrospectionConfig`]; its id and secret, or
/// key, are those of an application that may read the groups of users (`GroupMember.Read.All` or
/// `Directory.Read.All`).
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct GroupsConfig {
    /// Who asks.
    pub client_id: Option<String>,
    /// The client's secret, for programs.
    #[serde(skip)]
    pub client_secret: Option<Secret>,
    /// A file that holds the client's secret.
    pub client_secret_file: Option<PathBuf>,
    /// The variable that holds the client's secret.
    pub client_secret_env: Option<String>,
    /// How the client proves itself at the token endpoint. Default `client_secret_basic`.
    pub auth: Option<String>,
    /// A file that holds an assertion of the client, signed by somebody else (workload identity).
    pub client_assertion_file: Option<PathBuf>,
    /// The client's private key in PEM.
    pub private_key_file: Option<PathBuf>,
    /// The `kid` by which the issuer knows the key.
    pub key_id: Option<String>,
    /// `RS256` (default) or `PS256`, where the key is an RSA key.
    pub signing_algorithm: Option<String>,
    /// The client's certificate in PEM.
    pub certificate_file: Option<PathBuf>,
    /// Where Microsoft Graph is. Default `https://graph.microsoft.com`; national clouds have
    /// others.
    pub url: Option<String>,
    /// Where the client gets its token; `{tenantid}` stands for the tenant. Default: the
    /// `token_endpoint` of the issuer's metadata.
    pub token_endpoint: Option<String>,
    /// How long a caller's groups are remembered, in seconds. Default 300, at most 3,600.
    pub cache_seconds: Option<u64>,
}

/// The members for a client, wherever they were written.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenClient {
    pub(crate) id: Option<String>,
    pub(crate) secret: Option<Secret>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) secret_env: Option<String>,
    pub(crate) auth: Option<String>,
    pub(crate) assertion_file: Option<PathBuf>,
    pub(crate) private_key_file: Option<PathBuf>,
    pub(crate) key_id: Option<String>,
    pub(crate) signing_algorithm: Option<String>,
    pub(crate) certificate_file: Option<PathBuf>,
}

macro_rules! written_client {
    ($config:ty) => {
        impl $config {
            pub(crate) fn client(&self) -> WrittenClient {
                WrittenClient {
                    id: self.client_id.clone(),
                    secret: self.client_secret.clone(),
                    secret_file: self.client_secret_file.clone(),
                    secret_env: self.client_secret_env.clone(),
                    auth: self.auth.clone(),
                    assertion_file: self.client_assertion_file.clone(),
                    private_key_file: self.private_key_file.clone(),
                    key_id: self.key_id.clone(),
                    signing_algorithm: self.signing_algorithm.clone(),
                    certificate_file: self.certificate_file.clone(),
                }
            }
        }
    };
}

written_client!(IntrospectionConfig);
written_client!(GroupsConfig);
