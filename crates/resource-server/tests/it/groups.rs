//! Groups that do not fit into a token, looked up at an imitation of Microsoft Graph.

use portcullis_core::token::AccessToken;
use portcullis_core::{Outage, OutageCode, Requirement, Rule, Ruling};
use portcullis_idp::{Dialect, Endpoint, Fault, Idp, IdpConfig};
use portcullis_resource_server::{Config, Secret, Settings};
use portcullis_testkit::{Answer, AnsweringServer, ResourceServerSetup, decide_by};
use std::fmt;
use std::time::Duration;
use tokio::task::JoinSet;

/// With these settings after those of the issuer.
async fn setup(more: impl FnOnce(&Idp) -> String) -> ResourceServerSetup {
    let mut config = IdpConfig {
        dialect: Dialect::Entra,
        ..IdpConfig::default()
    };
    config.users[1].groups = (0..250)
        .map(|number| format!("group-{number}"))
        .collect();
    ResourceServerSetup::with(config, |idp| settings(idp, &more(idp))).await
}

/// Bob is in 250 groups: too many for a token.
fn bob(setup: &ResourceServerSetup) -> String {
    setup.idp.token("bob").sign()
}

fn graph(idp: &Idp) -> String {
    format!(
        "[issuer.groups_lookup]\nclient_id = \"service\"\nurl = \"{}\"\n",
        idp.graph()
    )
}

fn settings(idp: &Idp, more: &str) -> Settings {
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\nprofile = \"entra-v2\"\n{more}",
        idp.issuer(),
        idp.audience()
    );
    let mut config = Config::from_toml(&text).unwrap();
    if let Some(groups) = &mut config.issuer[0].groups_lookup {
        groups.client.secret = Some(Secret::new("service-secret"));
    }
    Settings::try_from(config).unwrap()
}

#[tokio::test]
async fn groups_that_do_not_fit_are_unknown_without_a_lookup() {
    let world = setup(|_| String::new()).await;
    assert_eq!(
        world
            .decide_by(&bob(&world), &Requirement::group("group-7"))
            .await,
        "policy.groups_unknown"
    );
    let not = Requirement::not(Requirement::group("group-7"));
    assert_eq!(
        world.decide_by(&bob(&world), &not).await,
        "policy.groups_unknown"
    );
    assert_eq!(world.idp.requests(Endpoint::Graph), 0);
}

#[tokio::test]
async fn the_directory_is_asked_where_the_decision_hangs_on_it() {
    let world = setup(graph).await;
    let bob = bob(&world);
    assert_eq!(
        world.decide_by(&bob, &Requirement::ValidToken).await,
        "allow"
    );
    let either = Requirement::any([Requirement::user(), Requirement::group("group-7")]);
    assert_eq!(world.decide_by(&bob, &either).await, "allow");
    assert_eq!(world.idp.requests(Endpoint::Graph), 0, "nothing hung on it");
    assert_eq!(
        world
            .decide_by(&bob, &Requirement::group("group-7"))
            .await,
        "allow"
    );
    assert_eq!(
        world
            .decide_by(&bob, &Requirement::group("group-249"))
            .await,
        "allow",
        "the last of three pages"
    );
    assert_eq!(
        world
            .decide_by(&bob, &Requirement::group("group-250"))
            .await,
        "policy.denied"
    );
    let not = |group: &str| Requirement::not(Requirement::group(group));
    assert_eq!(
        world.decide_by(&bob, &not("group-7")).await,
        "policy.denied"
    );
    assert_eq!(world.decide_by(&bob, &not("group-250")).await, "allow");
    assert_eq!(world.idp.requests(Endpoint::Graph), 3, "three pages, once");
    world.clock.advance(Duration::from_secs(300));
    assert_eq!(
        world
            .decide_by(&bob, &Requirement::group("group-7"))
            .await,
        "allow"
    );
    assert_eq!(world.idp.requests(Endpoint::Graph), 6);
}

#[tokio::test]
async fn many_requests_ask_once() {
    let world = setup(graph).await;
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let (server, bob) = (world.server.clone(), bob(&world));
        requests
            .spawn(async move { decide_by(&server, &bob, &Requirement::group("group-7")).await });
    }
    assert!(
        requests
            .join_all()
            .await
            .iter()
            .all(|decision| decision == "allow")
    );
    assert_eq!(world.idp.requests(Endpoint::Graph), 3);
}

#[tokio::test]
async fn a_directory_that_fails_is_an_outage_and_never_no_groups() {
    for fault in [
        Fault::InternalError,
        Fault::Html,
        Fault::Huge,
        Fault::Redirect,
        Fault::Empty,
        Fault::Truncated,
        Fault::Unauthorized,
    ] {
        let world = setup(graph).await;
        world.idp.fail(Endpoint::Graph, fault);
        let not = Requirement::not(Requirement::group("group-7"));
        assert_eq!(
            world.decide_by(&bob(&world), &not).await,
            "outage.groups",
            "{fault:?}"
        );
        world.idp.fail(Endpoint::Graph, Fault::None);
        assert_eq!(
            world.decide_by(&bob(&world), &not).await,
            "policy.denied",
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_directory_that_is_down_is_spared() {
    let world = setup(graph).await;
    world.idp.fail(Endpoint::Graph, Fault::InternalError);
    for _ in 0..20 {
        assert_eq!(
            world
                .decide_by(&bob(&world), &Requirement::group("group-7"))
                .await,
            "outage.groups"
        );
    }
    assert_eq!(world.idp.requests(Endpoint::Graph), 5);
    world.idp.fail(Endpoint::Graph, Fault::None);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(
        world
            .decide_by(&bob(&world), &Requirement::group("group-7"))
            .await,
        "allow"
    );
}

#[tokio::test]
async fn only_a_guid_gets_into_the_address() {
    let world = setup(graph).await;
    for id in [
        "",
        "bob",
        "../../me",
        "00000000-0000-0000-0000-00000000000G",
        "00000000-0000-0000-0000-000000000001/x",
    ] {
        let token = world.idp.token("bob").claim("oid", id).sign();
        let decision = world
            .decide_by(&token, &Requirement::group("group-7"))
            .await;
        assert!(
            decision == "outage.groups" || decision == "token.claim_missing",
            "{id}: {decision}"
        );
    }
    assert_eq!(world.idp.requests(Endpoint::Graph), 0);
}

/// The token goes to the directory that is configured, and nowhere else.
#[tokio::test]
async fn a_next_page_of_another_origin_is_not_asked_for() {
    let tokens = AnsweringServer::start(
        r#"{"access_token":"for-graph","token_type":"Bearer","expires_in":3600}"#,
    )
    .await;
    let (elsewhere, directory) = (
        AnsweringServer::start("{}").await,
        AnsweringServer::start("").await,
    );
    let page = |next: &str| format!(r#"{{"value":["group-7"],"@odata.nextLink":"{next}/next"}}"#);
    let world = setup(|_| {
        let (url, endpoint) = (&directory.url, &tokens.url);
        format!("[issuer.groups_lookup]\nclient_id = \"service\"\nurl = \"{url}\"\ntoken_endpoint = \"{endpoint}\"\n")
    })
    .await;
    directory.answer(Answer::json(&page(&elsewhere.url)));
    assert_eq!(
        world
            .decide_by(&bob(&world), &Requirement::group("group-7"))
            .await,
        "outage.groups"
    );
    let asked = directory.requests().remove(0);
    assert_eq!(
        asked.headers.get("authorization").unwrap(),
        "Bearer for-graph"
    );
    assert!(
        asked.path.ends_with("/getMemberObjects") && elsewhere.requests().is_empty(),
        "{}",
        asked.path
    );
    assert_eq!(asked.body, r#"{"securityEnabledOnly":false}"#);
    let asked = tokens.requests().remove(0).body;
    assert!(
        asked.starts_with("grant_type=client_credentials&scope=http%3A%2F%2F"),
        "{asked}"
    );
    // Pages without end.
    directory.answer(Answer::json(&page(&directory.url)));
    assert_eq!(
        world
            .decide_by(&bob(&world), &Requirement::group("group-7"))
            .await,
        "outage.groups"
    );
    assert_eq!(
        (directory.requests().len(), tokens.requests().len()),
        (1 + 110, 1)
    );
    // A token that is no longer taken is got anew, once.
    directory.answer(Answer {
        status: 401,
        ..Answer::json("{}")
    });
    assert_eq!(
        world
            .decide_by(&bob(&world), &Requirement::group("group-7"))
            .await,
        "outage.groups"
    );
    assert_eq!(
        (directory.requests().len(), tokens.requests().len()),
        (1 + 110 + 2, 2)
    );
}

/// A rule that hangs on a group, as a policy may.
#[derive(Debug)]
struct InGroup(&'static str);

impl fmt::Display for InGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the rule says")
    }
}

impl Rule for InGroup {
    fn ruling(&self, token: &AccessToken) -> Ruling {
        match token.identity().groups().holds(self.0) {
            Some(true) => Ruling::Met,
            Some(false) => Ruling::Unmet,
            None => Ruling::GroupsUnknown,
        }
    }
}

#[tokio::test]
async fn a_rule_is_asked_again_with_the_groups() {
    let world = setup(graph).await;
    assert_eq!(
        world
            .decide_by(&bob(&world), &Requirement::rule(InGroup("group-7")))
            .await,
        "allow"
    );
    assert_eq!(world.idp.requests(Endpoint::Graph), 3);
    let not = Requirement::not(Requirement::rule(InGroup("group-250")));
    assert_eq!(world.decide_by(&bob(&world), &not).await, "allow");
    assert_eq!(
        world
            .decide_by(&bob(&world), &Requirement::rule(InGroup("group-250")))
            .await,
        "policy.denied"
    );
    let alone = setup(|_| String::new()).await;
    let told = alone
        .decide_by(&bob(&alone), &Requirement::rule(InGroup("group-7")))
        .await;
    assert_eq!(told, "policy.groups_unknown");
}

/// A rule that fails, whoever asks.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what nobody can tell")
    }
}

impl Rule for Broken {
    fn ruling(&self, _: &AccessToken) -> Ruling {
        Ruling::Failed(Outage::new(
            OutageCode::Policy,
            "it is broken",
            Duration::ZERO,
        ))
    }
}

#[tokio::test]
async fn a_rule_that_fails_is_an_outage_and_asks_no_directory_whose_groups_are_known() {
    let world = setup(graph).await;
    let alice = world.idp.token("alice").sign();
    for requirement in [
        Requirement::rule(Broken),
        Requirement::not(Requirement::rule(Broken)),
    ] {
        assert_eq!(world.decide_by(&alice, &requirement).await, "outage.policy");
    }
    assert_eq!(world.idp.requests(Endpoint::Graph), 0);
}
