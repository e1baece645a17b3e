//! A service gets its token, in each way of proving itself; and what is printed.

use super::{Shell, claims};
use crate::e2e::provider::Provider;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use portcullis_core::jose::base64url;
use portcullis_idp::{ClientAuthentication, Idp, IdpConfig, RegisteredClient, Tls};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_does_at_either_provider() {
    let ours = Idp::start(IdpConfig::default()).await.unwrap();
    let mut issuers = vec![ours.issuer().to_string()];
    let certified = Provider::certified("RS256").await;
    issuers.extend(
        certified
            .iter()
            .map(|provider| provider.issuer.clone()),
    );
    for issuer in issuers {
        let shell = Shell::new(&issuer);
        let secret = shell.file("secret", "service-secret\n");
        let service = [
            "--client-id",
            "service",
            "--client-secret-file",
            &secret,
            "--scope",
            "orders:read",
        ];
        let told = claims(&shell.token(&service));
        assert_eq!(
            (&told["client_id"], &told["scope"]),
            (&json!("service"), &json!("orders:read"))
        );
        let json = shell.run(&[&["token", "--json"], &service[..]].concat());
        let json: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(
            (
                &json["token_type"],
                json["expires_in"].as_u64() > Some(3_500)
            ),
            (&json!("Bearer"), true)
        );
        assert_eq!(json.get("refresh_token"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_and_a_secret_in_the_form() {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "kid": "k-1", "alg": "ES256",
        "x": base64url::encode(&point[1..33]), "y": base64url::encode(&point[33..]),
    });
    let defaults = IdpConfig::default();
    let keyed = RegisteredClient {
        id: "keyed".to_owned(),
        secret: None,
        jwk: Some(jwk),
        ..defaults.clients[0].clone()
    };
    let clients = [vec![keyed], defaults.clients.clone()].concat();
    let idp = Idp::start(IdpConfig {
        clients,
        ..defaults
    })
    .await
    .unwrap();
    let shell = Shell::new(idp.issuer().as_str());
    let body = base64::engine::general_purpose::STANDARD.encode(document.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    let key = shell.file("key.pem", &pem);
    let keyed = [
        "--client-id",
        "keyed",
        "--client-key-file",
        &key,
        "--client-key-id",
        "k-1",
    ];
    assert_eq!(claims(&shell.token(&keyed))["client_id"], "keyed");

    let posting = Shell::service(idp.issuer().as_str());
    assert_eq!(
        claims(&posting.token(&["--client-secret-post"]))["client_id"],
        "service"
    );
    let broken = shell.file("broken.pem", "no key");
    let said = shell.run(&[
        "token",
        "--client-id",
        "keyed",
        "--client-key-file",
        &broken,
    ]);
    assert_eq!(
        (said.code, said.err.contains("PKCS#8")),
        (1, true),
        "{}",
        said.err
    );
}

/// RFC 8705: the certificate proves the client at the alias of the endpoint, and the token is bound
/// to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_does() {
    let mutual = RegisteredClient {
        id: "mutual".to_owned(),
        token_endpoint_auth_method: Some(ClientAuthentication::TlsClientAuth),
        tls_client_auth_subject_dn: Some("CN=mutual".to_owned()),
        tls_client_certificate_bound_access_tokens: true,
        ..RegisteredClient::default()
    };
    let config = IdpConfig {
        clients: vec![mutual],
        tls: Some(Tls::default()),
        ..IdpConfig::default()
    };
    let idp = Idp::start(config).await.unwrap();
    let own = idp.client_certificate("mutual").unwrap();
    let shell = Shell::new(idp.issuer().as_str());
    let authority = shell.file("ca.pem", &idp.authority().unwrap());
    let certificate = shell.file("own.pem", &format!("{}{}", own.certificate, own.key));
    let mutual = [
        "--client-id",
        "mutual",
        "--client-certificate-file",
        &certificate,
        "--ca-file",
        &authority,
    ];
    assert_eq!(
        claims(&shell.token(&mutual))["cnf"]["x5t#S256"],
        own.thumbprint.as_str()
    );
    let distrusted = shell.run(&[
        "token",
        "--client-id",
        "mutual",
        "--client-certificate-file",
        &certificate,
        "--renew",
    ]);
    assert_eq!(distrusted.code, 4, "{}", distrusted.err);
}

/// A token for another token: for an API behind the API, in the same user's name.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_exchanged() {
    let defaults = IdpConfig::default();
    let audiences = vec!["api://another-api".to_owned()];
    let service = RegisteredClient {
        audiences,
        ..defaults.clients[0].clone()
    };
    let idp = Idp::start(IdpConfig {
        clients: vec![service],
        ..defaults
    })
    .await
    .unwrap();
    let shell = Shell::service(idp.issuer().as_str());
    let asked = reqwest::Client::new()
        .post(format!("{}/dev/token", idp.base()))
        .body("user=alice&scope=orders:read");
    let asked = asked
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await
        .unwrap();
    let users = shell.file("token", &asked.text().await.unwrap());
    let exchange = [
        "--subject-token-file",
        &users,
        "--audience",
        "api://another-api",
    ];
    let told = claims(&shell.token(&exchange));
    assert_eq!(told["aud"], "api://another-api");
    assert_eq!(told["sub"], claims(&idp.token("alice").sign())["sub"]);
    assert!(
        shell.list().is_empty(),
        "what was got for somebody's token is not kept"
    );
    let missing = shell.run(&["token", "--grant", "exchange"]);
    assert_eq!(
        (
            missing.code,
            missing.err.contains("--subject-token-file FILE")
        ),
        (1, true),
        "{}",
        missing.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_gets_its_credential() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let told = r#"{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","spec":{"interactive":false}}"#;
    let shell = Shell::service(idp.issuer().as_str()).with("KUBERNETES_EXEC_INFO", told);
    let said = shell.run(&["token", "--output", "kubernetes"]);
    let credential: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        credential["apiVersion"],
        "client.authentication.k8s.io/v1beta1"
    );
    assert_eq!(credential["kind"], "ExecCredential");
    assert_eq!(
        claims(credential["status"]["token"].as_str().unwrap())["client_id"],
        "service"
    );
    assert!(
        credential["status"]["expirationTimestamp"]
            .as_str()
            .unwrap()
            .ends_with('Z')
    );
}

/// Everything that a newcomer gets wrong first: the exit code, and the next step.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_names_the_next_step() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().as_str();
    let service = Shell::service(issuer);
    let wrong = Shell::new(issuer)
        .with("OAUTH2_CLIENT_ID", "service")
        .with("OAUTH2_CLIENT_SECRET", "marked");
    let unreachable = Shell::service("http://127.0.0.1:1");
    let slash = format!("{issuer}/");
    let spelled = Shell::service(&slash);
    for (shell, arguments, code, told) in [
        (
            &service,
            &["--scope", "nonsense"][..],
            2,
            "request scopes that the client may have",
        ),
        (
            &service,
            &["--audience", "api://unknown"],
            2,
            "request an API that the client may call",
        ),
        (
            &service,
            &["--client-id", "cli"],
            1,
            "no terminal or browser to sign in with",
        ),
        (
            &service,
            &["--grant", "refresh"],
            1,
            "sign in first with the same command",
        ),
        (
            &service,
            &["--client-secret-file", "nowhere"],
            1,
            "nowhere: No such file",
        ),
        (
            &service,
            &["--output", "kubernetes", "--dpop"],
            1,
            "leave out --dpop",
        ),
        (&service, &["--scop", "x"], 1, "--scope"),
        (&wrong, &[], 2, "compare the client's id and its secret"),
        (
            &unreachable,
            &[],
            4,
            "`portcullis dev` starts one on this machine",
        ),
        (
            &spelled,
            &[],
            1,
            "write the issuer exactly as its metadata does",
        ),
    ] {
        let said = shell.run(&[&["token"], arguments].concat());
        assert_eq!(said.code, code, "{arguments:?}: {}", said.err);
        assert!(
            said.err.contains(told) && said.out.is_empty(),
            "{arguments:?}: {}",
            said.err
        );
        assert!(
            !said.err.contains("marked") && !said.err.contains("service-secret"),
            "{}",
            said.err
        );
        assert!(
            !said.err.contains('\u{1b}'),
            "nobody looks at a terminal: {}",
            said.err
        );
    }
    let nothing = Shell::new("").run(&["token", "--store", "none"]);
    assert!(
        nothing.code == 1 && nothing.err.contains("2 faults"),
        "{}",
        nothing.err
    );
    // The client of the environment is the client of its issuer: no other issuer gets its secret.
    let other = Idp::start(IdpConfig::default()).await.unwrap();
    let said = service.run(&["token", "--issuer", other.issuer().as_str()]);
    assert_eq!(
        (said.code, said.err.contains("no terminal or browser")),
        (1, true),
        "{}",
        said.err
    );
}
