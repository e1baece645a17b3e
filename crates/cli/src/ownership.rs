//! Whose a token is, and until when: a sentence for the person at the terminal.

use crate::clock::rfc3339;
use crate::output::escape_text;
use crate::store::{Holder, StoredToken};
use portcullis_core::Limits;
use portcullis_core::jose::compact;
use portcullis_core::jose::json::{self, Json, Object};

/// Whose the token is, at which provider, and until when.
pub(crate) fn describe(token: &StoredToken, now: i64) -> String {
    let issuer = &token.purpose.issuer;
    let whose = match (token.purpose.holder, person(token)) {
        (Holder::User, Some(person)) => format!("Signed in as {person} at {issuer}"),
        (Holder::User, None) => format!("Signed in at {issuer}"),
        (Holder::Client, _) => {
            format!("Token of the client {} from {issuer}", token.purpose.client)
        }
    };
    match token.expires {
        Some(expires) => format!("{whose}, until {}.", end(expires, now)),
        None => format!("{whose}."),
    }
}

/// The person, by the names in the ID token, such as `Bob Brown (bob)`; none without an ID token.
pub(crate) fn person(token: &StoredToken) -> Option<String> {
    let claims = claims(token.id_token.as_ref()?)?;
    let text = |name: &str| {
        let text = claims.get(name).and_then(Json::as_str)?;
        (!text.is_empty()).then(|| plain(text))
    };
    // The subject is often a number that nobody knows; a username says more to people.
    let account = text("preferred_username").or_else(|| text("sub"))?;
    match text("name").or_else(|| text("email")) {
        Some(name) if name != account => Some(format!("{name} ({account})")),
        _ => Some(account),
    }
}

/// The claims of an ID token, which was verified before it was stored.
fn claims(id_token: &str) -> Option<Object> {
    let limits = Limits::default();
    let jws = compact::parse_jws(id_token, &limits).ok()?;
    match json::parse(jws.unverified_payload(), &limits) {
        Ok(Json::Object(claims)) => Some(claims),
        _ => None,
    }
}

/// People choose their names: no character that a terminal obeys, and not too many.
fn plain(text: &str) -> String {
    // Cut first: the name stands within a sentence.
    let text: String = text.chars().take(LONGEST).collect();
    escape_text(&text)
}

/// A moment with the time until then: `15:04 UTC, in 59 min`.
pub(crate) fn end(expires: i64, now: i64) -> String {
    let Some(moment) = rfc3339(expires) else {
        return "an unknown time".to_owned();
    };
    // Whole minutes are enough for a person; the date only matters beyond a day.
    let left = expires.saturating_sub(now);
    let (date, time) = moment.split_once('T').unwrap_or_default();
    let time: String = time.chars().take("15:04".len()).collect();
    let date = if left < DAY {
        String::new()
    } else {
        format!("{date} ")
    };
    format!("{date}{time} UTC, in {}", span(left))
}

/// One unit is enough to plan by.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        left if left >= 2 * DAY => format!("{} days", left / DAY),
        left if left >= 2 * HOUR => format!("{} h", left / HOUR),
        left if left >= 2 * MINUTE => format!("{} min", left / MINUTE),
        left => format!("{left} s"),
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// In characters.
const LONGEST: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sample_token as sample;
    use portcullis_core::jose::base64url;

    fn id_token(claims: &str) -> String {
        let part = |text: &str| base64url::encode(text.as_bytes());
        format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims))
    }

    fn described(holder: Holder, claims: Option<&str>) -> String {
        let mut token = sample(claims.map(id_token).as_deref());
        token.purpose.holder = holder;
        // An hour and a half minute before it expires.
        describe(&token, 1_800_000_000 - 30)
    }

    #[test]
    fn a_person_is_named_as_the_id_token_has_it() {
        for (claims, whose) in [
            (
                Some(r#"{"sub":"bob","name":"Bob Brown"}"#),
                "Signed in as Bob Brown (bob) at https://idp.example",
            ),
            (
                Some(r#"{"sub":"17","email":"zoe@example.com"}"#),
                "Signed in as zoe@example.com (17) at https://idp.example",
            ),
            (
                Some(r#"{"sub":"4f1c","name":"Bob Brown","preferred_username":"bob"}"#),
                "Signed in as Bob Brown (bob) at https://idp.example",
            ),
            (
                Some(r#"{"sub":"bob","name":""}"#),
                "Signed in as bob at https://idp.example",
            ),
            (None, "Signed in at https://idp.example"),
        ] {
            let expected = format!("{whose}, until 09:00 UTC, in 60 min.");
            assert_eq!(described(Holder::User, claims), expected);
        }
        assert_eq!(
            described(Holder::Client, None),
            "Token of the client cli from https://idp.example, until 09:00 UTC, in 60 min."
        );
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let hostile = r#"{"sub":"a","name":"\u001b[2JZo\u00eb\u202e"}"#;
        let text = described(Holder::User, Some(hostile));
        assert!(
            text.contains("as \\u{1b}[2JZo\u{eb}\\u{202e} (a)"),
            "{text}"
        );
    }

    #[test]
    fn a_far_end_has_its_date() {
        assert_eq!(end(1_800_000_000, 0), "2027-01-15 08:00 UTC, in 20833 days");
        assert_eq!(end(90, 0), "00:01 UTC, in 90 s");
        assert_eq!(end(7_300, 0), "02:01 UTC, in 2 h");
    }
}
