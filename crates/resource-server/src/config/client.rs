//! The client under whose name questions go out, as written.

use portcullis_provider::client_auth::Secret;
use std::path::PathBuf;

/// A client, and how it proves itself.
///
/// In a document its members stand among those of the table that needs it.
#[derive(Clone, Debug, Default)]
pub struct ClientConfig {
    /// `client_id`.
    pub id: Option<String>,
    /// The secret itself, for programs: a document cannot hold it.
    pub secret: Option<Secret>,
    /// `client_secret_file`.
    pub secret_file: Option<PathBuf>,
    /// `client_secret_env`.
    pub secret_env: Option<String>,
    /// `auth`. Default `client_secret_basic`.
    pub auth: Option<String>,
    /// `client_assertion_file`.
    pub assertion_file: Option<PathBuf>,
    /// `private_key_file`.
    pub private_key_file: Option<PathBuf>,
    /// `key_id`.
    pub key_id: Option<String>,
    /// `signing_algorithm`. Default `RS256` for an RSA key.
    pub signing_algorithm: Option<String>,
    /// `certificate_file`.
    pub certificate_file: Option<PathBuf>,
}

/// A table with members of its own and those of a client, and the flat table that is read for it.
///
/// `#[serde(flatten)]` would do the same, but it forgets where each member stands, and cannot
/// refuse unknown ones.
macro_rules! members_with_client {
    (
        $(#[$meta:meta])*
        $name:ident as $flat:ident {
            $($(#[$member_meta:meta])* $member:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            /// The client that asks.
            pub client: $crate::config::ClientConfig,
            $($(#[$member_meta])* pub $member: $type,)*
        }

        #[derive(Default, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields)]
        $(#[$meta])*
        struct $flat {
            /// The id of the client that asks. Default: none, where `auth` is `none`; else it is
            /// required.
            client_id: Option<String>,
            /// A file that holds the client's secret and nothing else; white space around it is
            /// left out. Default: none; a secret needs this or `client_secret_env`.
            client_secret_file: Option<std::path::PathBuf>,
            /// The variable, of the environment or of `.env`, that holds the client's secret.
            /// Default: none.
            client_secret_env: Option<String>,
            /// How the client proves itself: `client_secret_basic` (default),
            /// `client_secret_post`, `private_key_jwt`, `tls_client_auth`, or `none` where the
            /// endpoint asks nobody who they are.
            auth: Option<String>,
            /// A file that holds an assertion of the client, signed by somebody else (workload
            /// identity): read each time it is sent. It stands in for `auth = "private_key_jwt"`
            /// with a key. Default: none.
            client_assertion_file: Option<std::path::PathBuf>,
            /// The client's private key in PEM: PKCS#8 for `private_key_jwt`; for
            /// `tls_client_auth` the key of the certificate, which may also stand in
            /// `certificate_file`. Default: none.
            private_key_file: Option<std::path::PathBuf>,
            /// The `kid` by which the issuer knows the key. Default: assertions name none.
            key_id: Option<String>,
            /// `RS256` (default) or `PS256`, where the key is an RSA key.
            signing_algorithm: Option<String>,
            /// The client's certificate in PEM, for `tls_client_auth`; for `private_key_jwt` it
            /// names the key by its thumbprint, as Entra ID wants. Default: none.
            certificate_file: Option<std::path::PathBuf>,
            $($(#[$member_meta])* $member: $type,)*
        }

        impl From<$flat> for $name {
            fn from(flat: $flat) -> Self {
                let client = $crate::config::ClientConfig {
                    id: flat.client_id,
                    secret: None,
                    secret_file: flat.client_secret_file,
                    secret_env: flat.client_secret_env,
                    auth: flat.auth,
                    assertion_file: flat.client_assertion_file,
                    private_key_file: flat.private_key_file,
                    key_id: flat.key_id,
                    signing_algorithm: flat.signing_algorithm,
                    certificate_file: flat.certificate_file,
                };
                Self {
                    client,
                    $($member: flat.$member,)*
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $flat::deserialize(deserializer).map(Self::from)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $flat::json_schema(generator)
            }
        }
    };
}

pub(super) use members_with_client;
