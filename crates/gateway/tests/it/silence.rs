//! Idle streams, and streams without a token.

use crate::client::{Client, get};
use crate::setup::TestSetup;
use http_body_util::BodyExt as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const PUBLIC: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";
const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nHost: gw.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// A server that begins a stream of this kind, and then echoes what it gets.
async fn streaming(head: &'static str) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4_096];
                _ = stream.read(&mut buffer).await;
                _ = stream.write_all(head.as_bytes()).await;
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    _ = stream.write_all(&buffer[..read]).await;
                }
            });
        }
    });
    address
}

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const EVENTS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n";

/// Opens a WebSocket.
async fn tunnel(setup: &TestSetup, token: Option<&str>) -> TcpStream {
    let mut stream = TcpStream::connect(setup.gateway).await.unwrap();
    let token = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    stream
        .write_all(format!("{HANDSHAKE}{token}\r\n").as_bytes())
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(
        head.starts_with(b"HTTP/1.1 101"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    expect_echo(&mut stream).await;
    stream
}

/// Sends a frame, and expects it back.
async fn expect_echo(stream: &mut TcpStream) {
    // One byte, masked with zeros.
    let frame = [0x82, 0x81, 0, 0, 0, 0, 7];
    stream.write_all(&frame).await.unwrap();
    let mut back = [0; 7];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(back, frame);
}

/// Lets time pass in parts, so that a task that waits for one part sees every part.
async fn pass(setup: &TestSetup, seconds: u64) {
    for _ in 0..seconds.div_ceil(15) {
        setup.clock.advance(Duration::from_secs(15));
        // Lets the tasks begin to wait for the next part.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

async fn close_code(stream: &mut TcpStream) -> u16 {
    let mut frame = Vec::new();
    stream.read_to_end(&mut frame).await.unwrap();
    assert_eq!(frame[0], 0x88, "{frame:?}");
    u16::from_be_bytes([frame[2], frame[3]])
}

#[tokio::test]
async fn a_websocket_that_is_silent_is_closed_and_one_that_is_used_is_not() {
    let upstream = streaming(SWITCH).await;
    let settings = format!(
        "upstream = \"http://{upstream}\"\nadmin = {{ listen = \"127.0.0.1:0\" }}\ntimeouts = {{ stream_idle = 60 }}\n{PUBLIC}"
    );
    let setup = TestSetup::new(&settings).await;
    let (mut used, mut silent) = (tunnel(&setup, None).await, tunnel(&setup, None).await);
    for _ in 0..8 {
        pass(&setup, 30).await;
        expect_echo(&mut used).await;
    }
    assert_eq!(close_code(&mut silent).await, 1001);
    expect_echo(&mut used).await;
    let text = Client::new(setup.admin.unwrap())
        .get("/metrics", None)
        .await
        .body;
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(
        text.contains("ended_streams_total{cause=\"idle\"} 1"),
        "{text}"
    );
}

#[tokio::test]
async fn a_websocket_without_a_token_has_a_longest_life() {
    let upstream = streaming(SWITCH).await;
    let settings = format!(
        "upstream = \"http://{upstream}\"\ntimeouts = {{ stream_life = 600, stream_idle = 0 }}\n\
         [[route]]\npath = \"/**\"\naccess = \"optional\"\n"
    );
    let setup = TestSetup::new(&settings).await;
    let (mut public, mut known) = (
        tunnel(&setup, None).await,
        tunnel(&setup, Some(&setup.token())).await,
    );
    pass(&setup, 585).await;
    expect_echo(&mut public).await;
    pass(&setup, 15).await;
    assert_eq!(close_code(&mut public).await, 1001);
    expect_echo(&mut known).await;
}

#[tokio::test]
async fn events_that_do_not_come_end_in_order_so_that_the_client_comes_back() {
    let upstream = streaming(EVENTS).await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n{PUBLIC}")).await;
    let mut response = setup.client().open(get("/events", None)).await;
    assert!(response.frame().await.unwrap().is_ok());
    let ended = async {
        loop {
            pass(&setup, 60).await;
        }
    };
    tokio::select! {
        end = response.frame() => assert!(end.is_none(), "the stream ends in order"),
        () = ended => {}
    }
}

#[tokio::test]
async fn a_tunnel_keeps_the_places_of_its_request() {
    let upstream = streaming(SWITCH).await;
    let setup = TestSetup::new(&format!(
        "upstream = \"http://{upstream}\"\nlimits = {{ requests = 2 }}\n{PUBLIC}"
    ))
    .await;
    let tunnel = tunnel(&setup, None).await;
    // One upstream gets half of the two slots.
    assert_eq!(setup.client().get("/x", None).await.code(), "upstream.busy");
    drop(tunnel);
    let mut code = "upstream.busy".to_owned();
    while code == "upstream.busy" {
        let next = TcpStream::connect(setup.gateway).await.unwrap();
        drop(next);
        let mut stream = TcpStream::connect(setup.gateway).await.unwrap();
        stream
            .write_all(format!("{HANDSHAKE}\r\n").as_bytes())
            .await
            .unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        code = if &head[9..] == b"101" {
            String::new()
        } else {
            "upstream.busy".to_owned()
        };
    }
}
