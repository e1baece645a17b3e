//! The command that repeats a request.

use crate::endpoint::console::trial::send::basic_value;
use crate::store::trials::TrialRequest;

/// The request as a command for a POSIX shell.
pub(crate) fn curl(base: &str, request: &TrialRequest) -> String {
    let mut words = vec![format!(
        "curl -i {}",
        quote(&format!("{base}{}", request.target))
    )];
    if let Some(basic) = &request.basic {
        words.push(authentication(basic));
    }
    if let Some(token) = &request.bearer {
        words.push(format!(
            "-H {}",
            quote(&format!("Authorization: Bearer {token}"))
        ));
    }
    // Encoded by curl, so that the values can be read and edited.
    for (name, value) in request.form.iter().flatten() {
        words.push(format!(
            "--data-urlencode {}",
            quote(&format!("{name}={value}"))
        ));
    }
    words.join(" \\\n  ")
}

/// By `-u` where curl and RFC 6749, section 2.3.1, encode both parts alike.
fn authentication((id, secret): &(String, String)) -> String {
    if is_plain(id) && is_plain(secret) {
        return format!("-u {}", quote(&format!("{id}:{secret}")));
    }
    let header = format!(
        "Authorization: {}",
        basic_value(&(id.clone(), secret.clone()))
    );
    format!("-H {}", quote(&header))
}

/// A field of a form, for a command that is short where it can be.
pub(crate) fn field(name: &str, value: &str) -> String {
    // Users and clients are added by hand, so their names may be anything.
    if is_plain(value) {
        return format!("-d {name}={value}");
    }
    format!("--data-urlencode {}", quote(&format!("{name}={value}")))
}

/// Whether neither a shell nor a form reads more into a text.
fn is_plain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text.bytes().all(allowed)
}

fn quote(text: &str) -> String {
    // Single quotes: in double ones a shell still runs `$(...)`.
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_command_stays_one_word() {
        assert_eq!(field("user", "alice"), "-d user=alice");
        let odd = field("user", "a&b $(x)'");
        assert_eq!(odd, r"--data-urlencode 'user=a&b $(x)'\'''");
    }

    #[test]
    fn nothing_in_a_value_ends_the_quotes() {
        let request = TrialRequest {
            target: "/token".to_owned(),
            form: Some(vec![(
                "scope".to_owned(),
                "a'; rm -rf \"$HOME\"".to_owned(),
            )]),
            basic: Some(("web".to_owned(), "p:w".to_owned())),
            bearer: None,
        };
        let command = curl("http://127.0.0.1:9000", &request);
        assert_eq!(
            command,
            "curl -i 'http://127.0.0.1:9000/token' \\\n  \
             -H 'Authorization: Basic d2ViOnAlM0F3' \\\n  \
             --data-urlencode 'scope=a'\\''; rm -rf \"$HOME\"'"
        );
    }
}
