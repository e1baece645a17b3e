//! Bodies: large, endless and slow ones, over HTTP/1.1 and HTTP/2.

use crate::client::{ClientResponse, get};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Version};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use std::convert::Infallible;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const PUBLIC: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";

fn post(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut request = get("/x", None);
    *request.method_mut() = Method::POST;
    request.map(|_| Full::new(body.into()))
}

#[tokio::test]
async fn large_bodies_pass_both_ways_up_to_the_limit() {
    let setup = TestSetup::new(&format!("limits = {{ body_bytes = 3000000 }}\n{PUBLIC}")).await;
    let body = vec![7; 3_000_000];
    let answer = setup.client().send(post(body.clone())).await;
    assert_eq!((answer.status, answer.body.len()), (200, 3_000_000));
    assert_eq!(setup.upstream.take_requests()[0].body, body);
    let answer = setup.client().send(post(vec![7; 3_000_001])).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "request.body")
    );
    assert!(setup.upstream.take_requests().is_empty());
}

#[tokio::test]
async fn a_body_that_does_not_say_its_size_is_cut_off_at_the_limit() {
    let setup = TestSetup::new(&format!("limits = {{ body_bytes = 1000 }}\n{PUBLIC}")).await;
    let pieces = futures_util::stream::iter(
        (0..20).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![1; 100])))),
    );
    let request = post("").map(|_| StreamBody::new(pieces));
    let answer = ClientResponse::of(setup.client().open(request).await).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "request.body")
    );
    assert!(
        setup
            .upstream
            .take_requests()
            .iter()
            .all(|saw| !saw.whole),
        "the upstream must not take a part for the whole"
    );
}

#[tokio::test]
async fn a_route_has_its_own_limit() {
    let setup = TestSetup::new(&format!(
        "limits = {{ body_bytes = 10 }}\n{PUBLIC}body_bytes = 0\n"
    ))
    .await;
    assert_eq!(
        setup
            .client()
            .send(post(vec![7; 100_000]))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let setup = TestSetup::new(&format!("timeouts = {{ body = 1 }}\n{PUBLIC}")).await;
    let head = "POST /x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 10\r\n\r\nabc";
    let answer = setup.client().raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_head_that_stops_coming_is_given_up() {
    let setup = TestSetup::new(&format!("timeouts = {{ head = 1 }}\n{PUBLIC}")).await;
    for begun in [
        "",
        "P",
        "PRI * HTTP/2.0",
        "GET / HTTP/1.1\r\nHost: a",
        "GET /x HTTP/1.1\r\nHost: gw.example\r\n\r\n",
    ] {
        // `raw` waits for the end of the connection.
        let answer = setup.client().raw(begun.as_bytes()).await;
        assert_eq!(
            answer.starts_with("HTTP/1.1 200"),
            begun.ends_with("\r\n\r\n"),
            "{begun}: {answer}"
        );
    }
}

#[tokio::test]
async fn heads_are_bounded() {
    let setup = TestSetup::new(&format!(
        "limits = {{ header_bytes = 8192, headers = 20 }}\n{PUBLIC}"
    ))
    .await;
    let many = (0..30)
        .map(|index| format!("X-{index}: 1\r\n"))
        .collect::<String>();
    for fields in [format!("X: {}\r\n", "a".repeat(20_000)), many] {
        let raw =
            format!("GET /x HTTP/1.1\r\nHost: gw.example\r\n{fields}Connection: close\r\n\r\n");
        let answer = setup.client().raw(raw.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert!(setup.upstream.take_requests().is_empty());
}

#[tokio::test]
async fn http2_is_spoken_with_clients_and_cookies_are_joined() {
    let setup = TestSetup::new(PUBLIC).await;
    let request = Request::post(format!("http://{}/x?y", setup.gateway)).version(Version::HTTP_2);
    let request = request
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("te", "trailers");
    let answer = ClientResponse::of(
        setup
            .client()
            .open_http2(request.body(Full::new(Bytes::from("body"))).unwrap())
            .await,
    )
    .await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"body"[..]));
    let saw = setup.upstream.take_requests();
    assert_eq!(
        (saw[0].version, saw[0].target.as_str()),
        (Version::HTTP_11, "/x?y")
    );
    assert_eq!(saw[0].values("cookie"), ["a=1; b=2"]);
    assert_eq!(saw[0].values("host"), [setup.gateway.to_string()]);
    assert_eq!(saw[0].values("via"), ["2.0 portcullis"]);
}

#[tokio::test]
async fn http2_is_spoken_with_upstreams_and_trailers_pass() {
    let settings = format!(
        "upstream = \"api\"\n{PUBLIC}[[upstream]]\nname = \"api\"\nservers = [\"{{upstream}}\"]\nprotocol = \"http2\"\n"
    );
    let setup = TestSetup::new(&settings).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("1"));
    trailers.insert("x_auth_subject", HeaderValue::from_static("admin"));
    let frames = [
        Ok::<_, Infallible>(Frame::data(Bytes::from("body"))),
        Ok(Frame::trailers(trailers)),
    ];
    let request = Request::post(format!("http://{}/x", setup.gateway)).version(Version::HTTP_2);
    let request = request
        .body(StreamBody::new(futures_util::stream::iter(frames)))
        .unwrap();
    assert_eq!(setup.client().open_http2(request).await.status(), 200);
    let saw = setup.upstream.take_requests();
    assert_eq!(
        (saw[0].version, &saw[0].body[..]),
        (Version::HTTP_2, &b"body"[..])
    );
    assert_eq!(saw[0].trailers.keys().collect::<Vec<_>>(), ["x-sum"]);
    assert_eq!(
        saw[0].values("x-forwarded-host"),
        [setup.gateway.to_string()]
    );
}

#[tokio::test]
async fn a_client_that_waits_for_leave_to_send_gets_it() {
    let setup = TestSetup::new(PUBLIC).await;
    let mut stream = TcpStream::connect(setup.gateway).await.unwrap();
    let head = "POST /x HTTP/1.1\r\nHost: gw.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut leave = [0; 25];
    stream.read_exact(&mut leave).await.unwrap();
    assert_eq!(&leave, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ok").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"),
        "{answer}"
    );
}

/// Each side sends its whole body before it reads the other's, so the gateway must read both at
/// once.
#[tokio::test]
async fn an_answer_may_begin_while_the_request_goes_on() {
    const MUCH: usize = 8_000_000;
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    let upstream = tokio::spawn(async move {
        let (stream, _) = socket.accept().await.unwrap();
        let (mut read, mut write) = stream.into_split();
        let answering = tokio::spawn(async move {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n");
            write.write_all(head.as_bytes()).await.unwrap();
            write.write_all(&vec![b'b'; MUCH]).await.unwrap();
            write
        });
        let (mut piece, mut taken) = (vec![0; 65_536], 0);
        while taken < MUCH {
            let length = read.read(&mut piece).await.unwrap();
            assert_ne!(length, 0, "the request broke off");
            taken += piece[..length]
                .iter()
                .filter(|byte| **byte == b'a')
                .count();
        }
        answering.await.unwrap()
    });
    let setup = TestSetup::new(&format!(
        "upstream = \"http://{server}\"\nlimits = {{ body_bytes = {MUCH} }}\n{PUBLIC}"
    ))
    .await;
    let mut client = TcpStream::connect(setup.gateway).await.unwrap();
    let head = format!("POST /x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: {MUCH}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&vec![b'a'; MUCH]).await.unwrap();
    let (mut piece, mut taken) = (vec![0; 65_536], 0);
    while taken < MUCH {
        let length = client.read(&mut piece).await.unwrap();
        assert_ne!(length, 0, "the answer broke off");
        taken += piece[..length]
            .iter()
            .filter(|byte| **byte == b'b')
            .count();
    }
    upstream.await.unwrap();
}
