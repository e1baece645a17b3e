//! What was revoked is refused: fresh or remembered, in whatever order things come, and for as long
//! as it must.

use portcullis_core::token::{Issuer, NumericDate};
use portcullis_resource_server::{
    Config, REMEMBERED_SECONDS, ResourceServer, Revocation, Settings,
};
use portcullis_testkit::{ResourceServerSetup, decide};
use std::sync::Arc;
use std::time::Duration;

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}

#[tokio::test]
async fn each_kind_refuses_what_it_names_and_nothing_else() {
    for kind in 0..4 {
        let world = ResourceServerSetup::new().await;
        let issuer = world.idp.issuer().clone();
        let token = world
            .idp
            .token("alice")
            .claim("jti", "t-1")
            .claim("sid", "s-1")
            .claim("azp", "web")
            .sign();
        let other = world
            .idp
            .token("bob")
            .claim("jti", "t-2")
            .claim("sid", "s-2")
            .claim("azp", "app")
            .sign();
        assert_eq!(
            (world.decide(&token).await, world.decide(&other).await),
            ("allow".into(), "allow".into())
        );
        let fresh = world
            .idp
            .token("alice")
            .claim("jti", "t-1")
            .claim("sid", "s-1")
            .claim("azp", "web");
        let fresh = fresh.claim("n", 1).sign();
        let revocation = match kind {
            0 => Revocation::token(&issuer, "t-1", at(NOW + 80_000)),
            1 => Revocation::subject(&issuer, &subject(&token), at(NOW)),
            2 => Revocation::session(&issuer, "s-1", at(NOW)),
            _ => Revocation::client(&issuer, &client(&token), at(NOW)),
        };
        world.server.revoke(revocation).await.unwrap();
        for _ in 0..2 {
            assert_eq!(
                world.decide(&token).await,
                "token.revoked",
                "{kind}: remembered"
            );
            assert_eq!(world.decide(&fresh).await, "token.revoked", "{kind}: fresh");
            if kind < 3 {
                assert_eq!(world.decide(&other).await, "allow", "{kind}");
            }
        }
        assert_eq!(world.server.status().revocation.entries, 1);
    }
}

/// What another issuer calls `alice` is somebody else.
#[tokio::test]
async fn a_revocation_holds_for_its_issuer_only() {
    let world = ResourceServerSetup::new().await;
    let token = world.idp.token("alice").sign();
    let another = Issuer::parse("https://another.example").unwrap();
    world
        .server
        .revoke(Revocation::subject(&another, &subject(&token), at(NOW)))
        .await
        .unwrap();
    assert_eq!(world.decide(&token).await, "allow");
}

#[tokio::test]
async fn after_signing_in_again_a_subject_gets_in_with_the_new_token_only() {
    let world = ResourceServerSetup::new().await;
    let (issuer, old) = (world.idp.issuer().clone(), world.idp.token("alice").sign());
    assert_eq!(world.decide(&old).await, "allow");
    world
        .server
        .revoke(Revocation::subject(&issuer, &subject(&old), at(NOW)))
        .await
        .unwrap();
    let same_second = world.idp.token("alice").claim("n", 1).sign();
    world.clock.advance(Duration::from_secs(1));
    let new = world.idp.token("alice").sign();
    assert_eq!(world.decide(&new).await, "allow");
    // An earlier moment later on takes nothing back.
    world
        .server
        .revoke(Revocation::subject(&issuer, &subject(&old), at(NOW - 100)))
        .await
        .unwrap();
    for token in [&old, &same_second] {
        assert_eq!(world.decide(token).await, "token.revoked");
    }
    assert_eq!(world.decide(&new).await, "allow");
    world
        .server
        .revoke(Revocation::subject(&issuer, &subject(&old), at(NOW + 1)))
        .await
        .unwrap();
    assert_eq!(world.decide(&new).await, "token.revoked");
}

/// Where an issuer's `sub` differs from application to application, its stable name is what an
/// operator knows.
#[tokio::test]
async fn a_subject_can_be_revoked_by_either_of_its_names() {
    let world = ResourceServerSetup::new().await;
    for by_claim in ["sub", "oid"] {
        let server = server_with(&world, "", "subject = \"oid\"\n");
        let token = world.idp.token("alice").claim("oid", "o-1").sign();
        let revoked =
            |since| Revocation::subject(world.idp.issuer(), &claim(&token, by_claim), at(since));
        server.revoke(revoked(NOW - 1)).await.unwrap();
        assert_eq!(decide(&server, &token).await, "allow");
        server.revoke(revoked(NOW)).await.unwrap();
        assert_eq!(decide(&server, &token).await, "token.revoked", "{by_claim}");
        assert!(!server.explain(&token).await.is_accepted());
    }
}

/// Eviction from the verified-token cache, and other revocations, take nothing back.
#[tokio::test]
async fn nothing_takes_a_revocation_back() {
    let world = ResourceServerSetup::new().await;
    let server = server(&world, "remembered_tokens = 2\n");
    let issuer = world.idp.issuer().clone();
    let revoked = world.idp.token("alice").claim("jti", "gone").sign();
    server
        .revoke(Revocation::token(&issuer, "gone", at(NOW + 80_000)))
        .await
        .unwrap();
    for number in 0..20 {
        assert_eq!(decide(&server, &revoked).await, "token.revoked");
        let other = world
            .idp
            .token("bob")
            .claim("jti", number.to_string())
            .sign();
        assert_eq!(decide(&server, &other).await, "allow");
        server
            .revoke(Revocation::token(
                &issuer,
                &number.to_string(),
                at(NOW + 60),
            ))
            .await
            .unwrap();
        assert_eq!(decide(&server, &other).await, "token.revoked");
    }
    // The others end and are swept; this one has not ended.
    world.clock.advance(Duration::from_secs(1_000));
    server
        .revoke(Revocation::session(&issuer, "s", at(NOW + 1_000)))
        .await
        .unwrap();
    assert_eq!(server.status().revocation.entries, 2);
    assert_eq!(decide(&server, &revoked).await, "token.revoked");
}

#[tokio::test]
async fn a_full_denylist_says_so_and_forgets_nothing() {
    let world = ResourceServerSetup::new().await;
    let server = server(&world, "[revocation]\nentries = 1\n");
    let (issuer, revoked) = (
        world.idp.issuer().clone(),
        world.idp.token("alice").claim("jti", "a").sign(),
    );
    server
        .revoke(Revocation::token(&issuer, "a", at(NOW + 80_000)))
        .await
        .unwrap();
    let full = server
        .revoke(Revocation::token(&issuer, "b", at(NOW + 80_000)))
        .await
        .unwrap_err();
    assert_eq!(full.code().as_str(), "outage.revocation");
    assert!(full.facts().contains("full with 1 entries"), "{full}");
    assert_eq!(decide(&server, &revoked).await, "token.revoked");
}

#[tokio::test]
async fn a_verified_token_can_be_revoked_as_it_is() {
    let world = ResourceServerSetup::new().await;
    let token = world.idp.token("alice").claim("jti", "a").sign();
    let verified = world
        .server
        .authenticate(portcullis_core::credential::Credential::bearer(&token))
        .await
        .unwrap();
    world
        .server
        .revoke(Revocation::of_token(&verified, at(NOW)).unwrap())
        .await
        .unwrap();
    assert_eq!(world.decide(&token).await, "token.revoked");
    let nameless = world.idp.token("alice").without("jti").sign();
    let verified = world
        .server
        .authenticate(portcullis_core::credential::Credential::bearer(&nameless))
        .await
        .unwrap();
    assert_eq!(Revocation::of_token(&verified, at(NOW)), None);
    let entra = world
        .idp
        .token("alice")
        .without("jti")
        .claim("uti", "u-1")
        .sign();
    world
        .server
        .revoke(Revocation::token(
            world.idp.issuer(),
            "u-1",
            at(NOW + 80_000),
        ))
        .await
        .unwrap();
    assert_eq!(world.decide(&entra).await, "token.revoked");
}

#[tokio::test]
async fn explain_names_the_revocation() {
    let world = ResourceServerSetup::new().await;
    let token = world.idp.token("alice").claim("sid", "s-1").sign();
    let before = world.server.explain(&token).await;
    assert!(
        before.is_accepted()
            && before
                .steps
                .iter()
                .all(|step| step.name != "revocation")
    );
    world
        .server
        .revoke(Revocation::session(world.idp.issuer(), "s-1", at(NOW)))
        .await
        .unwrap();
    let explanation = world.server.explain(&token).await;
    let obstacle = explanation.first_obstacle().unwrap();
    assert_eq!(
        (obstacle.code, obstacle.found.as_str()),
        (
            "token.revoked",
            "its session was revoked, by an operator at 2027-01-15T08:00:00Z"
        )
    );
    assert!(
        world
            .server
            .explain(&world.idp.token("bob").sign())
            .await
            .is_accepted()
    );
    assert!(Revocation::session(world.idp.issuer(), "s", at(0)).until() == at(REMEMBERED_SECONDS));
}

fn server(world: &ResourceServerSetup, settings: &str) -> ResourceServer {
    let (top, table) = if settings.starts_with('[') {
        ("", settings)
    } else {
        (settings, "")
    };
    server_with(world, top, table)
}

/// A server with settings before and after its one issuer's.
fn server_with(world: &ResourceServerSetup, top: &str, table: &str) -> ResourceServer {
    let issuer = world.idp.issuer();
    let text = format!(
        "{top}[[issuer]]\nurl = \"{issuer}\"\naudience = [\"api://enterprise-api\"]\n{table}"
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    ResourceServer::with_clock(settings, Arc::<_>::clone(&world.clock) as Arc<_>)
}

/// A claim of a token, read here so that the test does not depend on what the provider calls its
/// users.
fn claim(token: &str, name: &str) -> String {
    let parsed =
        portcullis_core::jose::compact::parse(token, &portcullis_core::Limits::default()).unwrap();
    parsed
        .unverified_claims()
        .claim(name)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

fn subject(token: &str) -> String {
    claim(token, "sub")
}

fn client(token: &str) -> String {
    claim(token, "client_id")
}
