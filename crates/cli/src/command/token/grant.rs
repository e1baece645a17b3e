//! Which grant is used if none is named. The decision is a pure table over its input.

use crate::args::Grant;
use crate::exit::CommandError;

/// What the choice depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) grant: Grant,
    /// The client has a secret, a key, a certificate or an assertion.
    pub(super) has_credentials: bool,
    /// There is a token to exchange.
    pub(super) has_subject_token: bool,
    /// The arguments say how a person signs in.
    pub(super) for_person: bool,
    /// The metadata has an `authorization_endpoint`.
    pub(super) has_code_grant: bool,
    /// The metadata has a `device_authorization_endpoint`.
    pub(super) has_device_grant: bool,
    /// Standard error is a terminal.
    pub(super) has_terminal: bool,
    /// A browser can be opened.
    pub(super) has_browser: bool,
}

/// How a new token is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GrantFlow {
    ClientCredentials,
    Code,
    Device,
    Exchange,
    OnBehalfOf,
}

impl GrantFlow {
    /// The flow in a sentence, behind "Requesting a token".
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::ClientCredentials => "with client credentials",
            Self::Code => "in the browser",
            Self::Device => "with a device code",
            Self::Exchange => "by token exchange",
            Self::OnBehalfOf => "on behalf of a user",
        }
    }
}

/// The flow, and the reason for it.
///
/// # Errors
///
/// No flow is possible; the help says what would make one possible.
pub(super) fn choose(
    circumstances: &Circumstances,
) -> Result<(GrantFlow, &'static str), CommandError> {
    let requested = "as --grant says";
    match circumstances.grant {
        // The most specific input decides: a token to exchange is of use for nothing else.
        Grant::Auto if circumstances.has_subject_token => {
            Ok((GrantFlow::Exchange, "there is a token to exchange"))
        }
        Grant::Auto if circumstances.has_credentials && !circumstances.for_person => {
            Ok((GrantFlow::ClientCredentials, "the client has credentials"))
        }
        Grant::Auto => choose_sign_in(circumstances),
        Grant::ClientCredentials if circumstances.has_credentials => {
            Ok((GrantFlow::ClientCredentials, requested))
        }
        Grant::ClientCredentials => impossible(
            "`--grant client-credentials` needs client credentials, found none",
            "set OAUTH2_CLIENT_SECRET, or pass --client-secret-file, --client-key-file, \
                --client-certificate-file or --client-assertion-file",
        ),
        Grant::Code => Ok((GrantFlow::Code, requested)),
        Grant::Device => Ok((GrantFlow::Device, requested)),
        // A stored refresh token would have been used before it comes to this.
        Grant::Refresh => impossible(
            "there is no stored refresh token",
            "sign in first with the same command without `--grant refresh`; some providers issue \
                refresh tokens only for the scope `offline_access`",
        ),
        Grant::Exchange | Grant::OnBehalfOf if !circumstances.has_subject_token => impossible(
            "this grant needs a token to exchange, found none",
            "pass `--subject-token-file FILE`, or `--subject-token-file -` for standard input",
        ),
        Grant::Exchange => Ok((GrantFlow::Exchange, requested)),
        Grant::OnBehalfOf => Ok((GrantFlow::OnBehalfOf, requested)),
    }
}

fn choose_sign_in(
    circumstances: &Circumstances,
) -> Result<(GrantFlow, &'static str), CommandError> {
    let Circumstances {
        has_browser: browser,
        has_code_grant: code,
        has_device_grant: device,
        ..
    } = *circumstances;
    // In a script, nobody would see the code, and the command would wait until it expires.
    if !circumstances.has_terminal && !browser {
        return impossible(
            "there is no stored token, and no terminal or browser to sign in with",
            "for a service, set OAUTH2_CLIENT_SECRET or pass --client-secret-file; for a person, \
                sign in once on a terminal, or pass `--grant device`",
        );
    }
    match (browser, code, device) {
        // Preferred: a victim can be made to type in a device code (RFC 8628, section 5.4).
        (true, true, _) => Ok((GrantFlow::Code, "there is a browser")),
        (false, _, true) => Ok((GrantFlow::Device, "there is no browser here")),
        (true, false, true) => Ok((
            GrantFlow::Device,
            "the provider has no authorization endpoint",
        )),
        (false, true, false) => Ok((GrantFlow::Code, "the provider has no device endpoint")),
        (_, false, false) => impossible(
            "the provider has no endpoint for people to sign in at",
            "for a service, set OAUTH2_CLIENT_SECRET, or pass --client-secret-file, \
                --client-key-file or --client-certificate-file",
        ),
    }
}

fn impossible<T>(message: &str, help: &str) -> Result<T, CommandError> {
    Err(CommandError::could_not_run(message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    const TERMINAL: Circumstances = Circumstances {
        grant: Grant::Auto,
        has_credentials: false,
        has_subject_token: false,
        for_person: false,
        has_code_grant: true,
        has_device_grant: true,
        has_terminal: true,
        has_browser: true,
    };

    #[test]
    fn a_sensible_grant_is_chosen() {
        for (circumstances, flow) in [
            (TERMINAL, GrantFlow::Code),
            (
                Circumstances {
                    has_terminal: false,
                    ..TERMINAL
                },
                GrantFlow::Code,
            ),
            (
                Circumstances {
                    has_browser: false,
                    ..TERMINAL
                },
                GrantFlow::Device,
            ),
            (
                Circumstances {
                    has_code_grant: false,
                    ..TERMINAL
                },
                GrantFlow::Device,
            ),
            (
                Circumstances {
                    has_browser: false,
                    has_device_grant: false,
                    ..TERMINAL
                },
                GrantFlow::Code,
            ),
            (
                Circumstances {
                    has_credentials: true,
                    ..TERMINAL
                },
                GrantFlow::ClientCredentials,
            ),
            (
                Circumstances {
                    has_credentials: true,
                    has_subject_token: true,
                    ..TERMINAL
                },
                GrantFlow::Exchange,
            ),
            (
                Circumstances {
                    has_credentials: true,
                    for_person: true,
                    ..TERMINAL
                },
                GrantFlow::Code,
            ),
            (
                Circumstances {
                    grant: Grant::Code,
                    has_credentials: true,
                    ..TERMINAL
                },
                GrantFlow::Code,
            ),
            (
                Circumstances {
                    grant: Grant::Device,
                    has_terminal: false,
                    ..TERMINAL
                },
                GrantFlow::Device,
            ),
            (
                Circumstances {
                    grant: Grant::OnBehalfOf,
                    has_subject_token: true,
                    ..TERMINAL
                },
                GrantFlow::OnBehalfOf,
            ),
        ] {
            assert_eq!(choose(&circumstances).unwrap().0, flow, "{circumstances:?}");
        }
    }

    #[test]
    fn without_a_possible_grant_the_help_says_what_to_set() {
        for (circumstances, help) in [
            (
                Circumstances {
                    has_terminal: false,
                    has_browser: false,
                    ..TERMINAL
                },
                "--grant device",
            ),
            (
                Circumstances {
                    has_code_grant: false,
                    has_device_grant: false,
                    ..TERMINAL
                },
                "--client-secret-file",
            ),
            (
                Circumstances {
                    grant: Grant::ClientCredentials,
                    ..TERMINAL
                },
                "OAUTH2_CLIENT_SECRET",
            ),
            (
                Circumstances {
                    grant: Grant::Refresh,
                    ..TERMINAL
                },
                "offline_access",
            ),
            (
                Circumstances {
                    grant: Grant::Exchange,
                    has_credentials: true,
                    ..TERMINAL
                },
                "--subject-token-file",
            ),
        ] {
            let failure = choose(&circumstances).unwrap_err();
            assert_eq!(failure.exit(), Exit::CouldNotRun);
            assert!(failure.message().contains(help), "{}", failure.message());
        }
    }
}
