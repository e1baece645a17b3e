//! Clients that do not read their responses, connections without an end, and bodies that nobody
//! waits for.

use crate::client::{Client, get, statuses};
use crate::setup::TestSetup;
use http::header::CONNECTION;
use portcullis_testkit::raw_http2::{
    ACK, DATA, END_STREAM, HEADERS, INITIAL_WINDOW, RESET, RawHttp2, SETTINGS, WINDOW_UPDATE,
};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const PUBLIC: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";
const LARGE: usize = 5_000_000;
/// More than all buffers between both sides can hold.
const TOO_LARGE_TO_BUFFER: usize = 60_000_000;

/// A server that answers with this many bytes, and reports each connection that ends before they
/// are all read.
async fn large(bytes: usize) -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (broken, ends) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let broken = broken.clone();
            tokio::spawn(async move {
                _ = stream.read(&mut [0; 1024]).await;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n");
                _ = stream.write_all(head.as_bytes()).await;
                if stream.write_all(&vec![7; bytes]).await.is_err() {
                    _ = broken.send(());
                }
            });
        }
    });
    (address, ends)
}

async fn read_metric(setup: &TestSetup, series: &str) -> f64 {
    let answer = Client::new(setup.admin.unwrap())
        .get("/metrics", None)
        .await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series))
        .unwrap_or("0");
    line.trim().parse().unwrap()
}

#[tokio::test]
async fn a_stream_that_is_not_taken_ends_and_lets_its_upstream_go() {
    let (upstream, mut broken) = large(LARGE).await;
    let settings = format!(
        "upstream = \"http://{upstream}\"\ntimeouts = {{ reader = 1 }}\nadmin = {{ listen = \"127.0.0.1:0\" }}\n{PUBLIC}"
    );
    let setup = TestSetup::new(&settings).await;
    let mut reader = RawHttp2::open(setup.gateway, &[(INITIAL_WINDOW, 0)], true).await;
    for stream in 0..5 {
        reader.request(2 * stream + 1, "/x", &[], true).await;
    }
    // One stream is read. It must not suffer because the others stand still.
    let mut taken = 0;
    reader
        .send(WINDOW_UPDATE, 0, 9, &i32::MAX.to_be_bytes())
        .await;
    let mut reset = Vec::new();
    while taken < LARGE || reset.len() < 4 {
        let frame = reader.next().await.expect("the connection goes on");
        match frame.kind {
            DATA => {
                assert_eq!(frame.stream, 9);
                taken += frame.payload.len();
                let more = u32::try_from(frame.payload.len())
                    .unwrap()
                    .to_be_bytes();
                reader.send(WINDOW_UPDATE, 0, 0, &more).await;
            }
            RESET => reset.push(frame.stream),
            _ => {}
        }
    }
    reset.sort_unstable();
    assert_eq!(reset, [1, 3, 5, 7]);
    for _ in 0..4 {
        broken.recv().await.unwrap();
    }
    assert!(
        read_metric(
            &setup,
            "portcullis_gateway_ended_streams_total{cause=\"reader\"}"
        )
        .await
            >= 4.0
    );
    assert!(read_metric(&setup, "portcullis_gateway_requests_under_way").await < 1.0);
}

#[tokio::test]
async fn a_connection_of_http1_that_is_not_read_ends_and_lets_its_upstream_go() {
    let (upstream, mut broken) = large(TOO_LARGE_TO_BUFFER).await;
    let setup = TestSetup::new(&format!(
        "upstream = \"http://{upstream}\"\ntimeouts = {{ reader = 1 }}\n{PUBLIC}"
    ))
    .await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(setup.gateway).await.unwrap();
    stream
        .write_all(b"GET /x HTTP/1.1\r\nHost: gw.example\r\n\r\n")
        .await
        .unwrap();
    broken.recv().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_asks_for_nothing_more_is_told_to_go() {
    let setup = TestSetup::new(&format!("timeouts = {{ idle = 1 }}\n{PUBLIC}")).await;
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    client.request(1, "/x", &[], true).await;
    assert!(client.read_ends(1).await[&1].ok);
    // Answering every ping does not help.
    assert!(client.is_told_to_go().await);
}

#[tokio::test]
async fn no_connection_takes_requests_for_ever() {
    let setup = TestSetup::new(&format!("timeouts = {{ connection_life = 1 }}\n{PUBLIC}")).await;
    let (mut sender, connection) = {
        let io = hyper_util::rt::TokioIo::new(TcpStream::connect(setup.gateway).await.unwrap());
        hyper::client::conn::http1::handshake(io)
            .await
            .unwrap()
    };
    let driven = tokio::spawn(connection);
    loop {
        let Ok(answer) = sender.send_request(get("/x", None)).await else {
            break;
        };
        assert_eq!(answer.status(), 200);
        let last = answer
            .headers()
            .get(CONNECTION)
            .is_some_and(|value| value == "close");
        http_body_util::BodyExt::collect(answer).await.unwrap();
        if last || sender.ready().await.is_err() {
            break;
        }
    }
    _ = driven.await;
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    let mut stream = 1;
    let told = loop {
        client.request(stream, "/x", &[], true).await;
        stream += 2;
        let mut frame = client.next().await;
        while frame.as_ref().is_some_and(|frame| {
            !frame.ends() && frame.kind != portcullis_testkit::raw_http2::GOAWAY
        }) {
            frame = client.next().await;
        }
        match frame {
            Some(frame) if frame.kind != portcullis_testkit::raw_http2::GOAWAY => {}
            end => break end.is_some(),
        }
    };
    assert!(told, "GOAWAY comes before the end");
}

/// Sends a body of this length over HTTP/2, as far as there is room, and reads the response.
async fn upload(setup: &TestSetup, length: usize) -> (Vec<u8>, bool, usize) {
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    // The windows of the connection and of the stream.
    let mut initial = client
        .settings
        .setting(INITIAL_WINDOW)
        .map_or(65_535, |it| it as usize);
    let mut room = [65_535, initial];
    client
        .request(1, "/x", &[("content-length", &length.to_string())], false)
        .await;
    let (mut sent, mut body, mut answered, mut reset) = (0, Vec::new(), false, false);
    while !reset {
        while room[0].min(room[1]) > 0 && sent < length {
            let piece = room[0].min(room[1]).min(16_384).min(length - sent);
            sent += piece;
            room = room.map(|room| room - piece);
            client
                .send(
                    DATA,
                    if sent == length { END_STREAM } else { 0 },
                    1,
                    &vec![7; piece],
                )
                .await;
        }
        if sent == length && answered {
            break;
        }
        let frame = client.next().await.unwrap();
        match frame.kind {
            WINDOW_UPDATE => {
                let more = u32::from_be_bytes(frame.payload[..4].try_into().unwrap()) as usize;
                room[usize::from(frame.stream != 0)] += more;
            }
            SETTINGS if frame.flags & ACK == 0 => {
                let larger = frame
                    .setting(INITIAL_WINDOW)
                    .map_or(initial, |it| it as usize);
                room[1] = (room[1] + larger).saturating_sub(initial);
                initial = larger;
                client.send(SETTINGS, ACK, 0, &[]).await;
            }
            RESET => reset = true,
            HEADERS | DATA if frame.stream == 1 => {
                body.extend_from_slice(if frame.kind == DATA {
                    &frame.payload
                } else {
                    &[]
                });
                answered |= frame.ends();
            }
            _ => {}
        }
    }
    (body, reset, sent)
}

#[tokio::test]
async fn an_upload_that_is_refused_is_heard_to_its_end_over_http2() {
    let setup = TestSetup::new("").await;
    let (body, reset, sent) = upload(&setup, 1_000_000).await;
    assert!(
        String::from_utf8_lossy(&body).contains("\"status\":401"),
        "{body:?}"
    );
    assert!(!reset, "a reset would cost many clients the answer");
    assert_eq!(sent, 1_000_000);
    assert!(setup.upstream.take_requests().is_empty());
}

#[tokio::test]
async fn what_is_beyond_all_bounds_is_not_heard_to_its_end() {
    let setup = TestSetup::new("").await;
    let (body, reset, sent) = upload(&setup, 100_000_000).await;
    assert!(String::from_utf8_lossy(&body).contains("\"status\":401"));
    assert!(reset && sent < 40_000_000, "{sent}");
}

#[tokio::test]
async fn an_upload_that_is_refused_is_heard_to_its_end_over_http1() {
    let setup = TestSetup::new("").await;
    let mut stream = TcpStream::connect(setup.gateway).await.unwrap();
    let head = "POST /x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // Like many clients, it sends everything before it reads anything.
    stream.write_all(&vec![7; 1_000_000]).await.unwrap();
    let next = format!(
        "GET /x HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        setup.token()
    );
    stream.write_all(next.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(statuses(&answer), [401, 200], "{answer}");
    assert_eq!(setup.upstream.take_requests().len(), 1);
}

#[tokio::test]
async fn who_waits_for_leave_to_send_is_refused_without_it() {
    let setup = TestSetup::new("").await;
    let head = "POST /x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n";
    let answer = setup.client().raw(head.as_bytes()).await;
    assert_eq!(statuses(&answer), [401], "{answer}");
}
