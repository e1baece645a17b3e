use super::*;

fn normal(path: &str) -> Result<String, PathFault> {
    NormalPath::parse(path).map(|path| path.as_str().to_owned())
}

#[test]
fn a_path_has_one_spelling() {
    for (written, expected) in [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/%61%2D%7e", "/a-~"),
        ("/%c3%a9", "/%C3%A9"),
        ("/a%23b%3f%20", "/a%23b%3F%20"),
        ("/100%25", "/100%25"),
        ("/.well-known/x", "/.well-known/x"),
        ("/.../..a/.b", "/.../..a/.b"),
        ("/a:b@c,d=e", "/a:b@c,d=e"),
    ] {
        assert_eq!(normal(written).as_deref(), Ok(expected), "{written}");
        assert_eq!(normal(expected).as_deref(), Ok(expected), "twice is as once");
    }
}

#[test]
fn what_has_two_readings_is_refused() {
    use PathFault::*;
    for (written, fault) in [
        ("", Relative),
        ("*", Relative),
        ("a", Relative),
        ("/.", DotSegment),
        ("/a/..", DotSegment),
        ("/a/../b", DotSegment),
        ("/%2e%2E/a", DotSegment),
        ("/..%23/a", DotSegment),
        ("/.%20", DotSegment),
        ("//", EmptySegment),
        ("//a", EmptySegment),
        ("/a//b", EmptySegment),
        ("/a//", EmptySegment),
        ("/a%2fb", HiddenSlash),
        ("/a%5Cb", HiddenSlash),
        ("/a\\b", HiddenSlash),
        ("/a;b", Semicolon),
        ("/a%3bb", Semicolon),
        ("/a%", Escape),
        ("/a%4", Escape),
        ("/a%zz", Escape),
        ("/%u002e", Escape),
        ("/%252e", DoubleEscape),
        ("/%25%32e", DoubleEscape),
        ("/%25%32%65%25%32%65/a", DoubleEscape),
        ("/a%00", Character),
        ("/a%7f", Character),
        ("/a b", Character),
        ("/a\"b", Character),
        ("/\u{e9}", Character),
        ("/%ff", Utf8),
        ("/%c0%ae", Utf8),
    ] {
        assert_eq!(normal(written), Err(fault), "{written}");
    }
}

/// Many paths out of pieces that mean something to some server: one that passes is as it is forwarded, and nothing
/// that decodes it once more finds another way.
#[test]
fn what_passes_has_one_reading_whatever_it_is_made_of() {
    const PIECES: [&str; 24] = [
        "/",
        "/",
        "a",
        "b",
        ".",
        ".",
        "..",
        "%2e",
        "%2E",
        "%2f",
        "%5c",
        "\\",
        ";",
        "%3b",
        "%",
        "%25",
        "2e",
        "%61",
        "%00",
        "%c0%ae",
        "%23",
        "%3F",
        "~",
        "%e2%82%ac",
    ];
    let (mut seed, mut passed) = (1_u64, 0);
    for _ in 0..100_000 {
        let mut path = String::from("/");
        loop {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let piece = usize::try_from(seed >> 33).unwrap() % 28;
            match PIECES.get(piece) {
                Some(piece) => path.push_str(piece),
                None => break,
            }
        }
        let Ok(once) = normal(&path) else { continue };
        passed += 1;
        assert_eq!(normal(&once).as_ref(), Ok(&once), "{path}");
        let mut decoded = once.clone();
        for _ in 0..3 {
            decoded = percent_decode_str(&decoded).decode_utf8().unwrap().into_owned();
            let segments: Vec<&str> = decoded.split('/').collect();
            assert_eq!(segments.len(), once.split('/').count(), "{path}");
            assert!(!segments.iter().any(|segment| ["..", "."].contains(segment)), "{path}");
            assert!(!decoded.contains(['\\', ';', '\0']), "{path}");
        }
    }
    assert!(passed > 10_000, "{passed}");
}

#[test]
fn a_final_slash_is_no_segment() {
    let segments = |path: &str| NormalPath::parse(path).unwrap().segments().count();
    assert_eq!([segments("/"), segments("/a"), segments("/a/"), segments("/a/b/")], [0, 1, 1, 2]);
}
