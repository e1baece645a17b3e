//! What is remembered of answers, for how long, and for whom.

use super::{IntrospectionSetup, server};
use http::{HeaderMap, HeaderValue};
use portcullis_core::credential::Credential;
use portcullis_core::token::NumericDate;
use portcullis_idp::Endpoint;
use portcullis_resource_server::Revocation;
use portcullis_testkit::{AnsweringServer, clock, decide};
use std::time::Duration;
use tokio::task::JoinSet;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn five_hundred_requests_ask_once() {
    let world = IntrospectionSetup::new("").await;
    for token in [world.idp.token("alice").opaque(), "made-up".to_owned()] {
        let before = world.idp.requests(Endpoint::Introspection);
        let mut requests = JoinSet::new();
        for _ in 0..500 {
            let (server, token) = (world.server.clone(), token.clone());
            requests.spawn(async move { decide(&server, &token).await });
        }
        let verdicts = requests.join_all().await;
        assert!(
            verdicts.iter().all(|verdict| *verdict == verdicts[0]),
            "{token}"
        );
        assert_eq!(
            world.idp.requests(Endpoint::Introspection) - before,
            1,
            "{token}"
        );
    }
    let status = world.status();
    assert_eq!((status.questions, status.remembered), (2, 998));
}

#[tokio::test]
async fn an_answer_is_good_for_a_minute_at_most() {
    let world = IntrospectionSetup::new("").await;
    let token = world.idp.token("alice").opaque();
    for (pause, questions) in [(0, 1), (59, 1), (1, 2)] {
        world.clock.advance(seconds(pause));
        assert_eq!(world.decide(&token).await, "allow");
        assert_eq!(
            world.idp.requests(Endpoint::Introspection),
            questions,
            "after {pause} s more"
        );
    }
}

#[tokio::test]
async fn an_answer_is_good_until_the_token_ends_and_no_longer() {
    let world = IntrospectionSetup::new("").await;
    let token = world
        .idp
        .token("alice")
        .claim("exp", 1_800_000_030)
        .opaque();
    assert_eq!(world.decide(&token).await, "allow");
    world.clock.advance(seconds(29));
    assert_eq!(
        (
            world.decide(&token).await.as_str(),
            world.idp.requests(Endpoint::Introspection)
        ),
        ("allow", 1)
    );
    world.clock.advance(seconds(1));
    assert_eq!(
        (
            world.decide(&token).await.as_str(),
            world.idp.requests(Endpoint::Introspection)
        ),
        ("token.inactive", 2)
    );
}

#[tokio::test]
async fn an_answer_that_names_no_end_is_good_for_five_seconds() {
    let endpoint = AnsweringServer::start(r#"{"active":true,"aud":"api://enterprise-api"}"#).await;
    let clock = clock();
    let server = server(
        "https://idp.example",
        &format!("endpoint = \"{}\"", endpoint.url),
        &clock,
    );
    for (pause, questions) in [(0, 1), (4, 1), (1, 2)] {
        clock.advance(seconds(pause));
        assert_eq!(decide(&server, "opaque").await, "allow");
        assert_eq!(endpoint.requests().len(), questions);
    }
}

#[tokio::test]
async fn a_refusal_is_remembered_for_five_seconds_so_that_junk_asks_once() {
    let world = IntrospectionSetup::new("").await;
    for _ in 0..50 {
        assert_eq!(world.decide("made-up").await, "token.inactive");
    }
    world.clock.advance(seconds(4));
    assert_eq!(
        (
            world.decide("made-up").await.as_str(),
            world.idp.requests(Endpoint::Introspection)
        ),
        ("token.inactive", 1)
    );
    world.clock.advance(seconds(1));
    assert_eq!(
        (
            world.decide("made-up").await.as_str(),
            world.idp.requests(Endpoint::Introspection)
        ),
        ("token.inactive", 2)
    );
}

#[tokio::test]
async fn what_is_revoked_here_is_refused_whatever_is_remembered() {
    let world = IntrospectionSetup::new("").await;
    let (opaque, fresh) = (
        world.idp.token("alice").opaque(),
        world.idp.token("alice").opaque(),
    );
    let token = world
        .server
        .authenticate(Credential::bearer(&opaque))
        .await
        .unwrap();
    let subject = token.user_id().unwrap().to_owned();
    let now = NumericDate::from_seconds(1_800_000_000);
    world
        .server
        .revoke(Revocation::subject(token.issuer(), &subject, now))
        .await
        .unwrap();
    for token in [&opaque, &fresh] {
        assert_eq!(world.decide(token).await, "token.revoked");
    }
    assert_eq!(
        world.decide(&world.idp.token("bob").opaque()).await,
        "allow"
    );
    let explanation = world.server.explain(&opaque).await;
    assert_eq!(
        explanation.first_obstacle().map(|step| step.code),
        Some("token.revoked")
    );
}

#[tokio::test]
async fn with_no_memory_every_request_asks() {
    let world = IntrospectionSetup::new("cache_seconds = 0").await;
    let token = world.idp.token("alice").opaque();
    for questions in 1..4 {
        assert_eq!(
            (
                world.decide(&token).await.as_str(),
                world.idp.requests(Endpoint::Introspection)
            ),
            ("allow", questions)
        );
    }
}

#[tokio::test]
async fn what_one_issuer_said_counts_for_no_other() {
    let (ours, theirs) = (
        AnsweringServer::start(r#"{"active":true,"aud":"api://enterprise-api","sub":"us"}"#).await,
        AnsweringServer::start(r#"{"active":false}"#).await,
    );
    let more = format!(
        "endpoint = \"{}\"\nprefix = \"ours_\"\n[[issuer]]\nurl = \"https://theirs.example\"\naudience = [\"api://enterprise-api\"]\n\
         [issuer.introspection]\nclient_id = \"service\"\nendpoint = \"{}\"\n[[issuer]]\nurl = \"https://longer.example\"\n\
         audience = [\"api://enterprise-api\"]\n[issuer.introspection]\nclient_id = \"service\"\nendpoint = \"{}\"\nprefix = \"ours_but_\"\n",
        ours.url, theirs.url, theirs.url
    );
    let server = server("https://ours.example", &more, &clock());
    let token = server
        .authenticate(Credential::bearer("ours_1"))
        .await
        .unwrap();
    assert_eq!(
        (token.issuer().as_str(), token.subject()),
        ("https://ours.example", Some("us"))
    );
    assert_eq!(
        decide(&server, "ours_but_not").await,
        "token.inactive",
        "the longest prefix tells"
    );
    assert_eq!(
        decide(&server, "another").await,
        "token.inactive",
        "what has no known prefix is for the one without"
    );
    assert_eq!((ours.requests().len(), theirs.requests().len()), (1, 2));
}

/// For the limit of failing callers: who was found good a short while ago is known, and nobody is
/// asked.
#[tokio::test]
async fn a_token_is_known_for_as_long_as_its_answer_is_remembered() {
    let world = IntrospectionSetup::new("cache_seconds = 30\n").await;
    let knows = |token: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(
            "authorization",
            HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
        );
        world.server.knows_token(&headers)
    };
    let good = world.idp.token("alice").opaque();
    assert!(!knows(&good));
    assert_eq!(
        (
            world.decide(&good).await,
            world.decide("made-up").await.as_str()
        ),
        ("allow".to_owned(), "token.inactive")
    );
    let asked = world.status().questions;
    assert!(knows(&good) && !knows("made-up") && !knows("never-seen"));
    world.clock.advance(Duration::from_secs(30));
    assert!(!knows(&good));
    assert_eq!(world.status().questions, asked);
}
