//! Keys in a file: no network, read again when the file changes.

use portcullis_idp::{Endpoint, Overlap};
use portcullis_resource_server::clock::{SystemClock, TestClock};
use portcullis_resource_server::{Config, IssuerConfig, ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, ResourceServerSetup, clock, decide};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const ISSUER: &str = "https://idp.invalid/x";

/// A file of its own for each test.
fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("portcullis-{name}-{}.json", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

fn settings(path: &Path, more: &str) -> Result<Settings, String> {
    let path = path.display();
    let text = format!(
        "[[issuer]]\nurl = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\njwks_file = \"{path}\"\n{more}"
    );
    Settings::try_from(Config::from_toml(&text).unwrap()).map_err(|errors| errors.to_string())
}

fn server(path: &Path, clock: &Arc<TestClock>) -> ResourceServer {
    ResourceServer::with_clock(settings(path, "").unwrap(), Arc::<TestClock>::clone(clock))
}

#[tokio::test]
async fn tokens_are_verified_by_the_keys_of_the_file() {
    let world = ResourceServerSetup::new().await;
    let path = file("keys", &format!("\u{feff}{}\n", world.idp.jwks()));
    let server = server(&path, &world.clock);
    let token = |name: &str| world.idp.token(name).issuer(ISSUER).sign();
    assert_eq!(decide(&server, &token("alice")).await, "allow");
    assert!(server.is_ready() && server.explain(&token("alice")).await.is_accepted());
    assert_eq!(decide(&server, "an-opaque-token").await, "token.malformed");
    assert_eq!(
        (
            world.idp.requests(Endpoint::Jwks),
            world.idp.requests(Endpoint::Metadata)
        ),
        (0, 0)
    );
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_changed_file_is_read_again() {
    let world = ResourceServerSetup::new().await;
    let path = file("changing", &world.idp.jwks());
    let server = server(&path, &world.clock);
    let old = world.idp.token("alice").issuer(ISSUER).sign();
    assert_eq!(decide(&server, &old).await, "allow");
    let looks = || server.status().keys.remove(0).1.fetches;
    assert_eq!(looks(), 1);
    world.idp.rotate(Overlap::Without).await;
    std::fs::write(&path, world.idp.jwks()).unwrap();
    world.clock.advance(Duration::from_secs(2));
    world.eventually(|_| looks() == 2).await;
    assert_eq!(
        decide(&server, &old).await,
        "token.key_unknown",
        "a key that is not in the file any more"
    );
    assert_eq!(
        decide(&server, &world.idp.token("alice").issuer(ISSUER).sign()).await,
        "allow"
    );
    // A new key that a token shows before the next look is looked for at once, and one under an old
    // name too.
    for overlap in [Overlap::Without, Overlap::SameKid] {
        world.clock.advance(Duration::from_secs(60));
        world.idp.rotate(overlap).await;
        std::fs::write(&path, world.idp.jwks()).unwrap();
        assert_eq!(
            decide(&server, &world.idp.token("bob").issuer(ISSUER).sign()).await,
            "allow",
            "{overlap:?}"
        );
    }
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_bad_file_never_takes_the_place_of_good_keys() {
    let world = ResourceServerSetup::new().await;
    let path = file("bad", &world.idp.jwks());
    let server = server(&path, &world.clock);
    let token = |number: i64| {
        world
            .idp
            .token("alice")
            .issuer(ISSUER)
            .claim("n", number)
            .sign()
    };
    assert_eq!(decide(&server, &token(0)).await, "allow");
    for (number, bad) in (1..).zip(["{", "{\"keys\":[]}", &" ".repeat(10_000_000)]) {
        std::fs::write(&path, bad).unwrap();
        server.refresh_keys().await;
        let status = server.status().keys.remove(0).1;
        assert!(
            status
                .last_failure
                .unwrap()
                .contains(&path.display().to_string()),
            "{bad:.20}"
        );
        assert_eq!(decide(&server, &token(number)).await, "allow", "{bad:.20}");
    }
    std::fs::remove_file(&path).unwrap();
    server.refresh_keys().await;
    assert_eq!(decide(&server, &token(9)).await, "allow");
    let unknown = world
        .idp
        .token("alice")
        .issuer(ISSUER)
        .kid("other")
        .sign();
    assert_eq!(
        decide(&server, &unknown).await,
        "outage.keys",
        "nobody knows the keys"
    );
}

#[test]
fn what_is_wrong_with_the_file_is_told_at_the_start() {
    for (name, text, reason) in [
        ("empty", "", "key set"),
        ("none", "{\"keys\":[]}", "the key set is empty"),
        ("page", "<html>", "key set"),
    ] {
        let path = file(name, text);
        let fault = settings(&path, "").unwrap_err();
        assert!(
            fault.contains("issuer[0].jwks_file") && fault.contains(reason),
            "{fault}"
        );
        std::fs::remove_file(path).unwrap();
    }
    let missing = settings(Path::new("/nowhere/keys.json"), "").unwrap_err();
    assert!(missing.contains("/nowhere/keys.json"), "{missing}");
}

#[tokio::test]
async fn one_place_for_the_keys_and_questions_need_their_endpoint() {
    let world = ResourceServerSetup::new().await;
    let path = file("one", &world.idp.jwks());
    for member in [
        "jwks_uri = \"https://a.example/k\"\n",
        "metadata_url = \"https://a.example/m\"\n",
    ] {
        assert!(
            settings(&path, member)
                .unwrap_err()
                .contains("found several"),
            "{member}"
        );
    }
    let asking = "[issuer.introspection]\nauth = \"none\"\n";
    assert!(
        settings(&path, asking)
            .unwrap_err()
            .contains("introspection.endpoint")
    );
    assert!(
        settings(
            &path,
            &format!("{asking}endpoint = \"https://a.example/i\"\n")
        )
        .is_ok()
    );
    let variables = Config::from_variables(|name| match name {
        "OAUTH2_ISSUER" => Some(ISSUER.to_owned()),
        "OAUTH2_AUDIENCE" => Some(AUDIENCE.to_owned()),
        "OAUTH2_JWKS_FILE" => Some(path.display().to_string()),
        _ => None,
    });
    let server =
        ResourceServer::with_clock(Settings::try_from(variables.unwrap()).unwrap(), clock());
    assert_eq!(
        decide(&server, &world.idp.token("alice").issuer(ISSUER).sign()).await,
        "allow"
    );
    let written = IssuerConfig {
        url: ISSUER.to_owned(),
        jwks_file: Some(path.clone()),
        ..IssuerConfig::default()
    };
    let inspector = &written
        .inspector(Default::default(), Arc::new(SystemClock::new()))
        .unwrap();
    assert!(inspector.metadata().await.is_empty());
    let looked = inspector.keys(None).await.unwrap();
    assert!(looked.url.as_str().starts_with("file:///") && looked.answer.unwrap().status == 200);
    std::fs::remove_file(path).unwrap();
}
