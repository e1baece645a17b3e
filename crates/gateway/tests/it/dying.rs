//! Servers that die in several ways, over HTTP/1.1 and HTTP/2: written as raw bytes, so that no
//! library completes them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// What a server does instead of a complete response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Nobody listens.
    Refused,
    /// It closes connections before it reads anything.
    ClosedAtOnce,
    /// It answers the first bytes of a TLS handshake with an alert, `handshake_failure`.
    Alert,
    /// It reads the request, sends these bytes, and closes: with FIN, or with RST like a killed
    /// process.
    Fin(&'static [u8]),
    Rst(&'static [u8]),
    /// It reads the request, sends these bytes, and then stays silent.
    Hangs(&'static [u8]),
}

/// A server, and the requests that reached it.
pub(crate) struct DyingServer {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
    serving: Option<JoinHandle<()>>,
    _bound: Option<TcpSocket>,
}

impl DyingServer {
    pub(crate) async fn start(death: Death, http2: bool) -> Self {
        let requests = Arc::<AtomicUsize>::default();
        if death == Death::Refused {
            // Bound without listening: connections are refused, and no other process gets the port.
            let bound = TcpSocket::new_v4().unwrap();
            bound.bind(([127, 0, 0, 1], 0).into()).unwrap();
            let address = bound.local_addr().unwrap();
            return Self {
                address,
                requests,
                serving: None,
                _bound: Some(bound),
            };
        }
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let count = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(die(stream, death, http2, Arc::clone(&count)));
            }
        });
        Self {
            address,
            requests,
            serving: Some(serving),
            _bound: None,
        }
    }

    /// How many requests reached it.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for DyingServer {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

async fn die(mut stream: TcpStream, death: Death, http2: bool, requests: Arc<AtomicUsize>) {
    let (bytes, rest) = match death {
        Death::Refused | Death::ClosedAtOnce => return,
        Death::Alert => {
            _ = stream.read(&mut [0; 4_096]).await;
            _ = stream.write_all(b"\x15\x03\x03\0\x02\x02\x28").await;
            return;
        }
        Death::Fin(bytes) => (bytes, ConnectionEnd::Fin),
        Death::Rst(bytes) => (bytes, ConnectionEnd::Rst),
        Death::Hangs(bytes) => (bytes, ConnectionEnd::Hangs),
    };
    if http2 && begin_http2(&mut stream).await.is_none() {
        return;
    }
    loop {
        let taken = if http2 {
            take_http2(&mut stream).await
        } else {
            take_http1(&mut stream).await
        };
        let Some(id) = taken else { return };
        requests.fetch_add(1, Ordering::SeqCst);
        let bytes = if http2 {
            on_stream(id, bytes)
        } else {
            bytes.to_vec()
        };
        _ = stream.write_all(&bytes).await;
        // A connection of HTTP/2 that hangs carries further requests.
        if !(http2 && rest == ConnectionEnd::Hangs) {
            break;
        }
    }
    match rest {
        ConnectionEnd::Hangs => _ = stream.read_to_end(&mut Vec::new()).await,
        ConnectionEnd::Fin => {
            // Unread bytes would turn the FIN into an RST.
            _ = stream.shutdown().await;
            _ = stream.read_to_end(&mut Vec::new()).await;
        }
        ConnectionEnd::Rst => _ = stream.set_zero_linger(),
    }
}

#[derive(PartialEq, Eq)]
enum ConnectionEnd {
    Fin,
    Rst,
    Hangs,
}

/// Reads a request whose body is a single byte, if it has one.
async fn take_http1(stream: &mut TcpStream) -> Option<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    if head.starts_with(b"POST") {
        stream.read_u8().await.ok()?;
    }
    Some(0)
}

pub(crate) async fn begin_http2(stream: &mut TcpStream) -> Option<()> {
    stream.read_exact(&mut [0; 24]).await.ok()?;
    stream.write_all(&frame(4, 0, 0, &[])).await.ok()
}

/// Reads frames until a request has ended, and answers the client's settings. Returns the number of
/// its stream.
pub(crate) async fn take_http2(stream: &mut TcpStream) -> Option<u8> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = usize::from(head[1]) << 8 | usize::from(head[2]);
        stream.read_exact(&mut vec![0; length]).await.ok()?;
        let (kind, flags) = (head[3], head[4]);
        if kind == 4 && flags == 0 {
            stream.write_all(&frame(4, 1, 0, &[])).await.ok()?;
        }
        // DATA or HEADERS with END_STREAM.
        if kind <= 1 && flags & 1 == 1 {
            return Some(head[8]);
        }
    }
}

/// Moves frames from stream 1 to another one.
pub(crate) fn on_stream(id: u8, frames: &[u8]) -> Vec<u8> {
    let (mut bytes, mut at) = (frames.to_vec(), 0);
    while bytes.get(at + 8).is_some() {
        if bytes[at + 8] == 1 {
            bytes[at + 8] = id;
        }
        at += 9 + usize::from(bytes[at + 2]);
    }
    bytes
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Bytes of HTTP/2, as a server sends them on stream 1.
pub(crate) mod http2 {
    /// `:status: 200`, and the response goes on.
    pub(crate) const HEAD: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x88";
    /// The same, without the end of the head.
    pub(crate) const HALF_HEAD: &[u8] = b"\0\0\x01\x01\0\0\0\0\x01\x88";
    /// `:status: 200` and half of a body.
    pub(crate) const HALF: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x03\0\0\0\0\0\x01abc";
    /// A whole response.
    pub(crate) const WHOLE: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x03\0\x01\0\0\0\x01abc";
    /// A whole response, then GOAWAY.
    pub(crate) const WHOLE_GOAWAY: &[u8] =
        b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x03\0\x01\0\0\0\x01abc\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0";
    /// GOAWAY, NO_ERROR: stream 1 was not processed.
    pub(crate) const GOAWAY_BELOW: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
    /// GOAWAY, NO_ERROR: stream 1 may have been processed.
    pub(crate) const GOAWAY_AT: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0";
    /// GOAWAY, ENHANCE_YOUR_CALM: stream 1 was not processed.
    pub(crate) const GOAWAY_CALM: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b";
    /// RST_STREAM, REFUSED_STREAM.
    pub(crate) const REFUSED_STREAM: &[u8] = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x07";
    /// RST_STREAM, INTERNAL_ERROR.
    pub(crate) const RESET: &[u8] = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x02";
    /// Half of a response, then RST_STREAM, INTERNAL_ERROR.
    pub(crate) const HALF_RESET: &[u8] =
        b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x03\0\0\0\0\0\x01abc\0\0\x04\x03\0\0\0\0\x01\0\0\0\x02";
}
