//! An HTTP/2 client that writes its frames by hand, so that it can break the rules.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RESET: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub const TABLE_SIZE: u16 = 1;
pub const INITIAL_WINDOW: u16 = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn ends(&self) -> bool {
        self.kind == RESET || (matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0)
    }

    /// The value of a setting, in a frame of settings.
    pub fn setting(&self, name: u16) -> Option<u32> {
        let mut settings = self
            .payload
            .chunks(6)
            .filter(|it| it[..2] == name.to_be_bytes());
        settings
            .next_back()
            .map(|it| u32::from_be_bytes(it[2..].try_into().unwrap()))
    }
}

/// A connection.
pub struct RawHttp2 {
    pub stream: TcpStream,
    /// The first settings frame of the server.
    pub settings: Frame,
    pub answers_pings: bool,
}

/// How a stream ended.
#[derive(Debug, Default)]
pub struct StreamEnd {
    pub ok: bool,
    pub body: Vec<u8>,
    pub reset: bool,
}

impl StreamEnd {
    /// The code of a problem document.
    pub fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl RawHttp2 {
    /// Connects, and acknowledges the server's settings if asked to.
    pub async fn open(address: SocketAddr, settings: &[(u16, u32)], acknowledge: bool) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        let begin = [
            &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
            &frame(SETTINGS, 0, 0, &payload),
        ]
        .concat();
        stream.write_all(&begin).await.unwrap();
        let settings = Frame {
            kind: SETTINGS,
            flags: 0,
            stream: 0,
            payload: Vec::new(),
        };
        let mut connection = Self {
            stream,
            settings,
            answers_pings: true,
        };
        connection.settings = loop {
            let frame = connection.next().await.unwrap();
            if frame.kind == SETTINGS && frame.flags & ACK == 0 {
                break frame;
            }
        };
        if acknowledge {
            connection.send(SETTINGS, ACK, 0, &[]).await;
        }
        connection
    }

    /// Writes a frame. A closed connection is noticed by the next read.
    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        _ = self
            .stream
            .write_all(&frame(kind, flags, stream, payload))
            .await;
    }

    /// Sends a request with these fields besides the usual ones.
    pub async fn request(&mut self, stream: u32, path: &str, fields: &[(&str, &str)], end: bool) {
        let method = if end { "GET" } else { "POST" };
        let block = [
            head(method, path),
            fields
                .iter()
                .flat_map(|(name, value)| literal(name, value))
                .collect(),
        ];
        let flags = END_HEADERS | if end { END_STREAM } else { 0 };
        self.send(HEADERS, flags, stream, &block.concat())
            .await;
    }

    /// The next frame; `None` at the end of the connection. Answers pings meanwhile, if it is set
    /// to.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            let read =
                tokio::time::timeout(Duration::from_secs(20), self.stream.read_exact(&mut head));
            read.await.expect("a frame, or the end").ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await.ok()?;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let frame = Frame {
                kind: head[3],
                flags: head[4],
                stream,
                payload,
            };
            if frame.kind == PING && frame.flags & ACK == 0 {
                if self.answers_pings {
                    self.send(PING, ACK, 0, &frame.payload).await;
                }
                continue;
            }
            return Some(frame);
        }
    }

    /// Reads until this many streams have ended.
    pub async fn read_ends(&mut self, many: usize) -> BTreeMap<u32, StreamEnd> {
        let mut streams = BTreeMap::<u32, StreamEnd>::new();
        let mut over = 0;
        while over < many {
            let frame = self
                .next()
                .await
                .unwrap_or_else(|| panic!("the connection ended: {streams:?}"));
            if !matches!(frame.kind, DATA | HEADERS | RESET) {
                continue;
            }
            let stream = streams.entry(frame.stream).or_default();
            match frame.kind {
                // The status stands first; 200 has a byte of its own, after a change of the table's
                // size.
                HEADERS => {
                    stream.ok |=
                        frame.payload.iter().find(|byte| **byte & 0xe0 != 0x20) == Some(&0x88);
                }
                DATA => stream.body.extend_from_slice(&frame.payload),
                _ => stream.reset = true,
            }
            over += usize::from(frame.ends());
        }
        streams
    }

    /// Reads to the end of the connection; whether GOAWAY came first.
    pub async fn is_told_to_go(&mut self) -> bool {
        let mut told = false;
        while let Some(frame) = self.next().await {
            told |= frame.kind == GOAWAY;
        }
        told
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The fields that every request has.
pub fn head(method: &str, path: &str) -> Vec<u8> {
    // `:scheme: http` is the sixth of the static table.
    [
        literal(":method", method),
        vec![0x86],
        literal(":path", path),
        literal(":authority", "gw.example"),
    ]
    .concat()
}

/// A field without an entry in the dynamic table.
pub fn literal(name: &str, value: &str) -> Vec<u8> {
    [vec![0], string(name), string(value)].concat()
}

/// A field with an entry in the dynamic table; the newest entry has the index 62.
pub fn indexed_literal(name: &str, value: &str) -> Vec<u8> {
    [vec![0x40], string(name), string(value)].concat()
}

fn string(text: &str) -> Vec<u8> {
    let mut length = Vec::new();
    match text.len() {
        short @ 0..127 => length.push(u8::try_from(short).unwrap()),
        long => {
            length.push(127);
            let mut rest = long - 127;
            while rest >= 128 {
                length.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            length.push(u8::try_from(rest).unwrap());
        }
    }
    [length, text.as_bytes().to_vec()].concat()
}
