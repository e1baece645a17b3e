//! A `Content-Encoding`, and any bytes as the body of a document: never more comes out than is
//! allowed, and what comes out is what another decoder finds. What is packed is unpacked again.

use crate::shared::choice;
use flate2::Compression;
use flate2::write::{
    DeflateDecoder, DeflateEncoder, GzEncoder, MultiGzDecoder, ZlibDecoder, ZlibEncoder,
};
use http::HeaderValue;
use portcullis_provider::fuzzing::decode;
use std::io::{self, Write};

const CODINGS: &[&str] = &["gzip", "deflate", "x-gzip", "GZIP, identity", " deflate ,"];
const MARK: &[u8] = b"\xef\xbb\xbf";
/// More than this is not worked on by the other decoder.
const MOST: usize = 1 << 20;

pub(crate) fn run(data: &[u8]) {
    let (selector, data) = choice(data);
    let (size, data) = choice(data);
    let largest = 1 << (size % 16);
    if selector & 0x80 != 0 {
        let end = data
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(data.len());
        named(
            &data[..end],
            data.get(end + 1..).unwrap_or_default(),
            largest,
        );
        return;
    }
    let coding = CODINGS[usize::from(selector) % CODINGS.len()];
    let found = decode(&HeaderValue::from_static(coding), data.to_vec(), largest);
    match (found, another(coding, data)) {
        (Ok(found), Some(other)) => {
            assert!(
                found.len() <= largest && other.len() <= largest,
                "more than is allowed"
            );
            assert_eq!(found, without_mark(&other));
        }
        (Ok(found), None) => panic!("another decoder finds no {} bytes", found.len()),
        // The other decoder is content with a body that breaks off.
        (Err(_), _) => {}
    }
    packed(data, largest);
}

/// Any value of the field: what is not known is refused, whatever the body is.
fn named(coding: &[u8], body: &[u8], largest: usize) {
    let Ok(value) = HeaderValue::from_bytes(coding) else {
        return;
    };
    let names = value.to_str().unwrap_or("?").to_ascii_lowercase();
    let names: Vec<&str> = names
        .split(',')
        .map(str::trim)
        .filter(|name| !["", "identity"].contains(name))
        .collect();
    match (decode(&value, body.to_vec(), largest), &*names) {
        (Ok(found), []) => assert_eq!(found, without_mark(body)),
        (Ok(found), [name]) => {
            assert!(["gzip", "x-gzip", "deflate"].contains(name) && found.len() <= largest)
        }
        (Ok(_), _) => panic!("a coding upon another"),
        (Err(reason), names) => assert!(!names.is_empty() && reason.len() < 4_096),
    }
}

fn without_mark(document: &[u8]) -> &[u8] {
    document.strip_prefix(MARK).unwrap_or(document)
}

/// Every document goes through every coding, and comes out if it is small enough.
fn packed(document: &[u8], largest: usize) {
    let gzip = pack(
        GzEncoder::new(Vec::new(), Compression::fast()),
        document,
        GzEncoder::finish,
    );
    let zlib = pack(
        ZlibEncoder::new(Vec::new(), Compression::fast()),
        document,
        ZlibEncoder::finish,
    );
    let plain = pack(
        DeflateEncoder::new(Vec::new(), Compression::fast()),
        document,
        DeflateEncoder::finish,
    );
    for (coding, body) in [("gzip", gzip), ("deflate", zlib), ("deflate", plain)] {
        let found = decode(&HeaderValue::from_static(coding), body, largest);
        match found {
            Ok(found) => assert!(document.len() <= largest && found == without_mark(document)),
            Err(_) => assert!(document.len() > largest, "{coding}: a good body is refused"),
        }
    }
}

fn pack<W: Write>(mut writer: W, document: &[u8], finish: fn(W) -> io::Result<Vec<u8>>) -> Vec<u8> {
    writer
        .write_all(document)
        .and_then(|()| finish(writer))
        .expect("memory can be written to")
}

/// The document as decoders find it that are written to, as long as it is not too large.
fn another(coding: &str, body: &[u8]) -> Option<Vec<u8>> {
    let coding = coding.to_ascii_lowercase();
    if coding.contains("gzip") {
        unpack(
            MultiGzDecoder::new(Sink::default()),
            body,
            MultiGzDecoder::finish,
        )
    } else if is_zlib(body) {
        unpack(ZlibDecoder::new(Sink::default()), body, ZlibDecoder::finish)
    } else {
        unpack(
            DeflateDecoder::new(Sink::default()),
            body,
            DeflateDecoder::finish,
        )
    }
}

fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && (usize::from(*first) << 8 | usize::from(*second)).is_multiple_of(31))
}

fn unpack<W: Write>(
    mut writer: W,
    body: &[u8],
    finish: fn(W) -> io::Result<Sink>,
) -> Option<Vec<u8>> {
    let mut rest = body;
    while !rest.is_empty() {
        match writer.write(rest) {
            // What stands behind the end of the document is not looked at.
            Ok(0) => break,
            Ok(written) => rest = &rest[written..],
            Err(_) => return None,
        }
    }
    finish(writer).ok().map(|sink| sink.0)
}

/// Memory with an end.
#[derive(Default)]
struct Sink(Vec<u8>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST {
            return Err(io::Error::other("too much"));
        }
        self.0.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
