//! Hostile callers among the good ones: each sends bytes that no good caller sends, and must get
//! the one right answer, while the good ones must not notice.

use crate::clients::Tally;
use crate::expected::Expected;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PAUSE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(10);
const HELD: Duration = Duration::from_secs(5);

/// A case: its name, its bytes, the status of its answer.
struct Case {
    name: &'static str,
    bytes: String,
    status: u16,
}

/// Sends every case in turn until the task is ended.
pub(crate) async fn run(gateway: SocketAddr, expected: Expected, tally: Tally) {
    let cases = cases();
    let mut tick = tokio::time::interval(PAUSE);
    for case in cases.iter().cycle() {
        tick.tick().await;
        let before = expected.now();
        let answer = tokio::time::timeout(PATIENCE, send(gateway, &case.bytes)).await;
        let answer = answer.ok().flatten().unwrap_or_default();
        let status = answer
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .unwrap_or_default();
        // Nothing behind the first answer: what was left of the bytes was not read as a request.
        let dying = before.restarting || expected.now().restarting;
        let told = status == case.status || dying && matches!(status, 502 | 504);
        let right = told && answer.matches("HTTP/1.1 ").count() == 1;
        tally.add(case.name, right, &(status, answer));
    }
}

/// Holds connections that never come to an end by themselves: without a byte, with half a head, and
/// over HTTP/2 with a window of no bytes for the answer. All are given up together, and opened
/// again.
pub(crate) async fn hold(gateway: SocketAddr) {
    loop {
        let mut held = Vec::new();
        for bytes in [&b""[..], b"GET /public/a HTT", NO_WINDOW] {
            for _ in 0..20 {
                let Ok(mut stream) = TcpStream::connect(gateway).await else {
                    continue;
                };
                _ = stream.write_all(bytes).await;
                held.push(stream);
            }
        }
        tokio::time::sleep(HELD).await;
    }
}

/// The preface, `SETTINGS_INITIAL_WINDOW_SIZE = 0`, and a GET of `/public/a`.
const NO_WINDOW: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0\
    \0\0\x19\x01\x05\0\0\0\x01\x82\x86\x04\x09/public/a\x01\x0agw.example";

/// Everything that comes back until the connection ends.
async fn send(gateway: SocketAddr, bytes: &str) -> Option<String> {
    let mut stream = TcpStream::connect(gateway).await.ok()?;
    // The gateway may refuse before it has read everything.
    _ = stream.write_all(bytes.as_bytes()).await;
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer).await;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

fn cases() -> Vec<Case> {
    let post =
        |path: &str, rest: &str| format!("POST {path} HTTP/1.1\r\nHost: gw.example\r\n{rest}");
    let chunk = format!("ffff\r\n{}\r\n", "a".repeat(0xffff));
    let large = format!("Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n");
    let behind = "GET /public/a HTTP/1.1\r\nHost: gw.example\r\n\r\n";
    let coded = format!("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{behind}");
    let broken = format!("Transfer-Encoding: chunked\r\n\r\n5\r\nabcdeX\r\n0\r\n\r\n{behind}");
    let many = (0..500)
        .map(|index| format!("X-{index}: 1\r\n"))
        .collect::<String>();
    let case = |name, bytes, status| Case {
        name,
        bytes,
        status,
    };
    vec![
        case("hostile: other coding", post("/public/a", &coded), 501),
        case("hostile: malformed chunk", post("/public/a", &broken), 400),
        case(
            "hostile: malformed chunk (2)",
            post("/v2/public/a", &broken),
            400,
        ),
        case("hostile: large body", post("/public/a", &large), 413),
        case("hostile: large body (2)", post("/v2/public/a", &large), 413),
        case(
            "hostile: stalled body",
            post("/public/a", "Content-Length: 10\r\n\r\nabc"),
            408,
        ),
        case(
            "hostile: stalled body (2)",
            post("/v2/public/a", "Content-Length: 10\r\n\r\nabc"),
            408,
        ),
        case(
            "hostile: 500 fields",
            format!("GET /public/a HTTP/1.1\r\nHost: gw.example\r\n{many}\r\n"),
            431,
        ),
        case(
            "hostile: two hosts",
            "GET /public/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
            400,
        ),
        case(
            "hostile: negative length",
            post("/public/a", "Content-Length: -1\r\n\r\n"),
            400,
        ),
    ]
}
