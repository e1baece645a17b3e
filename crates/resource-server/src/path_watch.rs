//! Notices claim paths of the settings that never find anything, and warns of them once.

use portcullis_core::token::Claims;
use portcullis_core::verify::Verifier;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Which paths found something so far in the verified tokens of one issuer.
#[derive(Debug, Default)]
pub(crate) struct PathWatch(Mutex<PathSightings>);

#[derive(Debug, Default)]
struct PathSightings {
    tokens: u32,
    found: BTreeSet<&'static str>,
}

/// After this many tokens it is no coincidence that a path found nothing.
const ENOUGH: u32 = 20;

impl PathWatch {
    /// Looks at a token that was just verified in full.
    pub(crate) fn look(&self, verifier: &Verifier, claims: &Claims) {
        for (setting, path) in self.silent(verifier, claims) {
            tracing::warn!(
                issuer = %verifier.issuer(),
                setting,
                path,
                "a claim path found nothing in {ENOUGH} tokens: compare it with a token, by \
                    `portcullis explain`"
            );
        }
    }

    /// The paths that never found anything, once enough tokens were seen to say so.
    fn silent(&self, verifier: &Verifier, claims: &Claims) -> Vec<(&'static str, String)> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the first tokens are looked at: afterwards this costs next to nothing.
        if seen.tokens >= ENOUGH {
            return Vec::new();
        }
        seen.tokens += 1;
        let is_last = seen.tokens == ENOUGH;
        let paths = verifier.own_paths(claims);
        for (setting, _, found) in &paths {
            if *found {
                seen.found.insert(*setting);
            }
        }
        let mut silent = Vec::new();
        for (setting, path, _) in paths {
            if is_last && !seen.found.contains(setting) {
                silent.push((setting, path));
            }
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::token::introspection::Answer;
    use portcullis_core::token::{Audiences, ClaimPath, Issuer};
    use portcullis_core::verify::Profile;

    #[test]
    fn a_path_that_never_finds_anything_is_told_once() {
        let mut profile = Profile::generic();
        profile.mapping.roles = vec![ClaimPath::parse("realm_acess.roles").unwrap()];
        profile.mapping.acr = vec![ClaimPath::parse("level").unwrap()];
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let verifier = Verifier::new(issuer, Audiences::new(["api"]).unwrap(), profile);
        let claims = |text: &str| {
            Answer::parse(text.as_bytes(), &Limits::default())
                .unwrap()
                .into_claims()
                .unwrap()
        };
        let watch = PathWatch::default();
        let (usual, rare) = (
            claims(r#"{"active":true,"roles":["a"]}"#),
            claims(r#"{"active":true,"level":"1"}"#),
        );
        assert!(watch.silent(&verifier, &rare).is_empty());
        assert!(
            (2..ENOUGH).all(|_| watch.silent(&verifier, &usual).is_empty()),
            "too early to tell"
        );
        assert_eq!(
            watch.silent(&verifier, &usual),
            [("roles", "realm_acess.roles".to_owned())]
        );
        assert!(watch.silent(&verifier, &usual).is_empty(), "once is enough");
        // What the provider's profile says by itself is nobody's slip.
        let plain = Verifier::new(
            Issuer::parse("https://idp.example").unwrap(),
            Audiences::new(["api"]).unwrap(),
            Profile::generic(),
        );
        let watch = PathWatch::default();
        assert!((0..2 * ENOUGH).all(|_| watch.silent(&plain, &usual).is_empty()));
    }
}
