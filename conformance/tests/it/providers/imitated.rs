//! The resource server before every provider that the development provider imitates: one row a
//! provider.
//!
//! The two sides share no code that reads or writes claims; each follows the provider's
//! documentation by itself.

use portcullis_core::Denial;
use portcullis_core::credential::Credential;
use portcullis_core::token::{AccessToken, Kind, NumericDate};
use portcullis_idp::{Dialect, Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, IssuerConfig, OneOrMore, ResourceServer, Settings};
use std::sync::Arc;

const NOW: u64 = 1_800_000_000;

/// What the server finds in alice's token for the scope `orders:read`, and in one that the service
/// got for itself.
struct Row {
    dialect: Dialect,
    role: bool,
    scope: Option<&'static str>,
    client: Option<&'static str>,
    kinds: [Kind; 2],
    /// Whether what callers bear is the ID token.
    id_tokens: bool,
}

const BOTH: [Kind; 2] = [Kind::User, Kind::Application];

fn rows() -> Vec<Row> {
    let row = |dialect| Row {
        dialect,
        role: true,
        scope: Some("orders:read"),
        client: Some("web"),
        kinds: BOTH,
        id_tokens: false,
    };
    let job = |dialect, client| Row {
        role: false,
        scope: None,
        client: Some(client),
        kinds: [Kind::Application; 2],
        id_tokens: true,
        ..row(dialect)
    };
    let bearer = |dialect, client| Row {
        scope: None,
        client,
        kinds: [Kind::User; 2],
        id_tokens: true,
        ..row(dialect)
    };
    vec![
        row(Dialect::Generic),
        row(Dialect::Entra),
        row(Dialect::EntraV1),
        row(Dialect::Okta),
        row(Dialect::Auth0),
        row(Dialect::Auth0Rfc9068),
        Row {
            role: false,
            kinds: BOTH,
            ..bearer(Dialect::Google, Some("web"))
        },
        bearer(Dialect::Firebase, None),
        Row {
            scope: Some("enterprise-api/orders:read"),
            ..row(Dialect::Cognito)
        },
        row(Dialect::Keycloak),
        row(Dialect::PingOne),
        job(Dialect::GithubActions, "octo-org/alice"),
        job(Dialect::GitlabCi, "my-group/alice"),
        job(Dialect::Kubernetes, "alice"),
        // A machine user's token does not say that it is one.
        Row {
            scope: None,
            kinds: [Kind::User; 2],
            ..row(Dialect::Zitadel)
        },
        row(Dialect::Authentik),
        row(Dialect::Hydra),
        Row {
            kinds: BOTH,
            ..bearer(Dialect::Cloudflare, None)
        },
        row(Dialect::Adfs),
    ]
}

struct ImitatedProvider {
    idp: Idp,
    server: ResourceServer,
}

impl ImitatedProvider {
    async fn new(dialect: Dialect) -> Self {
        let config = IdpConfig {
            dialect,
            algorithm: "ES256".to_owned(),
            ..IdpConfig::default()
        };
        let idp = Idp::start_at(config, || NOW).await.unwrap();
        let condition = dialect.condition();
        let demanded =
            condition.map(|(claim, value)| (claim.to_owned(), OneOrMore::One(value.into())));
        let issuer = IssuerConfig {
            url: idp.issuer().to_string(),
            audience: idp.audiences(),
            profile: Some(dialect.profile().to_owned()),
            claims: demanded.into_iter().collect(),
            ..IssuerConfig::default()
        };
        let settings = Settings::try_from(Config {
            issuer: vec![issuer],
            ..Config::default()
        })
        .unwrap();
        let clock = TestClock::at(NumericDate::from_seconds(NOW as i64));
        Self {
            idp,
            server: ResourceServer::with_clock(settings, Arc::new(clock)),
        }
    }

    async fn read(&self, token: &str) -> Result<AccessToken, String> {
        match self
            .server
            .authenticate(Credential::bearer(token))
            .await
        {
            Ok(token) => Ok(token),
            Err(Denial::Rejection(rejection)) => Err(rejection.code().to_string()),
            Err(Denial::Outage(outage)) => Err(outage.code().to_string()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_provider_is_understood() {
    assert_eq!(
        rows()
            .iter()
            .map(|row| row.dialect)
            .collect::<Vec<_>>(),
        Dialect::ALL
    );
    for row in rows() {
        let world = ImitatedProvider::new(row.dialect).await;
        let (idp, name) = (&world.idp, row.dialect);
        let alice = world
            .read(&idp.token("alice").scope("orders:read").sign())
            .await;
        let alice = alice.unwrap_or_else(|code| panic!("{name}: {code}"));
        assert_eq!(alice.has_role("Admin"), row.role, "{name}");
        assert_eq!(alice.scopes().iter().next(), row.scope, "{name}");
        assert_eq!(alice.client(), row.client, "{name}");
        let service = world.read(&idp.token("service").sign()).await;
        let service = service.unwrap_or_else(|code| panic!("{name}: {code}"));
        assert_eq!(
            [alice.identity().kind(), service.identity().kind()],
            row.kinds,
            "{name}"
        );
        let id_token = world.read(&idp.token("alice").id_token().sign()).await;
        assert_eq!(
            id_token.is_ok(),
            row.id_tokens,
            "{name}: {:?}",
            id_token.err()
        );
        for (token, code) in [
            (idp.token("alice").expire().sign(), "token.expired"),
            (
                idp.token("alice").audience("api://elsewhere").sign(),
                "token.audience",
            ),
            (
                idp.token("alice")
                    .issuer("https://evil.example")
                    .sign(),
                "token.issuer",
            ),
            (
                idp.token("alice").signature_flipped().sign(),
                "token.signature",
            ),
        ] {
            assert_eq!(
                world.read(&token).await.err().as_deref(),
                Some(code),
                "{name}"
            );
        }
    }
}

/// A key that is published for one tenant is good for that tenant only.
#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_key_is_refused() {
    let world = ImitatedProvider::new(Dialect::Entra).await;
    let base = world.idp.base();
    let issuer = IssuerConfig {
        url: format!("{base}/{{tenantid}}/v2.0"),
        audience: world.idp.audiences(),
        profile: Some("entra-v2".to_owned()),
        tenants: vec!["00000000-1111-4000-8000-000000000001".to_owned()],
        ..IssuerConfig::default()
    };
    let settings = Settings::try_from(Config {
        issuer: vec![issuer],
        ..Config::default()
    })
    .unwrap();
    let clock = TestClock::at(NumericDate::from_seconds(NOW as i64));
    let world = ImitatedProvider {
        server: ResourceServer::with_clock(settings, Arc::new(clock)),
        ..world
    };
    let good = world.read(&world.idp.token("alice").sign()).await;
    assert!(good.is_ok(), "{:?}", good.err());
    let bad = world
        .idp
        .token("alice")
        .key_of_another_tenant()
        .await
        .sign();
    assert_eq!(
        world.read(&bad).await.err().as_deref(),
        Some("token.key_issuer")
    );
}

/// Groups that did not fit into the token are unknown, and not none.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_groups_are_unknown() {
    for dialect in [Dialect::Entra, Dialect::EntraV1] {
        let world = ImitatedProvider::new(dialect).await;
        let few = world
            .read(&world.idp.token("alice").sign())
            .await
            .unwrap();
        assert_eq!(few.identity().groups().holds("g"), Some(false), "{dialect}");
        let many = world
            .read(&world.idp.token("alice").group_overage().sign())
            .await
            .unwrap();
        assert_eq!(many.identity().groups().holds("g"), None, "{dialect}");
    }
}
