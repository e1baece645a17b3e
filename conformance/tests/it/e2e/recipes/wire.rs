//! HTTP/1.1 by hand: clients of a library would tidy up what is to be sent.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    /// The values of a header.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let fields = self
            .head
            .lines()
            .filter_map(|line| line.split_once(':'));
        fields
            .filter(|(held, _)| held.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }
}

/// Sends a request with exactly this target and these header lines.
pub(super) fn send(
    to: SocketAddr,
    method: &str,
    target: &str,
    lines: &[String],
) -> std::io::Result<Answer> {
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    exchange(stream, method, target, lines)
}

/// The same over a connection that is open already.
pub(super) fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    target: &str,
    lines: &[String],
) -> std::io::Result<Answer> {
    let lines: String = lines
        .iter()
        .map(|line| format!("{line}\r\n"))
        .collect();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n{lines}\r\n"
    )?;
    let mut bytes = Vec::new();
    let mut piece = [0; 8_192];
    // Some of what is sent asks for a connection that stays.
    while !is_whole(&bytes) {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            // A server that closes without an alert of TLS; what it sent is judged as it is.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other("no status"))?;
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// Whether an answer is all there, as far as it says by itself where it ends.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let value = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields
            .find(|(held, _)| held.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    match (value("transfer-encoding"), value("content-length")) {
        (Some(_), _) => body.ends_with("0\r\n\r\n"),
        (None, Some(length)) => length
            .parse()
            .is_ok_and(|length: usize| body.len() >= length),
        (None, None) => false,
    }
}
