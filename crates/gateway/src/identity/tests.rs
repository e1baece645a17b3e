//! Which headers only the gateway may set, and what it says in them.

use super::facts::encode;
use super::*;

fn settings() -> IdentitySettings {
    IdentityConfig::default().try_into().unwrap()
}

#[test]
fn every_spelling_is_reserved() {
    let settings = settings();
    for name in [
        "x-auth-subject",
        "x_auth_subject",
        "x.auth.subject",
        "x-auth-subject_",
        "x-auth-new",
        "x-forwarded-for",
        "x_forwarded_host",
        "forwarded",
        "x-real-ip",
        "x-original-url",
        "x_http_method_override",
        "ssl-client-verify",
        "transfer_encoding",
        "content_length",
        "x-forwarded-client-cert",
    ] {
        assert!(settings.is_reserved(name), "{name}");
    }
    for name in [
        "authorization",
        "transfer-encoding",
        "host",
        "x-auth",
        "x-request-id",
        "x_custom",
        "cookie",
    ] {
        assert!(!settings.is_reserved(name), "{name}");
    }
    let own = IdentityConfig {
        headers: Some([("Remote-User".to_owned(), "subject".to_owned())].into()),
        ..IdentityConfig::default()
    };
    let own = IdentitySettings::try_from(own).unwrap();
    assert!(
        own.is_reserved("remote_user")
            && own.is_reserved("remote-user-")
            && !own.is_reserved("user")
    );
}

#[test]
fn what_another_one_forwards_loses_what_is_forged() {
    let mut headers = HeaderMap::new();
    for name in [
        "x-auth-subject",
        "X-Auth_Subject",
        "x-auth-else",
        "x-rewrite-url",
        "x_forwarded_host",
        "x-forwarded-for",
        "cookie",
        "dpop",
    ] {
        headers.insert(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_static("1"),
        );
    }
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    let names = settings().to_remove(&headers);
    let has = |name: &str| names.iter().any(|held| held == name);
    for name in [
        "x-auth_subject",
        "x_auth_issuer",
        "x.auth.roles",
        "x-auth-else",
        "x-rewrite-url",
        "x_forwarded_host",
        "dpop",
        "authorization",
    ] {
        assert!(has(name), "{name}");
    }
    // Those of our own are set, or removed, by who tells them.
    assert!(!has("x-auth-subject") && !has("x-forwarded-for") && !has("cookie"));
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic x"));
    assert!(!settings().to_remove(&headers).contains(&AUTHORIZATION));
}

#[test]
fn values_are_printable_and_can_be_read_back() {
    for text in [
        "plain",
        "a b",
        " a  ",
        "Doe, John",
        "100%",
        "user\r\nX-Admin: 1",
        "\u{43f}\u{43e}",
        "",
    ] {
        let value = encode(text);
        assert!(
            HeaderValue::from_str(&value).is_ok() && value.trim() == value,
            "{value}"
        );
        assert!(
            value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !value.contains(','),
            "{value}"
        );
        let back = percent_encoding::percent_decode_str(&value)
            .decode_utf8()
            .unwrap();
        assert_eq!(back, text);
    }
    assert_eq!(encode("\u{e9}\n"), "%C3%A9%0A");
}

#[test]
fn tokens_stay_and_other_schemes_pass() {
    let settings = settings();
    for (value, stays) in [
        ("Bearer x", false),
        ("bearer", false),
        ("DPoP x", false),
        ("Basic x", true),
        ("NTLM x", false),
        ("negotiate", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
        assert_eq!(
            !settings.is_kept_back(&AUTHORIZATION, &headers),
            stays,
            "{value}"
        );
    }
}

#[test]
fn all_faults_are_found_at_once() {
    let headers = [
        ("a b", "subject"),
        ("host", "subject"),
        ("x-a", "name"),
        ("x-b", "claim:"),
    ];
    let config = IdentityConfig {
        headers: Some(
            headers
                .map(|(name, fact)| (name.to_owned(), fact.to_owned()))
                .into(),
        ),
        reserved: Some(vec![String::new()]),
        danger_pass: ["x-own", "x-forwarded-for", "x_real_ip", "x-real-ip"]
            .map(str::to_owned)
            .into(),
        forward_token: false,
        assertion: None,
    };
    assert_eq!(
        IdentitySettings::try_from(config)
            .unwrap_err()
            .iter()
            .count(),
        8
    );
}

fn with_token_in(header: &'static str, forward_token: bool) -> IdentitySettings {
    let config = IdentityConfig {
        forward_token,
        ..IdentityConfig::default()
    };
    let settings = IdentitySettings::try_from(config).unwrap();
    settings.with_token_header(Some(HeaderName::from_static(header)))
}

/// The header that the settings name for the token: it goes on only where tokens shall, and no other
/// one goes on because of it.
#[test]
fn a_token_in_a_header_of_its_own_goes_where_tokens_go() {
    let headers = HeaderMap::new();
    // One that nobody else has, and one that is a front proxy's own.
    for header in ["x-api-token", "cf-access-jwt-assertion"] {
        let own = HeaderName::from_static(header);
        let kept = with_token_in(header, false);
        assert_eq!(kept.token_header(), Some(&own));
        assert!(kept.is_kept_back(&own, &headers), "{header}");
        let forwarded = with_token_in(header, true);
        assert!(!forwarded.is_kept_back(&own, &headers), "{header}");
        let forged = HeaderName::from_static("x-auth-subject");
        assert!(forwarded.is_kept_back(&forged, &headers), "{header}");
        // What another proxy is told to remove.
        let mut sent = HeaderMap::new();
        sent.insert(own.clone(), HeaderValue::from_static("a-token"));
        assert!(kept.to_remove(&sent).contains(&own), "{header}");
        assert!(!forwarded.to_remove(&sent).contains(&own), "{header}");
    }
    let without = settings();
    let own = HeaderName::from_static("x-api-token");
    assert!(!without.is_kept_back(&own, &headers));
    assert_eq!(without.token_header(), None);
}

#[test]
fn a_value_is_as_long_as_upstreams_read() {
    let mut values = Values::new();
    assert!(value(&"a".repeat(LONGEST_VALUE), &mut values).is_ok());
    let mut values = Values::new();
    let longer = "a".repeat(LONGEST_VALUE + 1);
    assert!(matches!(
        value(&longer, &mut values),
        Err(Refusal::IdentityTooLong)
    ));
    let mut values = Values::new();
    assert_eq!(value("a", &mut values).unwrap(), "a");
}

#[test]
fn a_reserved_beginning_has_three_letters_and_a_fact_is_known() {
    let reserved = |prefix: &str| IdentityConfig {
        reserved: Some(vec![prefix.to_owned()]),
        ..IdentityConfig::default()
    };
    assert!(IdentitySettings::try_from(reserved("x-a")).is_ok());
    assert!(IdentitySettings::try_from(reserved("x-")).is_err());
    let fault = header("x-a", "mail").unwrap_err().to_string();
    assert!(fault.contains("\"mail\""), "{fault}");
    let own = [header("x-auth-name", "subject").unwrap()];
    assert!(is_among(&HeaderName::from_static("x_auth_name"), &own));
    assert!(!is_among(&HeaderName::from_static("x-auth-names"), &own));
}

/// One header of a front proxy that may pass opens the way for no other.
#[test]
fn only_the_named_header_of_a_front_proxy_passes() {
    let config = IdentityConfig {
        danger_pass: vec!["x-real-ip".to_owned()],
        ..IdentityConfig::default()
    };
    let settings = IdentitySettings::try_from(config).unwrap();
    assert!(!settings.is_reserved("x-real-ip"));
    for name in ["x_real_ip", "x-forwarded-for", "x-auth-subject"] {
        assert!(settings.is_reserved(name), "{name}");
    }
}

/// Two headers of one name, and the upstream would read either of them.
#[test]
fn the_assertion_has_a_header_of_its_own() {
    let with_header = |name: &str| {
        let written = format!(
            "[headers]\n\"x-auth-who\" = \"subject\"\n[assertion]\nheader = \"{name}\"\n\
             issuer = \"https://gw.example\"\naudience = \"https://api.internal\"\n"
        );
        let config: IdentityConfig = toml::from_str(&written).unwrap();
        IdentitySettings::try_from(config)
    };
    assert!(
        with_header("x-auth-assertion")
            .unwrap()
            .assertions()
            .is_some()
    );
    let fault = with_header("x-auth-who").unwrap_err().to_string();
    assert!(
        fault.contains("a name that is not among `headers`"),
        "{fault}"
    );
    assert!(settings().assertions().is_none());
}
