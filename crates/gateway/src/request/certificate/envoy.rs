//! `x-forwarded-client-cert`, as Envoy writes it: elements by comma, one for each connection; in
//! them, pairs by semicolon.
//!
//! The last element is of the proxy that is next to the gateway. What stands before it may be a
//! client's own invention, where Envoy appends (`APPEND_FORWARD`). Quotes that such a text leaves
//! open make the whole field unreadable.
//!
//! Envoy writes the names in a certificate (`URI`, `DNS`) without quotes, so a client could have a
//! second element in the name of its own certificate. Where a field has such a pair, only one
//! element counts.

use super::encoding::{of_escaped_pem, only};
use super::field::{CertificateFault, FieldJoining};
use portcullis_core::proof::Thumbprint;

/// What a field says so far.
#[derive(Default)]
struct Elements<'t> {
    count: usize,
    /// Whether there is a name out of a certificate whose end is the client's to choose.
    has_open_name: bool,
    last: Element<'t>,
}

/// One element, of one connection.
#[derive(Default)]
struct Element<'t> {
    hash: Option<&'t str>,
    certificate: Option<&'t str>,
}

/// A pair, what ends it, and what stands behind.
struct Pair<'t> {
    key: &'t str,
    value: &'t str,
    is_quoted: bool,
    end: Option<char>,
    rest: &'t str,
}

/// The certificate of the last element.
pub(super) fn of_elements(
    text: &str,
    joining: FieldJoining,
) -> Result<Thumbprint, CertificateFault> {
    let mut elements = Elements {
        count: 1,
        ..Elements::default()
    };
    let mut rest = text;
    loop {
        let pair = Pair::read(rest)?;
        elements.note(&pair)?;
        match pair.end {
            None => break,
            Some(',') => {
                elements.count += 1;
                elements.last = Element::default();
                rest = pair.rest.trim_start();
            }
            Some(_) => rest = pair.rest,
        }
    }
    let is_open = elements.has_open_name || joining == FieldJoining::Possible;
    if elements.count > 1 && is_open {
        return Err(CertificateFault::Several);
    }
    elements.last.certificate()
}

impl<'t> Pair<'t> {
    fn read(text: &'t str) -> Result<Self, CertificateFault> {
        let (key, behind) = text.split_once('=').ok_or(CertificateFault::Element)?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(CertificateFault::Element);
        }
        let (value, behind, is_quoted) = match behind.strip_prefix('"') {
            Some(quoted) => {
                let (value, behind) = close(quoted)?;
                (value, behind, true)
            }
            None => {
                let end = behind.find([',', ';']).unwrap_or(behind.len());
                let parts = behind.split_at_checked(end);
                let (value, behind) = parts.ok_or(CertificateFault::Element)?;
                (value, behind, false)
            }
        };
        if !is_quoted && value.contains('"') {
            return Err(CertificateFault::Element);
        }
        let mut behind = behind.chars();
        let end = behind.next();
        // Behind a quote, a text that goes on would have two readings.
        if !matches!(end, None | Some(',' | ';')) {
            return Err(CertificateFault::Element);
        }
        let rest = behind.as_str();
        Ok(Self {
            key,
            value,
            is_quoted,
            end,
            rest,
        })
    }

    fn is(&self, key: &str) -> bool {
        // Envoy's documents: keys are without case.
        self.key.eq_ignore_ascii_case(key)
    }
}

/// The text up to the quote that closes it, and what stands behind that.
fn close(quoted: &str) -> Result<(&str, &str), CertificateFault> {
    let mut is_escaped = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => {
                let parts = quoted.split_at_checked(at);
                let (value, behind) = parts.ok_or(CertificateFault::Element)?;
                return Ok((value, behind.strip_prefix('"').unwrap_or(behind)));
            }
            _ => {}
        }
    }
    Err(CertificateFault::Element)
}

impl<'t> Elements<'t> {
    fn note(&mut self, pair: &Pair<'t>) -> Result<(), CertificateFault> {
        let held = match () {
            () if pair.is("Hash") => self.last.hash.replace(pair.value),
            () if pair.is("Cert") => self.last.certificate.replace(pair.value),
            // The name of the server's own certificate.
            () if pair.is("By") => None,
            // Envoy escapes the quotes in these. A name may begin with a quote of its own.
            () if pair.is_quoted && (pair.is("Subject") || pair.is("Chain")) => None,
            () => {
                self.has_open_name = true;
                None
            }
        };
        // A name without quotes could bring a second one.
        match held {
            Some(_) => Err(CertificateFault::Several),
            None => Ok(()),
        }
    }
}

impl Element<'_> {
    fn certificate(&self) -> Result<Thumbprint, CertificateFault> {
        let hash = self.hash.map(of_hash).transpose()?;
        let certificate = match self.certificate {
            Some(text) => Some(only(&of_escaped_pem(text)?)?),
            None => None,
        };
        match (hash, certificate) {
            (Some(hash), Some(certificate)) if hash != certificate => Err(CertificateFault::Hash),
            (Some(certificate), _) | (None, Some(certificate)) => Ok(certificate),
            (None, None) => Err(CertificateFault::Element),
        }
    }
}

/// The SHA-256 of the DER, in 64 hexadecimal digits.
fn of_hash(text: &str) -> Result<Thumbprint, CertificateFault> {
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return Err(CertificateFault::Hash);
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(Thumbprint::from_bytes(bytes))
}

fn digit(byte: u8) -> Result<u8, CertificateFault> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(CertificateFault::Hash),
    }
}
