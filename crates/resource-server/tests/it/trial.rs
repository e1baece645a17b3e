//! Every service that settings depend on, tried once: `portcullis config check --online`.

use portcullis_idp::{Dialect, Endpoint, Fault, Idp, IdpConfig};
use portcullis_resource_server::{Config, ResourceServer, Secret, Settings, TrialResult};
use portcullis_testkit::{AnsweringServer, ResourceServerSetup, server_on};

async fn trial(server: &ResourceServer, service: &str) -> Option<TrialResult> {
    let trials = server.try_services().await;
    let found = trials.into_iter().find(|it| it.service == service);
    found.map(|trial| trial.result)
}

fn reason(result: Option<TrialResult>) -> (String, bool) {
    match result {
        Some(TrialResult::Failed {
            reason, refused, ..
        }) => (reason, refused),
        other => (format!("no failure: {other:?}"), false),
    }
}

fn settings(idp: &Idp, more: &str) -> Settings {
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\nprofile = \"{}\"\n{more}",
        idp.issuer(),
        idp.audience(),
        idp.dialect().profile(),
    );
    let mut config = Config::from_toml(&text).unwrap();
    for issuer in &mut config.issuer {
        let secret = Some(Secret::new("service-secret"));
        if let Some(groups) = &mut issuer.groups_lookup {
            groups.client.secret.clone_from(&secret);
        }
        if let Some(asked) = &mut issuer.introspection {
            asked.client.secret = secret;
        }
    }
    Settings::try_from(config).unwrap()
}

/// The directory itself is not asked: without a caller there is nobody to ask about.
#[tokio::test]
async fn the_client_for_the_directory_asks_for_its_token_alone() {
    let config = IdpConfig {
        dialect: Dialect::Entra,
        ..IdpConfig::default()
    };
    let lookup = |idp: &Idp| {
        let table = "[issuer.groups_lookup]\nclient_id = \"service\"\n";
        settings(idp, &format!("{table}url = \"{}\"\n", idp.graph()))
    };
    let setup = ResourceServerSetup::with(config, lookup).await;
    let working = TrialResult::Working("gives the client `service` a token".to_owned());
    assert_eq!(trial(&setup.server, "groups").await, Some(working));
    assert_eq!(setup.idp.requests(Endpoint::Graph), 0);
    setup.idp.fail(Endpoint::Token, Fault::Unauthorized);
    // A server that has no token yet.
    let server = server_on(&setup.clock, lookup(&setup.idp));
    let (reason, refused) = reason(trial(&server, "groups").await);
    assert!(refused && reason.contains("401"), "{reason}");
    assert!(!reason.contains("service-secret"), "{reason}");
}

#[tokio::test]
async fn an_issuer_is_tried_for_metadata_keys_and_introspection() {
    let asked = "[issuer.introspection]\nclient_id = \"service\"\n";
    let with = |idp: &Idp| settings(idp, asked);
    let setup = ResourceServerSetup::with(IdpConfig::default(), with).await;
    let trials = setup.server.try_services().await;
    let services: Vec<&str> = trials.iter().map(|it| it.service).collect();
    assert_eq!(services, ["metadata", "keys", "introspection"]);
    for trial in trials {
        let is_working = matches!(trial.result, TrialResult::Working(_));
        assert!(is_working, "{trial:?}");
        assert_eq!(trial.issuer.as_ref(), Some(setup.idp.issuer()));
    }
    setup.idp.fail(Endpoint::Introspection, Fault::Html);
    let (found, refused) = reason(trial(&setup.server, "introspection").await);
    assert!(
        !refused && found.contains("not `application/json`"),
        "{found}"
    );
    setup
        .idp
        .fail(Endpoint::Metadata, Fault::InternalError);
    let server = server_on(&setup.clock, settings(&setup.idp, ""));
    let (found, refused) = reason(trial(&server, "keys").await);
    assert!(!refused && found.contains("500"), "{found}");
    assert_eq!(trial(&server, "metadata").await, None);
}

/// An endpoint that calls everything active would let everybody in.
#[tokio::test]
async fn a_random_text_must_not_be_active() {
    let active = r#"{"active":true,"client_id":"x","scope":"a"}"#;
    let endpoint = AnsweringServer::start(active).await;
    let asked = format!(
        "[issuer.introspection]\nclient_id = \"service\"\nendpoint = \"{}\"\n",
        endpoint.url
    );
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let server = ResourceServer::with_settings(settings(&idp, &asked));
    let (found, refused) = reason(trial(&server, "introspection").await);
    assert!(refused && found.contains("a random text"), "{found}");
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_heard_from_or_the_reason_is_told() {
    let Some(mut redis) = crate::redis::Redis::start().await else {
        return;
    };
    let store = format!("[revocation]\nstore = \"{}\"\n", redis.url());
    let with = |idp: &Idp| settings(idp, &store);
    let setup = ResourceServerSetup::with(IdpConfig::default(), with).await;
    let found = trial(&setup.server, "revocation store").await;
    assert!(matches!(found, Some(TrialResult::Working(_))), "{found:?}");
    redis.kill();
    let server = server_on(&setup.clock, settings(&setup.idp, &store));
    let (found, _) = reason(trial(&server, "revocation store").await);
    assert!(!found.contains("no failure"), "{found}");
    assert!(!found.contains(crate::redis::PASSWORD), "{found}");
}
