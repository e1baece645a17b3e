//! Small documents, good and bad; the large suites are in the conformance crate.

use super::*;

fn read(text: &str) -> Result<Json, JsonFaultKind> {
    parse(text.as_bytes(), &Limits::default()).map_err(|fault| fault.kind())
}

#[test]
fn reads_what_serde_json_reads() {
    for text in [
        r#"{"a":[1,-2,3.5,1e3,-0,18446744073709551615],"b":{"c":null,"d":true,"e":false}}"#,
        r#" [ "" , "\u00e9\ud83d\ude00\n\/" , {} , [ ] ] "#,
        r#""plain""#,
        "0",
        "-12.50e-2",
    ] {
        let ours = serde_json::to_value(read(text).unwrap()).unwrap();
        let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(ours, theirs, "{text}");
    }
}

#[test]
fn refuses_what_is_no_json() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "01",
        "1.",
        ".5",
        "+1",
        "0x10",
        "1_0",
        "NaN",
        "-",
        "1e",
        "\"\n\"",
        "\"abc",
        "tru",
        "nulll",
        "[1] x",
        "{}{}",
        "\u{feff}{}",
        "// c\n{}",
        "[1 2]",
        "{\"a\" 1}",
    ] {
        assert_eq!(read(text), Err(Syntax), "{text:?}");
    }
    for text in [r#""\x""#, r#""\u12""#, r#""\ud800""#, r#""\ud800\u0041""#, r#""\udc00""#, r#""\u+123""#] {
        assert_eq!(read(text), Err(Escape), "{text:?}");
    }
    assert_eq!(read("1e400"), Err(NumberRange));
    assert_eq!(parse(&[0x22, 0xff, 0x22], &Limits::default()).unwrap_err().kind(), NotUtf8);
}

#[test]
fn refuses_repeated_members_at_any_depth_and_in_any_spelling() {
    for text in [r#"{"a":1,"a":1}"#, r#"{"x":{"a":1,"\u0061":2}}"#, r#"[{"b":1},{"b":1,"b":2}]"#] {
        assert_eq!(read(text), Err(RepeatedMember), "{text}");
    }
    let many: Vec<String> = (0..40).map(|number| format!("\"m{}\":1", number % 39)).collect();
    assert_eq!(read(&format!("{{{}}}", many.join(","))), Err(RepeatedMember));
    for members in 1..80 {
        let mut names: Vec<String> = (0..members).map(|number| format!("\"m{number}\":1")).collect();
        assert!(read(&format!("{{{}}}", names.join(","))).is_ok(), "{members}");
        names.push("\"m0\":1".to_owned());
        assert_eq!(read(&format!("{{{}}}", names.join(","))), Err(RepeatedMember), "{members}");
    }
    let unique: Vec<String> = (0..40).map(|number| format!("\"m{number}\":1")).collect();
    assert!(read(&format!("{{{}}}", unique.join(","))).is_ok());
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    let limits = Limits { json_depth: 3, json_values: 5, ..Limits::default() };
    assert!(parse(b"[[[]]]", &limits).is_ok());
    assert_eq!(parse(b"[[[[]]]]", &limits).unwrap_err().kind(), TooDeep);
    assert!(parse(b"[1,2,3,4]", &limits).is_ok());
    assert_eq!(parse(b"[1,2,3,4,5]", &limits).unwrap_err().kind(), TooMany);
    let deep = "[".repeat(1_000_000);
    assert_eq!(read(&deep), Err(TooDeep));
}

#[test]
fn shows_no_values() {
    assert_eq!(format!("{:?}", read(r#"{"secret":"x"}"#).unwrap()), "an object");
}
