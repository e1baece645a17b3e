//! The body of an answer without its coding: gzip or deflate (RFC 9110, section 8.4), and without a
//! byte order mark.
//!
//! No request here asks for a coding, but file servers and proxies apply one all the same. The
//! limit holds for the decoded document, so a small body cannot grow into a large one. Refuses
//! every other coding, and one coding on top of another.

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use portcullis_core::rejection::quote;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use std::io::Read;

/// How the reason begins where a document was not read to its end.
pub(crate) const TOO_LARGE: &str = "the document is larger than";

/// The document itself, of at most `largest` bytes.
pub(crate) fn decode(
    headers: &HeaderMap,
    body: Vec<u8>,
    largest: usize,
) -> Result<Vec<u8>, String> {
    let codings = codings(headers);
    let document = match codings.as_slice() {
        [] => body,
        [coding] => decode_one(coding, &body, largest)?,
        // Two layers of compression are how a bomb of a few bytes becomes gigabytes of work.
        _ => return Err("its `Content-Encoding` names several codings".to_owned()),
    };
    // RFC 8259, section 8.1: a JSON text has no byte order mark, but some files have one.
    match document.strip_prefix(b"\xef\xbb\xbf") {
        Some(text) => Ok(text.to_vec()),
        None => Ok(document),
    }
}

fn decode_one(coding: &str, body: &[u8], largest: usize) -> Result<Vec<u8>, String> {
    match coding {
        "gzip" | "x-gzip" => unpack(MultiGzDecoder::new(body), coding, largest),
        "deflate" if is_zlib(body) => unpack(ZlibDecoder::new(body), coding, largest),
        // RFC 9110, section 8.4.1.2: some servers leave the zlib format out.
        "deflate" => unpack(DeflateDecoder::new(body), coding, largest),
        other => {
            let other = quote(other);
            Err(format!(
                "its `Content-Encoding` is {other}, and is not understood"
            ))
        }
    }
}

/// The names of the codings in lower case, without the one that changes nothing.
fn codings(headers: &HeaderMap) -> Vec<String> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        // A value that is no text names a coding too: one that nobody knows.
        let value = value.to_str().unwrap_or("unreadable");
        for name in value.split(',') {
            let name = name.trim().to_ascii_lowercase();
            if !name.is_empty() && name != "identity" {
                codings.push(name);
            }
        }
    }
    codings
}

/// Whether a body begins as RFC 1950, section 2.2, says: the method is 8, and the first two bytes
/// are a multiple of 31.
fn is_zlib(body: &[u8]) -> bool {
    matches!(
        body,
        [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0,
    )
}

fn unpack(reader: impl Read, coding: &str, largest: usize) -> Result<Vec<u8>, String> {
    let mut document = Vec::new();
    // One byte more than is allowed, so that a larger document shows.
    let most = u64::try_from(largest)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    if let Err(error) = reader.take(most).read_to_end(&mut document) {
        return Err(format!("its body is not valid {coding}: {error}"));
    }
    if document.len() > largest {
        return Err(format!("{TOO_LARGE} {largest} bytes once it is unpacked"));
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write as _;

    fn packed(coding: &str, text: &[u8]) -> Vec<u8> {
        macro_rules! with {
            ($encoder:ident) => {{
                let mut encoder = $encoder::new(Vec::new(), Compression::best());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }};
        }
        match coding {
            "gzip" => with!(GzEncoder),
            "zlib" => with!(ZlibEncoder),
            _ => with!(DeflateEncoder),
        }
    }

    fn read(values: &[&str], body: Vec<u8>) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, value.parse().unwrap());
        }
        decode(&headers, body, 1_000).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let text = b"{\"keys\":[]}";
        for (header, body) in [
            ("gzip", packed("gzip", text)),
            ("GZip", packed("gzip", text)),
            ("x-gzip", packed("gzip", text)),
            ("identity, gzip", packed("gzip", text)),
            ("deflate", packed("zlib", text)),
            ("deflate", packed("raw", text)),
            ("identity", text.to_vec()),
            ("", text.to_vec()),
        ] {
            assert_eq!(
                read(&[header], body).as_deref(),
                Ok("{\"keys\":[]}"),
                "{header}"
            );
        }
        let marked = [b"\xef\xbb\xbf", &text[..]].concat();
        assert_eq!(read(&[], marked.clone()).as_deref(), Ok("{\"keys\":[]}"));
        assert_eq!(
            read(&["gzip"], packed("gzip", &marked)).as_deref(),
            Ok("{\"keys\":[]}")
        );
    }

    #[test]
    fn a_bomb_is_refused_and_so_is_every_other_coding() {
        let bomb = packed("gzip", &vec![b' '; 10_000_000]);
        assert!(bomb.len() < 20_000);
        for (values, body, reason) in [
            (
                &["gzip"][..],
                bomb,
                "larger than 1000 bytes once it is unpacked",
            ),
            (
                &["gzip"],
                packed("gzip", &vec![b' '; 1_001]),
                "larger than 1000 bytes",
            ),
            (&["gzip"], b"{\"keys\":[]}".to_vec(), "not valid gzip"),
            (
                &["gzip"],
                packed("gzip", b"text")[..12].to_vec(),
                "not valid gzip",
            ),
            (&["deflate"], b"\xff\xff\xff".to_vec(), "not valid deflate"),
            (&["br"], b"x".to_vec(), "`br`, and is not understood"),
            (&["gzip, gzip"], b"x".to_vec(), "several codings"),
            (&["gzip", "deflate"], b"x".to_vec(), "several codings"),
        ] {
            let fault = read(values, body).unwrap_err();
            assert!(fault.contains(reason), "{values:?}: {fault}");
        }
        assert!(read(&["gzip"], packed("gzip", &[b' '; 1_000])).is_ok());
    }
}
