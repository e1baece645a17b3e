//! What can hardly be meant as it is written: a warning, since the operator may know better.

use portcullis_core::{Dialect, Faults};

/// The provider's own issuers are written otherwise.
pub(super) fn warn_of_issuer(dialect: &Dialect, url: &str, faults: &Faults) {
    // The operator may have a host that only looks like the provider's.
    if let Some(misspelling) = dialect.misspelling(url) {
        faults
            .as_warnings()
            .expected("url", misspelling.expected)
            .found(url)
            .help(misspelling.cure);
    }
}

/// No token of the provider names such an audience.
pub(super) fn warn_of_audiences(dialect: &Dialect, audiences: &[String], faults: &Faults) {
    for audience in audiences {
        if let Some(unfit) = (dialect.doubtful_audience)(audience) {
            faults
                .as_warnings()
                .expected("audience", unfit.expected)
                .found(audience)
                .help(unfit.cure);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::settings::Settings;
    use portcullis_core::ConfigErrors;

    fn read(url: &str, audience: &str) -> Result<Settings, ConfigErrors> {
        let text = format!("[[issuer]]\nurl = '{url}'\naudience = '{audience}'\n");
        Settings::try_from(Config::from_toml(&text)?)
    }

    #[test]
    fn what_no_token_of_the_provider_has_is_a_warning() {
        let (id, host) = ("11111111-2222", "https://login.microsoftonline.com");
        for (url, audience, places) in [
            (format!("{host}/t-1/v2.0"), id, &[][..]),
            (
                format!("{host}/t-1/v2.0"),
                "api://x",
                &["issuer[0].audience"],
            ),
            (format!("{host}/a.example/v2.0"), id, &["issuer[0].url"]),
        ] {
            let settings = read(&url, audience).unwrap();
            let found = settings.warnings().iter();
            let found: Vec<&str> = found.map(|it| it.place()).collect();
            assert_eq!(found, places, "{url} {audience}");
        }
    }

    #[test]
    fn the_address_of_metadata_is_no_issuer() {
        let metadata = "https://idp.example/.well-known/openid-configuration";
        let faults = read(metadata, "api").unwrap_err().to_string();
        assert!(faults.contains("the issuer itself"), "{faults}");
    }
}
