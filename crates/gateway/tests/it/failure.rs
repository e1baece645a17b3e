//! Upstreams that die, hang, send garbage and recover, alone or among several servers.

use crate::client::get;
use crate::dying::{self, Death, DyingServer};
use crate::setup::TestSetup;
use crate::upstream::Upstream;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const PUBLIC: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";

fn several(servers: &[SocketAddr], more: &str) -> String {
    let servers: Vec<String> = servers
        .iter()
        .map(|server| format!("\"http://{server}\""))
        .collect();
    let servers = servers.join(", ");
    format!(
        "upstream = \"api\"\n{PUBLIC}[[upstream]]\nname = \"api\"\nservers = [{servers}]\n{more}"
    )
}

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A server that answers every connection with these bytes and closes it.
async fn talker(bytes: &'static [u8]) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let mut head = [0; 1024];
            _ = stream.read(&mut head).await;
            _ = stream.write_all(bytes).await;
        }
    });
    address
}

fn post() -> http::Request<http_body_util::Full<bytes::Bytes>> {
    let mut request = get("/x", None);
    *request.method_mut() = http::Method::POST;
    request
}

#[tokio::test]
async fn nobody_there_is_502_and_nonsense_too() {
    let setup = TestSetup::new(&several(&[nobody().await], "")).await;
    let answer = setup.client().get("/x", None).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (502, "upstream.unreachable")
    );
    for bytes in [
        &b"nonsense\r\n\r\n"[..],
        b"",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ] {
        let setup = TestSetup::new(&several(&[talker(bytes).await], "")).await;
        let answer = setup.client().get("/x", None).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (502, "upstream.broken"),
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn an_upstream_that_says_nothing_is_504() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = several(&[silent.local_addr().unwrap()], "");
    let setup = TestSetup::new(&settings.replace(
        "access = \"public\"\n",
        "access = \"public\"\ntimeout = 1\n",
    ))
    .await;
    let answer = setup.client().get("/x", None).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (504, "upstream.timeout")
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_taken_for_a_whole_one() {
    let half = talker(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
    let setup = TestSetup::new(&several(&[half], "")).await;
    let response = setup.client().open(get("/x", None)).await;
    assert_eq!(response.status(), 200);
    assert!(
        http_body_util::BodyExt::collect(response)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_request_that_was_not_sent_goes_to_another_server_whatever_its_method() {
    let good = Upstream::start().await;
    let setup = TestSetup::new(&several(&[nobody().await, good.address], "")).await;
    for _ in 0..4 {
        assert_eq!(setup.client().get("/x", None).await.status, 200);
    }
    assert_eq!(good.take_requests().len(), 4);
    // The server that refused is tried again after a while.
    setup.clock.advance(Duration::from_secs(6));
    for _ in 0..4 {
        let mut request = post();
        *request.body_mut() = http_body_util::Full::new(bytes::Bytes::from("whole"));
        let answer = setup.client().send(request).await;
        assert_eq!((answer.status, &answer.body[..]), (200, &b"whole"[..]));
    }
    assert_eq!(good.take_requests().len(), 4);
}

#[tokio::test]
async fn an_unsafe_request_is_never_sent_twice() {
    let (cut, good) = (talker(b"").await, Upstream::start().await);
    let setup = TestSetup::new(&several(&[cut, good.address], "")).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(setup.client().send(post()).await.status);
    }
    let answered = statuses
        .iter()
        .filter(|status| **status == 200)
        .count();
    assert!(statuses.contains(&502) && answered > 0, "{statuses:?}");
    assert_eq!(
        good.take_requests().len(),
        answered,
        "what the first server broke off did not come to the second"
    );
}

#[tokio::test]
async fn requests_are_spread_over_the_servers() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let setup = TestSetup::new(&several(&[one.address, two.address], "")).await;
    for _ in 0..10 {
        assert_eq!(setup.client().get("/x", None).await.status, 200);
    }
    assert_eq!(
        (one.take_requests().len(), two.take_requests().len()),
        (5, 5)
    );
}

#[tokio::test]
async fn a_server_that_fails_its_probes_gets_nothing_until_it_is_well_again() {
    let (well, unwell) = (Upstream::start().await, nobody().await);
    let health = "health = { path = \"/healthz\", interval = 1 }\n";
    let setup = TestSetup::new(&several(&[well.address, unwell], health)).await;
    // Two failed probes in a row.
    let probes = |upstream: &Upstream| {
        upstream
            .take_requests()
            .iter()
            .filter(|saw| saw.target == "/healthz")
            .count()
    };
    for _ in 0..3 {
        setup.eventually(|| probes(&well) > 0).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        setup.clock.advance(Duration::from_secs(1));
    }
    setup.clock.advance(Duration::from_secs(60));
    for _ in 0..6 {
        assert_eq!(
            setup.client().send(post()).await.status,
            200,
            "a POST is not tried twice"
        );
    }
    let back = Upstream::start_at(unwell).await;
    setup
        .eventually(|| {
            setup.clock.advance(Duration::from_secs(1));
            probes(&back) > 0
        })
        .await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..6 {
        assert_eq!(setup.client().get("/x", None).await.status, 200);
    }
    assert!(
        back.take_requests()
            .iter()
            .any(|saw| saw.target == "/x")
    );
}

#[tokio::test]
async fn an_upstream_that_restarts_is_found_again() {
    let upstream = Upstream::start().await;
    let address = upstream.address;
    let setup = TestSetup::new(&several(&[address], "")).await;
    assert_eq!(setup.client().get("/x", None).await.status, 200);
    drop(upstream);
    setup
        .eventually(|| std::net::TcpStream::connect(address).is_err())
        .await;
    assert_eq!(setup.client().get("/x", None).await.status, 502);
    let _again = Upstream::start_at(address).await;
    assert_eq!(setup.client().get("/x", None).await.status, 200);
}

#[tokio::test]
async fn a_connection_is_used_again_and_one_that_was_closed_meanwhile_is_not() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (counted, mut connections) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            counted.send(()).unwrap();
            // The connection is closed without a response after three requests.
            for _ in 0..3 {
                if stream.read(&mut [0; 1024]).await.unwrap_or_default() == 0 {
                    break;
                }
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    .await
                    .unwrap();
            }
        }
    });
    let setup = TestSetup::new(&several(&[address], "")).await;
    for _ in 0..6 {
        assert_eq!(setup.client().get("/x", None).await.body, "ok");
    }
    assert_eq!(
        std::iter::from_fn(|| connections.try_recv().ok()).count(),
        2
    );
}

/// A server that answers the first request of a connection, and closes it during the second one.
async fn one_answer_each(rst: bool, http2: bool) -> (SocketAddr, UnboundedReceiver<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (counted, requests) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            tokio::spawn(answer_once(stream, counted.clone(), rst, http2));
        }
    });
    (address, requests)
}

async fn answer_once(
    mut stream: TcpStream,
    counted: UnboundedSender<()>,
    rst: bool,
    http2: bool,
) -> Option<()> {
    if http2 {
        dying::begin_http2(&mut stream).await?;
    }
    for answers in [true, false] {
        let answer = if http2 {
            dying::on_stream(dying::take_http2(&mut stream).await?, dying::http2::WHOLE)
        } else {
            let length = stream.read(&mut [0; 4_096]).await.unwrap_or_default();
            (length > 0).then(|| b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc".to_vec())?
        };
        counted.send(()).unwrap();
        if answers {
            _ = stream.write_all(&answer).await;
        }
    }
    if rst {
        _ = stream.set_zero_linger();
    }
    Some(())
}

#[tokio::test]
async fn a_kept_connection_that_ends_under_a_request_is_no_death_of_the_server() {
    for (rst, http2) in [(false, false), (true, false), (false, true), (true, true)] {
        let (server, mut requests) = one_answer_each(rst, http2).await;
        let more = if http2 { "protocol = \"http2\"\n" } else { "" };
        let setup = TestSetup::new(&several(&[server], more)).await;
        for (method, status, sent) in [
            ("GET", 200, 1),
            ("GET", 200, 2),
            ("POST", 502, 1),
            ("POST", 200, 1),
        ] {
            let mut request = get("/x", None);
            *request.method_mut() = method.parse().unwrap();
            let answer = setup.client().send(request).await;
            assert_eq!(answer.status, status, "{method}, RST {rst}, HTTP/2 {http2}");
            let seen = std::iter::from_fn(|| requests.try_recv().ok()).count();
            assert_eq!(seen, sent, "{method}, RST {rst}, HTTP/2 {http2}");
        }
    }
}

#[tokio::test]
async fn a_request_is_sent_twice_at_most_and_once_where_that_is_set() {
    for (more, sent) in [("", 2), ("retry = false", 1)] {
        let mut dying = Vec::new();
        for _ in 0..4 {
            dying.push(DyingServer::start(Death::Rst(b""), false).await);
        }
        let addresses: Vec<SocketAddr> = dying.iter().map(|it| it.address).collect();
        let setup = TestSetup::new(&several(&addresses, more)).await;
        let answer = setup.client().get("/x", None).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (502, "upstream.broken")
        );
        let all: usize = dying.iter().map(DyingServer::requests).sum();
        assert_eq!(
            (all, dying.iter().all(|it| it.requests() <= 1)),
            (sent, true),
            "{more}"
        );
    }
}

#[tokio::test]
async fn requests_are_answered_while_one_of_two_servers_dies_by_rst_each_time() {
    for http2 in [false, true] {
        let (dying, good) = (
            DyingServer::start(Death::Rst(b""), http2).await,
            Upstream::start().await,
        );
        let more = if http2 { "protocol = \"http2\"\n" } else { "" };
        let setup = TestSetup::new(&several(&[dying.address, good.address], more)).await;
        for round in 0..4 {
            for _ in 0..10 {
                assert_eq!(setup.client().get("/x", None).await.status, 200);
            }
            // It is skipped for five seconds, and then gets one request again.
            assert_eq!(dying.requests(), round + 1);
            setup.clock.advance(Duration::from_secs(5));
        }
    }
}

#[tokio::test]
async fn servers_that_all_failed_are_tried_all_the_same_and_used_when_they_answer() {
    let (one, two) = (nobody().await, nobody().await);
    let setup = TestSetup::new(&several(&[one, two], "")).await;
    assert_eq!(setup.client().get("/x", None).await.status, 502);
    let back = Upstream::start_at(two).await;
    for _ in 0..4 {
        assert_eq!(setup.client().send(post()).await.status, 200);
    }
    assert_eq!(back.take_requests().len(), 4);
}

#[tokio::test]
async fn requests_that_wait_for_one_connection_fail_with_it() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = hanging.local_addr().unwrap();
    let (counted, mut connections) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = hanging.accept().await {
            counted.send(stream).unwrap();
        }
    });
    let settings = format!(
        "upstream = \"api\"\ntimeouts = {{ connect = 2 }}\n{PUBLIC}[[upstream]]\nname = \"api\"\n\
         servers = [\"https://{server}\"]\nprotocol = \"http2\"\n"
    );
    let setup = TestSetup::new(&settings).await;
    let all = (0..20).map(|_| async { setup.client().get("/x", None).await.status });
    assert_eq!(futures_util::future::join_all(all).await, [502; 20]);
    // One after the other, they would open twenty connections.
    let made = std::iter::from_fn(|| connections.try_recv().ok()).count();
    assert!(made < 10, "{made} connections");
}

#[tokio::test]
async fn a_server_that_breaks_off_its_probes_is_unhealthy() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    for death in [
        Death::Rst(b""),
        Death::Fin(half),
        Death::Rst(half),
        Death::Hangs(half),
    ] {
        let (dying, good) = (
            DyingServer::start(death, false).await,
            Upstream::start().await,
        );
        let health = "health = { path = \"/healthz\", interval = 1, timeout = 1 }\n";
        let setup = TestSetup::new(&several(&[dying.address, good.address], health)).await;
        setup
            .eventually(|| {
                setup.clock.advance(Duration::from_secs(1));
                dying.requests() >= 3
            })
            .await;
        let before = dying.requests();
        for _ in 0..4 {
            assert_eq!(setup.client().send(post()).await.status, 200);
        }
        assert!(dying.requests() <= before + 1, "{death:?}: probes only");
    }
}
