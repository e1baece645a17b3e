//! Opaque tokens against the development provider, and against a server that answers as told.

mod client;
mod memory;
mod mutual_tls;
mod outage;
mod settings;

use crate::setup::idp;
use portcullis_core::credential::Credential;
use portcullis_idp::{Endpoint, Idp};
use portcullis_resource_server::clock::TestClock;
use portcullis_resource_server::{Config, IntrospectionStatus, ResourceServer, Secret, Settings};
use portcullis_testkit::{AUDIENCE, ResourceServerSetup, clock};
use std::sync::Arc;

/// A provider, and a server that asks it about tokens.
pub(crate) struct IntrospectionSetup {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) idp: Idp,
    pub(crate) server: ResourceServer,
}

impl IntrospectionSetup {
    pub(crate) async fn new(more: &str) -> Self {
        let clock = clock();
        let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
        let server = server(idp.issuer().as_str(), more, &clock);
        Self { clock, idp, server }
    }

    pub(crate) async fn decide(&self, token: &str) -> String {
        portcullis_testkit::decide(&self.server, token).await
    }

    pub(crate) fn status(&self) -> IntrospectionStatus {
        self.server.status().introspection.remove(0).1
    }
}

/// A server for this issuer, asking as `service`; `more` are further settings of its introspection.
pub(crate) fn server(issuer: &str, more: &str, clock: &Arc<TestClock>) -> ResourceServer {
    server_of(issuer, &format!("client_id = \"service\"\n{more}"), clock)
}

/// The same for any client.
fn server_of(issuer: &str, introspection: &str, clock: &Arc<TestClock>) -> ResourceServer {
    let text = format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{AUDIENCE}\"]\n[issuer.introspection]\n{introspection}\n"
    );
    let mut config = Config::from_toml(&text).unwrap();
    for issuer in &mut config.issuer {
        issuer.introspection.as_mut().unwrap().client.secret = Some(Secret::new("service-secret"));
    }
    ResourceServer::with_clock(
        Settings::try_from(config).unwrap(),
        Arc::<TestClock>::clone(clock),
    )
}

#[tokio::test]
async fn an_opaque_token_is_as_good_as_a_jwt() {
    let world = IntrospectionSetup::new("").await;
    let opaque = world.idp.token("alice").scope("orders:read").opaque();
    let token = world
        .server
        .authenticate(Credential::bearer(&opaque))
        .await
        .unwrap();
    assert!(token.has_scope("orders:read") && token.has_role("Admin") && token.header().is_none());
    assert_eq!(token.issuer(), world.idp.issuer());
    assert_eq!(world.decide("made-up").await, "token.inactive");
    assert_eq!(
        world
            .decide(
                &world
                    .idp
                    .token("alice")
                    .audience("api://other")
                    .opaque()
            )
            .await,
        "token.audience"
    );
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "allow"
    );
    assert_eq!(
        (
            world.idp.requests(Endpoint::Introspection),
            world.status().questions
        ),
        (3, 3)
    );
}

/// The audience of a route holds for answers of an issuer as it does for signed tokens, and also
/// where answers need none.
#[tokio::test]
async fn an_answer_is_for_its_resource_alone() {
    let world = IntrospectionSetup::new("danger_answers_without_audience = true").await;
    let headers = |token: &str| {
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        headers
    };
    let own = portcullis_core::Requirement::audience([AUDIENCE]);
    let other = portcullis_core::Requirement::audience(["https://api.example/b"]);
    let opaque = world.idp.token("alice").opaque();
    for (requirement, expected) in [(&own, None), (&other, Some("token.audience"))] {
        // The second answer is remembered.
        for _ in 0..2 {
            let decision = world
                .server
                .decide(&headers(&opaque), None, requirement)
                .await;
            let refused = decision.into_result().err();
            assert_eq!(
                refused.as_ref().map(portcullis_core::Denial::code),
                expected
            );
        }
    }
    let nameless = world.idp.token("alice").without("aud").opaque();
    let decision = world
        .server
        .decide(&headers(&nameless), None, &own)
        .await;
    let refused = decision.into_result().err();
    assert_eq!(refused.map(|it| it.code()), Some("token.audience"));
    assert_eq!(world.decide(&nameless).await, "allow");
}

#[tokio::test]
async fn what_has_the_shape_of_a_jwt_is_never_asked_about_instead() {
    let world = IntrospectionSetup::new("").await;
    for token in [
        world.idp.token("alice").expire().sign(),
        world.idp.token("alice").signature_flipped().sign(),
        world.idp.token("alice").alg_none().sign(),
        "eyJhbGciOiJIUzI1NiJ9.e30.x".to_owned(),
        "eyJ.e30.x".to_owned(),
    ] {
        assert_ne!(world.decide(&token).await, "allow");
    }
    for token in ["a b", "{}", "\""] {
        assert_eq!(world.decide(token).await, "token.malformed", "{token}");
    }
    assert_eq!(world.decide(&"a".repeat(16_385)).await, "token.too_large");
    assert_eq!(world.idp.requests(Endpoint::Introspection), 0);
}

#[tokio::test]
async fn without_introspection_nobody_is_asked() {
    let world = ResourceServerSetup::new().await;
    let opaque = world.idp.token("alice").opaque();
    assert_eq!(world.decide(&opaque).await, "token.malformed");
    assert_eq!(world.idp.requests(Endpoint::Introspection), 0);
    assert!(world.server.status().introspection.is_empty());
}

#[tokio::test]
async fn tokens_that_the_issuer_signed_are_asked_about_where_told_so() {
    let world = IntrospectionSetup::new("tokens = \"all\"").await;
    let known = world.idp.token("alice").issue();
    assert_eq!(
        (
            known.matches('.').count(),
            world.decide(&known).await.as_str()
        ),
        (2, "allow")
    );
    assert_eq!(world.decide(&known).await, "allow");
    assert_eq!(world.idp.requests(Endpoint::Introspection), 1);
    assert_eq!(
        world.decide(&world.idp.token("alice").sign()).await,
        "token.inactive",
        "it was never issued"
    );
    assert_eq!(
        world
            .decide(&world.idp.token("alice").signature_flipped().sign())
            .await,
        "token.signature"
    );
    assert_eq!(world.idp.requests(Endpoint::Introspection), 2);
    // A token of the client that revokes it: what was remembered lasts a minute, and no longer.
    let own = world.idp.token("service").issue();
    assert_eq!(world.decide(&own).await, "allow");
    revoke(&world.idp, &own).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(world.decide(&own).await, "token.inactive");
}

async fn revoke(idp: &Idp, token: &str) {
    let url = format!("{}/revoke", idp.base());
    let request = reqwest::Client::new()
        .post(url)
        .basic_auth("service", Some("service-secret"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(
        request
            .body(format!("token={token}"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn an_explanation_asks_and_shows_the_answer() {
    let world = IntrospectionSetup::new("").await;
    let explained = |explanation: portcullis_resource_server::Explanation| {
        let first = explanation
            .first_obstacle()
            .map_or("accepted", |step| step.code);
        let names: Vec<&str> = explanation
            .steps
            .iter()
            .take(2)
            .map(|step| step.name)
            .collect();
        assert_eq!(names, ["form", "introspection"]);
        (first, explanation.hint.unwrap_or_default())
    };
    let good = world.idp.token("alice").opaque();
    assert_eq!(
        explained(world.server.explain(&good).await),
        ("accepted", String::new())
    );
    let (code, hint) = explained(world.server.explain("made-up").await);
    assert!(
        code == "token.inactive" && hint.contains("revoked"),
        "{code} {hint}"
    );
    world
        .idp
        .fail(Endpoint::Introspection, portcullis_idp::Fault::Unauthorized);
    let explanation = world.server.explain("made-up").await;
    assert!(
        explanation
            .first_obstacle()
            .unwrap()
            .found
            .contains("401"),
        "{explanation:?}"
    );
    assert_eq!(explained(explanation).0, "outage.introspection");
    let confirming = IntrospectionSetup::new("tokens = \"all\"").await;
    let explanation = confirming
        .server
        .explain(&confirming.idp.token("alice").sign())
        .await;
    assert_eq!(explanation.steps.last().unwrap().name, "introspection");
    assert_eq!(explanation.first_obstacle().unwrap().code, "token.inactive");
}
