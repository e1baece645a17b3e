//! Names and values of a query or a form (the URL standard, section 5.1), without guessing: a bad
//! escape is a fault, where browsers keep it as text.

use super::answer::{InvalidRequest, Reason};
use super::examine::Candidate;
use super::input::ValidInput;
use super::source::Source;
use super::text;
use super::type_schema::TypeSchema;
use http::HeaderMap;
use percent_encoding::percent_decode;

/// The most parameters.
const MOST_PAIRS: usize = 1_000;

/// The parameters as their type.
pub(super) fn read_pairs<T: ValidInput>(
    encoded: &[u8],
    source: Source,
    headers: &HeaderMap,
) -> Result<T, InvalidRequest> {
    let Some(pairs) = split(encoded) else {
        return Err(InvalidRequest::new(Reason::Unreadable, headers));
    };
    let schema = TypeSchema::of::<T>();
    let (json, faults) = text::object(source.part(), pairs, &schema.shapes);
    let candidate = Candidate {
        json,
        source,
        faults,
        headers,
    };
    candidate.examine()
}

/// Nothing if there are too many, or one cannot be decoded.
fn split(encoded: &[u8]) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for pair in encoded.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        if pairs.len() == MOST_PAIRS {
            return None;
        }
        let mut sides = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(sides.next().unwrap_or_default())?;
        let value = decode(sides.next().unwrap_or_default())?;
        pairs.push((name, value));
    }
    Some(pairs)
}

fn decode(encoded: &[u8]) -> Option<String> {
    let mut spaced = encoded.to_vec();
    for (number, byte) in encoded.iter().enumerate() {
        match byte {
            b'%' => {
                let digits = encoded.get(number + 1..number + 3)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
            }
            b'+' => *spaced.get_mut(number)? = b' ',
            _ => {}
        }
    }
    let text = percent_decode(&spaced).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_or_refused() {
        let pairs = |text: &str| {
            let pairs = split(text.as_bytes())?;
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(name, value)| format!("{name}|{value}"))
                .collect();
            Some(pairs.join(" "))
        };
        assert_eq!(pairs("").as_deref(), Some(""));
        assert_eq!(
            pairs("a=1&&b=%C3%A4+x&c&d=1=2").as_deref(),
            Some("a|1 b|ä x c| d|1=2")
        );
        assert_eq!(pairs("%61=%26").as_deref(), Some("a|&"));
        for bad in ["a=%", "a=%4", "a=%zz", "%g1=a", "a=%ff", "a=%c3"] {
            assert_eq!(pairs(bad), None, "{bad}");
        }
        assert!(pairs(&"a&".repeat(1_000)).is_some());
        assert!(pairs(&"a&".repeat(1_001)).is_none());
    }
}
