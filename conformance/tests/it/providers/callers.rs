//! Whose tokens they are: people and applications, and everybody's.

use super::rules::{case, live, permitted};
use super::{CASES, good, imitated, judge, server};
use portcullis_core::Requirement;
use portcullis_core::token::Kind;
use portcullis_resource_server::{Config, Settings};

/// People choose what they are called, and nothing of it makes an application of them; nor is an
/// application a user. What is demanded in the settings of a route is demanded here of each
/// imitation's tokens.
#[tokio::test]
async fn nobody_becomes_another_kind_of_caller_by_a_name() {
    let chosen = |client: &str| {
        [
            ("preferred_username", format!("service-account-{client}")),
            ("preferred_username", "service-account-evil".to_owned()),
            (
                "preferred_username",
                format!("ak-{client}-client_credentials"),
            ),
            ("preferred_username", "ak-evil".to_owned()),
            ("username", client.to_owned()),
            ("name", client.to_owned()),
            ("nickname", format!("{client}@clients")),
            (
                "email",
                format!("{client}@example.iam.gserviceaccount.test"),
            ),
            ("common_name", format!("{client}.access")),
        ]
    };
    for case in CASES
        .iter()
        .filter(|case| case.callers.len() == 2 || case.profile == "google")
    {
        let idp = imitated(case).await;
        let server = live(&idp, case);
        for (claim, value) in chosen("web") {
            let token = case
                .dress(good(&idp, "alice"))
                .claim(claim, value.as_str())
                .sign();
            let person = judge(&server, &token).await.unwrap();
            let (kind, title) = (person.identity().kind(), case.title);
            assert_ne!(kind, Kind::Application, "{title}: {claim} = {value}");
            assert_eq!(
                permitted(&server, person, &Requirement::application()).await,
                "policy.denied",
                "{title}"
            );
        }
        if case.callers.len() == 2 && case.profile != "zitadel" {
            let service = judge(&server, &case.dress(good(&idp, "service")).sign())
                .await
                .unwrap();
            assert_eq!(
                service.identity().kind(),
                Kind::Application,
                "{}",
                case.title
            );
            assert_eq!(
                permitted(&server, service, &Requirement::user()).await,
                "policy.denied",
                "{}",
                case.title
            );
        }
    }
}

/// A subject that begins like a client's own, as people of some directories can have it.
#[tokio::test]
async fn a_subject_is_not_trusted_to_be_a_client() {
    for (title, subject) in [
        ("Auth0", "samlp|acme|web@clients"),
        ("Auth0, RFC 9068 tokens", "samlp|acme|web@clients"),
        ("Auth0", "web@clients"),
        ("Okta, custom server", "web"),
        ("Amazon Cognito", "web"),
        ("Keycloak", "web"),
        ("authentik", "web"),
    ] {
        let case = case(title);
        let idp = imitated(case).await;
        let token = case
            .dress(good(&idp, "alice"))
            .claim("sub", subject)
            .sign();
        let person = judge(&live(&idp, case), &token).await.unwrap();
        assert_ne!(
            person.identity().kind(),
            Kind::Application,
            "{title}: {subject}"
        );
    }
}

/// Everybody whose provider gives tokens for any audience has to say whose they accept; a tenant
/// says it too.
#[tokio::test]
async fn providers_of_tokens_for_anybody_want_a_condition() {
    for (title, telling, vain) in [
        (
            "Kubernetes",
            &[
                "[issuer.claims]\n\"kubernetes.io.namespace\" = \"shop\"",
                "[issuer.claims]\n'\"kubernetes.io\".namespace' = \"shop\"",
                "[issuer.claims]\nsub = \"system:serviceaccount:shop:alice\"",
                "[issuer.claims]\nsub = { like = \"system:serviceaccount:shop:*\" }",
                "tenant = \"shop\"",
            ][..],
            &[
                "",
                "[issuer.claims]\njti = \"x\"",
                "[issuer.claims]\nsub = { like = \"system:*\" }",
            ][..],
        ),
        (
            "GitHub Actions",
            &[
                "[issuer.claims]\nrepository_owner_id = \"123456\"",
                "[issuer.claims]\nrepository = { like = \"octo-org/*\" }",
                "[issuer.claims]\nsub = { like = \"repo:octo-org@123456/*\" }",
                "tenant = \"123456\"",
            ],
            &[
                "",
                "[issuer.claims]\nenvironment = \"prod\"",
                "[issuer.claims]\nsub = \"repo:octo-org/*\"",
                "[issuer.claims]\nsub = { like = \"repo:*\" }",
                "[issuer.claims]\nsub = { like = \"repo:*/app:ref:refs/heads/main\" }",
                "[issuer.claims]\nsub = { like = \"repo:octo-org*\" }",
            ],
        ),
        (
            "GitLab CI",
            &["[issuer.claims]\nnamespace_id = \"72\""],
            &["", "[issuer.claims]\nsub = { like = \"project_path:*\" }"],
        ),
    ] {
        let case = case(title);
        let idp = imitated(case).await;
        let settings = |more: &str| {
            let text = format!(
                "[[issuer]]\nurl = \"{}\"\naudience = {:?}\nprofile = \"{}\"\n{more}\n",
                idp.issuer(),
                idp.audiences(),
                case.profile
            );
            Config::from_toml(&text).and_then(Settings::try_from)
        };
        for more in telling {
            assert!(
                settings(more).is_ok(),
                "{title}: {more}: {}",
                settings(more).unwrap_err()
            );
            let server = server(
                idp.issuer().as_str(),
                &idp.audiences(),
                &format!("profile = \"{}\"\n{more}", case.profile),
                None,
            );
            let token = judge(&server, &case.dress(good(&idp, "alice")).sign()).await;
            assert!(token.is_ok(), "{title}: {more}: {}", token.unwrap_err());
        }
        for more in vain {
            let faults = settings(more).map(|_| ()).expect_err(more).to_string();
            assert!(
                faults.contains("issuer[0].claims"),
                "{title}: {more}: {faults}"
            );
        }
    }
}
