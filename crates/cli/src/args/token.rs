//! `portcullis token` and `portcullis logout`.

use super::sign_in::SignInArguments;
use crate::store::StoreKind;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
// `token --issuer X list` would otherwise ignore the issuer.
#[command(args_conflicts_with_subcommands = true, after_long_help = TOKEN)]
pub(crate) struct TokenArguments {
    #[command(subcommand)]
    pub(crate) action: Option<TokenAction>,
    #[command(flatten)]
    pub(crate) request: RequestArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenAction {
    /// List the stored tokens: whose they are, for what, and until when; never their text
    #[command(after_long_help = LIST)]
    List {
        #[command(flatten)]
        store: StoreArguments,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete stored tokens, on this machine only; `portcullis logout` also revokes them
    #[command(
        after_long_help = CLEAR,
        // Required: a bare `clear` would otherwise delete everything.
        group = clap::ArgGroup::new("which").required(true).args(["issuer", "all"]),
    )]
    Clear {
        #[command(flatten)]
        store: StoreArguments,
        /// The provider whose tokens to delete
        #[arg(long, value_name = "URL")]
        issuer: Option<String>,
        /// The client whose tokens to delete [default: every client of the provider]
        #[arg(long, value_name = "ID", requires = "issuer")]
        client_id: Option<String>,
        /// Delete all tokens and their key, even if the store cannot be read
        #[arg(long, conflicts_with = "client_id")]
        all: bool,
    },
}

/// Where tokens are stored.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArguments {
    /// Where tokens are stored between two calls [env: PORTCULLIS_TOKEN_STORE]
    #[arg(long, value_name = "WHERE", value_enum, help_heading = STORE)]
    pub(crate) store: Option<StoreKind>,
}

/// The client, and its credentials.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClientArguments {
    /// The identity provider [env: OAUTH2_ISSUER, also from .env]
    #[arg(long, value_name = "URL", help_heading = CLIENT)]
    pub(crate) issuer: Option<String>,
    /// The URL of the provider's metadata, if it is not under the issuer; the issuer may be any
    /// identifier then, as at AD FS
    #[arg(long, value_name = "URL", help_heading = CLIENT)]
    pub(crate) metadata_url: Option<String>,
    /// The client's id, as registered at the provider [env: OAUTH2_CLIENT_ID, also from .env]
    #[arg(long, value_name = "ID", help_heading = CLIENT)]
    pub(crate) client_id: Option<String>,
    /// A file with the client secret; others could read it on a command line
    /// [env: OAUTH2_CLIENT_SECRET, the secret itself, also from .env]
    #[arg(long, value_name = "FILE", help_heading = CLIENT)]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// A file with the client's private key in PEM, which signs its assertions (private_key_jwt)
    // RFC 6749, section 2.3: a request must not use more than one authentication method.
    #[arg(long, value_name = "FILE", help_heading = CLIENT, conflicts_with = "client_secret_file")]
    pub(crate) client_key_file: Option<PathBuf>,
    /// The `kid` of that key at the provider
    #[arg(long, value_name = "KID", help_heading = CLIENT, requires = "client_key_file")]
    pub(crate) client_key_id: Option<String>,
    /// A file with the client's certificate and key in PEM, for mutual TLS; with --client-key-file,
    /// the certificate whose thumbprint identifies the key (Entra ID)
    #[arg(
        long,
        visible_alias = "mtls",
        value_name = "FILE",
        help_heading = CLIENT,
        conflicts_with = "client_secret_file"
    )]
    pub(crate) client_certificate_file: Option<PathBuf>,
    /// A file with a signed assertion, as platforms provide for workload identities (Kubernetes,
    /// AZURE_FEDERATED_TOKEN_FILE); it is read for each request
    /// [env: OAUTH2_CLIENT_ASSERTION_FILE, also from .env]
    #[arg(
        long,
        value_name = "FILE",
        help_heading = CLIENT,
        conflicts_with_all = ["client_secret_file", "client_key_file", "client_certificate_file"],
    )]
    pub(crate) client_assertion_file: Option<PathBuf>,
    /// Send the secret in the form body, for providers that accept it only there
    /// (client_secret_post)
    #[arg(long, help_heading = CLIENT)]
    pub(crate) client_secret_post: bool,
    /// A file with certificates in PEM to trust besides those of the system
    #[arg(long, value_name = "FILE", help_heading = CLIENT)]
    pub(crate) ca_file: Option<PathBuf>,
}

/// The token that is requested, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct RequestArguments {
    #[command(flatten)]
    pub(crate) client: ClientArguments,
    /// The scopes to request, separated by spaces
    /// [default for a person: `openid offline_access`, as far as the provider lists them]
    #[arg(long, value_name = "SCOPES", help_heading = REQUEST)]
    pub(crate) scope: Option<String>,
    /// The API to request a token for, by its name at the provider (`audience`: Auth0, Ory Hydra,
    /// token exchange)
    #[arg(long, value_name = "NAME", help_heading = REQUEST)]
    pub(crate) audience: Option<String>,
    /// The API to request a token for, by its address (`resource`, RFC 8707)
    #[arg(long, value_name = "URI", help_heading = REQUEST)]
    pub(crate) resource: Option<String>,
    /// The URL of the API to call: its metadata (RFC 9728) names the provider and the scopes; of
    /// several providers, --issuer chooses
    #[arg(
        long,
        value_name = "URL",
        help_heading = REQUEST,
        conflicts_with_all = ["resource", "metadata_url"],
    )]
    pub(crate) resource_url: Option<String>,
    /// How to request the token
    #[arg(long, value_enum, default_value_t = Grant::Auto, help_heading = REQUEST)]
    pub(crate) grant: Grant,
    /// A file with the token to exchange, or to act on behalf of; `-` reads standard input
    #[arg(long, value_name = "FILE", help_heading = REQUEST)]
    pub(crate) subject_token_file: Option<PathBuf>,
    /// The type of that token
    // Without the file it would be ignored silently.
    #[arg(
        long,
        value_enum,
        default_value_t = SubjectTokenType::IssuedToken,
        requires = "subject_token_file",
        help_heading = REQUEST,
    )]
    pub(crate) subject_token_type: SubjectTokenType,
    /// Push the authorization request to the provider directly, not through the browser (PAR, RFC
    /// 9126); always done if the provider requires it
    #[arg(long, help_heading = REQUEST)]
    pub(crate) par: bool,
    /// Bind the token to a key on this machine (DPoP, RFC 9449); only `portcullis curl` can use it
    /// then
    #[arg(long, help_heading = REQUEST)]
    pub(crate) dpop: bool,
    /// The redirect URI that is registered at the provider, on 127.0.0.1, [::1] or localhost;
    /// without a port, any free one is used [default: http://127.0.0.1/callback, any free port]
    #[arg(long, value_name = "URI", help_heading = REQUEST)]
    pub(crate) redirect_uri: Option<String>,
    #[command(flatten)]
    pub(crate) sign_in: SignInArguments,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// Request a new token, even if the stored one is still valid
    #[arg(long, help_heading = STORE)]
    pub(crate) renew: bool,
    /// How long the token must still be valid, at least
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u16).range(..=3_600),
        help_heading = STORE,
    )]
    pub(crate) valid_for: u16,
    /// Store nothing; the same as --store none
    // A shorter spelling for scripts; with another `--store` it would contradict it.
    #[arg(long, help_heading = STORE, conflicts_with = "store")]
    pub(crate) no_store: bool,
    /// Print only errors, and what a person must do, on standard error
    #[arg(long, short, help_heading = OUTPUT)]
    pub(crate) quiet: bool,
}

/// The output.
#[derive(Args, Debug)]
pub(crate) struct OutputArguments {
    /// What to print
    #[arg(long, short, value_enum, default_value_t = Output::Token, help_heading = OUTPUT)]
    pub(crate) output: Output,
    /// The same as --output json
    #[arg(long, help_heading = OUTPUT, conflicts_with = "output")]
    pub(crate) json: bool,
    /// Print the ID token instead of the access token; --output kubernetes does so if there is one
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) id_token: bool,
}

/// How a token is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Grant {
    /// Whatever fits; standard error says which one, and why
    Auto,
    /// For the client itself, with its secret, key, certificate or assertion
    ClientCredentials,
    /// For a person, in the browser on this machine (authorization code with PKCE)
    // The aliases are the names of RFC 6749 and of other tools.
    #[value(alias = "authorization-code", alias = "browser")]
    Code,
    /// For a person, in any browser, with a code to type in (RFC 8628)
    #[value(alias = "device-code")]
    Device,
    /// For a person who signed in before, with the stored refresh token
    #[value(alias = "refresh-token")]
    Refresh,
    /// For another API, in exchange for --subject-token-file (RFC 8693)
    #[value(alias = "token-exchange")]
    Exchange,
    /// For another API at Entra ID, on behalf of the user of --subject-token-file
    OnBehalfOf,
}

/// The type of the token in `--subject-token-file` (RFC 8693, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SubjectTokenType {
    IssuedToken,
    IdToken,
    RefreshToken,
    Jwt,
}

/// The format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// The token alone
    Token,
    /// The token, its type, scopes and expiry, as JSON
    Json,
    /// A credential for kubectl (client.authentication.k8s.io/v1)
    Kubernetes,
}

#[derive(Args, Debug)]
#[command(after_long_help = LOGOUT)]
pub(crate) struct LogoutArguments {
    #[command(flatten)]
    pub(crate) client: ClientArguments,
    #[command(flatten)]
    pub(crate) store: StoreArguments,
    /// Do not end the session in the browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Print only errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

const CLIENT: &str = "Provider and client";
const REQUEST: &str = "Request";
const STORE: &str = "Token store";
const OUTPUT: &str = "Output";

const TOKEN: &str = "\
Examples:
  # Sign in with the browser once; later calls use the stored token
  $ portcullis token --issuer https://idp.example --client-id cli
  $ curl -H \"Authorization: Bearer $(portcullis token -q)\" https://api.example

  # A service, with its secret or key
  $ portcullis token --client-id orders --client-secret-file secret --scope orders:read
  $ portcullis token --client-id orders --client-key-file key.pem --audience https://api.example

  # In a pod with a workload identity, whose assertion is in a file
  $ portcullis token --client-id orders --client-assertion-file /var/run/secrets/tokens/orders

  # Require a second factor, within the last five minutes
  $ portcullis token --acr-values mfa --max-age 300

  # Request a refresh token from Google
  $ portcullis token --client-id cli --param access_type=offline \
      --issuer https://accounts.google.com

  # For an API that names its provider and its scopes itself (RFC 9728)
  $ portcullis token --client-id cli --resource-url https://api.example/orders

  # On a machine without a browser
  $ portcullis token --grant device

  # In exchange for another token
  $ portcullis token --grant exchange --subject-token-file token --audience https://other.example

For `portcullis dev` and `portcullis idp`, --issuer is enough: the client defaults to `web`.

A stored token is used until it expires, then refreshed. Only the token goes to standard output, so
the command can stand in $(...). The browser is $BROWSER, or the default one.

Environment, also from .env: OAUTH2_ISSUER, OAUTH2_CLIENT_ID, OAUTH2_CLIENT_SECRET,
OAUTH2_CLIENT_ASSERTION_FILE. Environment only: PORTCULLIS_TOKEN_STORE, PORTCULLIS_PASSPHRASE (of
the store), PORTCULLIS_STATE_DIR, BROWSER, KUBERNETES_EXEC_INFO.

Exit codes: 0 a token, 1 could not run, 2 refused by the provider or the person, 4 the provider
could not be reached.";

const LIST: &str = "\
Examples:
  $ portcullis token list
  $ portcullis token list --json";

const CLEAR: &str = "\
Examples:
  $ portcullis token clear --issuer https://idp.example
  $ portcullis token clear --issuer https://idp.example --client-id cli
  $ portcullis token clear --all";

const LOGOUT: &str = "\
Revokes the refresh token at the provider (RFC 7009), ends the session there in the browser
(RP-initiated logout, if there is an ID token), and deletes the stored tokens. The tokens are
deleted even if the rest fails.

Examples:
  $ portcullis logout --issuer https://idp.example --client-id cli
  $ portcullis logout --no-browser

Exit codes: 0 done, 1 could not run, 2 the provider refused, 4 the provider could not be reached.";
