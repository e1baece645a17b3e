//! What serde reads from our values, and what it does not get.

use super::*;
use portcullis_core::Limits;
use serde::Deserialize;
use std::collections::BTreeMap;

fn json(text: &str) -> Json {
    portcullis_core::jose::json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// The same value as by `serde_json`, or the place and kind of the fault.
fn compare<T: DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) {
    let ours = read::<T>(&json(text), UnknownMembers::Refuse).value;
    let theirs: Result<T, _> = serde_json::from_str(text);
    assert_eq!(ours.ok(), theirs.ok(), "{text}");
}

fn fault<T: DeserializeOwned>(text: &str) -> String {
    match read::<T>(&json(text), UnknownMembers::Refuse).value {
        Ok(_) => "read".to_owned(),
        Err(fault) => {
            let place: Vec<String> = fault.place().map(ToString::to_string).collect();
            format!("{:?} at {}", fault.kind, place.join("."))
        }
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Sample {
    integer: i16,
    unsigned: u64,
    float: f32,
    text: String,
    letter: Option<char>,
    truth: bool,
    list: Vec<u8>,
    pair: (u8, String),
    triple: [i8; 3],
    map: BTreeMap<String, Sample>,
    keys: BTreeMap<i8, bool>,
    nested: Option<Box<Sample>>,
    unit: (),
    choice: Option<Choice>,
    any: serde_json::Value,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Choice {
    Unit,
    New(u8),
    Tuple(u8, u8),
    Struct { a: u8 },
}

#[test]
fn reads_what_serde_json_reads() {
    for text in [
        "{}",
        r#"{"integer":-3,"unsigned":18446744073709551615,"float":2,"text":"a","letter":"x"}"#,
        r#"{"truth":true,"list":[1,2],"pair":[1,"b"],"triple":[1,2,3],"unit":null}"#,
        r#"{"map":{"a":{},"b":{"integer":1}},"keys":{"-1":true,"7":false}}"#,
        r#"{"nested":{"nested":{"text":"deep"}},"letter":null}"#,
        r#"{"choice":"Unit"}"#,
        r#"{"choice":{"Unit":null}}"#,
        r#"{"choice":{"New":1}}"#,
        r#"{"choice":{"Tuple":[1,2]}}"#,
        r#"{"choice":{"Struct":{"a":1}}}"#,
        r#"{"any":{"a":[1,-1,1.5,"b",null,true,{"c":{}}]}}"#,
        r#"{"integer":40000}"#,
        r#"{"integer":"1"}"#,
        r#"{"truth":1}"#,
        r#"{"pair":[1]}"#,
        r#"{"pair":[1,"b",2]}"#,
        r#"{"triple":[1,2,3,4]}"#,
        r#"{"letter":"ab"}"#,
        r#"{"keys":{"x":true}}"#,
        r#"{"keys":{"300":true}}"#,
        r#"{"choice":"New"}"#,
        r#"{"choice":{"New":1,"Unit":null}}"#,
        r#"{"choice":{"Unit":5}}"#,
        r#"{"choice":"None"}"#,
        r#"{"choice":[]}"#,
    ] {
        compare::<Sample>(text);
    }
}

#[test]
fn faults_have_place_and_kind_and_no_text() {
    for (text, expected) in [
        (r#"{"integer":"1"}"#, "Type(Integer) at integer"),
        (
            r#"{"nested":{"list":[1,"x"]}}"#,
            "Type(Integer) at nested.list.1",
        ),
        (r#"{"map":{"m":{"truth":0}}}"#, "Type(Bool) at map.m.truth"),
        (r#"{"text":[]}"#, "Type(Text) at text"),
        (r#"{"float":"x"}"#, "Type(Float) at float"),
        (r#"{"list":{}}"#, "Type(Sequence) at list"),
        (r#"{"map":[]}"#, "Type(Object) at map"),
        (r#"{"nested":[1]}"#, "Type(Object) at nested"),
        (r#"{"choice":"None"}"#, "Other at choice"),
        (r#"{"choice":{"Struct":{}}}"#, "Missing at choice.Struct.a"),
        (
            r#"{"choice":{"Struct":{"a":1,"b":2}}}"#,
            "Extra at choice.Struct.b",
        ),
        (r#"{"unknown":{"a":1}}"#, "Extra at unknown"),
        (r#"{"keys":{"07":true}}"#, "Type(Integer) at keys.07"),
        (r#"{"keys":{"+7":true}}"#, "Type(Integer) at keys.+7"),
    ] {
        assert_eq!(fault::<Sample>(text), expected, "{text}");
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Closed {
        #[serde(rename = "a")]
        _a: u8,
    }
    assert_eq!(fault::<Closed>(r#"{"a":1,"b":2}"#), "Extra at b");
    assert_eq!(fault::<Closed>("{}"), "Missing at a");
}

#[test]
fn unknown_members_are_refused_ignored_or_hidden_in_a_buffer() {
    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        A,
    }
    #[derive(Debug, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        _a: Plain,
    }
    #[derive(Debug, Deserialize)]
    struct Plain {
        #[serde(rename = "a")]
        _a: u8,
    }
    fn outcome<T: DeserializeOwned>(text: &str, unknown: UnknownMembers) -> (bool, bool) {
        let reading = read::<T>(&json(text), unknown);
        (reading.value.is_ok(), reading.is_buffered)
    }
    use UnknownMembers::{Ignore, Refuse};
    assert_eq!(outcome::<Plain>(r#"{"a":1,"b":2}"#, Refuse), (false, false));
    assert_eq!(outcome::<Plain>(r#"{"a":1,"b":2}"#, Ignore), (true, false));
    assert_eq!(outcome::<Plain>(r#"{"a":1}"#, Refuse), (true, false));
    assert_eq!(outcome::<Vec<Plain>>(r#"[{"a":1}]"#, Refuse), (true, false));
    assert_eq!(outcome::<Flat>(r#"{"a":1,"b":2}"#, Refuse), (true, true));
    assert_eq!(
        outcome::<Tagged>(r#"{"kind":"A","b":2}"#, Refuse),
        (true, true)
    );
    assert_eq!(
        outcome::<Vec<Tagged>>(r#"[{"kind":"A"}]"#, Refuse),
        (true, true)
    );
    assert_eq!(outcome::<serde_json::Value>("[1,{}]", Refuse), (true, true));
    assert_eq!(outcome::<serde_json::Value>("[1]", Refuse), (true, false));
}

/// What serde_json refuses: an integer with a decimal point, which JSON Schema calls an integer.
#[test]
fn an_integer_may_have_a_decimal_point() {
    for (text, expected) in [
        ("5.0", Some(5)),
        ("-1e2", Some(-100)),
        ("5.5", None),
        ("1e300", None),
    ] {
        let read = read::<i64>(&json(text), UnknownMembers::Refuse);
        assert_eq!(read.value.ok(), expected, "{text}");
    }
}
