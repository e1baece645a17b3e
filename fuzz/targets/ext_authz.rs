//! Any bytes as Envoy's question, and questions about a request whose parts are told line by line:
//! method, path, host, then header fields. Decided is what was told, in one spelling; a question
//! that tells two requests is refused.

use crate::shared::{choice, segments};
use portcullis_gateway::fuzzing::{OriginalRequest, host, path, question};

pub(crate) fn run(data: &[u8]) {
    let (selector, data) = choice(data);
    if selector % 2 == 0 {
        assert!(question(data).is_err() || is_framed(data));
        any_message(data);
    } else {
        told_in_lines(data);
    }
}

/// Whether the head of the only frame says how long it is.
fn is_framed(body: &[u8]) -> bool {
    body.get(..5) == Some(&frame(body.get(5..).unwrap_or_default())[..5])
}

fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[0][..], &length.to_be_bytes(), message].concat()
}

fn any_message(message: &[u8]) {
    let framed = frame(message);
    let Ok(asked) = question(&framed) else { return };
    is_in_one_spelling(&asked);
    let holds = |part: &str| {
        part.is_empty()
            || message
                .windows(part.len())
                .any(|it| it == part.as_bytes())
    };
    assert!(holds(&asked.method), "a method that nobody told");
    if asked.respelled.is_none() {
        let (path, query) = asked
            .target
            .split_once('?')
            .unwrap_or((&asked.target, ""));
        assert!(holds(path) && holds(query), "a target that nobody told");
    }
    assert!(
        question(&framed[..framed.len() - 1]).is_err(),
        "a message that breaks off"
    );
    assert!(
        question(&[&framed[..], &[0]].concat()).is_err(),
        "a message that goes on"
    );
    assert!(
        question(&[&[1], &framed[1..]].concat()).is_err(),
        "a message that is compressed"
    );
}

fn is_in_one_spelling(asked: &OriginalRequest) {
    let written = asked.target.split('?').next().unwrap_or_default();
    assert_eq!(
        path(written).map(|(spelling, _)| spelling).as_deref(),
        Some(written)
    );
    assert_eq!(
        host(&asked.authority)
            .map(|(_, authority)| authority)
            .as_ref(),
        Some(&asked.authority)
    );
    assert!(!["CONNECT", "TRACE"].contains(&&*asked.method));
    assert!(
        !asked
            .method
            .bytes()
            .any(|byte| byte.is_ascii_lowercase())
    );
    assert!(
        asked
            .respelled
            .as_ref()
            .is_none_or(|respelled| *respelled == asked.target)
    );
    assert!(!asked.target.contains('#') && asked.headers.len() <= 1_024);
}

fn told_in_lines(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, target, authority) = (line(), line(), line());
    let fields: Vec<(&[u8], &[u8])> = lines.take(64).filter_map(field).collect();
    let request = [text(2, method), text(4, target), text(5, authority)].concat();
    // The map of header fields, and the list that keeps repeated ones apart.
    let entries = fields
        .iter()
        .map(|(name, value)| text(3, &[text(1, name), text(2, value)].concat()));
    let in_map = question(&frame(&message(
        &[request.clone(), entries.collect::<Vec<_>>().concat()].concat(),
    )));
    let apart = fields
        .iter()
        .map(|(name, value)| text(1, &[text(1, name), text(3, value)].concat()));
    let apart = text(13, &apart.collect::<Vec<_>>().concat());
    let in_list = question(&frame(&message(&[request.clone(), apart].concat())));
    let Ok(asked) = in_map else {
        assert!(in_list.is_err());
        return;
    };
    let other = in_list.expect("the same question in another form");
    assert_eq!(
        (&asked.method, &asked.target, &asked.authority),
        (&other.method, &other.target, &other.authority)
    );
    assert_eq!(asked.headers, other.headers);
    is_in_one_spelling(&asked);
    assert_eq!(asked.method.as_bytes(), method);
    let target = std::str::from_utf8(target).expect("a target that was read is text");
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    let (decided, with) = asked
        .target
        .split_once('?')
        .map_or((&*asked.target, None), |(path, query)| (path, Some(query)));
    assert_eq!((segments(decided), with), (segments(path), query));
    assert_eq!(
        asked.respelled.is_some(),
        asked.target != target,
        "Envoy forwards what it told"
    );
    let authority = std::str::from_utf8(authority).expect("a host that was read is text");
    assert_eq!(
        host(authority).map(|(_, authority)| authority),
        Some(asked.authority)
    );
    for (name, value) in &fields {
        // A pseudo field is the same as what was told, or it is one that is not looked at.
        let told = [
            (&b":method"[..], method),
            (b":path", target.as_bytes()),
            (b":authority", authority.as_bytes()),
        ];
        assert!(
            told.iter()
                .all(|(pseudo, told)| pseudo != name || told == value)
        );
    }
    for pseudo in [":method", ":path", ":authority"] {
        let entry = text(
            3,
            &[text(1, pseudo.as_bytes()), text(2, b"/another")].concat(),
        );
        let two = question(&frame(&message(&[request.clone(), entry].concat())));
        assert!(
            two.is_err() || (pseudo == ":path" && target == "/another"),
            "two requests in one message"
        );
    }
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().skip(1).position(|byte| *byte == b':')? + 1;
    Some((&line[..at], &line[at + 1..]))
}

/// A request within attributes within a question, as protobuf writes them.
fn message(http: &[u8]) -> Vec<u8> {
    text(1, &text(4, &text(2, http)))
}

/// A field with a length before it: bytes, or a message.
fn text(number: u8, content: &[u8]) -> Vec<u8> {
    let (mut field, mut length) = (vec![number << 3 | 2], content.len());
    while length > 0x7f {
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend(content);
    field
}
