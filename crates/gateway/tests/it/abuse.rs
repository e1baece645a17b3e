//! What HTTP/2 lets a client do that no good one does: fields that expand, floods of frames,
//! requests taken back.

use crate::client::get;
use crate::setup::TestSetup;
use portcullis_testkit::raw_http2::{
    CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PING, RESET, RawHttp2, SETTINGS, TABLE_SIZE,
    frame, head, indexed_literal, literal,
};
use tokio::io::AsyncWriteExt as _;

const PUBLIC: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";

#[tokio::test]
async fn fields_are_counted_on_every_version() {
    let setup = TestSetup::new(&format!("limits = {{ headers = 20 }}\n{PUBLIC}")).await;
    let names: Vec<String> = (0..21).map(|index| format!("x-{index}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    client.request(1, "/x", &fields[..20], true).await;
    client.request(3, "/x", &fields, true).await;
    let crumbs = vec![("cookie", "a=1"); 21];
    client.request(5, "/x", &crumbs, true).await;
    let ended = client.read_ends(3).await;
    assert!(ended[&1].ok);
    assert_eq!(
        (ended[&3].code().as_str(), ended[&5].code().as_str()),
        ("request.fields", "request.fields")
    );
    let text: String = names
        .iter()
        .map(|name| format!("{name}: 1\r\n"))
        .collect();
    let raw = format!("GET /x HTTP/1.1\r\nHost: gw.example\r\n{text}Connection: close\r\n\r\n");
    assert!(
        setup
            .client()
            .raw(raw.as_bytes())
            .await
            .starts_with("HTTP/1.1 431")
    );
    assert_eq!(setup.upstream.take_requests().len(), 1);
}

#[tokio::test]
async fn trailers_have_the_same_bound() {
    let setup = TestSetup::new(&format!("limits = {{ headers = 20 }}\n{PUBLIC}")).await;
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    for (stream, many) in [(1, 20), (3, 21)] {
        client.request(stream, "/x", &[], false).await;
        let trailers: Vec<u8> = (0..many)
            .flat_map(|index| literal(&format!("x-{index}"), "1"))
            .collect();
        client
            .send(HEADERS, END_HEADERS | END_STREAM, stream, &trailers)
            .await;
    }
    let ended = client.read_ends(2).await;
    assert!(ended[&1].ok);
    assert_eq!(ended[&3].code(), "request.fields");
}

#[tokio::test]
async fn a_head_has_one_bound_in_bytes() {
    let setup = TestSetup::new(PUBLIC).await;
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    let (good, bad) = ("a".repeat(30_000), "a".repeat(33_000));
    for (stream, value) in [(1, &good), (3, &bad)] {
        let block = [head("GET", "/x"), literal("x", value)].concat();
        for (index, piece) in block.chunks(16_000).enumerate() {
            let kind = if index == 0 { HEADERS } else { CONTINUATION };
            let end = (index + 1) * 16_000 >= block.len();
            let flags = if index == 0 { END_STREAM } else { 0 } | if end { END_HEADERS } else { 0 };
            client.send(kind, flags, stream, piece).await;
        }
    }
    let ended = client.read_ends(2).await;
    assert!(ended[&1].ok && !ended[&3].ok, "{ended:?}");
    assert_eq!(setup.upstream.take_requests().len(), 1);
}

#[tokio::test]
async fn a_field_does_not_become_larger_than_what_it_came_in() {
    let setup = TestSetup::new(PUBLIC).await;
    // A good client is told that nothing is remembered, and then nothing expands.
    let told = RawHttp2::open(setup.gateway, &[], true)
        .await
        .settings
        .setting(TABLE_SIZE);
    assert_eq!(told, Some(0));
    // A bad one does not hear it: what it may use until it has acknowledged is 4 kB large.
    let mut client = RawHttp2::open(setup.gateway, &[], false).await;
    let value = "a".repeat(3_900);
    let first = [head("GET", "/x"), indexed_literal("cookie", &value)].concat();
    client
        .send(HEADERS, END_HEADERS | END_STREAM, 1, &first)
        .await;
    let mut sent = first.len();
    for stream in 1..60 {
        let block = [head("GET", "/x"), vec![0x80 | 62; 7]].concat();
        sent += block.len() + 9;
        client
            .send(HEADERS, END_HEADERS | END_STREAM, 2 * stream + 1, &block)
            .await;
    }
    let ended = client.read_ends(60).await;
    assert!(ended[&1].ok);
    let refused = ended
        .values()
        .filter(|it| it.code() == "request.fields")
        .count();
    let passed: usize = setup
        .upstream
        .take_requests()
        .iter()
        .flat_map(|saw| {
            saw.headers
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len() + 4)
                .collect::<Vec<_>>()
        })
        .sum();
    assert!(refused > 50, "{refused} of 60");
    assert!(passed < 20 * sent, "{sent} bytes became {passed}");
}

#[tokio::test]
async fn requests_that_are_taken_back_at_once_end_the_connection() {
    let setup = TestSetup::new(PUBLIC).await;
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    let mut flood = Vec::new();
    for stream in 0..10_000 {
        flood.extend(frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            2 * stream + 1,
            &head("GET", "/x"),
        ));
        flood.extend(frame(RESET, 0, 2 * stream + 1, &8_u32.to_be_bytes()));
    }
    _ = client.stream.write_all(&flood).await;
    while client.next().await.is_some() {}
    assert!(setup.upstream.take_requests().len() < 1_000);
    assert_eq!(setup.client().get("/x", None).await.status, 200);
}

#[tokio::test]
async fn requests_that_are_taken_back_one_by_one_end_the_connection() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let address = silent.local_addr().unwrap();
    let setup = TestSetup::new(&format!("upstream = \"http://{address}\"\n{PUBLIC}")).await;
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    let mut taken_back = 0;
    // Each one is at the upstream before it is taken back.
    for stream in 0..500 {
        client.request(2 * stream + 1, "/x", &[], true).await;
        let accepted = tokio::select! {
            accepted = silent.accept() => accepted.is_ok(),
            end = client.next() => end.is_some_and(|frame| frame.kind == SETTINGS),
        };
        if !accepted {
            break;
        }
        client
            .send(RESET, 0, 2 * stream + 1, &8_u32.to_be_bytes())
            .await;
        taken_back += 1;
    }
    assert!((100..300).contains(&taken_back), "{taken_back}");
}

#[tokio::test]
async fn a_head_without_end_ends_the_connection() {
    let setup = TestSetup::new(PUBLIC).await;
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    client
        .send(HEADERS, END_STREAM, 1, &head("GET", "/x"))
        .await;
    let mut flood = Vec::new();
    for index in 0..10_000 {
        flood.extend(frame(
            CONTINUATION,
            0,
            1,
            &literal(&format!("x-{index}"), "1"),
        ));
    }
    _ = client.stream.write_all(&flood).await;
    while client.next().await.is_some() {}
    assert!(setup.upstream.take_requests().is_empty());
}

#[tokio::test]
async fn floods_of_pings_and_settings_cost_the_others_nothing() {
    let setup = TestSetup::new(PUBLIC).await;
    let mut client = RawHttp2::open(setup.gateway, &[], true).await;
    let flood: Vec<u8> = (0..5_000)
        .flat_map(|_| [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[])].concat())
        .collect();
    // Nothing of what comes back is read.
    let writing = tokio::spawn(async move {
        for _ in 0..50 {
            if client.stream.write_all(&flood).await.is_err() {
                break;
            }
        }
    });
    for _ in 0..20 {
        assert_eq!(setup.client().send(get("/x", None)).await.status, 200);
    }
    writing.abort();
}
