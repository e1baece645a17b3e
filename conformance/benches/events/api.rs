//! Servers by hand, which cost little: the API behind the gateways, which answers 200 or has a
//! WebSocket that says one word and waits; and documents.

use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// RFC 6455, section 1.3: a key, and what a server says to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Answers to each path with a document, or with nothing and 200.
pub(crate) async fn start(document: impl Fn(&str) -> String + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let document = Arc::new(document);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let document = Arc::clone(&document);
            tokio::spawn(async move {
                _ = serve(&mut stream, &*document).await;
            });
        }
    });
    address
}

/// Requests without bodies, one after the other.
async fn serve(
    stream: &mut TcpStream,
    document: &(dyn Fn(&str) -> String + Send + Sync),
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::new();
    loop {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes.drain(..end + 4);
        if head.to_ascii_lowercase().contains("\r\nupgrade:") {
            stream.write_all(SWITCHING).await?;
            stream.write_all(b"\x81\x02hi").await?;
            stream.read_to_end(&mut bytes).await?;
            return Ok(());
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        let body = document(path);
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n\
             {body}"
        );
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// Opens a WebSocket through a gateway, and reads what the API says first.
pub(crate) async fn open_socket(gateway: SocketAddr, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(gateway).await.unwrap();
    let request = format!(
        "GET /live HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let mut hello = [0; 4];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"\x81\x02hi");
    stream
}

/// Waits for the closing frame (RFC 6455, section 5.5.1).
pub(crate) async fn closes(mut socket: TcpStream) {
    let mut head = [0; 2];
    socket.read_exact(&mut head).await.unwrap();
    assert_eq!(head[0], 0x88, "a closing frame: {head:?}");
}
