//! How a server can die, and what its caller gets: every cell of the table in
//! `docs/gateway/upstreams.md`.
//!
//! Each row has three upstreams: the dying server beside a good one for a GET, the same for a POST,
//! and the dying one alone.

use crate::client::{ClientResponse, get};
use crate::dying::http2::{
    GOAWAY_AT, GOAWAY_BELOW, GOAWAY_CALM, HALF, HALF_HEAD, HALF_RESET, HEAD, REFUSED_STREAM, RESET,
    WHOLE, WHOLE_GOAWAY,
};
use crate::dying::{Death, DyingServer};
use crate::setup::TestSetup;
use crate::upstream::Upstream;
use bytes::Bytes;
use http::{Method, Request, Version};
use http_body_util::{BodyExt as _, Full};
use std::fmt::Write as _;
use tokio::task::JoinSet;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Another server answers.
    Other,
    /// The caller gets this status and code.
    Told(u16, &'static str),
    /// The caller sees a response that breaks off.
    BreaksOff,
    /// The caller gets the response of this server.
    Whole,
}

use Outcome::{BreaksOff, Other, Told, Whole};

struct Row {
    death: Death,
    tls: bool,
    name: &'static str,
    safe: Outcome,
    /// A POST with a body.
    other: Outcome,
    /// A GET without another server.
    alone: Outcome,
    /// How often the server alone gets that request.
    sent: usize,
    passed_over: bool,
}

const UNREACHABLE: Outcome = Told(502, "upstream.unreachable");
const BROKEN: Outcome = Told(502, "upstream.broken");
const TIMEOUT: Outcome = Told(504, "upstream.timeout");

const fn row(
    name: &'static str,
    death: Death,
    cells: [Outcome; 3],
    sent: usize,
    passed_over: bool,
) -> Row {
    let [safe, other, alone] = cells;
    Row {
        death,
        tls: false,
        name,
        safe,
        other,
        alone,
        sent,
        passed_over,
    }
}

const fn tls(name: &'static str, death: Death) -> Row {
    let nothing_sent = [Other, Other, UNREACHABLE];
    Row {
        tls: true,
        ..row(name, death, nothing_sent, 0, true)
    }
}

const HTTP1: &[Row] = &[
    row(
        "the connection is refused",
        Death::Refused,
        [Other, Other, UNREACHABLE],
        0,
        true,
    ),
    tls("a TLS alert in the handshake", Death::Alert),
    tls("it closes in the TLS handshake", Death::ClosedAtOnce),
    tls("it hangs in the TLS handshake", Death::Hangs(b"")),
    row(
        "FIN in place of an answer",
        Death::Fin(b""),
        [Other, BROKEN, BROKEN],
        1,
        true,
    ),
    row(
        "RST in place of an answer",
        Death::Rst(b""),
        [Other, BROKEN, BROKEN],
        1,
        true,
    ),
    row(
        "no answer in time",
        Death::Hangs(b""),
        [Other, TIMEOUT, TIMEOUT],
        1,
        true,
    ),
    row(
        "half a head, then FIN",
        Death::Fin(b"HTTP/1.1 200 OK\r\nX: "),
        [BROKEN; 3],
        1,
        false,
    ),
    row(
        "half a head, then RST",
        Death::Rst(b"HTTP/1.1 200 OK\r\nX: "),
        [BROKEN; 3],
        1,
        false,
    ),
    row(
        "half a head, then nothing",
        Death::Hangs(b"HTTP/1.1 200 OK\r\nX: "),
        [TIMEOUT; 3],
        1,
        true,
    ),
    row(
        "an early hint, then FIN",
        Death::Fin(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        [BROKEN; 3],
        1,
        false,
    ),
    row(
        "what is no HTTP",
        Death::Fin(b"nonsense\r\n\r\n"),
        [BROKEN; 3],
        1,
        false,
    ),
    row(
        "half an answer by its length, then FIN",
        Death::Fin(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        [BreaksOff; 3],
        1,
        false,
    ),
    row(
        "half an answer by its length, then RST",
        Death::Rst(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        [BreaksOff; 3],
        1,
        false,
    ),
    row(
        "half an answer in chunks, then FIN",
        Death::Fin(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        [BreaksOff; 3],
        1,
        false,
    ),
    row(
        "a malformed chunk",
        Death::Fin(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        ),
        [BreaksOff; 3],
        1,
        false,
    ),
    row(
        "an answer without a length, then RST",
        Death::Rst(b"HTTP/1.1 200 OK\r\n\r\nabc"),
        [BreaksOff; 3],
        1,
        false,
    ),
    row(
        "a whole answer, then FIN",
        Death::Fin(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
        [Whole; 3],
        1,
        false,
    ),
    row(
        "an answer that FIN ends",
        Death::Fin(b"HTTP/1.1 200 OK\r\n\r\nabc"),
        [Whole; 3],
        1,
        false,
    ),
];

const HTTP2: &[Row] = &[
    row(
        "the connection is refused",
        Death::Refused,
        [Other, Other, UNREACHABLE],
        0,
        true,
    ),
    tls("a TLS alert in the handshake", Death::Alert),
    tls("it closes in the TLS handshake", Death::ClosedAtOnce),
    tls("it hangs in the TLS handshake", Death::Hangs(b"")),
    row(
        "FIN in place of an answer",
        Death::Fin(b""),
        [Other, BROKEN, BROKEN],
        1,
        true,
    ),
    row(
        "RST in place of an answer",
        Death::Rst(b""),
        [Other, BROKEN, BROKEN],
        1,
        true,
    ),
    row(
        "no answer in time",
        Death::Hangs(b""),
        [Other, TIMEOUT, TIMEOUT],
        1,
        true,
    ),
    row(
        "GOAWAY: not processed",
        Death::Hangs(GOAWAY_BELOW),
        [Other, BROKEN, BROKEN],
        3,
        false,
    ),
    row(
        "GOAWAY with an error: not processed",
        Death::Fin(GOAWAY_CALM),
        [Other, BROKEN, BROKEN],
        3,
        false,
    ),
    row(
        "GOAWAY: perhaps processed, then FIN",
        Death::Fin(GOAWAY_AT),
        [Other, BROKEN, BROKEN],
        1,
        true,
    ),
    row(
        "`REFUSED_STREAM`",
        Death::Hangs(REFUSED_STREAM),
        [Other, BROKEN, BROKEN],
        3,
        false,
    ),
    row(
        "`RST_STREAM` in place of an answer",
        Death::Hangs(RESET),
        [Other, BROKEN, BROKEN],
        1,
        false,
    ),
    row(
        "half a head, then FIN",
        Death::Fin(HALF_HEAD),
        [Other, BROKEN, BROKEN],
        1,
        true,
    ),
    row(
        "half a head, then nothing",
        Death::Hangs(HALF_HEAD),
        [Other, TIMEOUT, TIMEOUT],
        1,
        true,
    ),
    row(
        "what is no HTTP/2",
        Death::Fin(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        [BROKEN; 3],
        1,
        false,
    ),
    row(
        "a head alone, then FIN",
        Death::Fin(HEAD),
        [BreaksOff; 3],
        1,
        false,
    ),
    row(
        "half an answer, then FIN",
        Death::Fin(HALF),
        [BreaksOff; 3],
        1,
        false,
    ),
    row(
        "half an answer, then `RST_STREAM`",
        Death::Hangs(HALF_RESET),
        [BreaksOff; 3],
        1,
        false,
    ),
    row(
        "a whole answer, then FIN",
        Death::Fin(WHOLE),
        [Whole; 3],
        1,
        false,
    ),
    row(
        "a whole answer, then GOAWAY",
        Death::Fin(WHOLE_GOAWAY),
        [Whole; 3],
        1,
        false,
    ),
];

/// A dying server and a good one behind a route of their own.
struct ServerPair {
    dying: DyingServer,
    good: Option<Upstream>,
    settings: String,
    path: String,
}

impl ServerPair {
    async fn start(path: String, row: &Row, http2: bool, alone: bool) -> Self {
        let dying = DyingServer::start(row.death, http2).await;
        let good = if alone {
            None
        } else {
            Some(Upstream::start().await)
        };
        let scheme = if row.tls { "https" } else { "http" };
        let mut servers = format!("\"{scheme}://{}\"", dying.address);
        if let Some(good) = &good {
            _ = write!(servers, ", \"{}\"", good.url());
        }
        let protocol = if http2 { "http2" } else { "http1" };
        let settings = format!(
            "[[route]]\npath = \"{path}\"\naccess = \"public\"\nupstream = \"{path}\"\ntimeout = 2\n\
             [[upstream]]\nname = \"{path}\"\nservers = [{servers}]\nprotocol = \"{protocol}\"\n"
        );
        Self {
            dying,
            good,
            settings,
            path,
        }
    }

    /// Sends a request; the fault, if its outcome is not the wanted one.
    async fn judge(
        &self,
        setup: &TestSetup,
        method: Method,
        by_http2: bool,
        wanted: Outcome,
    ) -> Option<String> {
        let got = ask(setup, method, &self.path, by_http2).await;
        let reached = self
            .good
            .as_ref()
            .is_some_and(|good| !good.take_requests().is_empty());
        let fits = match (&got, wanted) {
            (ClientOutcome::ClientResponse(answer), Other) => answer.status == 200 && reached,
            (ClientOutcome::ClientResponse(answer), Told(status, code)) => {
                answer.status == status && answer.code() == code && !reached
            }
            (ClientOutcome::ClientResponse(answer), Whole) => {
                answer.status == 200 && &answer.body[..] == b"abc" && !reached
            }
            (ClientOutcome::BrokenOff, BreaksOff) => !reached,
            _ => false,
        };
        (!fits).then(|| format!("wanted {wanted:?}, got {got:?}, the other was reached: {reached}"))
    }
}

#[derive(Debug)]
enum ClientOutcome {
    ClientResponse(ClientResponse),
    BrokenOff,
}

async fn ask(setup: &TestSetup, method: Method, path: &str, http2: bool) -> ClientOutcome {
    let body = if method == Method::POST {
        Bytes::from("b")
    } else {
        Bytes::new()
    };
    let response = if http2 {
        let request = Request::builder()
            .method(method)
            .version(Version::HTTP_2);
        let request = request.uri(format!("http://gw.example{path}"));
        setup
            .client()
            .open_http2(request.body(Full::new(body)).unwrap())
            .await
    } else {
        let mut request = get(path, None).map(|_| Full::new(body));
        *request.method_mut() = method;
        setup.client().open(request).await
    };
    let (parts, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => {
            let status = parts.status.as_u16();
            ClientOutcome::ClientResponse(ClientResponse {
                status,
                headers: parts.headers,
                body: body.to_bytes(),
            })
        }
        Err(_) => ClientOutcome::BrokenOff,
    }
}

/// The faults of a row.
async fn judge(
    setup: &TestSetup,
    pairs: [ServerPair; 3],
    row: &Row,
    by_http2: bool,
) -> Vec<String> {
    let [safe, other, alone] = &pairs;
    let mut faults = Vec::new();
    faults.extend(
        safe.judge(setup, Method::GET, by_http2, row.safe)
            .await,
    );
    let once = safe.dying.requests();
    // Without passing it over, the dying server would have its turn again.
    for _ in 0..2 {
        ask(setup, Method::GET, &safe.path, by_http2).await;
    }
    let passed_over = safe.dying.requests() == once;
    if row.sent > 0 && passed_over != row.passed_over {
        faults.push(format!("passed over: {passed_over}"));
    }
    faults.extend(
        other
            .judge(setup, Method::POST, by_http2, row.other)
            .await,
    );
    faults.extend(
        alone
            .judge(setup, Method::GET, by_http2, row.alone)
            .await,
    );
    if alone.dying.requests() != row.sent {
        faults.push(format!(
            "alone, it got the request {} times",
            alone.dying.requests()
        ));
    }
    faults
        .into_iter()
        .map(|fault| format!("{} (HTTP/2 caller: {by_http2}): {fault}", row.name))
        .collect()
}

async fn hold(rows: &'static [Row], http2: bool) {
    let mut settings = "upstream = \"http://127.0.0.1:9\"\ntimeouts = { connect = 1 }\n".to_owned();
    let mut all = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        for by_http2 in [false, true] {
            let mut pairs = Vec::new();
            for (kind, alone) in [("safe", false), ("other", false), ("alone", true)] {
                let path = format!("/{index}/{by_http2}/{kind}");
                let pair = ServerPair::start(path, row, http2, alone).await;
                settings.push_str(&pair.settings);
                pairs.push(pair);
            }
            let pairs: [ServerPair; 3] = pairs
                .try_into()
                .unwrap_or_else(|_| panic!("three pairs"));
            all.push((row, pairs, by_http2));
        }
    }
    let setup = std::sync::Arc::new(TestSetup::new(&settings).await);
    let mut judging = JoinSet::new();
    for (row, pairs, by_http2) in all {
        let setup = std::sync::Arc::clone(&setup);
        judging.spawn(async move { judge(&setup, pairs, row, by_http2).await });
    }
    let faults: Vec<String> = judging
        .join_all()
        .await
        .into_iter()
        .flatten()
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn each_death_of_a_server_of_http1_has_its_answer() {
    hold(HTTP1, false).await;
}

#[tokio::test]
async fn each_death_of_a_server_of_http2_has_its_answer() {
    hold(HTTP2, true).await;
}

#[test]
fn the_documentation_has_the_same_table() {
    let document = include_str!("../../../../docs/gateway/upstreams.md");
    for (title, rows) in [("HTTP/1.1", HTTP1), ("HTTP/2", HTTP2)] {
        let head = format!(
            "| how the server dies ({title}) | safe request | others | no other server | passed over |"
        );
        let mut table = format!("{head}\n|---|---|---|---|---|\n");
        for Row {
            name,
            safe,
            other,
            alone,
            sent,
            passed_over,
            ..
        } in rows
        {
            let passed_over = if *passed_over { "yes" } else { "no" };
            let sent = if *sent > 1 {
                format!(", after {sent} tries")
            } else {
                String::new()
            };
            let [safe, other, alone] = [safe, other, alone].map(|outcome| outcome.word());
            _ = writeln!(
                table,
                "| {name} | {safe} | {other} | {alone}{sent} | {passed_over} |"
            );
        }
        assert!(
            document.contains(&table),
            "docs/gateway/upstreams.md should hold\n{table}"
        );
    }
}

impl Outcome {
    fn word(self) -> String {
        match self {
            Other => "another server answers".to_owned(),
            Told(status, code) => format!("{status} `{code}`"),
            BreaksOff => "the answer breaks off".to_owned(),
            Whole => "the answer".to_owned(),
        }
    }
}
