//! The list of dialects, and how an issuer's URL shows which one it is.

use super::*;
use crate::token::ClaimPath;

#[test]
fn every_path_can_be_read_and_every_name_is_there_once() {
    for dialect in DIALECTS {
        let paths = [
            dialect.subject,
            dialect.client,
            dialect.tenant,
            dialect.roles,
            dialect.groups,
        ]
        .concat();
        for path in paths {
            assert!(
                ClaimPath::parse(&path.replace("{audience}", "x")).is_ok(),
                "{dialect:?}: {path}"
            );
        }
        assert_eq!(
            DIALECTS
                .iter()
                .filter(|other| other.name == dialect.name)
                .count(),
            1,
            "{dialect:?}"
        );
        assert_eq!(Dialect::by_name(dialect.name), Some(*dialect));
        assert!(
            dialect
                .cures
                .iter()
                .all(|(code, cure)| dialect.cure(*code) == Some(*cure)),
            "{dialect:?}"
        );
        assert_eq!(format!("{dialect:?}"), dialect.name);
        // An issuer is known by its own name, and only Google's by another one too.
        let aliases = (dialect.aliases)("https://idp.example");
        assert!(
            aliases.is_empty() || dialect.name == "google",
            "{dialect:?}: {aliases:?}"
        );
    }
    assert_ne!(Dialect::by_name("okta"), Dialect::by_name("auth0"));
    assert_eq!(
        Dialect::by_name("entra").map(|dialect| dialect.name),
        Some("entra-v2")
    );
    assert_eq!(Dialect::by_name("Okta"), None);
}

#[test]
fn an_issuer_shows_whose_it_is() {
    for (issuer, name) in [
        (
            "https://login.microsoftonline.com/00000000-1111-4000-8000-000000000001/v2.0",
            "entra-v2",
        ),
        (
            "https://login.microsoftonline.us/00000000-1111-4000-8000-000000000001/v2.0",
            "entra-v2",
        ),
        (
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "entra-v2",
        ),
        (
            "https://sts.windows.net/00000000-1111-4000-8000-000000000001/",
            "entra-v1",
        ),
        ("https://t.ciamlogin.com/t/v2.0", "entra-external-id"),
        ("https://acme.b2clogin.com/t/v2.0/", "entra-b2c"),
        ("https://acme.okta.com/oauth2/default", "okta"),
        ("https://acme.oktapreview.com/oauth2/x", "okta"),
        ("https://acme.eu.auth0.com/", "auth0"),
        ("https://accounts.google.com", "google"),
        ("https://securetoken.google.com/project", "firebase"),
        (
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_X",
            "cognito",
        ),
        (
            "https://issuer.cognito-idp.eu-west-1.amazonaws.com/eu-west-1_X",
            "cognito",
        ),
        ("https://sso.example.test/realms/acme", "keycloak"),
        ("https://sso.example.test:8443/auth/realms/acme", "keycloak"),
        ("https://auth.pingone.eu/e/as", "pingone"),
        (
            "https://token.actions.githubusercontent.com",
            "github-actions",
        ),
        ("https://token.actions.acme.ghe.com", "github-actions"),
        ("https://gitlab.com", "gitlab-ci"),
        ("https://kubernetes.default.svc.cluster.local", "kubernetes"),
        (
            "https://oidc.eks.eu-west-1.amazonaws.com/id/X",
            "kubernetes",
        ),
        ("https://acme-1.zitadel.cloud", "zitadel"),
        ("https://auth.example.test/application/o/api/", "authentik"),
        ("https://x.projects.oryapis.com", "hydra"),
        ("https://acme.cloudflareaccess.com", "cloudflare"),
        ("http://farm.example/adfs/services/trust", "adfs"),
        ("https://farm.example:8443/adfs/services/trust", "adfs"),
        ("https://farm.example/adfs", "adfs"),
        ("https://farm.example/adfs/", "generic"),
        ("https://farm.example/x/adfs/services/trust", "generic"),
        // No look-alikes.
        ("https://accounts.google.com.evil.example", "generic"),
        ("https://notokta.com/oauth2/default", "generic"),
        (
            "https://evil.example/login.microsoftonline.com/v2.0",
            "generic",
        ),
        ("https://idp.example", "generic"),
        ("http://127.0.0.1:9000", "generic"),
    ] {
        assert_eq!(Dialect::of_issuer(issuer).name, name, "{issuer}");
    }
}

#[test]
fn issuers_that_cannot_protect_an_api_are_told() {
    let unfit = |issuer: &str, audience: &str| {
        let issuer = Issuer::parse(issuer).unwrap();
        (Dialect::of_issuer(issuer.as_str()).unfit)(&issuer, &[audience.to_owned()]).is_some()
    };
    assert!(unfit("https://acme.okta.com", "a") && unfit("https://acme.okta.com/oauth2", "a"));
    assert!(!unfit("https://acme.okta.com/oauth2/default", "a"));
    assert!(unfit("https://login.microsoftonline.com/common/v2.0", "a"));
    assert!(!unfit("https://login.microsoftonline.com/t/v2.0", "a"));
    assert!(
        unfit("https://farm.example/adfs", "a"),
        "no access token has it as its issuer"
    );
    assert!(!unfit("https://farm.example/adfs/services/trust", "a"));
    assert!(unfit("https://securetoken.google.com/project", "other"));
    assert!(!unfit("https://securetoken.google.com/project", "project"));
}

#[test]
fn documents_and_spellings_follow_from_the_issuer() {
    let base = |issuer: &str| match Dialect::of_issuer(issuer).discovery {
        Discovery::Under(base) => base(issuer),
        Discovery::WellKnown | Discovery::KeysAt(_) => None,
    };
    let shared = "https://login.microsoftonline.com/organizations/v2.0".to_owned();
    assert_eq!(
        base("https://login.microsoftonline.com/{tenantid}/v2.0"),
        Some(shared)
    );
    assert_eq!(base("https://login.microsoftonline.com/t/v2.0"), None);
    assert_eq!(
        base("https://sts.windows.net/t/"),
        Some("https://login.microsoftonline.com/t/".to_owned())
    );
    for (issuer, documents) in [
        (
            "http://farm.example/adfs/services/trust",
            Some("https://farm.example/adfs"),
        ),
        (
            "https://farm.example:8443/adfs/services/trust",
            Some("https://farm.example:8443/adfs"),
        ),
        (
            "http://127.0.0.1:9000/adfs/services/trust",
            Some("http://127.0.0.1:9000/adfs"),
        ),
        (
            "http://127.0.0.1.evil.example/adfs/services/trust",
            Some("https://127.0.0.1.evil.example/adfs"),
        ),
        ("https://farm.example/adfs", None),
    ] {
        assert_eq!(base(issuer).as_deref(), documents, "{issuer}");
    }
    let aliases = |issuer: &str| (Dialect::of_issuer(issuer).aliases)(issuer);
    assert_eq!(
        aliases("https://accounts.google.com"),
        ["accounts.google.com"]
    );
    let (one, two) = (
        "https://cognito-idp.r.amazonaws.com/p",
        "https://issuer.cognito-idp.r.amazonaws.com/p",
    );
    assert_eq!(
        (aliases(one), aliases(two)),
        (vec![two.to_owned()], vec![one.to_owned()])
    );
}
