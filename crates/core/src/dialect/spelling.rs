//! Issuers that can hardly be meant as they are written: the provider's own have another spelling.

use super::{DIALECTS, Dialect, Unfit, host_and_path};

/// Whether the issuers of a provider end with a slash. `iss` is compared byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FinalSlash {
    /// All of them.
    Always,
    /// None of them.
    Never,
    /// The operator decides.
    Either,
}

impl Dialect {
    /// What is expected of an issuer of this dialect that is written in another way than its
    /// provider does. Its tokens would all be refused.
    pub fn misspelling(&self, issuer: &str) -> Option<Unfit> {
        let (host, path) = host_and_path(issuer);
        let host = host.to_ascii_lowercase();
        // Of every dialect: such a spelling may be why none recognises the issuer.
        for dialect in DIALECTS {
            if let Some(unfit) = (dialect.near_miss)(&host, path) {
                return Some(unfit);
            }
        }
        let has_slash = issuer.ends_with('/');
        match self.final_slash {
            FinalSlash::Always if !has_slash => Some(Unfit {
                expected: "an issuer that ends with a slash, as this provider's do",
                cure: "copy `issuer` of the provider's metadata exactly, with its final slash",
            }),
            FinalSlash::Never if has_slash => Some(Unfit {
                expected: "an issuer without a final slash, as this provider's are",
                cure: "copy `issuer` of the provider's metadata exactly, without a final slash",
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_than_the_provider_s_is_found() {
        for (profile, issuer, expected) in [
            (None, "https://acme.auth0.com", Some("ends with a slash")),
            (None, "https://acme.auth0.com/", None),
            // A custom domain shows nothing, but the operator names the profile.
            (
                Some("auth0"),
                "https://login.acme.dev",
                Some("ends with a slash"),
            ),
            (
                None,
                "https://login.microsoftonline.com/t-1",
                Some("`/v2.0`"),
            ),
            (
                None,
                "https://login.microsoftonline.com/t-1/v2.0/",
                Some("`/v2.0`"),
            ),
            (None, "https://login.microsoftonline.com/t-1/v2.0", None),
            (
                None,
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                None,
            ),
            (
                None,
                "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0",
                Some("not its domain name"),
            ),
            (
                None,
                "https://sts.windows.net/t-1",
                Some("ends with a slash"),
            ),
            (
                None,
                "https://accounts.google.com/",
                Some("without a final slash"),
            ),
            (
                None,
                "https://acme.okta.com/oauth2/default/",
                Some("without"),
            ),
            (None, "https://idp.example/", None),
        ] {
            let dialect = match profile {
                Some(name) => Dialect::by_name(name).unwrap(),
                None => Dialect::of_issuer(issuer),
            };
            let found = dialect.misspelling(issuer).map(|unfit| unfit.expected);
            match expected {
                Some(piece) => assert!(found.is_some_and(|it| it.contains(piece)), "{issuer}"),
                None => assert_eq!(found, None, "{issuer}"),
            }
        }
    }
    #[test]
    fn an_audience_that_no_token_has_is_found() {
        let doubt = |name: &str, audience| {
            let dialect = Dialect::by_name(name).unwrap();
            (dialect.doubtful_audience)(audience).is_some()
        };
        assert!(doubt("entra-v2", "api://11111111-2222"));
        assert!(!doubt("entra-v2", "11111111-2222"));
        assert!(!doubt("entra-v1", "api://11111111-2222"));
    }
}
