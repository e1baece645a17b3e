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
        r#""\b\f\n\r\t\"\\\/\ud800\udc00\udbff\udfff""#,
        "[\"\u{20}\u{7f}\u{10ffff}\",\n\t1\r\n]",
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
    for text in [
        r#""\x""#,
        r#""\u12""#,
        r#""\ud800""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        r#""\u+123""#,
    ] {
        assert_eq!(read(text), Err(Escape), "{text:?}");
    }
    assert_eq!(read("1e400"), Err(NumberRange));
    assert_eq!(
        parse(&[0x22, 0xff, 0x22], &Limits::default())
            .unwrap_err()
            .kind(),
        NotUtf8
    );
}

#[test]
fn refuses_repeated_members_at_any_depth_and_in_any_spelling() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"x":{"a":1,"\u0061":2}}"#,
        r#"[{"b":1},{"b":1,"b":2}]"#,
    ] {
        assert_eq!(read(text), Err(RepeatedMember), "{text}");
    }
    let many: Vec<String> = (0..40)
        .map(|number| format!("\"m{}\":1", number % 39))
        .collect();
    assert_eq!(
        read(&format!("{{{}}}", many.join(","))),
        Err(RepeatedMember)
    );
    for members in 1..80 {
        let mut names: Vec<String> = (0..members)
            .map(|number| format!("\"m{number}\":1"))
            .collect();
        assert!(
            read(&format!("{{{}}}", names.join(","))).is_ok(),
            "{members}"
        );
        names.push("\"m0\":1".to_owned());
        assert_eq!(
            read(&format!("{{{}}}", names.join(","))),
            Err(RepeatedMember),
            "{members}"
        );
    }
    let unique: Vec<String> = (0..40)
        .map(|number| format!("\"m{number}\":1"))
        .collect();
    assert!(read(&format!("{{{}}}", unique.join(","))).is_ok());
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    let limits = Limits {
        json_depth: 3,
        json_values: 5,
        ..Limits::default()
    };
    assert!(parse(b"[[[]]]", &limits).is_ok());
    assert_eq!(parse(b"[[[[]]]]", &limits).unwrap_err().kind(), TooDeep);
    assert!(parse(b"[1,2,3,4]", &limits).is_ok());
    assert_eq!(parse(b"[1,2,3,4,5]", &limits).unwrap_err().kind(), TooMany);
    let deep = "[".repeat(1_000_000);
    assert_eq!(read(&deep), Err(TooDeep));
}

/// One control character is a fault in a string, and so are two, wherever they stand.
#[test]
fn control_characters_stand_between_values_only() {
    for text in [
        "\"\u{0}\"",
        "\"\u{1f}\"",
        "\"\u{1}\u{1}\"",
        "\n\"a\tb\"",
        "\"\u{1f}\\n\u{1f}\"",
        "[\"\n\",\"\n\"]",
    ] {
        assert_eq!(read(text), Err(Syntax), "{text:?}");
    }
}

/// `Aa` and `BB` look alike to the quick look, and are still different names.
#[test]
fn different_names_are_no_repetition() {
    let mut names = NameFilter::default();
    assert_eq!(
        [
            names.may_hold("Aa"),
            names.may_hold("BB"),
            names.may_hold("C")
        ],
        [false, true, false]
    );
    assert_eq!(
        read(r#"{"Aa":1,"BB":2}"#)
            .unwrap()
            .as_object()
            .map(Object::len),
        Some(2)
    );
    assert_eq!(read(r#"{"Aa":1,"BB":2,"Aa":3}"#), Err(RepeatedMember));
}

#[test]
fn a_fault_has_its_place() {
    for (text, told) in [
        ("[1,x]", "not valid JSON (at byte 3)"),
        (r#""\u12x4""#, "an escape that is no character (at byte 3)"),
        (r#"["\q"]"#, "an escape that is no character (at byte 3)"),
        ("[1,1e999]", "a number out of range (at byte 3)"),
        ("[1] 2", "not valid JSON (at byte 4)"),
        (
            r#"{"a":1,"a":2}"#,
            "a member name repeated in one object (at byte 11)",
        ),
    ] {
        let fault = parse(text.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(fault.to_string(), told, "{text}");
        assert!(told.ends_with(&format!("{})", fault.at())), "{text}");
    }
    assert_eq!(parse(b"ab\xff", &Limits::default()).unwrap_err().at(), 2);
}

#[test]
fn an_object_has_each_name_once() {
    let object = |names: &[&str]| {
        let members = names
            .iter()
            .map(|name| (Text::from(*name), Json::Null));
        Object::new(members).map(|object| object.len())
    };
    assert_eq!(object(&[]), Some(0));
    assert_eq!(object(&["b", "a", "B"]), Some(3));
    assert_eq!(object(&["a", "b", "a"]), None);
}

#[test]
fn shows_no_values() {
    let secret = read(r#"{"secret":"x"}"#).unwrap();
    assert_eq!(format!("{secret:?}"), "an object");
    assert_eq!(
        format!("{:?}", secret.as_object().unwrap()),
        "an object of 1 members"
    );
    assert_eq!(format!("{:?}", Text::from("secret")), "a text of 6 bytes");
}

#[test]
fn a_value_is_read_as_its_own_type_only() {
    let value = |text| read(text).unwrap();
    assert_eq!(
        (
            value("-7").as_i64(),
            value("7.0").as_i64(),
            value("\"7\"").as_i64()
        ),
        (Some(-7), None, None)
    );
    assert_eq!(
        (value("false").as_bool(), value("0").as_bool()),
        (Some(false), None)
    );
}
