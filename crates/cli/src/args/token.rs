//! `portcullis token` and `portcullis logout`.

use super::sign_in::SignInArguments;
use crate::store::Keeping;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
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
    /// Show which tokens are kept: whose, for what, until when; never the tokens
    #[command(after_long_help = LIST)]
    List {
        #[command(flatten)]
        kept: KeptArguments,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget tokens that are kept, here only; `portcullis logout` tells the provider as well
    #[command(
        after_long_help = CLEAR,
        group = clap::ArgGroup::new("which").required(true).args(["issuer", "all"]),
    )]
    Clear {
        #[command(flatten)]
        kept: KeptArguments,
        /// The provider whose tokens to forget
        #[arg(long, value_name = "URL")]
        issuer: Option<String>,
        /// The client whose tokens to forget [default: every client of the provider]
        #[arg(long, value_name = "ID", requires = "issuer")]
        client_id: Option<String>,
        /// Forget everything, and the key: also a store that cannot be read any more
        #[arg(long, conflicts_with = "client_id")]
        all: bool,
    },
}

/// Where tokens are kept.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeptArguments {
    /// Where tokens are kept between two calls [env: PORTCULLIS_TOKEN_STORE]
    #[arg(long, value_name = "WHERE", value_enum, help_heading = KEEPING)]
    pub(crate) store: Option<Keeping>,
}

/// The client, and what proves that it asks.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClientArguments {
    /// The identity provider [env: OAUTH2_ISSUER, also from .env]
    #[arg(long, value_name = "URL", help_heading = CLIENT)]
    pub(crate) issuer: Option<String>,
    /// The client, as it is registered there [env: OAUTH2_CLIENT_ID, also from .env]
    #[arg(long, value_name = "ID", help_heading = CLIENT)]
    pub(crate) client_id: Option<String>,
    /// A file with the client's secret; a command line could be read by others
    /// [env: OAUTH2_CLIENT_SECRET, the secret itself]
    #[arg(long, value_name = "FILE", help_heading = CLIENT)]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// A file with the client's private key in PEM: it signs what proves the client
    /// (private_key_jwt)
    #[arg(long, value_name = "FILE", help_heading = CLIENT, conflicts_with = "client_secret_file")]
    pub(crate) client_key_file: Option<PathBuf>,
    /// The name of that key at the provider (`kid`)
    #[arg(long, value_name = "KID", help_heading = CLIENT, requires = "client_key_file")]
    pub(crate) client_key_id: Option<String>,
    /// A file with the client's certificate and its key in PEM, for mutual TLS; beside
    /// --client-key-file, the certificate whose thumbprint names the key (Entra ID)
    #[arg(long, value_name = "FILE", help_heading = CLIENT, conflicts_with = "client_secret_file")]
    pub(crate) client_certificate_file: Option<PathBuf>,
    /// A file with a ready assertion of the client, as a platform keeps one for a workload
    /// (Kubernetes, AZURE_FEDERATED_TOKEN_FILE); it is read each time
    /// [env: OAUTH2_CLIENT_ASSERTION_FILE, also from .env]
    #[arg(
        long,
        value_name = "FILE",
        help_heading = CLIENT,
        conflicts_with_all = ["client_secret_file", "client_key_file", "client_certificate_file"],
    )]
    pub(crate) client_assertion_file: Option<PathBuf>,
    /// Send the secret in the form, to a provider that takes it there only (client_secret_post)
    #[arg(long, help_heading = CLIENT)]
    pub(crate) client_secret_post: bool,
    /// A file with certificates in PEM to trust besides the usual ones
    #[arg(long, value_name = "FILE", help_heading = CLIENT)]
    pub(crate) ca_file: Option<PathBuf>,
}

/// What is asked for, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct RequestArguments {
    #[command(flatten)]
    pub(crate) client: ClientArguments,
    /// The scopes to ask for, with spaces between
    /// [default for a person: `openid offline_access`, as far as there are such]
    #[arg(long, value_name = "SCOPES", help_heading = ASKED)]
    pub(crate) scope: Option<String>,
    /// The API to ask for, by its name at the provider (`audience`: Auth0, Ory Hydra, token
    /// exchange)
    #[arg(long, value_name = "NAME", help_heading = ASKED)]
    pub(crate) audience: Option<String>,
    /// The API to ask for, by its address (`resource`, RFC 8707)
    #[arg(long, value_name = "URI", help_heading = ASKED)]
    pub(crate) resource: Option<String>,
    /// How to get the token
    #[arg(long, value_enum, default_value_t = Grant::Auto, help_heading = ASKED)]
    pub(crate) grant: Grant,
    /// The token to exchange, or to act on behalf of; `-` reads it from standard input
    #[arg(long, value_name = "FILE", help_heading = ASKED)]
    pub(crate) subject_token_file: Option<PathBuf>,
    /// What kind of token that is
    #[arg(
        long,
        value_enum,
        default_value_t = TokenType::AccessToken,
        requires = "subject_token_file",
        help_heading = ASKED,
    )]
    pub(crate) subject_token_type: TokenType,
    /// Send the request ahead to the provider, past the browser (PAR, RFC 9126); done by itself
    /// where it is demanded
    #[arg(long, help_heading = ASKED)]
    pub(crate) par: bool,
    /// Bind the token to a key that stays here (RFC 9449): then it takes `portcullis curl` to use
    /// it
    #[arg(long, help_heading = ASKED)]
    pub(crate) dpop: bool,
    /// Where the browser comes back to, if the provider must know it: a port of 127.0.0.1, [::1] or
    /// localhost; without a port, a free one [default: any free port of 127.0.0.1, and /callback]
    #[arg(long, value_name = "URI", help_heading = ASKED)]
    pub(crate) redirect_uri: Option<String>,
    #[command(flatten)]
    pub(crate) sign_in: SignInArguments,
    #[command(flatten)]
    pub(crate) kept: KeptArguments,
    /// Get a new token though the one that is kept is still good
    #[arg(long, help_heading = KEEPING)]
    pub(crate) renew: bool,
    /// For how many seconds the token must be good, at least
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u16).range(..=3_600),
        help_heading = KEEPING,
    )]
    pub(crate) valid_for: u16,
    /// Keep nothing: the same as --store none
    #[arg(long, help_heading = KEEPING, conflicts_with = "store")]
    pub(crate) no_store: bool,
    /// Say nothing but what went wrong, or what a person must do
    #[arg(long, short, help_heading = OUTPUT)]
    pub(crate) quiet: bool,
}

/// What is printed.
#[derive(Args, Debug)]
pub(crate) struct OutputArguments {
    /// What to print
    #[arg(long, short, value_enum, default_value_t = Output::Token, help_heading = OUTPUT)]
    pub(crate) output: Output,
    /// The same as --output json
    #[arg(long, help_heading = OUTPUT, conflicts_with = "output")]
    pub(crate) json: bool,
    /// The ID token in the place of the access token; --output kubernetes does so by itself, where
    /// there is one
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) id_token: bool,
}

/// How a token is got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Grant {
    /// Whatever fits: says on standard error what it is, and why
    Auto,
    /// For the client itself, by its secret, key or certificate
    ClientCredentials,
    /// For a person, in the browser on this machine (with PKCE)
    #[value(alias = "authorization-code", alias = "browser")]
    Code,
    /// For a person, in a browser on any machine, by a code to type in
    #[value(alias = "device-code")]
    Device,
    /// For a person who signed in before: by the refresh token that is kept
    #[value(alias = "refresh-token")]
    Refresh,
    /// For another API, in exchange for --subject-token-file (RFC 8693)
    #[value(alias = "token-exchange")]
    Exchange,
    /// The same as Entra ID does it, on behalf of the user of --subject-token-file
    OnBehalfOf,
}

/// What `--subject-token-file` holds (RFC 8693, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenType {
    AccessToken,
    IdToken,
    RefreshToken,
    Jwt,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// The bare token
    Token,
    /// The token, its type, scopes and end, as JSON
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
    pub(crate) kept: KeptArguments,
    /// Leave the session in the browser as it is
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Say nothing but what went wrong
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

const CLIENT: &str = "Provider and client";
const ASKED: &str = "What is asked for";
const KEEPING: &str = "Keeping";
const OUTPUT: &str = "Output";

const TOKEN: &str = "\
Examples:
  A person signs in with the browser, once; later calls use what is kept:
  $ portcullis token --issuer https://idp.example --client-id cli
  $ curl -H \"Authorization: Bearer $(portcullis token -q)\" https://api.example

  A service, by its secret, key or certificate:
  $ portcullis token --client-id orders --client-secret-file secret --scope orders:read
  $ portcullis token --client-id orders --client-key-file key.pem --audience https://api.example

  In a pod with a workload identity, which keeps a ready assertion in a file:
  $ portcullis token --client-id orders --client-assertion-file /var/run/secrets/tokens/orders

  Signed in with a second factor, within the last five minutes; and a refresh token at Google:
  $ portcullis token --acr-values mfa --max-age 300
  $ portcullis token --issuer https://idp.example --client-id cli --param access_type=offline

  On a machine without a browser, and in exchange for another token:
  $ portcullis token --grant device
  $ portcullis token --grant exchange --subject-token-file token --audience https://other.example

Where `portcullis dev` or `portcullis idp` runs, its issuer is enough: the client is `web` then.

What is kept is used for as long as it is good, then renewed by its refresh token. Only the result
goes to standard output, so it can stand in $(...). The browser is $BROWSER, or the usual one.

Environment, also from .env: OAUTH2_ISSUER, OAUTH2_CLIENT_ID, OAUTH2_CLIENT_SECRET,
OAUTH2_CLIENT_ASSERTION_FILE. Environment only: PORTCULLIS_TOKEN_STORE, PORTCULLIS_PASSPHRASE (the
store's), PORTCULLIS_STATE_DIR, BROWSER, KUBERNETES_EXEC_INFO.

Exit codes: 0 a token, 1 could not run, 2 refused by the provider or the person, 4 the provider is
out of reach.";

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
Revokes the refresh token at the provider (RFC 7009), ends the session there with the browser \
where there is an ID token
to do it by (RP-initiated logout), and forgets what is kept. Of the three, the last is done even if
the others fail.

Examples:
  $ portcullis logout --issuer https://idp.example --client-id cli
  $ portcullis logout --no-browser

Exit codes: 0 done, 1 could not run, 2 the provider refused, 4 the provider is out of reach.";
