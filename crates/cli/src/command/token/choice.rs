//! Which grant is taken when none is named: a table, and no more than what it is given decides.

use crate::args::Grant;
use crate::exit::{Exit, Failure};

/// What there is to decide by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) grant: Grant,
    /// A secret, a key or a certificate of the client.
    pub(super) proof: bool,
    /// A token to exchange.
    pub(super) subject_token: bool,
    /// It is said how a person is to sign in.
    pub(super) for_a_person: bool,
    /// `authorization_endpoint` in the metadata.
    pub(super) code: bool,
    /// `device_authorization_endpoint` in the metadata.
    pub(super) device: bool,
    /// Somebody looks at standard error.
    pub(super) somebody: bool,
    /// A browser can be opened.
    pub(super) browser: bool,
}

/// How a new token is got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    ClientCredentials,
    Code,
    Device,
    Exchange,
    OnBehalfOf,
}

/// The way, and why it is that one.
///
/// # Errors
///
/// There is none, with what would make one.
pub(super) fn choose(seen: &Circumstances) -> Result<(Way, &'static str), Failure> {
    let named = "as it was asked for";
    match seen.grant {
        Grant::Auto if seen.subject_token => Ok((Way::Exchange, "there is a token to exchange")),
        Grant::Auto if seen.proof && !seen.for_a_person => {
            Ok((Way::ClientCredentials, "the client can prove itself"))
        }
        Grant::Auto => for_a_person(seen),
        Grant::ClientCredentials if seen.proof => Ok((Way::ClientCredentials, named)),
        Grant::ClientCredentials => none(
            "the client has nothing to prove itself by",
            "set OAUTH2_CLIENT_SECRET, or pass --client-secret-file, --client-key-file, \
                --client-certificate-file or --client-assertion-file",
        ),
        Grant::Code => Ok((Way::Code, named)),
        Grant::Device => Ok((Way::Device, named)),
        Grant::Refresh => none(
            "nothing is kept that could be renewed",
            "sign in first, by the same command without `--grant refresh`; ask for the scope \
                `offline_access` if the provider gives refresh tokens for it only",
        ),
        Grant::Exchange | Grant::OnBehalfOf if !seen.subject_token => none(
            "there is no token to exchange",
            "pass `--subject-token-file FILE`, or `--subject-token-file -` for standard input",
        ),
        Grant::Exchange => Ok((Way::Exchange, named)),
        Grant::OnBehalfOf => Ok((Way::OnBehalfOf, named)),
    }
}

fn for_a_person(seen: &Circumstances) -> Result<(Way, &'static str), Failure> {
    if !seen.somebody && !seen.browser {
        return none(
            "there is no token that is kept, and nobody is here to sign in",
            "for a service, set OAUTH2_CLIENT_SECRET or pass --client-secret-file; for a person, \
                sign in once on a terminal, or pass `--grant device`",
        );
    }
    match (seen.browser, seen.code, seen.device) {
        (true, true, _) => Ok((Way::Code, "a browser can be opened here")),
        (false, _, true) => Ok((Way::Device, "no browser can be opened here")),
        (true, false, true) => Ok((Way::Device, "the provider has no page to send a browser to")),
        (false, true, false) => Ok((Way::Code, "the provider offers no codes for other machines")),
        (_, false, false) => none(
            "the provider offers no way for a person to sign in",
            "for a service, set OAUTH2_CLIENT_SECRET, or pass --client-secret-file, \
                --client-key-file or --client-certificate-file",
        ),
    }
}

fn none<T>(message: &str, cure: &str) -> Result<T, Failure> {
    Err(Failure::with_cure(Exit::CouldNotRun, message, cure))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Circumstances = Circumstances {
        grant: Grant::Auto,
        proof: false,
        subject_token: false,
        for_a_person: false,
        code: true,
        device: true,
        somebody: true,
        browser: true,
    };

    #[test]
    fn a_sensible_way_is_chosen() {
        for (seen, way) in [
            (TERMINAL, Way::Code),
            (
                Circumstances {
                    somebody: false,
                    ..TERMINAL
                },
                Way::Code,
            ),
            (
                Circumstances {
                    browser: false,
                    ..TERMINAL
                },
                Way::Device,
            ),
            (
                Circumstances {
                    code: false,
                    ..TERMINAL
                },
                Way::Device,
            ),
            (
                Circumstances {
                    browser: false,
                    device: false,
                    ..TERMINAL
                },
                Way::Code,
            ),
            (
                Circumstances {
                    proof: true,
                    ..TERMINAL
                },
                Way::ClientCredentials,
            ),
            (
                Circumstances {
                    proof: true,
                    subject_token: true,
                    ..TERMINAL
                },
                Way::Exchange,
            ),
            (
                Circumstances {
                    proof: true,
                    for_a_person: true,
                    ..TERMINAL
                },
                Way::Code,
            ),
            (
                Circumstances {
                    grant: Grant::Code,
                    proof: true,
                    ..TERMINAL
                },
                Way::Code,
            ),
            (
                Circumstances {
                    grant: Grant::Device,
                    somebody: false,
                    ..TERMINAL
                },
                Way::Device,
            ),
            (
                Circumstances {
                    grant: Grant::OnBehalfOf,
                    subject_token: true,
                    ..TERMINAL
                },
                Way::OnBehalfOf,
            ),
        ] {
            assert_eq!(choose(&seen).unwrap().0, way, "{seen:?}");
        }
    }

    #[test]
    fn where_there_is_no_way_the_next_step_is_told() {
        for (seen, told) in [
            (
                Circumstances {
                    somebody: false,
                    browser: false,
                    ..TERMINAL
                },
                "--grant device",
            ),
            (
                Circumstances {
                    code: false,
                    device: false,
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
                    proof: true,
                    ..TERMINAL
                },
                "--subject-token-file",
            ),
        ] {
            let failure = choose(&seen).unwrap_err();
            assert_eq!(failure.exit(), Exit::CouldNotRun);
            assert!(failure.message().contains(told), "{}", failure.message());
        }
    }
}
