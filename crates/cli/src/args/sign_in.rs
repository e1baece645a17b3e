//! How a person signs in: the arguments that `token` and `curl` share.

use clap::Args;

/// How a person signs in. The provider decides what it makes of it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SignInArguments {
    /// The authentication context to require, such as a second factor, by the provider's names, the
    /// preferred one first (`acr_values`)
    #[arg(long, value_name = "VALUES", help_heading = SIGN_IN)]
    pub(crate) acr_values: Option<String>,
    /// How long ago the person may have signed in, at most; 0 asks them to sign in now
    // Zero has a meaning of its own: the provider must ask (OpenID Connect Core, section 3.1.2.1).
    #[arg(long, value_name = "SECONDS", help_heading = SIGN_IN)]
    pub(crate) max_age: Option<u32>,
    /// Who is probably signing in, such as an email address
    #[arg(long, value_name = "NAME", help_heading = SIGN_IN)]
    pub(crate) login_hint: Option<String>,
    /// What to ask the person for: `login`, `consent`, `select_account`, or `none` (fails if the
    /// provider would have to ask)
    #[arg(long, value_name = "WORDS", help_heading = SIGN_IN)]
    pub(crate) prompt: Option<String>,
    /// Another parameter of the sign-in, such as `access_type=offline`; can be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", help_heading = SIGN_IN)]
    pub(crate) parameters: Vec<String>,
    /// Another audience that ID tokens may name, because it belongs to the same application; can be
    /// repeated
    #[arg(long, value_name = "NAME", help_heading = SIGN_IN)]
    pub(crate) trusted_audience: Vec<String>,
    /// Continue although the provider announces that it does not support PKCE with S256; a stolen
    /// code can be used then
    #[arg(long, help_heading = SIGN_IN)]
    pub(crate) danger_without_pkce: bool,
}

const SIGN_IN: &str = "Sign-in";
