//! HTTP/1.1 by hand: a client that costs little beside the servers that are measured.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request that is not answered by then counts as lost.
const PATIENCE: Duration = Duration::from_secs(15);

/// A connection that stays open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What `Retry-After` says, in seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let buffer = Vec::with_capacity(4_096);
        Ok(Self { stream, buffer })
    }

    /// Sends a request that is written already, and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        let answer = async {
            self.stream.write_all(request).await?;
            self.answer().await
        };
        let late = || Error::new(ErrorKind::TimedOut, "no answer in time");
        tokio::time::timeout(PATIENCE, answer)
            .await
            .map_err(|_| late())?
    }

    async fn answer(&mut self) -> Result<Answer> {
        self.buffer.clear();
        loop {
            if let Some(answer) = whole(&self.buffer) {
                return Ok(answer);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// The answer, once all of it is there.
fn whole(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut retry_after) = (0, None);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        } else if name.eq_ignore_ascii_case("retry-after") {
            retry_after = value.trim().parse().ok();
        }
    }
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some(Answer {
        status,
        retry_after,
        body,
    })
}

/// A request of an API, with a token.
pub(crate) fn get(path: &str, token: &str) -> Vec<u8> {
    let head = format!("GET {path} HTTP/1.1\r\nHost: api.example\r\n");
    format!("{head}Authorization: Bearer {token}\r\n\r\n").into_bytes()
}
