//! Upstreams that die, hang, talk nonsense, come back, and are one of several.

use crate::client::get;
use crate::upstream::Upstream;
use crate::world::World;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PUBLIC: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";

fn several(servers: &[SocketAddr], more: &str) -> String {
    let servers: Vec<String> = servers.iter().map(|server| format!("\"http://{server}\"")).collect();
    let servers = servers.join(", ");
    format!("upstream = \"api\"\n{PUBLIC}[[upstream]]\nname = \"api\"\nservers = [{servers}]\n{more}")
}

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
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
    let world = World::new(&several(&[nobody().await], "")).await;
    let answer = world.client().get("/x", None).await;
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream.unreachable"));
    for bytes in [&b"nonsense\r\n\r\n"[..], b"", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"] {
        let world = World::new(&several(&[talker(bytes).await], "")).await;
        let answer = world.client().get("/x", None).await;
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream.broken"), "{bytes:?}");
    }
}

#[tokio::test]
async fn an_upstream_that_says_nothing_is_504() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = several(&[silent.local_addr().unwrap()], "");
    let world =
        World::new(&settings.replace("access = \"public\"\n", "access = \"public\"\ntimeout = 1\n")).await;
    let answer = world.client().get("/x", None).await;
    assert_eq!((answer.status, answer.code().as_str()), (504, "upstream.timeout"));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_taken_for_a_whole_one() {
    let half = talker(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
    let world = World::new(&several(&[half], "")).await;
    let response = world.client().open(get("/x", None)).await;
    assert_eq!(response.status(), 200);
    assert!(http_body_util::BodyExt::collect(response).await.is_err());
}

#[tokio::test]
async fn a_safe_request_goes_to_another_server_and_others_do_not() {
    let good = Upstream::start().await;
    let world = World::new(&several(&[nobody().await, good.address], "")).await;
    for _ in 0..4 {
        assert_eq!(world.client().get("/x", None).await.status, 200);
    }
    assert_eq!(good.saw().len(), 4);
    // The one that refused is passed over by then; after a while it is tried again, but not for a POST twice.
    assert_eq!(world.client().send(post()).await.status, 200);
    world.clock.advance(Duration::from_secs(6));
    let mut statuses = [world.client().send(post()).await.status, world.client().send(post()).await.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 502]);
}

#[tokio::test]
async fn an_unsafe_request_is_never_sent_twice() {
    let (cut, good) = (talker(b"").await, Upstream::start().await);
    let world = World::new(&several(&[cut, good.address], "")).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(world.client().send(post()).await.status);
    }
    let answered = statuses.iter().filter(|status| **status == 200).count();
    assert!(statuses.contains(&502) && answered > 0, "{statuses:?}");
    assert_eq!(good.saw().len(), answered, "what the first server broke off did not come to the second");
}

#[tokio::test]
async fn requests_are_spread_over_the_servers() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let world = World::new(&several(&[one.address, two.address], "")).await;
    for _ in 0..10 {
        assert_eq!(world.client().get("/x", None).await.status, 200);
    }
    assert_eq!((one.saw().len(), two.saw().len()), (5, 5));
}

#[tokio::test]
async fn a_server_that_fails_its_probes_gets_nothing_until_it_is_well_again() {
    let (well, unwell) = (Upstream::start().await, nobody().await);
    let health = "health = { path = \"/healthz\", interval = 1 }\n";
    let world = World::new(&several(&[well.address, unwell], health)).await;
    // Two bad answers in a row.
    let probes = |upstream: &Upstream| upstream.saw().iter().filter(|saw| saw.target == "/healthz").count();
    for _ in 0..3 {
        world.eventually(|| probes(&well) > 0).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.clock.advance(Duration::from_secs(1));
    }
    world.clock.advance(Duration::from_secs(60));
    for _ in 0..6 {
        assert_eq!(world.client().send(post()).await.status, 200, "a POST is not tried twice");
    }
    let back = Upstream::start_at(unwell).await;
    world
        .eventually(|| {
            world.clock.advance(Duration::from_secs(1));
            probes(&back) > 0
        })
        .await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..6 {
        assert_eq!(world.client().get("/x", None).await.status, 200);
    }
    assert!(back.saw().iter().any(|saw| saw.target == "/x"));
}

#[tokio::test]
async fn an_upstream_that_restarts_is_found_again() {
    let upstream = Upstream::start().await;
    let address = upstream.address;
    let world = World::new(&several(&[address], "")).await;
    assert_eq!(world.client().get("/x", None).await.status, 200);
    drop(upstream);
    world.eventually(|| std::net::TcpStream::connect(address).is_err()).await;
    assert_eq!(world.client().get("/x", None).await.status, 502);
    let _again = Upstream::start_at(address).await;
    assert_eq!(world.client().get("/x", None).await.status, 200);
}

#[tokio::test]
async fn a_connection_is_used_again_and_one_that_was_closed_meanwhile_is_not() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (counted, mut connections) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            counted.send(()).unwrap();
            // Three requests, and the connection is closed without a word.
            for _ in 0..3 {
                if stream.read(&mut [0; 1024]).await.unwrap_or_default() == 0 {
                    break;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            }
        }
    });
    let world = World::new(&several(&[address], "")).await;
    for _ in 0..6 {
        assert_eq!(world.client().get("/x", None).await.body, "ok");
    }
    assert_eq!(std::iter::from_fn(|| connections.try_recv().ok()).count(), 2);
}
