//! HTTP/1.1 as bytes: what other clients would put right before it is sent.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Sends a request as it is written here, and reads the answer until the connection ends.
pub(super) async fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(String, Vec<u8>)],
    body: &str,
) -> Answer {
    let answer = send_to_any(address, method, target, headers, body).await;
    answer.expect("an answer with a head")
}

/// The same, to a server that may close the connection without an answer.
pub(crate) async fn send_to_any(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(String, Vec<u8>)],
    body: &str,
) -> Option<Answer> {
    let mut request = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        request.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    if !body.is_empty() {
        request.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
    }
    request.extend(b"Connection: close\r\n\r\n");
    request.extend(body.as_bytes());
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has answered already may have closed.
    _ = stream.write_all(&request).await;
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer).await;
    read(&answer)
}

fn read(answer: &[u8]) -> Option<Answer> {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        headers.append(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_str(value.trim_start_matches(' ')).unwrap(),
        );
    }
    Some(Answer {
        status,
        headers,
        body: answer[end + 4..].to_vec(),
    })
}
