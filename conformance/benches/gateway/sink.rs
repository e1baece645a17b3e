//! An upstream that counts what it gets, and answers as the path asks for: at once, never, with
//! much, or by going away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const LARGE: usize = 5_000_000;

/// The upstream, until it is dropped.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    received: Arc<AtomicU64>,
    serving: JoinHandle<()>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let received: Arc<AtomicU64> = Arc::default();
        let counter = Arc::clone(&received);
        let serving = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = socket.accept().await else {
                    continue;
                };
                tokio::spawn(serve(stream, Arc::clone(&counter)));
            }
        });
        Self {
            address,
            received,
            serving,
        }
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Requests one after the other; of bodies nothing is understood, so their connections are closed.
async fn serve(mut stream: TcpStream, received: Arc<AtomicU64>) {
    let mut buffer = vec![0; 65_536];
    let mut head = Vec::new();
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer).await else {
            return;
        };
        received.fetch_add(read as u64, Ordering::Relaxed);
        head.extend_from_slice(&buffer[..read]);
        while let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = head.split_off(end + 4);
            let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            let answered = answer(&mut stream, &path, &received, &text).await;
            head = rest;
            if !answered {
                return;
            }
        }
    }
}

/// Whether the connection goes on.
async fn answer(stream: &mut TcpStream, path: &str, received: &AtomicU64, text: &str) -> bool {
    let mut buffer = vec![0; 65_536];
    match path {
        "/wait" => {
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                received.fetch_add(read as u64, Ordering::Relaxed);
            }
            false
        }
        "/large" => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.is_ok()
                && stream.write_all(&vec![7; LARGE]).await.is_ok()
        }
        "/gone" => false,
        "/malformed" => {
            _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")
                .await;
            false
        }
        _ => {
            let has_body = text.contains("transfer-encoding") || text.contains("content-length");
            let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(ok).await.is_ok() && !has_body
        }
    }
}
