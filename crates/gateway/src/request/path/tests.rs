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
        ("/%21%24%26%27%28%29%2A%2B%2C%3D%3A%40", "/!$&'()*+,=:@"),
        ("/%2a%2b%2c%3a%3d", "/*+,:="),
        ("/\"<>[]^`{|}", "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"),
        (
            "/%22%3c%3e%5b%5d%5e%60%7b%7c%7d",
            "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D",
        ),
    ] {
        assert_eq!(normal(written).as_deref(), Ok(expected), "{written}");
        assert_eq!(
            normal(expected).as_deref(),
            Ok(expected),
            "twice is as once"
        );
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
        ("/a%2fb", EscapedSlash),
        ("/%2F", EscapedSlash),
        ("/a%2F..%2Fb", DotSegment),
        ("/a%2F..", DotSegment),
        ("/..%2Fb", DotSegment),
        ("/a%2F.%2Fb", DotSegment),
        ("/a%2F%2e%2e%23", DotSegment),
        ("/a%252Fb", DoubleEscape),
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
        ("/a?b", Character),
        ("/a#b", Character),
        ("/a\tb", Character),
        ("/\u{e9}", Character),
        ("/%ff", Utf8),
        ("/%c0%ae", Utf8),
    ] {
        assert_eq!(normal(written), Err(fault), "{written}");
    }
}

/// Many paths out of pieces that mean something to some server, and of all characters: one that
/// passes is as it is forwarded, and nothing that decodes it once more finds another way.
#[test]
fn what_passes_has_one_reading_whatever_it_is_made_of() {
    let pieces = [
        "/",
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
        "%2F",
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
    let characters =
        (b'!'..=b'~').flat_map(|byte| [char::from(byte).to_string(), format!("%{byte:02x}")]);
    let pieces: Vec<String> = pieces
        .into_iter()
        .map(str::to_owned)
        .chain(characters)
        .collect();
    let (mut seed, mut passed) = (1_u64, 0);
    let mut random = |bound: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % bound
    };
    for _ in 0..200_000 {
        let mut path = String::from("/");
        // Half of the pieces are of the first ones.
        while random(8) > 0 {
            let bound = if random(2) == 0 { 26 } else { pieces.len() };
            path.push_str(&pieces[random(bound)]);
        }
        let Ok(read) = RequestPath::parse(&path) else {
            continue;
        };
        passed += 1;
        let once = read.as_str().to_owned();
        assert_eq!(RequestPath::parse(&once).as_ref(), Ok(&read), "{path}");
        assert_eq!(
            read.on_route(EscapedSlashes::Refuse).is_err(),
            once.contains("%2F"),
            "{path}"
        );
        assert_eq!(read.on_route(EscapedSlashes::Keep).unwrap().as_str(), once);
        let mut decoded = once.clone();
        for _ in 0..3 {
            decoded = percent_decode_str(&decoded)
                .decode_utf8()
                .unwrap()
                .into_owned();
            let mut segments = decoded.split('/');
            assert!(
                !segments.any(|segment| ["..", "."].contains(&segment)),
                "{path}"
            );
            assert!(!decoded.contains(['\\', ';', '\0']), "{path}");
            if !once.contains("%2F") {
                assert_eq!(
                    decoded.split('/').count(),
                    once.split('/').count(),
                    "{path}"
                );
            }
        }
    }
    assert!(passed > 50_000, "{passed}");
}

#[test]
fn a_final_slash_is_no_segment() {
    let segments = |path: &str| NormalPath::parse(path).unwrap().segments().count();
    assert_eq!(
        [
            segments("/"),
            segments("/a"),
            segments("/a/"),
            segments("/a/b/")
        ],
        [0, 1, 1, 2]
    );
}

#[test]
fn a_path_is_split_at_whole_segments() {
    let path = |text: &str| NormalPath::parse(text).unwrap();
    for (text, segments, prefix, rest) in [
        ("/a/b/c", 0, "", "/a/b/c"),
        ("/a/b/c", 1, "/a", "/b/c"),
        ("/a/b/c", 3, "/a/b/c", ""),
        ("/a/", 1, "/a", "/"),
        ("/a", 1, "/a", ""),
        ("/", 0, "", "/"),
        ("/a", 9, "/a", ""),
    ] {
        assert_eq!(
            path(text).split_after(segments),
            (prefix, rest),
            "{text} {segments}"
        );
    }
}
