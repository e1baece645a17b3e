//! For every pair of spellings that a server reads as one, the route is one: a server that splits a
//! path at its slashes and undoes the escapes of each segment. It stands beside the code here,
//! written in another way.

use super::*;
use crate::request::path::RequestPath;
use portcullis_core::Requirement;
use std::collections::HashMap;

/// Segments as such a server reads them: all characters that mean something to somebody, plain
/// names, and bytes.
const SEGMENTS: [&[u8]; 30] = [
    b"items:purge",
    b"!$&'()*+,=:@",
    b"*",
    b"**",
    b"{id}",
    b"{}",
    b"[a]|b",
    b"\"<>^`",
    b"a b",
    b"a+b",
    b"a?b#c",
    b"a/b",
    b"/",
    b"a/../b",
    b"100%",
    b"%2e",
    b"~-._",
    b".",
    b"..",
    b"..a",
    b"...",
    b"a;b",
    b"a\\b",
    b"\0",
    b"a",
    b"b",
    b"A",
    "caf\u{e9}".as_bytes(),
    "cafe\u{301}".as_bytes(),
    b"\xff",
];

/// A path as such a server reads it.
type Decoded = Vec<Vec<u8>>;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn segment(&mut self) -> Vec<u8> {
        SEGMENTS[self.below(SEGMENTS.len())].to_vec()
    }

    /// One of the spellings of a segment. Slashes and percent signs are always escaped, others by
    /// chance.
    fn spelled(&mut self, segment: &[u8], always: &[u8]) -> String {
        let mut text = Vec::new();
        for byte in segment {
            match self.below(3) {
                0 => text.extend(format!("%{byte:02X}").bytes()),
                1 => text.extend(format!("%{byte:02x}").bytes()),
                _ if b"/%".contains(byte) || always.contains(byte) => {
                    text.extend(format!("%{byte:02X}").bytes());
                }
                _ => text.push(*byte),
            }
        }
        // A request is a text; what is none is escaped.
        String::from_utf8(text).unwrap_or_else(|_| {
            segment
                .iter()
                .map(|byte| format!("%{byte:02x}"))
                .collect()
        })
    }
}

/// How a server reads a path.
fn decoded(path: &str) -> Decoded {
    let inner = path.strip_prefix('/').unwrap();
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let mut segments: Decoded = Vec::new();
    for segment in inner.split('/') {
        let (mut bytes, mut rest) = (Vec::new(), segment.as_bytes());
        while let [first, more @ ..] = rest {
            let escape = more.get(..2).filter(|_| *first == b'%');
            let escape = escape
                .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
            bytes.push(escape.unwrap_or(*first));
            rest = if escape.is_some() { &more[2..] } else { more };
        }
        segments.push(bytes);
    }
    if inner.is_empty() {
        Vec::new()
    } else {
        segments
    }
}

/// A pattern as it is meant.
struct Meant {
    segments: Vec<Option<Vec<u8>>>,
    open: bool,
    slashes: EscapedSlashes,
}

impl Meant {
    fn random(random: &mut Random) -> Self {
        let length = random.below(4);
        let mut segments = Vec::new();
        while segments.len() < length {
            segments.push(if random.below(3) == 0 {
                None
            } else {
                Some(random.segment())
            });
        }
        let slashes = if random.below(2) == 0 {
            EscapedSlashes::Keep
        } else {
            EscapedSlashes::Refuse
        };
        Self {
            segments,
            open: random.below(2) == 0,
            slashes,
        }
    }

    /// The pattern in one of its spellings; stars and braces that are characters are escaped.
    fn written(&self, random: &mut Random) -> Option<PathPattern> {
        let mut text: String = self
            .segments
            .iter()
            .map(|segment| match segment {
                None => ["/*", "/{name}"][random.below(2)].to_owned(),
                Some(segment) => format!("/{}", random.spelled(segment, b"*{}?# ")),
            })
            .collect();
        text.push_str(match (self.open, self.segments.is_empty()) {
            (true, _) => "/**",
            (false, true) => "/",
            (false, false) => "",
        });
        PathPattern::parse(&text, self.slashes).ok()
    }

    /// How specific this is for a path, segment by segment: written out, one, any number. `None` if
    /// it is not for it.
    fn rank(&self, path: &Decoded) -> Option<Vec<u8>> {
        let fits = if self.open {
            path.len() >= self.segments.len()
        } else {
            path.len() == self.segments.len()
        };
        let mut rank = Vec::new();
        for (index, segment) in path.iter().enumerate().filter(|_| fits) {
            rank.push(match self.segments.get(index) {
                Some(Some(written)) if written == segment => 2,
                Some(Some(_)) => return None,
                Some(None) => 1,
                None => 0,
            });
        }
        rank.push(u8::from(!self.open));
        fits.then_some(rank)
    }
}

fn route(name: String, escaped_slashes: EscapedSlashes) -> Route {
    Route {
        name: name.into(),
        terms: RouteTerms::default(),
        access: Access::Required(Requirement::ValidToken),
        resource: None,
        upstream: 0,
        body_bytes: None,
        escaped_slashes,
        stripped_segments: 0,
        response_timeout: Duration::from_secs(1),
        assertion_audience: None,
        cors: None,
    }
}

/// Some routes, without two of one rank; and what they mean.
fn table(random: &mut Random) -> (Routes, Vec<Meant>) {
    let (mut routes, mut all) = (
        Routes::new(route("default".to_owned(), EscapedSlashes::Refuse)),
        Vec::new(),
    );
    let mut taken = Vec::new();
    while all.len() < 12 {
        let meant = Meant::random(random);
        let Some(path) = meant.written(random) else {
            continue;
        };
        if taken.contains(&(meant.segments.clone(), meant.open)) {
            continue;
        }
        taken.push((meant.segments.clone(), meant.open));
        let pattern = RoutePattern {
            host: None,
            path,
            method: None,
        };
        assert!(
            routes
                .add(route(all.len().to_string(), meant.slashes), &[pattern])
                .is_empty()
        );
        all.push(meant);
    }
    (routes, all)
}

/// The route that a server would choose that reads paths and patterns by itself.
fn chosen(all: &[Meant], path: &Decoded) -> (String, EscapedSlashes) {
    let ranked = all
        .iter()
        .enumerate()
        .filter_map(|(index, meant)| Some((meant.rank(path)?, index)));
    ranked.max().map_or(
        ("default".to_owned(), EscapedSlashes::Refuse),
        |(_, index)| (index.to_string(), all[index].slashes),
    )
}

#[test]
fn spellings_of_one_path_have_one_route() {
    let (mut random, host) = (Random(1), Host::parse("gw.example").unwrap());
    let (mut passed, mut refused, mut pairs) = (0, 0, 0);
    for _ in 0..300 {
        let (routes, all) = table(&mut random);
        let mut verdicts: HashMap<Decoded, Result<String, PathFault>> = HashMap::new();
        for _ in 0..300 {
            let path: Decoded = (0..random.below(4))
                .map(|_| random.segment())
                .collect();
            for _ in 0..4 {
                let spelled: String = path
                    .iter()
                    .map(|it| format!("/{}", random.spelled(it, b"")))
                    .collect();
                let spelled = if spelled.is_empty() || random.below(4) == 0 {
                    spelled + "/"
                } else {
                    spelled
                };
                assert_eq!(decoded(&spelled), path, "{spelled}");
                // Not every spelling is a request.
                let Ok(read) = RequestPath::parse(&spelled) else {
                    refused += 1;
                    continue;
                };
                assert_eq!(
                    decoded(read.as_str()),
                    path,
                    "{spelled}: what is forwarded is what was asked for"
                );
                let found = routes
                    .find(&host, &read, &Method::GET)
                    .map(|route| route.name.to_string());
                let (name, slashes) = chosen(&all, &path);
                match &found {
                    Ok(found) => assert_eq!(*found, name, "{spelled}"),
                    Err(fault) => {
                        let has_slash = path.iter().flatten().any(|byte| *byte == b'/');
                        assert!(
                            has_slash && slashes == EscapedSlashes::Refuse,
                            "{spelled}: {fault}"
                        );
                    }
                }
                passed += usize::from(found.is_ok());
                pairs += usize::from(verdicts.contains_key(&path));
                let first = verdicts
                    .entry(path.clone())
                    .or_insert_with(|| found.clone());
                assert_eq!(*first, found, "{spelled}");
            }
        }
    }
    assert!(
        passed > 50_000 && refused > 50_000 && pairs > 50_000,
        "{passed} {refused} {pairs}"
    );
}

/// A path that is read at all is read in every spelling but those that no request may have.
#[test]
fn a_path_is_refused_in_all_its_spellings_or_in_none() {
    let mut random = Random(7);
    for segment in SEGMENTS {
        let escaped: String = segment
            .iter()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        let whole = RequestPath::parse(&format!("/{escaped}"));
        for _ in 0..200 {
            let spelled = random.spelled(segment, b"");
            let no_request = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#');
            let read = RequestPath::parse(&format!("/{spelled}"));
            if spelled.bytes().any(no_request) {
                assert!(read.is_err(), "{spelled}");
            } else {
                assert_eq!(read, whole, "{spelled}");
            }
        }
    }
}
