//! Finds where the frames of a WebSocket begin and end (RFC 6455, section 5.2), so that one more
//! can be put in between.

use crate::transport::life::Cause;
use portcullis_resource_server::TokenEnd;

/// The frames of one direction, followed byte by byte. Their content is not looked at.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The head of the current frame, as far as it has arrived.
    head: [u8; LONGEST_HEAD],
    arrived: usize,
    /// Bytes of the current frame that are still missing, once its head is whole.
    left: u64,
}

/// Two bytes, eight of length, four of mask.
const LONGEST_HEAD: usize = 14;

/// The last frame to a client (RFC 6455, section 7.4.1): 1008, a violated policy; 1001, going away;
/// or 1013, try again later (of IANA's registry).
pub(super) fn close(cause: Cause) -> Vec<u8> {
    let code: u16 = match cause {
        // The token may be good: the client keeps it, and is answered 503 until the store is back.
        Cause::Token(TokenEnd::Unknown) => 1013,
        // 1001 lets a client connect again at once; 1008 tells it that its token is the cause.
        _ if cause.may_come_back() => 1001,
        _ => 1008,
    };
    let phrase = cause.phrase().as_bytes();
    // All phrases are short: their length fits into the second byte.
    let length = u8::try_from(2 + phrase.len()).unwrap_or_default();
    [&[0x88, length][..], &code.to_be_bytes(), phrase].concat()
}

impl Frames {
    /// Follows bytes that were passed on.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        loop {
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            let passed = left.min(bytes.len());
            self.left -= passed as u64;
            bytes = bytes.get(passed..).unwrap_or_default();
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            bytes = rest;
            if let Some(place) = self.head.get_mut(self.arrived) {
                *place = *first;
            }
            self.arrived += 1;
            if let Some(length) = self.length() {
                (self.left, self.arrived) = (length, 0);
            }
        }
    }

    /// Whether the next byte begins a frame.
    pub(super) fn is_between(&self) -> bool {
        self.left == 0 && self.arrived == 0
    }

    /// The length of the content, once the head is whole.
    fn length(&self) -> Option<u64> {
        if self.arrived < 2 {
            return None;
        }
        let second = *self.head.get(1)?;
        // A client masks its frames, a server does not (section 5.1); both are followed.
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let extended = second & 0x7f;
        let bytes = match extended {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if self.arrived < 2 + bytes + mask {
            return None;
        }
        if bytes == 0 {
            return Some(u64::from(extended));
        }
        let mut number = 0;
        for byte in self.head.get(2..2 + bytes)? {
            number = number << 8 | u64::from(*byte);
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with content of this length.
    fn frame(length: usize, mask: bool) -> Vec<u8> {
        let bit = if mask { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match length {
            0..126 => frame.push(bit | length as u8),
            126..65_536 => {
                frame.push(bit | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(bit | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(vec![0xff; length + if mask { 4 } else { 0 }]);
        frame
    }

    #[test]
    fn frames_end_where_they_say() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            for mask in [false, true] {
                let frame = frame(length, mask);
                for piece in [1, 3, 7, frame.len()] {
                    let mut frames = Frames::default();
                    let mut seen = 0;
                    for bytes in frame.chunks(piece) {
                        frames.follow(bytes);
                        seen += bytes.len();
                        assert_eq!(
                            frames.is_between(),
                            seen == frame.len(),
                            "{length} {mask} {piece} {seen}"
                        );
                    }
                }
                let mut frames = Frames::default();
                frames.follow(&[frame.clone(), frame.clone(), vec![0x81]].concat());
                assert!(!frames.is_between());
            }
        }
    }

    #[test]
    fn the_closing_frame_is_one() {
        for cause in [
            Cause::Token(TokenEnd::Expired),
            Cause::Token(TokenEnd::Revoked),
            Cause::Token(TokenEnd::Unknown),
            Cause::Stopping,
            Cause::Idle,
            Cause::Old,
        ] {
            let (mut frames, all) = (Frames::default(), close(cause));
            assert!(
                all.ends_with(cause.phrase().as_bytes()) && all.len() <= 127,
                "{cause:?}"
            );
            frames.follow(&all[..all.len() - 1]);
            assert!(!frames.is_between());
            frames.follow(&all[all.len() - 1..]);
            assert!(frames.is_between());
        }
    }

    #[test]
    fn an_endless_frame_is_no_fault() {
        let mut frames = Frames::default();
        frames.follow(&[0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        frames.follow(&[0; 1_000]);
        assert!(!frames.is_between());
    }
}
