//! The framing of messages: unexpected bodies, malformed responses, and connections that must not
//! be used again.

use crate::client::{ClientResponse, get, statuses};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Version};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A public route, and its upstream.
fn route(name: &str, server: &str, more: &str) -> String {
    format!(
        "[[route]]\npath = \"/{name}/**\"\naccess = \"public\"\nupstream = \"{name}\"\n\
         [[upstream]]\nname = \"{name}\"\nservers = [\"{server}\"]\n{more}\n"
    )
}

const BOTH: [(&str, &str); 2] = [("old", ""), ("new", "protocol = \"http2\"")];

fn both(more: &str) -> String {
    let routes =
        BOTH.map(|(name, protocol)| route(name, "{upstream}", &format!("{protocol}\n{more}")));
    routes.concat()
}

/// A request with a body of unknown length.
fn chunked_request(
    setup: &TestSetup,
    method: &Method,
    version: Version,
    path: &str,
    frames: Vec<Frame<Bytes>>,
) -> Request<impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin + Send + 'static> {
    let frames = futures_util::stream::iter(frames.into_iter().map(Ok::<_, Infallible>));
    let request = Request::builder().method(method).version(version);
    let request = match version {
        Version::HTTP_2 => request.uri(format!("http://{}{path}", setup.gateway)),
        _ => request
            .uri(path)
            .header("host", "gw.example")
            .header("transfer-encoding", "chunked"),
    };
    request.body(StreamBody::new(frames)).unwrap()
}

#[tokio::test]
async fn a_body_without_a_length_is_forwarded_whatever_the_method() {
    let setup = TestSetup::new(&both("")).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for (name, _) in BOTH {
            for method in [
                Method::GET,
                Method::HEAD,
                Method::OPTIONS,
                Method::DELETE,
                Method::PUT,
                Method::POST,
            ] {
                let frames = Vec::from(["bo", "dy"].map(|piece| Frame::data(Bytes::from(piece))));
                let request =
                    chunked_request(&setup, &method, version, &format!("/{name}/x"), frames);
                let response = match version {
                    Version::HTTP_2 => setup.client().open_http2(request).await,
                    _ => setup.client().open(request).await,
                };
                assert_eq!(response.status(), 200, "{method} {version:?} {name}");
                let saw = setup.upstream.take_requests();
                assert_eq!(
                    (saw.len(), &saw[0].body[..]),
                    (1, &b"body"[..]),
                    "{method} {version:?} {name}"
                );
                assert!(saw[0].whole && saw[0].values("content-length").is_empty());
            }
        }
    }
}

#[tokio::test]
async fn a_request_of_trailers_alone_is_one_request() {
    let setup = TestSetup::new(&both("")).await;
    for (name, _) in BOTH {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", HeaderValue::from_static("1"));
        let path = format!("/{name}/x");
        let frames = vec![Frame::trailers(trailers)];
        let request = chunked_request(&setup, &Method::GET, Version::HTTP_2, &path, frames);
        assert_eq!(setup.client().open_http2(request).await.status(), 200);
        assert_eq!(setup.client().get(&path, None).await.status, 200);
        let saw = setup.upstream.take_requests();
        assert_eq!(
            saw.iter()
                .map(|saw| (saw.whole, saw.body.len()))
                .collect::<Vec<_>>(),
            [(true, 0); 2]
        );
    }
}

#[tokio::test]
async fn a_body_that_fails_is_told_alike_whatever_the_upstream_speaks() {
    let settings = format!(
        "limits = {{ body_bytes = 1000 }}\ntimeouts = {{ body = 1 }}\n{}",
        both("")
    );
    let setup = TestSetup::new(&settings).await;
    for (name, _) in BOTH {
        let head = format!("POST /{name}/x HTTP/1.1\r\nHost: gw.example\r\n");
        let chunk = format!("200\r\n{}\r\n", "a".repeat(512));
        for (rest, status, code) in [
            (
                format!("Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"),
                413,
                "request.body",
            ),
            (
                "Content-Length: 1001\r\n\r\n".to_owned(),
                413,
                "request.body",
            ),
            (
                format!("Transfer-Encoding: chunked\r\n\r\n{chunk}"),
                408,
                "request.timeout",
            ),
            (
                "Content-Length: 10\r\n\r\nabc".to_owned(),
                408,
                "request.timeout",
            ),
            (
                format!("Transfer-Encoding: chunked\r\n\r\n{chunk}zz\r\n"),
                400,
                "request.framing",
            ),
        ] {
            let answer = setup
                .client()
                .raw(format!("{head}{rest}").as_bytes())
                .await;
            assert_eq!(statuses(&answer), [status], "{name} {rest}: {answer}");
            assert!(answer.contains(code), "{name} {rest}: {answer}");
        }
        // The same from an HTTP/2 client.
        let pieces = (0..20)
            .map(|_| Frame::data(Bytes::from(vec![b'a'; 100])))
            .collect();
        let request = chunked_request(
            &setup,
            &Method::POST,
            Version::HTTP_2,
            &format!("/{name}/x"),
            pieces,
        );
        let answer = ClientResponse::of(setup.client().open_http2(request).await).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "request.body"),
            "{name}"
        );
        assert!(
            setup
                .upstream
                .take_requests()
                .iter()
                .all(|saw| !saw.whole),
            "a part was taken for the whole"
        );
    }
}

#[tokio::test]
async fn an_upstream_sees_one_host_as_it_is_set() {
    for (host, own) in [("client", false), ("upstream", true)] {
        let setup = TestSetup::new(&both(&format!("host = \"{host}\""))).await;
        let expected = if own {
            setup.upstream.address.to_string()
        } else {
            "gw.example".to_owned()
        };
        for (name, protocol) in BOTH {
            let path = format!("/{name}/x");
            setup.client().get(&path, None).await;
            let request = Request::get(format!("http://gw.example{path}")).version(Version::HTTP_2);
            setup
                .client()
                .open_http2(request.body(Full::<Bytes>::default()).unwrap())
                .await;
            for saw in setup.upstream.take_requests() {
                let hosts = (saw.authority.clone(), saw.values("host"));
                let wanted = match protocol {
                    "" => (None, vec![expected.clone()]),
                    _ => (Some(expected.clone()), vec![]),
                };
                assert_eq!(hosts, wanted, "{host} {name}");
                assert_eq!(saw.values("x-forwarded-host"), ["gw.example"]);
            }
        }
    }
}

/// A server that answers every request with these bytes; also counts its connections.
async fn talker(bytes: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let connections = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(talk(stream, bytes.clone()));
        }
    });
    (address, connections)
}

async fn talk(mut stream: TcpStream, bytes: Vec<u8>) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        stream.write_all(&bytes).await.ok()?;
        // A response without a length ends with its connection.
        if bytes.starts_with(b"HTTP/1.0") || bytes.starts_with(b"nonsense") {
            return None;
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\n";
const ABC: &str = "Content-Length: 3\r\n\r\nabc";

/// Responses: what the caller gets, and whether the connection is used again.
fn answers() -> Vec<(String, u16, bool)> {
    let many = |count: usize| {
        (0..count)
            .map(|index| format!("X-{index}: 1\r\n"))
            .collect::<String>()
    };
    let ok = |rest: &str| format!("{OK}{rest}");
    let chunks = "\r\n3\r\nabc\r\n0\r\n\r\n";
    vec![
        (ok(ABC), 200, true),
        (
            ok(&format!("Transfer-Encoding: chunked\r\n{chunks}")),
            200,
            true,
        ),
        (
            ok(&format!(
                "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n{chunks}"
            )),
            200,
            false,
        ),
        (
            ok(&format!(
                "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n{chunks}"
            )),
            200,
            false,
        ),
        (
            ok(&format!("Transfer-Encoding: gzip, chunked\r\n{chunks}")),
            502,
            false,
        ),
        (
            ok(&format!(
                "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n{chunks}"
            )),
            502,
            false,
        ),
        (
            ok(&format!("Transfer-Encoding: chunked, chunked\r\n{chunks}")),
            502,
            false,
        ),
        (
            ok(&format!("Transfer-Encoding: identity\r\n{ABC}")),
            502,
            false,
        ),
        (ok(&format!("Content-Length: 3\r\n{ABC}")), 200, true),
        (ok("Content-Length: 3, 3\r\n\r\nabc"), 200, true),
        (ok(&format!("Content-Length: 4\r\n{ABC}")), 502, false),
        (ok("Content-Length: 3, 4\r\n\r\nabc"), 502, false),
        (ok("Content-Length: -3\r\n\r\nabc"), 502, false),
        (ok("Content-Length: +3\r\n\r\nabc"), 502, false),
        (ok("Content-Length: 0x3\r\n\r\nabc"), 502, false),
        (ok("Content-Length: \r\n\r\nabc"), 502, false),
        (
            ok("Content-Length: 99999999999999999999\r\n\r\nabc"),
            502,
            false,
        ),
        (
            ok(&format!(
                "{ABC}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            )),
            200,
            false,
        ),
        (ok(&format!("Connection: close\r\n{ABC}")), 200, false),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 204, true),
        (
            "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil".to_owned(),
            204,
            false,
        ),
        (
            "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n"
                .to_owned(),
            204,
            false,
        ),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n".to_owned(),
            304,
            false,
        ),
        ("HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(), 304, true),
        (
            format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{OK}{ABC}"),
            200,
            true,
        ),
        (
            format!("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 X\r\n\r\n{OK}{ABC}"),
            200,
            true,
        ),
        (format!("HTTP/1.1 100 Continue\r\n\r\n{OK}{ABC}"), 200, true),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
                .to_owned(),
            502,
            false,
        ),
        (format!("HTTP/1.1 200 \r\n{ABC}"), 200, true),
        (format!("HTTP/1.1 200\r\n{ABC}"), 200, true),
        (format!("HTTP/1.1 099 Low\r\n{ABC}"), 502, false),
        (format!("HTTP/1.1 1000 High\r\n{ABC}"), 502, false),
        (format!("HTTP/1.1 abc OK\r\n{ABC}"), 502, false),
        (format!("HTTP/2.0 200 OK\r\n{ABC}"), 502, false),
        (format!("HTTP/1.0 200 OK\r\n{ABC}"), 200, false),
        ("HTTP/1.0 200 OK\r\n\r\nabc".to_owned(), 200, false),
        (
            format!("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n{chunks}"),
            502,
            false,
        ),
        ("nonsense\r\n\r\n".to_owned(), 502, false),
        (ok(&format!("X: a\r\n b\r\n{ABC}")), 502, false),
        (ok(&format!("X : a\r\n{ABC}")), 502, false),
        (ok(&format!(": a\r\n{ABC}")), 502, false),
        (ok(&format!("no colon\r\n{ABC}")), 502, false),
        (ok(&format!("X: a\0b\r\n{ABC}")), 502, false),
        (ok(&format!("X: a\rb: c\r\n{ABC}")), 502, false),
        (ok(&format!("{}{ABC}", many(99))), 200, true),
        (ok(&format!("{}{ABC}", many(120))), 502, false),
        (
            ok(&format!("X: {}\r\n{ABC}", "a".repeat(70_000))),
            502,
            false,
        ),
    ]
}

#[tokio::test]
async fn each_answer_has_one_reading_or_is_refused() {
    let mut settings =
        "upstream = \"http://127.0.0.1:9\"\ntimeouts = { response = 2 }\n".to_owned();
    let (mut servers, answers) = (Vec::new(), answers());
    for (index, (bytes, _, _)) in answers.iter().enumerate() {
        let server = talker(bytes.clone().into_bytes()).await;
        settings.push_str(&route(
            &index.to_string(),
            &format!("http://{}", server.0),
            "",
        ));
        servers.push(server.1);
    }
    let setup = TestSetup::new(&settings).await;
    let mut faults = Vec::new();
    for (index, (bytes, status, kept)) in answers.iter().enumerate() {
        let shown = bytes.chars().take(90).collect::<String>();
        let request = |method: &str| {
            format!("{method} /{index}/x HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n")
        };
        let mut got = Vec::new();
        for _ in 0..2 {
            let answer = setup.client().raw(request("GET").as_bytes()).await;
            let body = *status != 200
                || answer.ends_with("abc")
                || answer.ends_with("\r\n3\r\nabc\r\n0\r\n\r\n");
            // The gateway's own version, whatever the upstream's (RFC 9110, section 2.5).
            let version = answer.starts_with("HTTP/1.1 ");
            if !version
                || !body
                || answer.contains("evil")
                || answer.matches("content-length").count() > 1
            {
                faults.push(format!("{shown:?}: {answer:?}"));
            }
            got.extend(statuses(&answer));
        }
        let connections = servers[index].load(Ordering::SeqCst);
        if got != [*status; 2] || (connections == 1) != *kept {
            faults.push(format!("{shown:?}: {got:?}, {connections} connections"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn an_answer_to_head_that_names_a_length_ends_its_connection() {
    let bytes = format!("{OK}{ABC}");
    let (server, connections) = talker(bytes.into_bytes()).await;
    let setup = TestSetup::new(&route("x", &format!("http://{server}"), "")).await;
    for _ in 0..3 {
        let raw = "HEAD /x/x HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n";
        let answer = setup.client().raw(raw.as_bytes()).await;
        assert!(
            answer.starts_with(OK) && answer.contains("content-length: 3"),
            "{answer}"
        );
        // The end, and not anywhere: the name of the request may hold these letters too.
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn the_limits_of_an_answers_head_can_be_raised() {
    let many = (0..120)
        .map(|index| format!("X-{index}: {}\r\n", "a".repeat(700)))
        .collect::<String>();
    let (server, _) = talker(format!("{OK}{many}{ABC}").into_bytes()).await;
    let server = format!("http://{server}");
    for (more, status) in [
        ("", 502),
        ("headers = 200", 502),
        ("header_bytes = 1000000", 502),
        ("headers = 200\nheader_bytes = 1000000", 200),
    ] {
        let setup = TestSetup::new(&route("x", &server, more)).await;
        let raw = "GET /x/x HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n";
        let answer = setup.client().raw(raw.as_bytes()).await;
        assert_eq!(statuses(&answer), [status], "{more}");
        assert!(
            status == 200 || answer.contains("upstream.head"),
            "{more}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_connection_whose_answer_came_before_the_end_of_the_request_is_not_used_again() {
    let (server, connections) = talker(format!("{OK}{ABC}").into_bytes()).await;
    let setup = TestSetup::new(&route("x", &format!("http://{server}"), "")).await;
    let mut client = TcpStream::connect(setup.gateway).await.unwrap();
    let head = "POST /x/x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 10\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"abc") {
        answer.push(client.read_u8().await.unwrap());
    }
    // The server would read the rest of the body as the next request.
    client.write_all(b"0123456789").await.unwrap();
    client
        .write_all(b"GET /x/y HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(statuses(&rest), [200], "{rest}");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

/// A server refuses an upload at once and closes. The caller gets its response, and not a broken
/// connection.
#[tokio::test]
async fn an_upload_that_is_refused_early_gets_the_answer() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            _ = stream.read_exact(&mut [0; 20]).await;
            _ = stream
                .write_all(
                    b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
                )
                .await;
        }
    });
    let setup = TestSetup::new(&route("x", &format!("http://{server}"), "")).await;
    for _ in 0..10 {
        let mut request = get("/x/x", None).map(|_| Full::new(Bytes::from(vec![7; 1_000_000])));
        *request.method_mut() = Method::POST;
        let response = setup.client().open(request).await;
        assert_eq!(response.status(), 413);
    }
}
