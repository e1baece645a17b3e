use crate::{Config, Settings};
use portcullis_core::ConfigErrors;

/// Settings with an issuer that has all these URLs as audiences.
fn read(urls: &[&str]) -> Result<Settings, ConfigErrors> {
    let mut text = format!("[[issuer]]\nurl = \"https://idp.example\"\naudience = {urls:?}\n");
    for url in urls {
        text.push_str(&format!("[[resource]]\nurl = {url:?}\n"));
    }
    Settings::try_from(Config::from_toml(&text)?)
}

#[test]
fn the_url_is_kept_code_point_for_code_point() {
    for (url, metadata) in [
        (
            "https://a.example",
            "https://a.example/.well-known/oauth-protected-resource",
        ),
        (
            "https://a.example/",
            "https://a.example/.well-known/oauth-protected-resource",
        ),
        (
            "https://a.example/x",
            "https://a.example/.well-known/oauth-protected-resource/x",
        ),
        (
            "https://a.example/x/",
            "https://a.example/.well-known/oauth-protected-resource/x/",
        ),
        (
            "https://a.example:8443/x/y",
            "https://a.example:8443/.well-known/oauth-protected-resource/x/y",
        ),
        (
            "http://127.0.0.1:8080/x",
            "http://127.0.0.1:8080/.well-known/oauth-protected-resource/x",
        ),
    ] {
        let settings = read(&[url]).unwrap();
        let resource = settings.resources().iter().next().unwrap();
        assert_eq!(
            (resource.url(), &**resource.metadata_url()),
            (url, metadata)
        );
    }
}

#[test]
fn a_url_has_one_spelling() {
    for url in [
        "https://A.example/x",
        "HTTPS://a.example/x",
        "https://a.example:443/x",
        "https://a.example/x?y",
        "https://a.example/x#y",
        "https://a.example/x/../y",
        "https://a.example/%41",
        "https://a.example//x",
        "https://a.example/x/**",
        "https://a.example/{id}",
        "https://user@a.example/x",
        "http://a.example/x",
        "a.example/x",
        "urn:x",
        "",
    ] {
        let errors = read(&[url]).unwrap_err().to_string();
        assert!(errors.contains("resource[0].url"), "{url}: {errors}");
    }
    let twice = read(&["https://a.example/x", "https://a.example/x/"]).unwrap_err();
    assert!(twice.to_string().contains("resource[1].url"), "{twice}");
}

#[test]
fn the_host_chooses_and_never_lets_anybody_out() {
    let urls = [
        "https://a.example",
        "https://a.example/x",
        "https://b.example/x",
        "https://b.example/x/y",
    ];
    let settings = read(&urls).unwrap();
    for (host, path, expected) in [
        ("a.example", "/", 0),
        ("a.example", "/z", 0),
        ("a.example", "/x", 1),
        ("a.example:8443", "/x/1", 1),
        ("A.EXAMPLE.", "/x/1", 1),
        ("a.example", "/x/y/1", 1),
        ("b.example", "/x", 2),
        ("b.example", "/x/y/1", 3),
        // Nothing of this host is for it, so others count.
        ("b.example", "/z", 0),
        ("evil.example", "/x/y", 3),
        ("evil.example", "/x", 1),
        ("a example", "/x/y", 3),
    ] {
        let found = settings.resources().find(Some(host), path).unwrap();
        assert_eq!(found.url(), urls[expected], "{host} {path}");
    }
    let one = read(&["https://a.example/x"]).unwrap();
    let beneath = |path: &str| one.resources().find(Some("h"), path).is_some();
    assert!(
        beneath("/x") && beneath("/x/y") && beneath("/%78/y") && beneath("//x") && beneath("/./x")
    );
    assert!(!beneath("/") && !beneath("/xy") && !beneath("/X") && !beneath("/y/x"));
}
