//! Paths compared segment by segment, in every spelling that a server could take for the same.

use std::borrow::Cow;

/// The segments of a path, without their escapes. Empty ones and single dots do not count: more
/// spellings then fall beneath a resource, and never fewer.
pub(super) fn segments(path: &str) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let named = path.split('/').filter(|it| !matches!(*it, "" | "."));
    named.map(unescape)
}

/// The bytes that a segment stands for. An escape that is none stands for itself.
fn unescape(segment: &str) -> Cow<'_, [u8]> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment.as_bytes());
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if let (b'%', [high, low, after @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            bytes.push(high << 4 | low);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Cow::Owned(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_has_the_same_segments() {
        for spelling in ["/a/b", "/a/b/", "//a/./b", "/%61/%62", "a/b"] {
            let found: Vec<_> = segments(spelling).collect();
            assert_eq!(found, [&b"a"[..], b"b"], "{spelling}");
        }
        let found: Vec<_> = segments("/a%2Fb/%zz%4/..").collect();
        assert_eq!(found, [&b"a/b"[..], b"%zz%4", b".."]);
    }
}
