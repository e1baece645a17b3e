//! Streams: WebSockets, server-sent events and gRPC, and how they end when their token does.

use crate::client::get;
use crate::dying::{Death, DyingServer};
use crate::revoked_streams::soon;
use crate::setup::TestSetup;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use portcullis_idp::{Idp, IdpConfig, Overlap};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Asked, Response as Granted};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

/// A WebSocket server that echoes what it gets. It chooses `chat` if that is offered.
pub(crate) async fn echo() -> (SocketAddr, mpsc::UnboundedReceiver<HeaderMap>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (saw, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let saw = saw.clone();
            tokio::spawn(async move {
                #[expect(clippy::result_large_err, reason = "the library's own type")]
                let choose = |asked: &Asked, mut granted: Granted| {
                    let offered = asked.headers().get("sec-websocket-protocol").cloned();
                    saw.send(asked.headers().clone()).unwrap();
                    if offered.is_some_and(|offered| offered.to_str().unwrap().contains("chat")) {
                        let chat = HeaderValue::from_static("chat");
                        granted
                            .headers_mut()
                            .insert("sec-websocket-protocol", chat);
                    }
                    Ok(granted)
                };
                let mut stream = accept_hdr_async(stream, choose).await.unwrap();
                while let Some(Ok(message)) = stream.next().await {
                    if message.is_text() && stream.send(message).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, seen)
}

pub(crate) struct OpenSocket {
    pub(crate) stream: WebSocketStream<TcpStream>,
    protocol: Option<String>,
}

pub(crate) async fn open(
    setup: &TestSetup,
    token: Option<&str>,
    protocols: Option<&str>,
) -> Result<OpenSocket, u16> {
    let mut request = format!("ws://{}/chat", setup.gateway)
        .into_client_request()
        .unwrap();
    if let Some(token) = token {
        request
            .headers_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    if let Some(protocols) = protocols {
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocols.parse().unwrap());
    }
    let connection = TcpStream::connect(setup.gateway).await.unwrap();
    match client_async(request, connection).await {
        Ok((stream, response)) => {
            let protocol = response.headers().get("sec-websocket-protocol");
            Ok(OpenSocket {
                stream,
                protocol: protocol.map(|value| value.to_str().unwrap().to_owned()),
            })
        }
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

pub(crate) async fn expect_echo(opened: &mut OpenSocket, text: &str) {
    opened.stream.send(Message::text(text)).await.unwrap();
    assert_eq!(
        opened.stream.next().await.unwrap().unwrap(),
        Message::text(text)
    );
}

#[tokio::test]
async fn a_websocket_takes_its_token_from_the_header_or_the_subprotocol() {
    let (upstream, mut seen) = echo().await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let token = setup.token();
    let mut by_header = open(&setup, Some(&token), None).await.unwrap();
    expect_echo(&mut by_header, "hello").await;
    assert_eq!(by_header.protocol, None);
    let saw = seen.recv().await.unwrap();
    assert_eq!(saw["x-auth-subject"], "user-1");
    assert!(!saw.contains_key("authorization"));

    for (offered, echoed, left) in [
        (format!("bearer, {token}"), Some("bearer"), None),
        (format!("bearer, {token}, chat"), Some("chat"), Some("chat")),
    ] {
        let mut opened = open(&setup, None, Some(&offered)).await.unwrap();
        expect_echo(&mut opened, "hello").await;
        assert_eq!(opened.protocol.as_deref(), echoed);
        let saw = seen.recv().await.unwrap();
        assert_eq!(
            saw.get("sec-websocket-protocol")
                .map(|value| value.to_str().unwrap()),
            left
        );
        assert_eq!(saw["x-auth-subject"], "user-1");
    }
}

#[tokio::test]
async fn a_websocket_without_one_good_token_is_not_opened() {
    let (upstream, mut seen) = echo().await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let (token, expired) = (setup.token(), setup.idp.token("bob").expire().sign());
    for (token, protocols, status) in [
        (None, None, 401),
        (None, Some("chat".to_owned()), 401),
        (Some(expired.as_str()), None, 401),
        (None, Some("bearer, rubbish".to_owned()), 401),
        (None, Some("bearer".to_owned()), 400),
        (Some(&token), Some(format!("bearer, {token}")), 400),
    ] {
        assert_eq!(
            open(&setup, token, protocols.as_deref()).await.err(),
            Some(status),
            "{protocols:?}"
        );
    }
    assert!(seen.try_recv().is_err());
}

#[tokio::test]
async fn a_websocket_ends_with_its_token() {
    let (upstream, _seen) = echo().await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let mut opened = open(&setup, Some(&setup.token()), None).await.unwrap();
    expect_echo(&mut opened, "before").await;
    setup.clock.advance(Duration::from_secs(3_599));
    expect_echo(&mut opened, "still").await;
    setup.clock.advance(Duration::from_secs(1));
    let end = tokio::time::timeout(Duration::from_secs(20), opened.stream.next())
        .await
        .unwrap();
    let Message::Close(Some(told)) = end.unwrap().unwrap() else {
        panic!("the client is told")
    };
    assert_eq!(
        (u16::from(told.code), told.reason.as_str()),
        (1008, "the access token expired")
    );
    assert!(
        opened
            .stream
            .next()
            .await
            .is_none_or(|end| end.is_err()),
        "the connection is closed"
    );
}

#[tokio::test]
async fn a_handshake_goes_to_another_server_only_if_it_was_not_sent() {
    for (death, opens) in [
        (Death::Refused, true),
        (Death::Rst(b""), false),
        (Death::Fin(b"HTTP/1.1 1"), false),
    ] {
        let ((upstream, mut seen), dying) = (echo().await, DyingServer::start(death, false).await);
        let setup = TestSetup::new(&format!(
            "upstream = \"api\"\n[[upstream]]\nname = \"api\"\nservers = [\"http://{}\", \"http://{upstream}\"]\n",
            dying.address
        ))
        .await;
        let opened = open(&setup, Some(&setup.token()), None).await;
        assert_eq!(
            opened.as_ref().err().copied(),
            (!opens).then_some(502),
            "{death:?}"
        );
        assert_eq!(seen.try_recv().is_ok(), opens, "{death:?}");
    }
}

#[tokio::test]
async fn an_upgrade_that_is_no_websocket_is_an_ordinary_request() {
    let setup = TestSetup::new("[[route]]\npath = \"/**\"\naccess = \"public\"\n").await;
    let mut request = get("/x", None);
    for (name, value) in [
        ("connection", "upgrade"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQ"),
    ] {
        request
            .headers_mut()
            .insert(name, value.parse().unwrap());
    }
    assert_eq!(setup.client().send(request).await.status, 200);
    let saw = setup.upstream.take_requests();
    assert!(
        !saw[0].headers.contains_key("upgrade") && !saw[0].headers.contains_key("http2-settings")
    );
}

/// A server with responses that go on for as long as the test sends pieces.
pub(crate) async fn streaming(
    kind: &'static str,
    trailer: bool,
) -> (SocketAddr, mpsc::UnboundedSender<&'static str>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (sender, pieces) = mpsc::unbounded_channel();
    let pieces = std::sync::Arc::new(tokio::sync::Mutex::new(Some(pieces)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let pieces = std::sync::Arc::clone(&pieces);
            let service = service_fn(move |_| {
                let pieces = std::sync::Arc::clone(&pieces);
                async move {
                    let mut pieces = pieces.lock().await.take().unwrap();
                    let frames = futures_util::stream::poll_fn(move |context| {
                        pieces.poll_recv(context).map(|piece| {
                            piece.map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece))))
                        })
                    });
                    let mut trailers = HeaderMap::new();
                    trailers.insert("grpc-status", HeaderValue::from_static("0"));
                    let end = trailer.then(|| Ok(Frame::trailers(trailers)));
                    let mut response = Response::new(StreamBody::new(
                        frames.chain(futures_util::stream::iter(end)),
                    ));
                    response
                        .headers_mut()
                        .insert("content-type", HeaderValue::from_static(kind));
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(async move {
                _ = Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (address, sender)
}

#[tokio::test]
async fn events_arrive_as_they_are_sent_and_end_with_the_token() {
    let (upstream, sender) = streaming("text/event-stream", false).await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let mut response = setup
        .client()
        .open(get("/events", Some(&setup.token())))
        .await;
    for piece in ["data: 1\n\n", "data: 2\n\n"] {
        sender.send(piece).unwrap();
        assert_eq!(
            response
                .frame()
                .await
                .unwrap()
                .unwrap()
                .into_data()
                .unwrap(),
            piece
        );
    }
    setup.clock.advance(Duration::from_secs(3_600));
    let end = tokio::time::timeout(Duration::from_secs(20), response.frame())
        .await
        .unwrap();
    assert!(
        end.is_none(),
        "the stream ends in order, so that the client connects anew"
    );
}

pub(crate) fn call(setup: &TestSetup) -> Request<Full<Bytes>> {
    Request::post(format!("http://{}/orders.Orders/Watch", setup.gateway))
        .version(Version::HTTP_2)
        .header("authorization", format!("Bearer {}", setup.token()))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from_static(b"\0\0\0\0\0")))
        .unwrap()
}

pub(crate) fn grpc(upstream: SocketAddr) -> String {
    format!(
        "upstream = \"api\"\n[[upstream]]\nname = \"api\"\nservers = [\"http://{upstream}\"]\nprotocol = \"http2\"\n"
    )
}

#[tokio::test]
async fn grpc_keeps_its_trailers() {
    let (upstream, sender) = streaming("application/grpc", true).await;
    let setup = TestSetup::new(&grpc(upstream)).await;
    let response = setup.client().open_http2(call(&setup)).await;
    sender.send("piece").unwrap();
    drop(sender);
    let body = response.collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(body.to_bytes(), "piece");
}

#[tokio::test]
async fn a_grpc_stream_ends_with_its_token_and_says_so() {
    let (upstream, sender) = streaming("application/grpc+proto", true).await;
    let setup = TestSetup::new(&grpc(upstream)).await;
    let mut response = setup.client().open_http2(call(&setup)).await;
    sender.send("piece").unwrap();
    assert_eq!(
        response
            .frame()
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap(),
        "piece"
    );
    setup.clock.advance(Duration::from_secs(3_600));
    let end = tokio::time::timeout(Duration::from_secs(20), response.frame())
        .await
        .unwrap();
    let trailers = end.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "16");
    assert!(response.frame().await.is_none());
}

/// The code and the reason of a WebSocket's close frame.
pub(crate) async fn read_close(opened: &mut OpenSocket) -> (u16, String) {
    let told = tokio::time::timeout(Duration::from_secs(20), opened.stream.next())
        .await
        .unwrap();
    let Message::Close(Some(told)) = told.unwrap().unwrap() else {
        panic!("the client is told")
    };
    (u16::from(told.code), told.reason.as_str().to_owned())
}

#[tokio::test]
async fn a_stream_ends_when_the_key_of_its_token_is_withdrawn() {
    let (upstream, _seen) = echo().await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let mut opened = open(&setup, Some(&setup.token()), None).await.unwrap();
    setup.clock.advance(Duration::from_secs(5));
    expect_echo(&mut opened, "its key is published").await;
    setup.idp.rotate(Overlap::Without).await;
    setup.handle.resource_server().refresh_keys().await;
    setup.clock.advance(Duration::from_secs(5));
    assert_eq!(
        read_close(&mut opened).await,
        (1008, "the access token is no longer accepted".to_owned())
    );
}

#[tokio::test]
async fn a_stream_ends_when_a_reload_trusts_its_token_no_longer() {
    let (upstream, _seen) = echo().await;
    let settings = format!("upstream = \"http://{upstream}\"\n");
    let setup = TestSetup::new(&settings).await;
    let other = Idp::start(IdpConfig::default()).await.unwrap();
    let document = setup.document(&settings);
    let issuer =
        |document: &str| document.replacen(setup.idp.issuer().as_str(), other.issuer().as_str(), 1);
    let audience = |document: &str| document.replacen(setup.idp.audience(), "api://another", 1);
    for changed in [issuer(&document), audience(&document)] {
        let read = |text: &str| {
            portcullis_gateway::Config::from_toml(text)
                .unwrap()
                .try_into()
                .unwrap()
        };
        setup.handle.reload(read(&document)).await.unwrap();
        let mut opened = open(&setup, Some(&setup.token()), None).await.unwrap();
        // A reload of other settings keeps it open.
        setup
            .handle
            .reload(read(&format!("realm = \"x\"\n{document}")))
            .await
            .unwrap();
        setup.clock.advance(Duration::from_secs(5));
        expect_echo(&mut opened, "still trusted").await;
        setup.handle.reload(read(&changed)).await.unwrap();
        assert_eq!(
            soon(&setup, read_close(&mut opened)).await,
            (1008, "the access token is no longer accepted".to_owned())
        );
    }
}

#[tokio::test]
async fn streams_are_told_that_the_gateway_stops_and_do_not_hold_it() {
    let (upstream, _seen) = echo().await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let mut opened = open(&setup, Some(&setup.token()), None).await.unwrap();
    expect_echo(&mut opened, "before").await;
    let (told, ()) = tokio::join!(opened.stream.next(), setup.stop());
    let Message::Close(Some(told)) = told.unwrap().unwrap() else {
        panic!("the client is told")
    };
    assert_eq!(
        (u16::from(told.code), told.reason.as_str()),
        (1001, "the gateway stops")
    );

    let (upstream, sender) = streaming("text/event-stream", false).await;
    let setup = TestSetup::new(&format!("upstream = \"http://{upstream}\"\n")).await;
    let mut response = setup
        .client()
        .open(get("/events", Some(&setup.token())))
        .await;
    sender.send("data: 1\n\n").unwrap();
    assert!(response.frame().await.unwrap().is_ok());
    let (end, ()) = tokio::join!(response.frame(), setup.stop());
    assert!(end.is_none());
}
