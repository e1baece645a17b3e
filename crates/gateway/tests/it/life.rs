//! Reloads, drains, probes and redirects.

use crate::client::{Client, get};
use crate::setup::TestSetup;
use portcullis_idp::Endpoint;
use portcullis_resource_server::Revocation;
use portcullis_resource_server::clock::Clock as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const OPEN: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";

#[tokio::test]
async fn other_settings_apply_at_once_and_keep_the_keys() {
    let setup = TestSetup::new(OPEN).await;
    let client = setup.client();
    assert_eq!(client.get("/x", None).await.status, 200);
    let fetches = setup.idp.requests(Endpoint::Jwks);
    setup.handle.reload(setup.settings("")).await.unwrap();
    assert_eq!(client.get("/x", None).await.status, 401);
    assert_eq!(client.get("/x", Some(&setup.token())).await.status, 200);
    assert_eq!(
        setup.idp.requests(Endpoint::Jwks),
        fetches,
        "the issuers are the same: so are their keys"
    );
    setup
        .handle
        .reload(setup.settings(OPEN))
        .await
        .unwrap();
    assert_eq!(client.get("/x", None).await.status, 200);
}

#[tokio::test]
async fn a_request_ends_with_the_settings_it_began_with() {
    let setup = TestSetup::new(OPEN).await;
    let mut stream = tokio::net::TcpStream::connect(setup.gateway)
        .await
        .unwrap();
    let head =
        "POST /x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
    stream
        .write_all(format!("{head}o").as_bytes())
        .await
        .unwrap();
    // The upstream gets the head after the decision, and answers after the rest of the body.
    tokio::time::sleep(Duration::from_millis(100)).await;
    setup.handle.reload(setup.settings("")).await.unwrap();
    stream.write_all(b"k").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn requests_under_way_end_before_the_gateway_does() {
    let mut setup =
        TestSetup::new(&format!("admin = {{ listen = \"127.0.0.1:0\" }}\n{OPEN}")).await;
    let admin = Client::new(setup.admin.unwrap());
    assert_eq!(admin.get("/ready", None).await.status, 200);
    let mut stream = tokio::net::TcpStream::connect(setup.gateway)
        .await
        .unwrap();
    let head = "POST /x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 2\r\n\r\n";
    stream
        .write_all(format!("{head}o").as_bytes())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    setup.begin_to_stop();
    setup
        .eventually(|| std::net::TcpStream::connect(setup.gateway).is_err())
        .await;
    assert_eq!(admin.get("/ready", None).await.status, 503);
    assert_eq!(admin.get("/live", None).await.status, 200);
    stream.write_all(b"k").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"),
        "{answer}"
    );
    setup.stop().await;
}

#[tokio::test]
async fn a_request_that_does_not_end_does_not_hold_the_gateway() {
    let setup = TestSetup::new(&format!("timeouts = {{ drain = 1 }}\n{OPEN}")).await;
    let mut stream = tokio::net::TcpStream::connect(setup.gateway)
        .await
        .unwrap();
    let head = "POST /x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    setup.stop().await;
}

#[tokio::test]
async fn probes_tell_whether_there_are_keys() {
    let setup = TestSetup::new("admin = { listen = \"127.0.0.1:0\" }\n").await;
    let admin = Client::new(setup.admin.unwrap());
    assert_eq!(admin.get("/ready", None).await.body, "ready\n");
    assert!(
        admin
            .get("/metrics", None)
            .await
            .body
            .ends_with(b"\nportcullis_gateway_ready 1\n")
    );
    assert_eq!(admin.get("/x", None).await.status, 404);
    let mut request = get("/ready", None);
    *request.method_mut() = http::Method::POST;
    assert_eq!(admin.send(request).await.status, 405);
}

#[tokio::test]
async fn the_names_that_platforms_ask_by_default_are_known() {
    let setup = TestSetup::new("admin = { listen = \"127.0.0.1:0\" }\n").await;
    let admin = Client::new(setup.admin.unwrap());
    for path in ["/live", "/health", "/healthz"] {
        let answer = admin.get(path, None).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (200, &b"alive\n"[..]),
            "{path}"
        );
    }
    let as_json = async |path: &str| {
        let mut request = get(path, None);
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert("accept", json);
        let answer = admin.send(request).await;
        assert_eq!(answer.headers["content-type"], "application/json", "{path}");
        String::from_utf8(answer.body.to_vec()).unwrap()
    };
    assert_eq!(as_json("/healthz").await, r#"{"status":"alive"}"#);
    assert_eq!(as_json("/ready").await, r#"{"status":"ready"}"#);
}

#[tokio::test]
async fn a_probe_tells_what_is_missing_and_of_which_issuer() {
    let idp = portcullis_idp::Idp::start(portcullis_idp::IdpConfig::default())
        .await
        .unwrap();
    idp.fail(Endpoint::Jwks, portcullis_idp::Fault::InternalError);
    let issuer = idp.issuer();
    let text = format!(
        "[log]\naudit = \"none\"\n[[issuer]]\nurl = \"{issuer}\"\naudience = \"a\"\n[gateway]\n\
         listen = \"127.0.0.1:0\"\nupstream = \"http://127.0.0.1:9\"\nadmin = {{ listen = \
         \"127.0.0.1:0\" }}\n"
    );
    let config = portcullis_gateway::Config::from_toml(&text).unwrap();
    let settings = portcullis_gateway::Settings::try_from(config).unwrap();
    let gateway = portcullis_gateway::Gateway::bind(settings)
        .await
        .unwrap();
    let admin = Client::new(gateway.admin_address().unwrap());
    let running = tokio::spawn(gateway.run(std::future::pending()));
    let answer = admin.get("/ready", None).await;
    let told = format!("waiting for the keys of {issuer}\n");
    assert_eq!((answer.status, &*answer.body), (503, told.as_bytes()));
    let mut request = get("/ready", None);
    let json = http::HeaderValue::from_static("application/json");
    request.headers_mut().insert("accept", json);
    let answer = admin.send(request).await;
    let expected =
        format!(r#"{{"status":"waiting","waiting_for":[{{"what":"keys","issuer":"{issuer}"}}]}}"#);
    assert_eq!((answer.status, &*answer.body), (503, expected.as_bytes()));
    running.abort();
}

/// Load balancers learn from `/ready` that it stops, and go on sending until they have.
#[tokio::test]
async fn a_gateway_serves_on_for_the_delay_after_it_was_told_to_stop() {
    let settings = "admin = { listen = \"127.0.0.1:0\" }\ntimeouts = { stop_delay = 5 }\n";
    let mut setup = TestSetup::new(&format!("{settings}{OPEN}")).await;
    let admin = Client::new(setup.admin.unwrap());
    setup.begin_to_stop();
    setup.eventually(|| !setup.handle.is_ready()).await;
    let answer = admin.get("/ready", None).await;
    assert_eq!((answer.status, &*answer.body), (503, &b"stopping\n"[..]));
    assert_eq!(setup.client().get("/x", None).await.status, 200);
    setup.clock.advance(Duration::from_secs(4));
    assert_eq!(setup.client().get("/x", None).await.status, 200);
    setup.clock.advance(Duration::from_secs(1));
    setup
        .eventually(|| std::net::TcpStream::connect(setup.gateway).is_err())
        .await;
    setup.stop().await;
}

#[tokio::test]
async fn changed_files_are_taken_into_use_and_bad_ones_are_not() {
    let folder = std::env::temp_dir().join(format!("portcullis-reload-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("portcullis.toml");
    let setup = TestSetup::new("").await;
    std::fs::write(&path, setup.document("")).unwrap();
    let watching = tokio::spawn(portcullis_gateway::watch(
        setup.handle.clone(),
        path.clone(),
    ));
    let client = setup.client();
    let becomes = async |status: u16| {
        for _ in 0..1_000 {
            if client.get("/x", None).await.status == status {
                return;
            }
            setup.clock.advance(Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("never {status}");
    };
    becomes(401).await;
    std::fs::write(&path, setup.document(OPEN)).unwrap();
    becomes(200).await;
    std::fs::write(&path, "nonsense").unwrap();
    for _ in 0..20 {
        becomes(200).await;
        setup.clock.advance(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    std::fs::write(&path, setup.document("")).unwrap();
    becomes(401).await;
    watching.abort();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_new_issuer_is_taken_into_use_with_its_keys() {
    let setup = TestSetup::new("").await;
    let other = portcullis_idp::Idp::start(portcullis_idp::IdpConfig::default())
        .await
        .unwrap();
    let issuer = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n",
        other.issuer(),
        other.audience()
    );
    let text = format!("{}{issuer}", setup.document(""));
    let settings = portcullis_gateway::Config::from_toml(&text)
        .unwrap()
        .try_into()
        .unwrap();
    let revoked = Revocation::client(setup.idp.issuer(), "robot", setup.clock.now());
    setup
        .handle
        .resource_server()
        .revoke(revoked)
        .await
        .unwrap();
    setup.handle.reload(settings).await.unwrap();
    assert!(setup.handle.is_ready());
    assert_eq!(
        setup
            .client()
            .get("/x", Some(&setup.token()))
            .await
            .status,
        200
    );
    let revoked = setup
        .idp
        .token("alice")
        .claim("client_id", "robot")
        .sign();
    let answer = setup.client().get("/x", Some(&revoked)).await;
    assert_eq!(answer.code(), "token.revoked", "what was revoked stays so");
    assert!(
        other.requests(Endpoint::Jwks) > 0,
        "the keys were there before the first request"
    );
}
