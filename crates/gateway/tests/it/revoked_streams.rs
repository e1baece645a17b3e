//! Whatever goes on for a while ends soon after the revocation of its token: streams in their own
//! way, other bodies by breaking off.

use crate::client::get;
use crate::setup::TestSetup;
use crate::streams::{call, echo, expect_echo, grpc, open, read_close, streaming};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2 as client;
use hyper::server::conn::http2 as server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_resource_server::Revocation;
use portcullis_resource_server::clock::Clock as _;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Lets time pass while this goes on: in steps of a stream's window, and in all less than the five
/// seconds after which a stream would check by itself.
pub(crate) async fn soon<T>(setup: &TestSetup, what: impl Future<Output = T>) -> T {
    let time = async {
        for _ in 0..10 {
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            setup.clock.advance(Duration::from_millis(300));
        }
        // It has been told by now: only its bytes are under way.
        tokio::time::sleep(Duration::from_secs(20)).await;
    };
    tokio::select! {
        result = what => result,
        () = time => panic!("nothing ended"),
    }
}

async fn revoke(setup: &TestSetup, subject: &str) {
    let revocation = Revocation::subject(setup.idp.issuer(), subject, setup.clock.now());
    let server = setup.handle.resource_server();
    server.revoke(revocation).await.unwrap();
}

#[tokio::test]
async fn a_websocket_is_closed_and_another_callers_goes_on() {
    let (upstream, _seen) = echo().await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let other = setup.idp.token("carol").claim("sub", "user-2").sign();
    let mut opened = open(&setup, Some(&setup.token()), None).await.unwrap();
    let mut kept = open(&setup, Some(&other), None).await.unwrap();
    expect_echo(&mut opened, "before").await;
    expect_echo(&mut kept, "before").await;
    revoke(&setup, "user-1").await;
    assert_eq!(
        soon(&setup, read_close(&mut opened)).await,
        (1008, "the access token was revoked".to_owned())
    );
    expect_echo(&mut kept, "after").await;
}

#[tokio::test]
async fn a_reload_loses_no_revocation() {
    let (upstream, _seen) = echo().await;
    let settings = format!("upstream = \"http://{upstream}\"\n");
    let setup = TestSetup::new(&settings).await;
    let mut opened = open(&setup, Some(&setup.token()), None).await.unwrap();
    expect_echo(&mut opened, "before").await;
    let changed = format!("realm = \"x\"\n{}", setup.document(&settings));
    let changed = portcullis_gateway::Config::from_toml(&changed).unwrap();
    setup
        .handle
        .reload(changed.try_into().unwrap())
        .await
        .unwrap();
    // Of the server that the reload made: the one that opened the stream is gone.
    revoke(&setup, "user-1").await;
    assert_eq!(
        soon(&setup, read_close(&mut opened)).await,
        (1008, "the access token was revoked".to_owned())
    );
}

#[tokio::test]
async fn events_end_in_order() {
    let (upstream, sender) = streaming("text/event-stream", false).await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let request = get("/events", Some(&setup.token()));
    let mut response = setup.client().open(request).await;
    sender.send("data: 1\n\n").unwrap();
    assert!(response.frame().await.unwrap().is_ok());
    revoke(&setup, "user-1").await;
    assert!(soon(&setup, response.frame()).await.is_none());
}

#[tokio::test]
async fn a_grpc_stream_ends_with_its_status() {
    let (upstream, sender) = streaming("application/grpc", true).await;
    let setup = TestSetup::new(&grpc(upstream)).await;
    let mut response = setup.client().open_http2(call(&setup)).await;
    sender.send("piece").unwrap();
    assert!(response.frame().await.unwrap().is_ok());
    revoke(&setup, "user-1").await;
    let end = soon(&setup, response.frame()).await;
    let trailers = end.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(
        (&trailers["grpc-status"], &trailers["grpc-message"]),
        (
            &"16".parse().unwrap(),
            &"the access token was revoked".parse().unwrap()
        )
    );
}

/// It may go on past the expiry of its token, and not past its revocation. The client must not take
/// what it has for the whole.
#[tokio::test]
async fn a_download_breaks_off() {
    let (upstream, sender) = streaming("application/octet-stream", false).await;
    let name = format!("portcullis-revoked-{}.log", std::process::id());
    let file = std::env::temp_dir().join(name);
    _ = std::fs::remove_file(&file);
    let settings = format!(
        "upstream = \"http://{upstream}\"\n[log]\naudit = \"{}\"\naudit_responses = true\n",
        file.display()
    );
    let setup = TestSetup::new(&settings).await;
    let request = get("/file", Some(&setup.token()));
    let mut response = setup.client().open(request).await;
    sender.send("piece").unwrap();
    assert!(response.frame().await.unwrap().is_ok());
    setup.clock.advance(Duration::from_secs(5_000));
    sender.send("expired").unwrap();
    assert!(response.frame().await.unwrap().is_ok());
    revoke(&setup, "user-1").await;
    assert!(soon(&setup, response.frame()).await.unwrap().is_err());
    // Nor does an access log.
    setup.stop().await;
    let records = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(
        records.contains(r#""bytes":12,"complete":false"#),
        "{records}"
    );
}

#[tokio::test]
async fn an_upload_is_refused() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = upstream.local_addr().unwrap();
    let setup = TestSetup::new(&format!("upstream = \"http://{address}\"\n")).await;
    let mut stream = TcpStream::connect(setup.gateway).await.unwrap();
    let head = format!(
        "POST /x HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Bearer {}\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\no\r\n",
        setup.token()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut at_upstream, _) = upstream.accept().await.unwrap();
    let mut received = String::new();
    while !received.ends_with("1\r\no\r\n") {
        let mut piece = [0; 1_000];
        let read = at_upstream.read(&mut piece).await.unwrap();
        received.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    revoke(&setup, "user-1").await;
    let mut answer = String::new();
    soon(&setup, stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("token.revoked"),
        "{answer}"
    );
    assert!(
        answer
            .to_lowercase()
            .contains("www-authenticate: bearer"),
        "{answer}"
    );
}

/// A server of gRPC that reads what a client sends, tells of the first piece, and answers only at
/// the end.
async fn silent() -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
    let (saw, seen) = mpsc::unbounded_channel();
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let saw = saw.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let saw = saw.clone();
                async move {
                    let mut body = request.into_body();
                    while let Some(Ok(_)) = body.frame().await {
                        saw.send(()).unwrap();
                    }
                    Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
                }
            });
            tokio::spawn(
                server::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (address, seen)
}

/// A call whose client streams has no response that could end: its request does.
#[tokio::test]
async fn a_grpc_call_that_only_sends_ends_as_well() {
    for expires in [true, false] {
        let (upstream, mut seen) = silent().await;
        let setup = TestSetup::new(&grpc(upstream)).await;
        let (sender, mut pieces) = mpsc::unbounded_channel::<Bytes>();
        let body = StreamBody::new(futures_util::stream::poll_fn(move |context| {
            pieces
                .poll_recv(context)
                .map(|piece| piece.map(|piece| Ok::<_, Infallible>(Frame::data(piece))))
        }));
        let request = Request::post(format!("http://{}/orders.Orders/Send", setup.gateway))
            .version(Version::HTTP_2)
            .header("authorization", format!("Bearer {}", setup.token()))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(body)
            .unwrap();
        sender.send(Bytes::from_static(b"\0\0\0\0\0")).unwrap();
        let stream = TcpStream::connect(setup.gateway).await.unwrap();
        let (mut client, connection) =
            client::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let answer = tokio::spawn(async move { client.send_request(request).await });
        seen.recv().await.unwrap();
        if expires {
            setup.clock.advance(Duration::from_secs(3_600));
        } else {
            revoke(&setup, "user-1").await;
        }
        let answer = soon(&setup, answer).await.unwrap().unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let told = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(head.status, 401, "{told}");
        let code = if expires {
            "token.expired"
        } else {
            "token.revoked"
        };
        assert!(told.contains(code), "{told}");
        assert_challenged(&head.headers);
    }
}

fn assert_challenged(headers: &HeaderMap) {
    let challenge = headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
}
