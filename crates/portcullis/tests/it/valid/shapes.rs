//! Types of every shape that serde knows: variants, flattened members, tuples, maps, renamed
//! fields. Unknown members are refused in all of them.

use super::{SECRET, faults, send};
use axum::routing::post;
use axum::{Json, Router};
use garde::Validate;
use portcullis::{Valid, ValidInput};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

fn app<T: ValidInput + Send>() -> Router {
    async fn read<T: ValidInput + Send>(_: Valid<Json<T>>) -> &'static str {
        "read"
    }
    Router::new().route("/", post(read::<T>))
}

/// Bodies, and the faults that they have.
async fn expect<T: ValidInput + Send>(rows: &[(&str, &[&str])]) {
    let app = app::<T>();
    let mut wrong = Vec::new();
    for (body, expected) in rows {
        let body = body.replace("SECRET", SECRET);
        let answer = send(&app, "application/json", body.clone()).await;
        let found = faults(&answer);
        let expected = if expected.is_empty() {
            &["200"]
        } else {
            *expected
        };
        if found != expected {
            wrong.push(format!("{body}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Card {
    #[garde(length(chars, min = 4))]
    number: String,
    #[garde(range(min = 1, max = 12))]
    month: u8,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Transfer {
    #[garde(alphanumeric)]
    iban: String,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Paid<P: Validate<Context = ()>> {
    #[garde(dive)]
    payment: P,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum InternalTag {
    Card(#[garde(dive)] Card),
    Transfer {
        #[garde(alphanumeric)]
        iban: String,
    },
    Cash,
}

#[tokio::test]
async fn internally_tagged_variants() {
    expect::<Paid<InternalTag>>(&[
        (
            r#"{"payment":{"kind":"card","number":"1234","month":1}}"#,
            &[],
        ),
        (
            r#"{"payment":{"number":"1234","kind":"card","month":1}}"#,
            &[],
        ),
        (r#"{"payment":{"kind":"transfer","iban":"DE1"}}"#, &[]),
        (r#"{"payment":{"kind":"cash"}}"#, &[]),
        (
            r#"{"payment":{"kind":"card","number":"1234","month":1,"x":"SECRET"}}"#,
            &["extra_forbidden@body.payment.x"],
        ),
        (
            r#"{"payment":{"kind":"cash","number":"1234"}}"#,
            &["extra_forbidden@body.payment.number"],
        ),
        (
            r#"{"payment":{"kind":"card","number":"SECRET"}}"#,
            &["missing@body.payment.month"],
        ),
        (
            r#"{"payment":{"kind":"card","number":"1","month":13}}"#,
            &[
                "less_than_equal@body.payment.month",
                "string_too_short@body.payment.number",
            ],
        ),
        (
            r#"{"payment":{"kind":"card","number":1,"month":"SECRET","y":1}}"#,
            &[
                "extra_forbidden@body.payment.y",
                "int_type@body.payment.month",
                "string_type@body.payment.number",
            ],
        ),
        (
            r#"{"payment":{"kind":"SECRET","number":"1"}}"#,
            &["union_tag_invalid@body.payment"],
        ),
        (
            r#"{"payment":{"number":"1"}}"#,
            &["union_tag_not_found@body.payment"],
        ),
        (
            r#"{"payment":"SECRET"}"#,
            &["model_attributes_type@body.payment"],
        ),
        (
            r#"{"payment":{"kind":"transfer","iban":"a-b"}}"#,
            &["string_alphanumeric@body.payment.iban"],
        ),
    ])
    .await;
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ExternalTag {
    Card(#[garde(dive)] Card),
    Transfer(#[garde(dive)] Transfer),
    Cash,
}

#[tokio::test]
async fn externally_tagged_variants() {
    expect::<Paid<ExternalTag>>(&[
        (r#"{"payment":{"card":{"number":"1234","month":1}}}"#, &[]),
        (r#"{"payment":"cash"}"#, &[]),
        (
            r#"{"payment":{"card":{"number":"1234","month":1,"x":1}}}"#,
            &["extra_forbidden@body.payment.card.x"],
        ),
        (
            r#"{"payment":{"card":{"number":"1","month":1}}}"#,
            &["string_too_short@body.payment.card.number"],
        ),
        (
            r#"{"payment":{"card":{"number":"1234"}}}"#,
            &["missing@body.payment.card.month"],
        ),
        (
            r#"{"payment":{"card":{"number":"1234","month":1},"transfer":{"iban":"a"}}}"#,
            &["extra_forbidden@body.payment.transfer"],
        ),
        (r#"{"payment":"SECRET"}"#, &["enum@body.payment"]),
        (r#"{"payment":{}}"#, &["missing@body.payment.card"]),
    ])
    .await;
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Card(#[garde(dive)] Card),
    Transfer(#[garde(dive)] Transfer),
}

#[tokio::test]
async fn untagged_variants() {
    expect::<Paid<Untagged>>(&[
        (r#"{"payment":{"number":"1234","month":1}}"#, &[]),
        (r#"{"payment":{"iban":"a"}}"#, &[]),
        (
            r#"{"payment":{"iban":"a","x":1}}"#,
            &["extra_forbidden@body.payment.x"],
        ),
        (
            r#"{"payment":{"iban":"-"}}"#,
            &["string_alphanumeric@body.payment.iban"],
        ),
        (
            r#"{"payment":{"number":"1","month":13}}"#,
            &[
                "less_than_equal@body.payment.month",
                "string_too_short@body.payment.number",
            ],
        ),
        (
            r#"{"payment":{"iban":1}}"#,
            &["string_type@body.payment.iban"],
        ),
        (r#"{"payment":5}"#, &["model_attributes_type@body.payment"]),
    ])
    .await;
}

#[allow(dead_code, reason = "what is read is not looked at")]
#[derive(Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
#[serde(untagged)]
enum Overlap {
    Pair { a: u32, b: u32 },
    One { a: u32 },
}

/// serde falls back to a variant that does not know `b`, and the schema is nearer to the other.
#[tokio::test]
async fn a_variant_that_ignores_members_is_no_way_around() {
    expect::<Overlap>(&[
        (r#"{"a":1,"b":2}"#, &[]),
        (r#"{"a":1}"#, &[]),
        (r#"{"a":1,"b":"SECRET"}"#, &["int_type@body.b"]),
        (r#"{"a":1,"c":"SECRET"}"#, &["extra_forbidden@body.c"]),
    ])
    .await;
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(tag = "kind", content = "value", rename_all = "lowercase")]
enum AdjacentTag {
    Card(#[garde(dive)] Card),
    Cash,
}

#[tokio::test]
async fn adjacently_tagged_variants() {
    expect::<Paid<AdjacentTag>>(&[
        (
            r#"{"payment":{"kind":"card","value":{"number":"1234","month":1}}}"#,
            &[],
        ),
        (
            r#"{"payment":{"value":{"number":"1234","month":1},"kind":"card"}}"#,
            &[],
        ),
        (r#"{"payment":{"kind":"cash"}}"#, &[]),
        (
            r#"{"payment":{"value":{"number":"1234","month":1,"x":1},"kind":"card"}}"#,
            &["extra_forbidden@body.payment.value.x"],
        ),
        (
            r#"{"payment":{"kind":"card","value":{"number":"1234","month":1},"x":1}}"#,
            &["extra_forbidden@body.payment.x"],
        ),
        (
            r#"{"payment":{"kind":"card","value":{"number":"1","month":1}}}"#,
            &["string_too_short@body.payment.value.number"],
        ),
    ])
    .await;
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Flat {
    #[garde(range(min = 1))]
    id: u32,
    #[serde(flatten)]
    #[garde(dive)]
    card: Card,
    #[serde(flatten)]
    #[garde(dive)]
    by: InternalTag,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[allow(dead_code, reason = "what is read is not looked at")]
struct OpenFlat {
    #[garde(range(min = 1))]
    id: u32,
    #[serde(flatten)]
    #[garde(skip)]
    rest: BTreeMap<String, String>,
}

#[tokio::test]
async fn flattened_members() {
    expect::<Flat>(&[
        (r#"{"id":1,"number":"1234","month":1,"kind":"cash"}"#, &[]),
        (
            r#"{"id":1,"number":"1234","month":1,"kind":"transfer","iban":"a"}"#,
            &[],
        ),
        (
            r#"{"id":1,"number":"1234","month":1,"kind":"cash","x":"SECRET"}"#,
            &["extra_forbidden@body.x"],
        ),
        (
            r#"{"id":1,"number":"1234","month":1,"kind":"cash","iban":"SECRET"}"#,
            &["extra_forbidden@body.iban"],
        ),
        (
            r#"{"id":0,"number":"1","month":1,"kind":"cash"}"#,
            &["greater_than_equal@body.id", "string_too_short@body.number"],
        ),
        (
            r#"{"id":1,"number":"1234","kind":"cash"}"#,
            &["missing@body.month"],
        ),
    ])
    .await;
    expect::<OpenFlat>(&[
        (r#"{"id":1,"x":"y","z":""}"#, &[]),
        (r#"{"id":1,"x":5}"#, &["string_type@body.x"]),
        (r#"{"id":0,"x":"y"}"#, &["greater_than_equal@body.id"]),
    ])
    .await;
}

#[derive(Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "what is read is not looked at")]
struct Corners {
    #[garde(dive)]
    inner: Option<Box<Corners>>,
    pair: Option<(u8, String)>,
    names: Option<HashSet<String>>,
    counts: Option<BTreeMap<u16, bool>>,
    #[garde(dive)]
    wrapped: Option<Wrapped>,
    letter: Option<char>,
    signed: Option<i8>,
    small: Option<f32>,
    unit: Option<()>,
    any: Option<serde_json::Value>,
    day: Option<Day>,
    #[serde(rename = "type")]
    #[garde(ascii)]
    kind: Option<String>,
    #[serde(rename = "class")]
    #[garde(length(chars, min = 2))]
    group: Option<String>,
    #[serde(rename = "grade")]
    #[garde(range(max = 6))]
    mark: Option<u8>,
    #[garde(ip)]
    address: Option<String>,
    #[garde(url)]
    link: Option<String>,
    #[garde(contains("@"))]
    handle: Option<String>,
    #[garde(inner(range(min = 10)))]
    #[serde(default)]
    scores: Vec<u32>,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[garde(transparent)]
struct Wrapped(#[garde(length(min = 2))] String);

/// A date as many crates read it: by a rule of its own, and errors that quote the text.
struct Day;

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.len() {
            10 => Ok(Self),
            _ => Err(serde::de::Error::custom(format!("no day: {text}"))),
        }
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

#[tokio::test]
async fn corners_of_types() {
    expect::<Corners>(&[
        ("{}", &[]),
        (r#"{"inner":{"inner":{"inner":{}}}}"#, &[]),
        (
            r#"{"inner":{"inner":{"x":"SECRET"}}}"#,
            &["extra_forbidden@body.inner.inner.x"],
        ),
        (
            r#"{"pair":[1,"a"],"counts":{"7":true},"wrapped":"ab","letter":"x"}"#,
            &[],
        ),
        (
            r#"{"signed":-5,"small":2,"unit":null,"any":{"a":[{"b":null}]},"names":["a","a"]}"#,
            &[],
        ),
        (r#"{"pair":[1]}"#, &["too_short@body.pair"]),
        (r#"{"pair":[1,"a","SECRET"]}"#, &["too_long@body.pair"]),
        (
            r#"{"pair":[300,5]}"#,
            &["less_than_equal@body.pair.0", "string_type@body.pair.1"],
        ),
        (r#"{"counts":{"07":true}}"#, &["int_type@body.counts.07"]),
        (
            r#"{"counts":{"x":true}}"#,
            &["extra_forbidden@body.counts.x"],
        ),
        (
            r#"{"counts":{"70000":true}}"#,
            &["value_error@body.counts.70000"],
        ),
        (r#"{"counts":{"7":1}}"#, &["bool_type@body.counts.7"]),
        (r#"{"wrapped":"a"}"#, &["string_too_short@body.wrapped"]),
        (r#"{"letter":"SECRET"}"#, &["string_too_long@body.letter"]),
        (r#"{"signed":200}"#, &["less_than_equal@body.signed"]),
        (r#"{"day":"2026-11-29"}"#, &[]),
        (r#"{"day":"SECRET"}"#, &["value_error@body.day"]),
        // What only serde objects to is told beside what the schema finds.
        (
            r#"{"day":"SECRET","signed":200}"#,
            &["less_than_equal@body.signed", "value_error@body.day"],
        ),
        (r#"{"type":"ä"}"#, &["string_ascii@body.kind"]),
        (
            r#"{"class":"a","grade":7}"#,
            &["less_than_equal@body.grade", "string_too_short@body.class"],
        ),
        (r#"{"kind":"a"}"#, &["extra_forbidden@body.kind"]),
        (r#"{"address":"SECRET"}"#, &["ip_any_address@body.address"]),
        (r#"{"link":"SECRET"}"#, &["url_parsing@body.link"]),
        (r#"{"handle":"SECRET"}"#, &["value_error@body.handle"]),
        (
            r#"{"scores":[10,9,8]}"#,
            &[
                "greater_than_equal@body.scores.1",
                "greater_than_equal@body.scores.2",
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn lists_and_maps_at_the_top() {
    expect::<Vec<Card>>(&[
        ("[]", &[]),
        (r#"[{"number":"1234","month":1}]"#, &[]),
        (
            r#"[{"number":"1","month":1}]"#,
            &["string_too_short@body.0.number"],
        ),
        (
            r#"[{"number":"1234","month":1,"x":1}]"#,
            &["extra_forbidden@body.0.x"],
        ),
        ("{}", &["list_type@body"]),
    ])
    .await;
    expect::<BTreeMap<String, Card>>(&[
        (r#"{"any":{"number":"1234","month":1}}"#, &[]),
        (
            r#"{"0":{"number":"1","month":1}}"#,
            &["string_too_short@body.0.number"],
        ),
        (
            r#"{"any":{"number":"1234","month":1,"x":1}}"#,
            &["extra_forbidden@body.any.x"],
        ),
        ("[]", &["dict_type@body"]),
    ])
    .await;
}

#[derive(Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
#[allow(dead_code, reason = "what is read is not looked at")]
struct Alias {
    #[serde(alias = "qty")]
    quantity: u32,
    #[serde(skip)]
    hidden: u32,
    #[serde(default)]
    size: u32,
}

/// serde takes other names of a field; the schema does not have them, and must not object.
#[tokio::test]
async fn aliases_and_fields_that_are_not_read() {
    expect::<Alias>(&[
        (r#"{"qty":1}"#, &[]),
        (r#"{"quantity":1,"size":2}"#, &[]),
        (
            r#"{"quantity":1,"hidden":2}"#,
            &["extra_forbidden@body.hidden"],
        ),
        (r#"{"quantity":1,"qty":2}"#, &["extra_forbidden@body.qty"]),
    ])
    .await;
}

#[allow(dead_code, reason = "what is read is not looked at")]
#[derive(Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
struct BadPattern {
    #[schemars(regex(pattern = "(?=a)b"))]
    text: String,
}

#[allow(dead_code, reason = "what is read is not looked at")]
#[derive(Deserialize, Validate, JsonSchema)]
#[garde(allow_unvalidated)]
struct BadPatternInside {
    id: u32,
    #[serde(flatten)]
    inside: BadPattern,
}

/// The linear engine has no lookaround: then serde alone tells, or nobody is served.
#[tokio::test]
async fn schemas_that_cannot_be_checked() {
    expect::<BadPattern>(&[
        (r#"{"text":"any"}"#, &[]),
        (r#"{"text":5}"#, &["string_type@body.text"]),
        (r#"{"text":"any","x":1}"#, &["extra_forbidden@body.x"]),
    ])
    .await;
    expect::<BadPatternInside>(&[
        (r#"{"id":1,"text":"any"}"#, &["500"]),
        (r#"{"id":1,"text":"any","x":1}"#, &["500"]),
    ])
    .await;
}
