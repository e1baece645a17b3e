//! A request target, and patterns of routes, a line each. A path has one spelling; a pattern and a
//! path that decode to the same segments are decided alike; what is forwarded decodes to what was
//! decided.

use crate::shared::segments;
use portcullis_gateway::fuzzing::{Router, path, pattern, walk};
use std::fmt::Write as _;
use std::sync::LazyLock;

/// Routes that strip prefixes, keep escaped slashes, both, and neither.
static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let document = r#"
        [[issuer]]
        url = "https://idp.example"
        audience = ["api"]
        [gateway]
        upstream = "http://127.0.0.1:8000"
        [[route]]
        name = "0 open"
        path = "/open/**"
        access = "public"
        [[route]]
        name = "1 strip"
        path = "/strip/**"
        strip_prefix = "/strip"
        [[route]]
        name = "0 keep"
        path = "/keep/**"
        encoded_slashes = "keep"
        [[route]]
        name = "2 both"
        path = "/both/a%20b/**"
        strip_prefix = "/both/a%20b"
        encoded_slashes = "keep"
    "#;
    Router::new(document).expect("the settings are right")
});

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let target = lines.next().unwrap_or_default();
    let written = target.split('?').next().unwrap_or_default();
    let patterns: Vec<&str> = lines
        .filter(|line| is_read_as_written(line))
        .take(8)
        .collect();
    let found = walk(&patterns, written).ok();
    match path(written) {
        Some((spelling, is_plain)) => {
            one_spelling(written, &spelling, is_plain);
            assert_eq!(
                found,
                Some(best(&patterns, &segments(written))),
                "{patterns:?} {written}"
            );
            assert_eq!(
                walk(&patterns, &spelling).ok(),
                found,
                "{patterns:?} {written}"
            );
        }
        None => assert_eq!(found, None),
    }
    forwarded(target);
}

/// The path in its one spelling says the same, however it was written; nothing in it can be read in
/// another way.
fn one_spelling(written: &str, spelling: &str, is_plain: bool) {
    let decoded = segments(written);
    assert_eq!(
        path(spelling),
        Some((spelling.to_owned(), is_plain)),
        "twice is as once"
    );
    assert_eq!(segments(spelling), decoded);
    assert_eq!(
        is_plain,
        !decoded.iter().any(|segment| segment.contains(&b'/'))
    );
    for part in decoded
        .iter()
        .flat_map(|segment| segment.split(|byte| *byte == b'/'))
    {
        assert!(part != b"." && part != b"..", "{written}");
        assert!(
            !part
                .iter()
                .any(|byte| byte.is_ascii_control() || b"\\;".contains(byte)),
            "{written}"
        );
    }
    // A segment by itself: each of its bytes escaped.
    let mut escaped = String::new();
    for segment in &decoded {
        escaped.push('/');
        segment
            .iter()
            .for_each(|byte| _ = write!(escaped, "%{byte:02x}"));
    }
    if written.len() > 1 && written.ends_with('/') || escaped.is_empty() {
        escaped.push('/');
    }
    assert_eq!(
        path(&escaped).map(|(spelling, _)| spelling).as_deref(),
        Some(spelling)
    );
}

/// Whether a pattern is one, and holds what it was written with.
fn is_read_as_written(written: &str) -> bool {
    let Some((read, is_open)) = pattern(written) else {
        return false;
    };
    let closed = written.strip_suffix("/**");
    let wanted = wanted(closed.unwrap_or(written));
    assert_eq!(
        (read.len(), is_open),
        (wanted.len(), closed.is_some()),
        "{written}"
    );
    for (read, wanted) in read.iter().zip(&wanted) {
        assert_eq!(
            read.as_ref()
                .map(|spelling| segments(spelling).concat()),
            wanted.clone(),
            "{written}"
        );
    }
    true
}

/// What the segments of a pattern ask for; `None` for any one.
fn wanted(closed: &str) -> Vec<Option<Vec<u8>>> {
    let plain = closed.strip_prefix('/').unwrap_or(closed);
    let is_any =
        |written: &str| written == "*" || (written.starts_with('{') && written.ends_with('}'));
    let wild = plain.split('/').map(is_any);
    segments(closed)
        .into_iter()
        .zip(wild)
        .map(|(segment, any)| (!any).then_some(segment))
        .collect()
}

/// The most specific of the patterns that decode to this path; the last of equal ones.
fn best(patterns: &[&str], path: &[Vec<u8>]) -> Option<usize> {
    let rank = |index: usize, written: &str| {
        let closed = written.strip_suffix("/**");
        let wanted = wanted(closed.unwrap_or(written));
        let is_long_enough =
            path.len() == wanted.len() || (closed.is_some() && path.len() > wanted.len());
        let mut pairs = wanted.iter().zip(path);
        let fits = is_long_enough
            && pairs.all(|(wanted, held)| wanted.as_ref().is_none_or(|it| it == held));
        let mut rank: Vec<u8> = wanted
            .iter()
            .map(|wanted| u8::from(wanted.is_none()))
            .collect();
        rank.extend(closed.map(|_| 2));
        fits.then_some((rank, usize::MAX - index))
    };
    let ranks = patterns
        .iter()
        .enumerate()
        .filter_map(|(index, written)| rank(index, written));
    ranks.min().map(|(_, index)| usize::MAX - index)
}

/// The forwarded target is the decided one, without what its route strips.
fn forwarded(target: &str) {
    let Ok((name, forwarded)) = ROUTER.find("GET", "gw.example", target) else {
        return;
    };
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    let (there, with) = forwarded
        .split_once('?')
        .map_or((&*forwarded, None), |(it, query)| (it, Some(query)));
    assert_eq!(query, with, "{target}");
    assert!(there.starts_with('/'), "{target}");
    let stripped = name
        .split(' ')
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(0);
    let decided = segments(path);
    assert_eq!(
        Some(&*segments(there)),
        decided.get(stripped..),
        "{name} {target}"
    );
    let prefix: &[&[u8]] = match name.split_once(' ').map_or("", |(_, name)| name) {
        "open" => &[b"open"],
        "strip" => &[b"strip"],
        "keep" => &[b"keep"],
        "both" => &[b"both", b"a b"],
        _ => &[],
    };
    assert!(
        decided
            .iter()
            .zip(prefix)
            .all(|(held, wanted)| held == wanted),
        "{name} {target}"
    );
    let keeps = ["keep", "both"].iter().any(|it| name.ends_with(it));
    assert!(
        keeps || !decided.iter().any(|segment| segment.contains(&b'/')),
        "{name} {target}"
    );
}
