//! By which claim a logout or an event ends tokens, in words: for `config check` and `explain`.
//!
//! A mark on a session ends a token only if that has the same `sid`, which many providers' access
//! tokens do not have. Then a logout is received and counted, and ends nothing.

use portcullis_core::Dialect;
use portcullis_core::dialect::SessionClaim;
use portcullis_core::token::Claims;
use portcullis_core::verify::{Profile, Verifier};

/// What to write where a logout has to end tokens without `sid`.
pub(crate) const END_SUBJECT: &str = "write `ends = \"subject\"`";

/// What a logout of an issuer ends, by the settings and by what is known of the provider's tokens.
pub(crate) fn logout_ending(profile: &Profile, ends_subject: bool) -> String {
    // By the subject, every token can be found: nothing hangs on the provider.
    if ends_subject {
        let subjects = subject_claims(profile);
        return format!("a logout ends all tokens of the person, by {subjects}");
    }
    let title = provider(profile.dialect);
    match profile.dialect.session_claim {
        SessionClaim::Always => format!("a logout ends tokens by `sid`; {title}'s have it"),
        SessionClaim::OptIn(cure) => format!(
            "a logout ends tokens by `sid`; {title}'s have it once you {cure}. Else {END_SUBJECT}"
        ),
        SessionClaim::Never => {
            format!("a logout ends tokens by `sid`; {title}'s have none: {END_SUBJECT}")
        }
        _ => format!("a logout ends tokens by `sid`; where they have none, {END_SUBJECT}"),
    }
}

/// What an event ends at one issuer. `by_session` is whether an event that names a session ends
/// that alone.
pub(crate) fn event_ending(verifier: &Verifier, by_session: bool) -> String {
    let (profile, issuer) = (verifier.profile(), verifier.issuer());
    let mut subjects = subject_names(profile);
    let addresses = profile.mapping.email.iter();
    subjects.extend(addresses.map(|path| format!("`{path}` (an address)")));
    let subjects = subjects.join(" or ");
    let sessions = match (by_session, profile.dialect.session_claim) {
        (false, _) => String::new(),
        (true, SessionClaim::Always) => ", and by `sid` where the event names a session".to_owned(),
        (true, SessionClaim::Never) => format!(
            "; where the event names a session, by `sid`, which {}'s do not have: write \
             `effects.session-revoked = \"subject\"`",
            provider(profile.dialect)
        ),
        (true, _) => ", and by `sid` where the event names a session; where they have none, write \
             `effects.session-revoked = \"subject\"`"
            .to_owned(),
    };
    format!("tokens of {issuer} by {subjects}{sessions}")
}

/// The name of a provider, without what tells two kinds of its tokens apart.
pub(super) fn provider(dialect: &Dialect) -> &'static str {
    let title = dialect.title;
    title.split(',').next().unwrap_or(title)
}

/// The claims that a person is found by: the name in the token, and the stable identifier.
fn subject_claims(profile: &Profile) -> String {
    subject_names(profile).join(" or ")
}

fn subject_names(profile: &Profile) -> Vec<String> {
    let mut names = vec!["`sub`".to_owned()];
    for path in &profile.mapping.subject {
        let name = format!("`{path}`");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The claims of one token that a logout or an event can name: `sid`, and those of the subject.
pub(crate) fn matching_claims(profile: &Profile, claims: &Claims) -> Vec<String> {
    let mut found = Vec::new();
    if has_session(claims) {
        found.push("`sid`".to_owned());
    }
    if claims.subject().is_some() {
        found.push("`sub`".to_owned());
    }
    // A mark on a subject is looked up by both names. The first path that is there counts, as for
    // the identity.
    let mut subjects = profile.mapping.subject.iter();
    let own = subjects.find(|path| path.find(claims).is_some());
    let own = own.map(|path| format!("`{path}`"));
    found.extend(own.filter(|name| name != "`sub`"));
    let mut addresses = profile.mapping.email.iter();
    let address = addresses.find(|path| path.find(claims).is_some());
    found.extend(address.map(|path| format!("`{path}` (an address)")));
    found
}

/// Whether a token names its session.
pub(crate) fn has_session(claims: &Claims) -> bool {
    // An empty one is none, as where marks are looked up.
    let session = claims.claim("sid").and_then(|sid| sid.as_str());
    session.is_some_and(|sid| !sid.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::{Config, Settings};

    fn contents(text: &str) -> Vec<String> {
        let settings = Settings::try_from(Config::from_toml(text).unwrap()).unwrap();
        let outlines = settings.receiver_outlines().into_iter();
        outlines.map(|outline| outline.content).collect()
    }

    fn issuer(url: &str, more: &str) -> String {
        format!("[[issuer]]\nurl = \"{url}\"\naudience = \"x\"\n{more}\n")
    }

    const LOGOUT: &str = "[issuer.logout]\nclients = [\"web\"]";

    #[test]
    fn a_logout_ends_tokens_by_what_they_have() {
        for (url, told) in [
            (
                "https://k.example/realms/r",
                "a logout ends tokens by `sid`; Keycloak's have it",
            ),
            (
                "https://acme.okta.com/oauth2/default",
                "a logout ends tokens by `sid`; Okta's have none: write `ends = \"subject\"`",
            ),
            (
                "https://idp.example",
                "a logout ends tokens by `sid`; where they have none, write `ends = \"subject\"`",
            ),
        ] {
            let found = contents(&issuer(url, LOGOUT));
            assert_eq!(found, [format!("logouts of {url}: {told}")]);
        }
        let ending = format!("{LOGOUT}\nends = \"subject\"");
        let found = contents(&issuer("https://acme.okta.com/oauth2/default", &ending));
        assert!(
            found[0].ends_with("a logout ends all tokens of the person, by `sub` or `uid`"),
            "{found:?}"
        );
        let entra = "https://login.microsoftonline.com/00000000-1111-4000-8000-000000000001/v2.0";
        let found = contents(&issuer(entra, LOGOUT));
        assert!(
            found[0].contains("once you add the optional claim `sid`"),
            "{found:?}"
        );
    }

    #[test]
    fn an_event_ends_tokens_of_the_issuers_that_the_stream_names() {
        let stream = "[[events]]\nname = \"idp\"\nissuer = \"https://acme.okta.com\"\n\
            audience = \"r\"\ntokens_of = \"https://acme.okta.com/oauth2/default\"";
        let text = issuer("https://acme.okta.com/oauth2/default", stream);
        let found = contents(&text);
        let expected = "events of https://acme.okta.com: end tokens of \
            https://acme.okta.com/oauth2/default by `sub` or `uid`; where the event names a \
            session, by `sid`, which Okta's do not have: write `effects.session-revoked = \
            \"subject\"`";
        assert_eq!(found, [expected]);
        let found = contents(&format!(
            "{text}[events.effects]\nsession-revoked = \"subject\"\n"
        ));
        assert!(found[0].ends_with("by `sub` or `uid`"), "{found:?}");
    }

    #[test]
    fn only_a_logout_that_cannot_end_anything_is_warned_of() {
        let warnings = |url: &str, more: &str| {
            let config = Config::from_toml(&issuer(url, more)).unwrap();
            let settings = Settings::try_from(config).unwrap();
            let warnings = settings.warnings().iter();
            warnings.map(ToString::to_string).collect::<Vec<_>>()
        };
        let found = warnings("https://acme.eu.auth0.com/", LOGOUT);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("issuer[0].logout.ends"), "{found:?}");
        assert!(found[0].contains("Auth0"), "{found:?}");
        let subject = format!("{LOGOUT}\nends = \"subject\"");
        for (url, more) in [
            ("https://acme.eu.auth0.com/", &*subject),
            ("https://acme.eu.auth0.com/", ""),
            ("https://k.example/realms/r", LOGOUT),
            ("https://idp.example", LOGOUT),
        ] {
            assert_eq!(warnings(url, more), Vec::<String>::new(), "{url} {more}");
        }
    }
}
