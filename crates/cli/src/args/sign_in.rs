//! How a person is to sign in: the arguments that `token` and `curl` share.

use clap::Args;

/// How a person is to sign in. The provider decides what it makes of them.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SignInArguments {
    /// How the person is to sign in, by the provider's names for it, the best first (`acr_values`)
    #[arg(long, value_name = "VALUES", help_heading = SIGN_IN)]
    pub(crate) acr_values: Option<String>,
    /// How many seconds ago the person may have signed in, at most; 0 asks them now
    #[arg(long, value_name = "SECONDS", help_heading = SIGN_IN)]
    pub(crate) max_age: Option<u32>,
    /// Who is probably signing in, such as an address
    #[arg(long, value_name = "NAME", help_heading = SIGN_IN)]
    pub(crate) login_hint: Option<String>,
    /// What the provider is to do: `login`, `consent`, `select_account` (each asks the person now),
    /// or `none` (asks nobody)
    #[arg(long, value_name = "WORDS", help_heading = SIGN_IN)]
    pub(crate) prompt: Option<String>,
    /// One more parameter of the sign-in, such as `access_type=offline`; can be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", help_heading = SIGN_IN)]
    pub(crate) parameters: Vec<String>,
    /// Another audience that an ID token may be for, as it belongs to the same application; can be
    /// repeated
    #[arg(long, value_name = "NAME", help_heading = SIGN_IN)]
    pub(crate) trusted_audience: Vec<String>,
    /// Go on with a provider that says it checks no PKCE with S256: whoever steals the code may use
    /// it
    #[arg(long, help_heading = SIGN_IN)]
    pub(crate) danger_without_pkce: bool,
}

const SIGN_IN: &str = "How a person signs in";
