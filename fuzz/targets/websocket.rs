//! Any bytes as the frames of a WebSocket, in pieces: another parser finds the same ends. Any bytes
//! through a tunnel whose token ends: nothing is lost or changed, and the last frame is never put
//! into another one.

use crate::shared::{choice, runtime};
use portcullis_gateway::fuzzing::{between_frames, run_tunnel};
use std::collections::BTreeSet;

pub(crate) fn run(data: &[u8]) {
    let (selector, data) = choice(data);
    let (size, data) = choice(data);
    let ends = ends(data);
    // Pieces of one size, and of sizes that grow.
    let size = usize::from(size) + 1;
    let (mut pieces, mut rest, mut grown) = (Vec::new(), data, size);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(grown.min(rest.len()));
        pieces.push(piece);
        (rest, grown) = (after, grown + usize::from(selector % 3));
    }
    let mut passed = 0;
    for (piece, is_between) in pieces
        .iter()
        .zip(between_frames(pieces.iter().copied()))
    {
        passed += piece.len();
        assert_eq!(is_between, ends.contains(&passed), "after {passed} bytes");
    }
    through_a_tunnel(data, &ends, usize::from(selector), size);
}

/// Where frames end (RFC 6455, section 5.2); the beginning counts too.
fn ends(data: &[u8]) -> BTreeSet<usize> {
    let (mut ends, mut at) = (BTreeSet::from([0]), 0);
    while let Some(length) = data.get(at..).and_then(length_of_frame) {
        let Some(end) = at.checked_add(length).filter(|end| *end <= data.len()) else {
            break;
        };
        ends.insert(end);
        at = end;
    }
    ends
}

/// How long the first frame is with its head, as far as its head is there.
fn length_of_frame(data: &[u8]) -> Option<usize> {
    let second = *data.get(1)?;
    let mask = if second >= 0x80 { 4 } else { 0 };
    let (head, content) = match second & 0x7f {
        126 => (
            4,
            u64::from(u16::from_be_bytes(data.get(2..4)?.try_into().ok()?)),
        ),
        127 => (10, u64::from_be_bytes(data.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    usize::try_from(content).ok()?.checked_add(head + mask)
}

fn through_a_tunnel(down: &[u8], ends: &BTreeSet<usize>, early: usize, room: usize) {
    let up: Vec<u8> = down.iter().rev().copied().collect();
    let (at_upstream, at_client, close) = runtime()
        .block_on(run_tunnel(&up, down, early, room))
        .expect("both sides stay");
    assert_eq!(at_upstream, up);
    assert!(
        at_client.len() >= early.min(down.len()),
        "what was read is there"
    );
    if down.starts_with(&at_client) {
        return;
    }
    let before = at_client
        .strip_suffix(&*close)
        .expect("nothing else is put in");
    assert!(down.starts_with(before), "nothing is changed");
    assert!(ends.contains(&before.len()), "a frame within a frame");
}
