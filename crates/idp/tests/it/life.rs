//! Starting, listening, and who is let in.

use crate::{client, idp, json, post};
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig};

#[tokio::test]
async fn it_listens_on_loopback_only_unless_told_loudly() {
    let config = IdpConfig {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..IdpConfig::default()
    };
    let errors = Idp::start(config.clone())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        errors.contains("loopback") && errors.contains("danger_listen_anywhere"),
        "{errors}"
    );
}

#[tokio::test]
async fn a_taken_port_is_told_or_another_one_found() {
    let first = idp().await;
    let config = IdpConfig {
        listen: first.address(),
        ..IdpConfig::default()
    };
    assert!(
        Idp::start(config.clone())
            .await
            .unwrap_err()
            .to_string()
            .contains("cannot be listened on")
    );
    let second = Idp::start(IdpConfig {
        free_port_if_taken: true,
        ..config
    })
    .await
    .unwrap();
    assert_ne!(second.address(), first.address());
    assert_eq!(second.taken_address(), Some(first.address()));
    assert_eq!(first.taken_address(), None);
}

#[tokio::test]
async fn a_rebound_name_gets_nothing() {
    let idp = idp().await;
    let ask = async |host: &str| {
        let url = format!("http://{}/jwks", idp.address());
        client()
            .get(url)
            .header("host", host)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for (host, status) in [
        ("127.0.0.1:9", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
    ] {
        assert_eq!(ask(host).await, status, "{host}");
    }
}

#[tokio::test]
async fn metadata_says_what_there_is() {
    let idp = idp().await;
    let (_, document) = json(
        reqwest::get(format!("{}/.well-known/openid-configuration", idp.issuer()))
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(document["issuer"], idp.issuer().as_str());
    assert_eq!(
        document["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    for endpoint in ["jwks_uri", "userinfo_endpoint"] {
        let status = reqwest::get(document[endpoint].as_str().unwrap())
            .await
            .unwrap()
            .status();
        assert!(status == 200 || status == 401, "{endpoint}");
    }
    for endpoint in [
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
    ] {
        let path = document[endpoint]
            .as_str()
            .unwrap()
            .strip_prefix(idp.issuer().as_str())
            .unwrap()
            .to_owned();
        assert_eq!(
            post(&idp, &path, "x=y", None).await.status(),
            400,
            "{endpoint}"
        );
    }
    assert_eq!(idp.requests(Endpoint::Metadata), 1);
}

#[tokio::test]
async fn faults_come_and_go() {
    let idp = idp().await;
    idp.fail(Endpoint::Jwks, Fault::InternalError);
    assert_eq!(reqwest::get(idp.jwks_uri()).await.unwrap().status(), 500);
    idp.fail(Endpoint::Jwks, Fault::None);
    assert_eq!(reqwest::get(idp.jwks_uri()).await.unwrap().status(), 200);
    assert_eq!(idp.requests(Endpoint::Jwks), 2);
}

#[tokio::test]
async fn a_token_for_anybody_is_had_by_one_line() {
    let idp = idp().await;
    let token = post(&idp, "/dev/token", "user=alice&scope=a", None)
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(
        post(&idp, "/dev/token", "user=nobody", None)
            .await
            .status(),
        400
    );
}

#[test]
fn settings_are_toml_and_faults_have_their_line() {
    let config = IdpConfig::from_toml(
        r#"
        algorithm = "ES256"
        [[user]]
        username = "carol"
        password = "marked-secret"
        roles = ["Auditor"]
        [[client]]
        id = "batch"
        secret = "marked-secret"
        scopes = ["a"]
        "#,
    );
    let config = config.unwrap();
    assert_eq!((config.users.len(), config.clients.len()), (1, 1));
    assert!(!format!("{config:?}").contains("marked-secret"));
    let errors = IdpConfig::from_toml("algorithm = \"ES256\"\nunknown = 1\n").unwrap_err();
    assert!(errors.to_string().contains("line 2"), "{errors}");
}

#[tokio::test]
async fn a_key_in_a_file_is_the_same_after_a_restart() {
    let folder = std::env::temp_dir().join(format!("portcullis-idp-keys-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for algorithm in ["ES256", "ES384", "ES512", "EdDSA", "RS256", "PS384"] {
        let config = IdpConfig {
            algorithm: algorithm.to_owned(),
            key_file: Some(folder.join(algorithm)),
            ..IdpConfig::default()
        };
        let before = Idp::start(config.clone()).await.unwrap().jwks();
        assert_eq!(
            Idp::start(config).await.unwrap().jwks(),
            before,
            "{algorithm}"
        );
        let written = std::fs::read_to_string(folder.join(algorithm)).unwrap();
        assert!(
            written.lines().all(|line| line.len() <= 64)
                && written.starts_with("-----BEGIN PRIVATE KEY-----")
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.join(algorithm))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    let wrong = IdpConfig {
        key_file: Some(folder.join("ES256")),
        ..IdpConfig::default()
    };
    let errors = Idp::start(wrong).await.unwrap_err().to_string();
    assert!(
        errors.contains("no private key for RS256") && !errors.contains("BEGIN"),
        "{errors}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_issuer_may_be_another_address_than_it_listens_on() {
    let issuer = Some("http://localhost:9876".to_owned());
    let listen = "0.0.0.0:0".parse().unwrap();
    let config = IdpConfig {
        issuer,
        listen,
        danger_listen_anywhere: true,
        ..IdpConfig::default()
    };
    let idp = Idp::start(config).await.unwrap();
    let here = format!("http://127.0.0.1:{}", idp.address().port());
    // As another container asks, by whatever name that has for this one.
    let request = client()
        .get(format!("{here}/.well-known/openid-configuration"))
        .header("host", "idp:9876");
    let (_, document) = json(request.send().await.unwrap()).await;
    assert_eq!(document["issuer"], "http://localhost:9876");
    assert_eq!(document["token_endpoint"], "http://localhost:9876/token");
}
