//! The gateway behind Debian's nginx, which adds its client to `X-Forwarded-For` as most are set up
//! to: `$proxy_add_x_forwarded_for`. Whatever a client writes there, the caller is the one that
//! nginx saw.

use super::setup::{RecipeSetup, eventually, free};
use super::{committed, installed};
use crate::e2e::process::Process;
use portcullis_gateway::{Config, Gateway};
use portcullis_idp::{Idp, IdpConfig};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

/// The client, as nginx sees it. It is none of the trusted proxies.
const CLIENT: &str = "127.0.0.2";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_nginx_cannot_hide_behind_it() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let folder =
        std::env::temp_dir().join(format!("portcullis-behind-nginx-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let audit = folder.join("audit.log");
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let (gateway, stop) = gateway(&idp, &audit).await;
    let front = free();
    let _nginx = start(&program, &folder, front, gateway);
    eventually("nginx", || std::net::TcpStream::connect(front).is_ok()).await;
    let written: [&[u8]; 8] = [
        b"",
        b"X-Forwarded-For: \xff\r\n",
        b"X-Forwarded-For: 127.0.0.1\r\n",
        b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: \xfe\r\n",
        b"X-Forwarded-For: \"192.0.2.66\r\n",
        b"X-Forwarded-For:\r\n",
        b"X-Forwarded-For: unknown,\r\nForwarded: for=127.0.0.1\r\n",
        b"Connection: close, X-Forwarded-For\r\nX-Forwarded-For: 192.0.2.66\r\n",
    ];
    for (index, lines) in written.into_iter().enumerate() {
        let answer = send(front, index, lines).await;
        // Three may fail in a minute; nginx, and loopback, could for ever.
        let expected = if index < 4 { "401" } else { "429" };
        assert_eq!(answer, expected, "{}", String::from_utf8_lossy(lines));
    }
    drop(stop);
    eventually("the audit records", || {
        std::fs::read_to_string(&audit).is_ok_and(|it| it.lines().count() == 4)
    })
    .await;
    for line in std::fs::read_to_string(&audit).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["peer"], CLIENT, "{record}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The API learns of nginx's TLS and of the request's id, and WebSockets get through.
#[tokio::test(flavor = "multi_thread")]
async fn what_nginx_tells_gets_to_the_api() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let settings = "[[issuer]]\nurl = \"https://idp.example.com\"\n\
        audience = [\"api://enterprise-api\"]\n[gateway]\nlisten = \"127.0.0.1:8081\"\n\
        upstream = \"http://127.0.0.1:8000\"\ntrusted_proxies = [\"127.0.0.1/32\"]\n\
        hosts = [\"api.example\"]\n[[route]]\npath = \"/public-data\"\naccess = \"public\"\n";
    let world = RecipeSetup::with_text("behind-nginx-told", settings).await;
    let _nginx = start(&program, &world.folder, world.front, world.door);
    world.fronted().await;
    let forged = [
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: evil.example",
        "X-Request-Id: of-a-client",
    ];
    let handshake = [
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    for (lines, upgrades) in [(&forged, false), (&handshake, true)] {
        let lines = lines.map(str::to_owned);
        let answer = world.send("GET", "/public-data", &lines);
        assert_eq!(answer.status, 200, "{answer:?}");
        let got = world.taken();
        let has = |line: &str| got[0].2.iter().any(|it| it == line);
        assert!(has("x-forwarded-proto: https"), "{got:?}");
        assert!(has("x-forwarded-host: api.example"), "{got:?}");
        assert_eq!(has("upgrade: websocket"), upgrades, "{got:?}");
        let ids = answer.values("x-request-id");
        assert_eq!(ids.len(), 1, "{answer:?}");
        assert_ne!(ids[0], "of-a-client");
        assert!(has(&format!("x-request-id: {}", ids[0])), "{got:?}");
    }
}

/// The site of the page.
fn site() -> String {
    let page = committed("docs/how-to/behind-nginx.md");
    let (_, section) = page
        .split_once("## nginx in front of the gateway")
        .unwrap();
    let (_, block) = section.split_once("```nginx\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// A gateway that trusts nginx, and nobody behind it. It runs until the sender is dropped.
async fn gateway(idp: &Idp, audit: &Path) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n[log]\nformat = \"json\"\naudit = \"{}\"\n\
         [gateway]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://{}\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
         limits = {{ failing_callers = 3 }}\n",
        idp.issuer(),
        idp.audience(),
        audit.display(),
        socket.local_addr().unwrap()
    );
    let settings = Config::from_toml(&text).unwrap().try_into().unwrap();
    let gateway = Gateway::bind(settings).await.unwrap();
    let address = gateway.address().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(gateway.run(async { _ = stopped.await }));
    (address, stop)
}

fn start(program: &Path, folder: &Path, front: SocketAddr, gateway: SocketAddr) -> Process {
    let place = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {place}/{name};"))
        .concat();
    let site = site().replace("127.0.0.1:8443", &front.to_string());
    let site = site.replace("127.0.0.1:8080", &gateway.to_string());
    // Its TLS would need a certificate, and adds nothing to what the gateway is told.
    let site = site.replace("$scheme", "https");
    let text = format!(
        "daemon off; master_process off; pid {place}/pid; error_log {place}/error.log; events {{}}\n\
         http {{ access_log off; {temporary} {site} }}"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    Process::start(
        Command::new(program)
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(&file),
    )
}

/// Sends a request with a bad token and these lines from the client's address: the status.
async fn send(front: SocketAddr, number: usize, lines: &[u8]) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(format!("{CLIENT}:0").parse().unwrap())
        .unwrap();
    let mut stream = socket.connect(front).await.unwrap();
    let head = format!(
        "GET /x HTTP/1.0\r\nHost: gw.example\r\nX-Request-Id: {number}\r\nAuthorization: Bearer bad\r\n"
    );
    stream
        .write_all(&[head.as_bytes(), lines, b"\r\n"].concat())
        .await
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer)
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .to_owned()
}
