//! Too many requests at a time: in total, of one caller, at one upstream; and what still works.

use crate::client::{Client, ClientResponse, get};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis_testkit::raw_http2::{INITIAL_WINDOW, RESET, RawHttp2};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const PUBLIC: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";

/// Waits until this many requests are under way at a silent server. Dropping the connections ends
/// them.
async fn under_way(
    connections: &mut mpsc::UnboundedReceiver<TcpStream>,
    many: usize,
) -> Vec<TcpStream> {
    let mut held = Vec::new();
    while held.len() < many {
        held.push(connections.recv().await.unwrap());
    }
    held
}

/// A server that accepts connections, hands them to the test, and never answers.
async fn silent() -> (SocketAddr, mpsc::UnboundedReceiver<TcpStream>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

/// A gateway with `/slow` to a server that never answers, and everything else to one that does.
async fn setup(gateway: &str, upstream: &str, slow: SocketAddr) -> TestSetup {
    TestSetup::new(&format!(
        "trusted_proxies = [\"127.0.0.1\"]\nadmin = {{ listen = \"127.0.0.1:0\" }}\n{gateway}{PUBLIC}\
         [[route]]\npath = \"/slow\"\naccess = \"public\"\nupstream = \"slow\"\n\
         [[upstream]]\nname = \"slow\"\nservers = [\"http://{slow}\"]\n{upstream}"
    ))
    .await
}

/// A request of this caller.
fn of(caller: &str, path: &str) -> Request<Full<Bytes>> {
    let mut request = get(path, None);
    request
        .headers_mut()
        .insert("x-forwarded-for", caller.parse().unwrap());
    request
}

async fn metrics(setup: &TestSetup) -> String {
    let answer = Client::new(setup.admin.unwrap())
        .get("/metrics", None)
        .await;
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_flood_of_streams_is_refused_beyond_the_bound_and_probes_go_on() {
    let (slow, mut connections) = silent().await;
    let setup = setup("limits = { requests = 5 }\n", "requests = 5\n", slow).await;
    let mut flood = Vec::new();
    for _ in 0..2 {
        let mut connection = RawHttp2::open(setup.gateway, &[], true).await;
        for stream in 0..10 {
            connection
                .request(2 * stream + 1, "/slow", &[], true)
                .await;
        }
        flood.push(connection);
    }
    let mut refused = flood[0].read_ends(5).await;
    refused.extend(
        flood[1]
            .read_ends(10)
            .await
            .into_iter()
            .map(|(stream, it)| (stream + 100, it)),
    );
    assert_eq!(refused.len(), 15);
    assert!(
        refused.values().all(|it| it.code() == "gateway.busy"),
        "{refused:?}"
    );
    let _held = under_way(&mut connections, 5).await;
    assert!(
        connections.try_recv().is_err(),
        "what is refused opens nothing"
    );
    assert_eq!(
        Client::new(setup.admin.unwrap())
            .get("/live", None)
            .await
            .status,
        200
    );
    let answer = setup.client().get("/x", None).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "gateway.busy")
    );
    assert_eq!(answer.headers["retry-after"], "1");
    let text = metrics(&setup).await;
    for line in [
        "portcullis_gateway_requests_under_way 5",
        "portcullis_gateway_bound{bound=\"requests\"} 5",
        "portcullis_gateway_out_of_bounds_requests_total{bound=\"requests\"} 16",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // A client that goes away frees its slot.
    flood[0].send(RESET, 0, 1, &8_u32.to_be_bytes()).await;
    let mut status = 503;
    while status == 503 {
        status = setup.client().get("/x", None).await.status;
    }
    assert_eq!(status, 200);
}

#[tokio::test]
async fn one_caller_cannot_take_the_places_of_another() {
    let (slow, mut connections) = silent().await;
    let setup = setup(
        "limits = { requests = 50, requests_per_caller = 2 }\n",
        "",
        slow,
    )
    .await;
    let mut flood = RawHttp2::open(setup.gateway, &[], true).await;
    for (stream, caller) in [
        (1, "2001:db8::1"),
        (3, "2001:db8::ffff:2"),
        (5, "2001:db8::3"),
    ] {
        flood
            .request(stream, "/slow", &[("x-forwarded-for", caller)], true)
            .await;
    }
    assert_eq!(flood.read_ends(1).await[&5].code(), "gateway.caller_busy");
    let _held = under_way(&mut connections, 2).await;
    let answer = setup.client().send(of("2001:db8::4", "/x")).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "gateway.caller_busy")
    );
    for neighbour in ["2001:db8:0:1::1", "192.0.2.1", "127.0.0.1"] {
        assert_eq!(
            setup.client().send(of(neighbour, "/x")).await.status,
            200,
            "{neighbour}"
        );
    }
}

#[tokio::test]
async fn an_upstream_that_hangs_does_not_take_the_places_of_the_others() {
    let (slow, mut connections) = silent().await;
    let setup = setup("limits = { requests = 50 }\n", "requests = 3\n", slow).await;
    let mut flood = RawHttp2::open(setup.gateway, &[], true).await;
    for stream in 0..4 {
        flood.request(2 * stream + 1, "/slow", &[], true).await;
    }
    assert_eq!(
        flood
            .read_ends(1)
            .await
            .values()
            .next()
            .unwrap()
            .code(),
        "upstream.busy"
    );
    let _held = under_way(&mut connections, 3).await;
    let answer = setup.client().get("/slow", None).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "upstream.busy")
    );
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(setup.client().get("/x", None).await.status, 200);
    assert!(
        metrics(&setup)
            .await
            .contains("out_of_bounds_requests_total{bound=\"upstream\"} 2")
    );
}

#[tokio::test]
async fn an_upstream_has_half_of_all_places_where_nothing_is_written() {
    let (slow, _connections) = silent().await;
    let setup = setup("limits = { requests = 4 }\n", "", slow).await;
    let mut flood = RawHttp2::open(setup.gateway, &[], true).await;
    for stream in 0..4 {
        flood.request(2 * stream + 1, "/slow", &[], true).await;
    }
    assert!(
        flood
            .read_ends(2)
            .await
            .values()
            .all(|it| it.code() == "upstream.busy")
    );
    assert_eq!(setup.client().get("/x", None).await.status, 200);
}

#[tokio::test]
async fn an_answer_that_is_not_taken_keeps_its_place() {
    let (slow, _connections) = silent().await;
    let setup = setup("limits = { requests = 1 }\n", "requests = 1\n", slow).await;
    let mut reader = RawHttp2::open(setup.gateway, &[(INITIAL_WINDOW, 0)], true).await;
    reader
        .request(
            1,
            "/nothing/to/see",
            &[("content-type", "text/plain")],
            false,
        )
        .await;
    reader
        .send(portcullis_testkit::raw_http2::DATA, 1, 1, &[7; 5_000])
        .await;
    let headers = loop {
        let frame = reader.next().await.unwrap();
        if frame.kind == portcullis_testkit::raw_http2::HEADERS {
            break frame;
        }
    };
    assert_eq!(headers.stream, 1);
    assert_eq!(setup.client().get("/x", None).await.code(), "gateway.busy");
    drop(reader);
    let mut status = 503;
    while status == 503 {
        status = setup.client().get("/x", None).await.status;
    }
    assert_eq!(status, 200);
}

#[tokio::test]
async fn questions_beyond_the_bound_are_refused_in_the_words_of_each_door() {
    let (slow, mut connections) = silent().await;
    let settings = format!(
        "upstream = \"http://{slow}\"\nlimits = {{ requests = 1, requests_per_caller = 1 }}\n{PUBLIC}\
         [forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"nginx\"\ntrusted_peers = [\"127.0.0.1\"]\n\
         [ext_authz]\nlisten = \"127.0.0.1:0\"\npath_prefix = \"/check\"\n"
    );
    let setup = TestSetup::new(&settings).await;
    let _under_way = tokio::spawn({
        let client = setup.client();
        async move { client.try_open(get("/slow", None)).await }
    });
    let _connection = connections.recv().await.unwrap();
    // nginx treats everything but 401 and 403 as an error; Envoy may let requests pass on 5xx.
    for (door, path) in [(setup.forward_auth, "/"), (setup.ext_authz, "/check/x")] {
        let answer = Client::new(door.unwrap()).get(path, None).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.headers["x-portcullis-status"], "503", "{path}");
        assert_eq!(
            answer.headers["x-portcullis-code"], "gateway.busy",
            "{path}"
        );
    }
    let call = Request::post(format!(
        "http://{}/envoy.service.auth.v3.Authorization/Check",
        setup.ext_authz.unwrap()
    ))
    .version(http::Version::HTTP_2)
    .header("content-type", "application/grpc")
    .header("te", "trailers")
    .body(Full::new(Bytes::from_static(b"\0\0\0\0\0")))
    .unwrap();
    let answer = ClientResponse::of(
        Client::new(setup.ext_authz.unwrap())
            .open_http2(call)
            .await,
    )
    .await;
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(
        answer.status == 200 && said.contains("gateway.busy"),
        "{said}"
    );
}
