//! The trace that a request belongs to (W3C Trace Context, level 1): read strictly, passed on, or
//! dropped.
//!
//! The caller's trace is passed on as it came, unless it is malformed; then it is dropped, as the
//! specification demands. The gateway begins a trace of its own only if the settings say so: the
//! sampled flag of a trace overrides an upstream's own rule for sampling. Any caller may name a
//! trace: it reveals nothing, and grants nothing.

use crate::request::fields;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::hash::{BuildHasher as _, RandomState};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Vendors must propagate this much (section 3.3.1.5); more is not passed on.
const LONGEST_STATE: usize = 512;

/// The position of a request in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    /// `00-`, 32 digits of the trace, 16 of the parent, two of flags.
    parent: String,
    state: Option<String>,
}

impl Trace {
    /// Reads the trace of a request; `None` if there is none, or it is malformed.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let parent = parse_parent(values.next()?.to_str().ok()?)?;
        if values.next().is_some() {
            return None;
        }
        let members: Vec<&str> = fields::list_members(headers, &TRACESTATE).collect();
        let state = members.join(",");
        // Dropped as a whole: no rule here could say which vendor's members to keep.
        let state = match state.len() {
            1..=LONGEST_STATE => Some(state),
            _ => None,
        };
        Some(Self { parent, state })
    }

    /// Begins a trace here, marked as sampled.
    pub(crate) fn begin() -> Self {
        let (high, low, parent) = (random_id(), random_id(), random_id());
        Self {
            parent: format!("00-{high:016x}{low:016x}-{parent:016x}-01"),
            state: None,
        }
    }

    /// The 32 digits of the trace.
    pub(crate) fn id(&self) -> &str {
        self.parent.get(3..35).unwrap_or_default()
    }

    /// Writes a trace for the upstream, in place of the one in the request.
    pub(crate) fn write(trace: Option<&Self>, headers: &mut HeaderMap) {
        // A malformed trace goes even if none replaces it.
        headers.remove(TRACEPARENT);
        headers.remove(TRACESTATE);
        let Some(Self { parent, state }) = trace else {
            return;
        };
        fields::set(headers, TRACEPARENT, parent);
        if let Some(Ok(state)) = state.as_deref().map(HeaderValue::from_str) {
            headers.insert(TRACESTATE, state);
        }
    }
}

/// Parses a `traceparent` (section 3.2.2), and writes it in version 00.
fn parse_parent(text: &str) -> Option<String> {
    let (known, rest) = text.split_at_checked(55)?;
    let mut parts = known.split('-');
    let version = hex(parts.next()?, 2)?;
    let trace = hex(parts.next()?, 32)?;
    let parent = hex(parts.next()?, 16)?;
    let flags = hex(parts.next()?, 2)?;
    if parts.next().is_some() || version == "ff" || is_zero(trace) || is_zero(parent) {
        return None;
    }
    // A later version may have more parts behind these (section 3.2.3).
    let may_have_rest = version != "00" && rest.starts_with('-');
    if !rest.is_empty() && !may_have_rest {
        return None;
    }
    Some(format!("00-{trace}-{parent}-{flags}"))
}

/// The text, if it is so many lower-case hexadecimal digits.
fn hex(text: &str, length: usize) -> Option<&str> {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == length && text.bytes().all(is_digit)).then_some(text)
}

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|byte| byte == b'0')
}

/// Sixty-four random bits, never all zero: zero is not an identifier.
fn random_id() -> u64 {
    // The standard library seeds each hasher at random. Identifiers need not be secret.
    RandomState::new().hash_one(0_u8).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read(values: &[&str], states: &[&str]) -> Option<Trace> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, HeaderValue::from_str(value).unwrap());
        }
        for value in states {
            headers.append(TRACESTATE, HeaderValue::from_str(value).unwrap());
        }
        Trace::read(&headers)
    }

    #[test]
    fn a_trace_is_read_strictly() {
        assert_eq!(
            read(&[GOOD], &[]).unwrap().id(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-011",
        ] {
            assert_eq!(read(&[bad], &["a=1"]), None, "{bad}");
        }
        assert_eq!(read(&[GOOD, GOOD], &[]), None);
        assert_eq!(read(&[], &["a=1"]), None);
        let later = GOOD.replacen("00", "cc", 1) + "-what-the-future-brings";
        assert_eq!(read(&[&later], &[]).unwrap().parent, GOOD);
    }

    #[test]
    fn a_trace_replaces_the_fields_of_the_request() {
        let trace = read(&[GOOD], &["a=1", "b=2, c=3"]);
        let mut headers = HeaderMap::new();
        headers.append(TRACESTATE, HeaderValue::from_static("evil=1"));
        Trace::write(trace.as_ref(), &mut headers);
        assert_eq!(headers.get(TRACEPARENT).unwrap(), GOOD);
        assert_eq!(headers.get(TRACESTATE).unwrap(), "a=1,b=2,c=3");
        Trace::write(None, &mut headers);
        assert!(headers.is_empty());
        let long = format!("a={}", "x".repeat(600));
        assert_eq!(read(&[GOOD], &[&long]).unwrap().state, None);
    }

    #[test]
    fn a_trace_that_begins_here_can_be_read() {
        let (one, other) = (Trace::begin(), Trace::begin());
        assert_eq!(read(&[&one.parent], &[]), Some(one.clone()));
        assert_ne!(one.id(), other.id());
    }
}
