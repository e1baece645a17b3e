//! What `explain` says is what `decide` does.

use portcullis_core::token::Kind;
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig};
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, ResourceServerSetup};
use std::time::Duration;

#[tokio::test]
async fn the_first_obstacle_is_the_refusal() {
    let world = ResourceServerSetup::new().await;
    let idp = &world.idp;
    let tokens = [
        idp.token("alice").sign(),
        idp.token("alice").expire().sign(),
        idp.token("alice").not_yet_valid().sign(),
        idp.token("alice")
            .issuer("https://evil.example")
            .sign(),
        idp.token("alice").audience("api://other").sign(),
        idp.token("alice").without("aud").sign(),
        idp.token("alice").typ(Some("secevent+jwt")).sign(),
        idp.token("alice").id_token().sign(),
        idp.token("alice").alg_none().sign(),
        idp.token("alice").hmac_with_public_key().sign(),
        idp.token("alice").header("alg", "PS256").sign(),
        idp.token("alice").kid("nope").sign(),
        idp.token("alice").wrong_key().await.sign(),
        idp.token("alice").signature_flipped().sign(),
        idp.token("alice").claim("exp", 1_900_000_000).sign(),
        idp.token("alice").claim("exp", "1800000600").sign(),
        idp.token("alice")
            .claim(
                "cnf",
                serde_json::json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
            )
            .sign(),
        idp.token("alice")
            .claim("cnf", serde_json::json!({ "other": "x" }))
            .sign(),
        "not.a.token".to_owned(),
        "opaque".to_owned(),
    ];
    let mut codes = Vec::new();
    for token in tokens {
        let explanation = world.server.explain(&token).await;
        let explained = explanation
            .first_obstacle()
            .map_or("allow", |step| step.code)
            .to_owned();
        assert_eq!(explained, world.decide(&token).await);
        codes.push(explained);
    }
    codes.dedup();
    assert_eq!(codes.len(), 16, "{codes:?}");
}

#[tokio::test]
async fn an_outage_is_told_as_one() {
    let world = ResourceServerSetup::new().await;
    world.idp.fail(Endpoint::Jwks, Fault::InternalError);
    let explanation = world
        .server
        .explain(&world.idp.token("alice").sign())
        .await;
    assert_eq!(
        explanation.first_obstacle().map(|step| step.code),
        Some("outage.keys")
    );
    assert!(!explanation.is_accepted());
}

/// The explanation says whose token it is, and whether the issuer vouches for that.
#[tokio::test]
async fn the_caller_is_told_and_whether_it_is_proven() {
    let world = ResourceServerSetup::new().await;
    let alice = || {
        world
            .idp
            .token("alice")
            .scope("orders:read")
            .role("Auditor")
    };
    for (token, is_authentic) in [
        (alice().sign(), true),
        (alice().expire().sign(), true),
        (alice().audience("other").sign(), true),
        (alice().wrong_key().await.sign(), false),
        (alice().kid("nope").sign(), false),
        (alice().issuer("https://evil.example").sign(), false),
        (alice().alg_none().sign(), false),
    ] {
        let explanation = world.server.explain(&token).await;
        assert_eq!(explanation.is_authentic(), is_authentic, "{explanation:?}");
        let identity = explanation.content.identity.unwrap();
        assert_eq!(identity.kind(), Kind::User);
        assert!(identity.subject().is_some() && identity.client().is_some());
        assert!(identity.scopes().contains("orders:read"));
        assert_eq!(identity.roles().holds("Auditor"), Some(true));
    }
}

/// A person would rather wait for slow keys than read that they did not come.
#[tokio::test]
async fn an_explanation_waits_as_long_as_it_is_told_to() {
    const SLOW: Duration = Duration::from_millis(2_500);
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    idp.fail(Endpoint::Jwks, Fault::Slow(SLOW));
    let settings = || Settings::new(idp.issuer().as_str(), AUDIENCE).unwrap();
    let token = idp.token("alice").sign();
    let impatient = ResourceServer::with_settings(settings());
    assert!(!impatient.explain(&token).await.is_accepted());
    let settings = settings().with_patience(Duration::from_secs(60));
    let patient = ResourceServer::with_settings(settings);
    assert!(patient.explain(&token).await.is_accepted());
}

/// Which claims a logout can name, and that it passes a token without `sid` by.
#[tokio::test]
async fn an_explanation_tells_by_what_a_logout_ends_the_token() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let server = |more: &str| {
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = \"{AUDIENCE}\"\n{more}",
            idp.issuer()
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap());
        ResourceServer::with_settings(settings.unwrap())
    };
    let logout = "[issuer.logout]\nclients = [\"web\"]\n";
    let subject = format!("{logout}ends = \"subject\"\n");
    let with_session = idp.token("alice").claim("sid", "s1").sign();
    let without = idp.token("alice").without("sid").sign();
    for (settings, token, found, is_missed) in [
        (logout, &with_session, "ended by `sid` or `sub`", false),
        (logout, &without, "ended by `sub`", true),
        (&subject, &without, "ended by `sub`", false),
    ] {
        let explanation = server(settings).explain(token).await;
        assert!(explanation.is_accepted(), "{explanation:?}");
        let steps = explanation.steps.iter();
        let told: Vec<&str> = steps
            .filter(|step| step.name == "logout")
            .map(|step| step.found.as_str())
            .collect();
        assert_eq!(told, [found]);
        let hint = explanation.hint.unwrap_or_default();
        assert_eq!(hint.contains("ends = \"subject\""), is_missed, "{hint}");
    }
    let explanation = server("").explain(&without).await;
    assert!(
        explanation
            .steps
            .iter()
            .all(|step| step.name != "logout")
    );
    assert_eq!(explanation.hint, None);
}

/// By what a logout or an event would find the token, where anything receives one for its issuer.
#[tokio::test]
async fn a_token_is_explained_by_what_would_end_it() {
    let stream = |idp: &Idp| {
        format!(
            "[[events]]\nname = \"idp\"\nissuer = \"{}\"\naudience = \"r\"\n",
            idp.issuer()
        )
    };
    let other = |_: &Idp| {
        "[[issuer]]\nurl = \"https://b.example\"\naudience = \"x\"\n[[events]]\nname = \"b\"\n\
         issuer = \"https://b.example\"\naudience = \"r\"\n"
            .to_owned()
    };
    let endings = async |more: &dyn Fn(&Idp) -> String, sid: &str| {
        let world = ResourceServerSetup::with(IdpConfig::default(), |idp| {
            let text = format!(
                "[[issuer]]\nurl = \"{}\"\naudience = \"{AUDIENCE}\"\n{}",
                idp.issuer(),
                more(idp)
            );
            Settings::try_from(Config::from_toml(&text).unwrap()).unwrap()
        });
        let world = world.await;
        let token = world.idp.token("alice").claim("sid", sid).sign();
        let explanation = format!("{:?}", world.server.explain(&token).await);
        ["`sid` or `sub`", "`sub`"].map(|by| explanation.contains(&format!("ended by {by}")))
    };
    assert_eq!(endings(&stream, "s").await, [true, false]);
    assert_eq!(endings(&stream, "").await, [false, true]);
    assert_eq!(endings(&other, "s").await, [false, false]);
}
