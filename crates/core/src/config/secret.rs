//! What no fault and no excerpt may show.

/// Whether a setting of this name holds a secret itself, and does not only say where it is.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let elsewhere = ["_file", "_env", "_algorithm", "_endpoint"];
    if elsewhere.iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    // The URL of a store may hold its password.
    let words = ["secret", "password", "passphrase", "private_key", "store"];
    matches!(name.as_str(), "token" | "api_key") || words.iter().any(|word| name.contains(word))
}

/// The text without the password of a URL in it.
pub fn without_password(text: &str) -> String {
    // RFC 3986, section 3.2.1: user information ends at the last `@` of the authority.
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest
        .find(['/', '?', '#', '"', '\'', '`', ' '])
        .unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => {
            format!("{scheme}://***@{host}{}", without_password(after))
        }
        _ => format!("{scheme}://{authority}{}", without_password(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in ["client_secret", "Password", "store", "store_url", "token"] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "client_secret_file",
            "client_secret_env",
            "store_url_file",
            "token_header",
            "danger_pass",
            "key",
            "signing_algorithm",
            "forward_token",
        ] {
            assert!(!is_secret(name), "{name}");
        }
        // The switches of the store are no secret, and no harm is done by hiding them.
        assert!(is_secret("danger_plain_store"));
    }

    #[test]
    fn passwords_are_taken_out_of_every_url() {
        for (text, expected) in [
            ("https://idp.example/@x", "https://idp.example/@x"),
            (
                "https://user:hunter2@idp.example/x",
                "https://***@idp.example/x",
            ),
            ("\"redis://:a@b@host\"", "\"redis://***@host\""),
            (
                "[\"https://a\", \"https://u:p@b\"]",
                "[\"https://a\", \"https://***@b\"]",
            ),
            ("no URL", "no URL"),
        ] {
            assert_eq!(without_password(text), expected);
        }
    }
}
