//! The audiences that tokens can have at all, as the issuers' tables write them.

use crate::config::Config;
use portcullis_core::Faults;

/// The audiences of all issuers, as written: a fault of an issuer hides none of them.
#[derive(Clone, Debug)]
pub struct KnownAudiences(Vec<String>);

impl KnownAudiences {
    /// Those of these settings.
    pub fn of(config: &Config) -> Self {
        let mut names = Vec::new();
        for issuer in &config.issuer {
            names.extend(issuer.audience.iter().cloned());
        }
        Self(names)
    }

    /// Tells names in a member that no issuer's tokens have: a demand for one could not be met.
    pub fn check(&self, member: &str, names: &[String], faults: &Faults) {
        if names.is_empty() {
            faults
                .expected(member, "at least one audience")
                .found_as("an empty list")
                .help("write what `aud` of the tokens holds, or leave it out");
        }
        for name in names {
            if !self.0.contains(name) {
                faults
                    .expected(member, "an audience of an issuer")
                    .found(name)
                    .given_elsewhere(&["issuer[*].audience"])
                    .help("write it in `audience` of the issuer of such tokens, exactly as here");
            }
        }
    }
}
