//! Keys, key sets and signatures, without the corpus: what must hold at every boundary.

use super::json::{self, Json};
use super::{
    Algorithm, JwkFault, Jwks, JwksError, Selection, VerifyingKey, base64url, compact, signature,
};
use crate::Limits;
use crate::rejection::Code;
use Algorithm::{ES256, EdDSA, PS512, RS256};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

/// The generator of P-256, which is a point of it like any other.
const P256: &str = r#""kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU""#;

/// The generators of the two larger curves.
const P384: &str = r#""kty":"EC","crv":"P-384","x":"qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3","y":"NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f""#;
const P521: &str = r#""kty":"EC","crv":"P-521","x":"AMaFjga3BATpzZ4-y2YjlbRCnGSBOQU_tSH4KK9ga009uqFLXnfv51ko_h3BJ6L_qN4zSLPBhWpCm_l-fjHC5b1m","y":"ARg5KWp4mjvABFyKX7QsfRvZmPVESVebRGgXr70XJz5mLJfucple9CZAxVC5AT-tB2E1PHCGonLCQIi-lHaf0WZQ""#;

/// An odd modulus of so many bits; whether it is a product of two primes, nobody can tell cheaply.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0xff; bits.div_ceil(8)];
    bytes[0] >>= bytes.len() * 8 - bits;
    bytes
}

fn rsa(n: &[u8], e: &[u8], more: &str) -> String {
    format!(
        r#""kty":"RSA","n":"{}","e":"{}"{more}"#,
        base64url::encode(n),
        base64url::encode(e)
    )
}

fn ed25519(point: &[u8]) -> String {
    format!(
        r#""kty":"OKP","crv":"Ed25519","x":"{}""#,
        base64url::encode(point)
    )
}

fn signer(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn public(signer: &Ed25519KeyPair, more: &str) -> String {
    format!("{}{more}", ed25519(signer.public_key().as_ref()))
}

fn key(members: &str) -> Result<VerifyingKey, JwkFault> {
    VerifyingKey::from_jwk(
        &json::parse(format!("{{{members}}}").as_bytes(), &Limits::default()).unwrap(),
    )
}

fn set(keys: &[&str], limits: &Limits) -> Result<Jwks, JwksError> {
    let keys: Vec<String> = keys
        .iter()
        .map(|members| format!("{{{members}}}"))
        .collect();
    Jwks::parse(
        format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes(),
        limits,
    )
}

#[test]
fn a_key_has_its_name_and_the_algorithms_of_its_type() {
    let uses = |members: &str| {
        let key = key(&format!(r#"{members},"kid":"k""#)).unwrap();
        assert_eq!(key.kid(), Some("k"));
        key.algorithms()
            .map(Algorithm::name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        (uses(P256), uses(P384), uses(P521)),
        ("ES256".into(), "ES384".into(), "ES512".into())
    );
    assert_eq!(uses(&public(&signer(1), "")), "EdDSA");
    assert_eq!(
        uses(&rsa(&modulus(2048), &[1, 0, 1], "")),
        "RS256 RS384 RS512 PS256 PS384 PS512"
    );
    assert_eq!(
        uses(&rsa(&modulus(2048), &[1, 0, 1], r#","alg":"PS512""#)),
        "PS512"
    );
    assert_eq!(
        key(&format!(r#"{P256},"issuer":"https://i/{{tenantid}}""#))
            .unwrap()
            .issuer(),
        Some("https://i/{tenantid}")
    );
    let key = key(P256).unwrap();
    assert!(
        key.issuer().is_none() && key.kid().is_none() && key.allows(ES256) && !key.allows(RS256)
    );
}

#[test]
fn a_key_for_something_else_verifies_nothing() {
    let with = |more: &str| key(&format!("{P256},{more}")).map(|_| ());
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert_eq!(
            with(&format!(r#""{member}":"AA""#)),
            Err(JwkFault::Secret),
            "{member}"
        );
    }
    for more in [
        r#""use":"enc""#,
        r#""use":1"#,
        r#""key_ops":["sign"]"#,
        r#""key_ops":"verify""#,
    ] {
        assert_eq!(with(more), Err(JwkFault::NotForSignatures), "{more}");
    }
    assert_eq!(with(r#""use":"sig","key_ops":["sign","verify"]"#), Ok(()));
    assert_eq!(with(r#""alg":"ES384""#), Err(JwkFault::Algorithm));
    assert_eq!(with(r#""alg":1"#), Err(JwkFault::MemberType("alg")));
    assert_eq!(with(r#""kid":1"#), Err(JwkFault::MemberType("kid")));
}

#[test]
fn a_member_that_is_null_is_absent() {
    let plain = key(P256).unwrap();
    for name in [
        "use", "alg", "key_ops", "kid", "issuer", "x5c", "x5t", "d", "k", "oth",
    ] {
        let with_null = key(&format!(r#"{P256},"{name}":null"#)).unwrap();
        assert_eq!(with_null.fingerprint(), plain.fingerprint(), "{name}");
    }
    let rsa = rsa(&modulus(2048), &[1, 0, 1], r#","crv":null"#);
    assert!(key(&rsa).is_ok());
    assert_eq!(key(r#""kty":null"#).err(), Some(JwkFault::KeyType));
    assert_eq!(
        key(r#""kty":"RSA","n":null,"e":"AQAB""#).err(),
        Some(JwkFault::MissingMember("n"))
    );
}

/// RFC 7518, section 6.2.1.2, wants the full length; leading zeros that are missing or too many
/// leave one reading.
#[test]
fn leading_zeros_of_a_coordinate_change_nothing() {
    // The x of P-521 begins with zeros in its 66 octets: cut them off, or put more before them.
    let text = P521
        .split("\"x\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    let x = base64url::decode(text).unwrap();
    assert_eq!(x[0], 0);
    let full = key(P521).unwrap();
    for other in [x[1..].to_vec(), [vec![0, 0], x.clone()].concat()] {
        let other = key(&P521.replace(text, &base64url::encode(&other))).unwrap();
        assert_eq!(other.fingerprint(), full.fingerprint());
    }
    let longer = [vec![1], x].concat();
    let fault = key(&P521.replace(text, &base64url::encode(&longer))).unwrap_err();
    assert_eq!(fault, JwkFault::Coordinate("x"));
    assert_eq!(fault.to_string(), "`x` is longer than its curve allows");
}

#[test]
fn a_byte_order_mark_before_a_key_set_is_skipped() {
    let document = format!("\u{feff}{{\"keys\":[{{{P256}}}]}}\r\n");
    assert_eq!(
        Jwks::parse(document.as_bytes(), &Limits::default())
            .unwrap()
            .keys()
            .len(),
        1
    );
}

#[test]
fn rsa_keys_have_2048_to_8192_bits_and_are_odd() {
    let fault = |n: &[u8], e: &[u8]| key(&rsa(n, e, "")).err();
    for (bits, expected) in [
        (2047, Some(JwkFault::RsaSize)),
        (2048, None),
        (8192, None),
        (8193, Some(JwkFault::RsaSize)),
    ] {
        assert_eq!(fault(&modulus(bits), &[3]), expected, "{bits} bits");
    }
    let with_zeros = [vec![0, 0], modulus(2048)].concat();
    assert_eq!(fault(&with_zeros, &[0, 1, 0, 1]), None);
    assert_eq!(fault(&modulus(2048), &[1, 0, 0, 0, 1]), None);
    assert_eq!(fault(&modulus(2048), &[1, 0, 0, 0, 0, 0, 0, 1]), None);
    let mut even = modulus(2048);
    even[255] = 0xfe;
    assert_eq!(fault(&even, &[3]), Some(JwkFault::RsaSize));
    for exponent in [&[1][..], &[0], &[4], &[1, 0, 0], &[1; 9]] {
        assert_eq!(
            fault(&modulus(2048), exponent),
            Some(JwkFault::RsaExponent),
            "{exponent:?}"
        );
    }
    assert_eq!(
        key(r#""kty":"RSA","n":"","e":"Aw""#).err(),
        Some(JwkFault::MissingMember("n"))
    );
}

#[test]
fn points_have_their_length_and_a_large_order() {
    let good = signer(1).public_key().as_ref().to_vec();
    assert_eq!(key(&ed25519(&good)).err(), None);
    assert_eq!(key(&ed25519(&good[..31])).err(), Some(JwkFault::Point));
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signed = identity;
    signed[31] = 0x80;
    for point in [[0; 32], identity, signed] {
        assert_eq!(
            key(&ed25519(&point)).err(),
            Some(JwkFault::Point),
            "{point:?}"
        );
    }
    for (from, to) in [
        ("\"axfR", "\"AxfR"),
        ("\"x\":\"axfR", "\"x\":\""),
        ("P-256", "P-384"),
    ] {
        assert_eq!(
            key(&P256.replace(from, to)).err(),
            Some(JwkFault::Point),
            "{to}"
        );
    }
    // The same point, cut one byte too early: y is longer than the curve allows.
    let shifted = r#""kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwg","y":"lk_jQuL-Gn-bjufrSnwPnhYrzjNXazFezsu2QGg3v1H1""#;
    assert_eq!(key(shifted).err(), Some(JwkFault::Coordinate("y")));
    assert_eq!(
        key(&P256.replace("P-256", "secp256k1")).err(),
        Some(JwkFault::KeyType)
    );
}

/// What the cache of verified tokens relies on: a key that changed in anything is another key.
#[test]
fn keys_that_differ_in_anything_have_different_fingerprints() {
    let (n, e) = (modulus(2048), [1, 0, 1]);
    let mut other = n.clone();
    other[5] = 0;
    let keys = [
        rsa(&n, &e, ""),
        rsa(&other, &e, ""),
        rsa(&n, &[3], ""),
        rsa(&n, &e, r#","kid":"""#),
        rsa(&n, &e, r#","kid":"a""#),
        rsa(&n, &e, r#","alg":"RS256""#),
        P256.to_owned(),
        public(&signer(1), ""),
    ];
    let prints: Vec<[u8; 32]> = keys
        .iter()
        .map(|members| *key(members).unwrap().fingerprint())
        .collect();
    for (place, print) in prints.iter().enumerate() {
        assert_eq!(
            prints.iter().filter(|other| *other == print).count(),
            1,
            "key {place}"
        );
    }
    assert_eq!(*key(&keys[0]).unwrap().fingerprint(), prints[0]);
}

#[test]
fn a_set_keeps_its_limits_to_the_letter() {
    let (first, second) = (
        public(&signer(1), r#","kid":"a""#),
        public(&signer(2), r#","kid":"b""#),
    );
    let limits = Limits {
        keys: 2,
        ..Limits::default()
    };
    let two = set(&[&first, &second], &limits).unwrap();
    assert_eq!(two.keys().len(), 2);
    assert_eq!(
        set(&[&first, &second, &first], &limits).unwrap_err(),
        JwksError::TooManyKeys
    );
    let document = format!(r#"{{"keys":[{{{first}}}]}}"#);
    let bytes = |document_bytes| {
        Jwks::parse(
            document.as_bytes(),
            &Limits {
                document_bytes,
                ..Limits::default()
            },
        )
        .map(|_| ())
    };
    assert_eq!(bytes(document.len()), Ok(()));
    assert_eq!(bytes(document.len() - 1), Err(JwksError::TooLarge));
    // A set may hold ten times the values of a token: here 1 + 1 + 5, and 7 are more than 0 times
    // ten.
    assert!(
        set(
            &[&first],
            &Limits {
                json_values: 1,
                ..Limits::default()
            }
        )
        .is_ok()
    );
    assert!(matches!(
        set(
            &[&first],
            &Limits {
                json_values: 0,
                ..Limits::default()
            }
        ),
        Err(JwksError::Json(_))
    ));
}

#[test]
fn a_bad_key_is_skipped_and_a_repeated_one_counts_once() {
    let good = public(&signer(1), r#","kid":"a""#);
    let kept = set(
        &[r#""kty":"oct","kid":"s\n""#, &good, &good],
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(kept.keys().len(), 1);
    let skipped = &kept.skipped_keys()[0];
    assert_eq!((skipped.index, skipped.kid.as_deref()), (0, Some("`s\\n`")));
    assert!(kept.holds(kept.keys()[0].fingerprint()) && !kept.holds(&[0; 32]));
    let none = set(&[r#""kty":"oct""#], &Limits::default()).unwrap_err();
    assert!(
        none.to_string()
            .ends_with("of the first: its type or curve is not supported"),
        "{none}"
    );
    assert_eq!(
        set(&[], &Limits::default()).unwrap_err().to_string(),
        "the key set is empty"
    );
}

#[test]
fn a_key_is_selected_by_name_and_algorithm() {
    let (first, second) = (
        public(&signer(1), r#","kid":"a""#),
        public(&signer(2), r#","kid":"b""#),
    );
    let limits = Limits {
        keys_tried: 1,
        ..Limits::default()
    };
    let set = set(&[&first, &second], &limits).unwrap();
    let names = |selection| match selection {
        Selection::Keys(keys) => keys
            .iter()
            .filter_map(|key| key.kid().map(str::to_owned))
            .collect(),
        Selection::WrongAlgorithm => vec!["wrong algorithm".to_owned()],
        Selection::Unknown => vec!["unknown".to_owned()],
    };
    assert_eq!(names(set.select(Some("b"), EdDSA)), ["b"]);
    assert_eq!(
        names(set.select(None, EdDSA)),
        ["a"],
        "no more than one is tried"
    );
    assert_eq!(names(set.select(Some("b"), ES256)), ["wrong algorithm"]);
    assert_eq!(names(set.select(Some("c"), ES256)), ["unknown"]);
    assert_eq!(names(set.select(None, PS512)), ["unknown"]);
}

#[test]
fn only_the_key_that_signed_proves_a_signature() {
    let signer_ = signer(1);
    let input = format!(
        "{}.{}",
        base64url::encode(br#"{"alg":"EdDSA"}"#),
        base64url::encode(br#"{"iss":"i"}"#)
    );
    let signature_ = base64url::encode(signer_.sign(input.as_bytes()).as_ref());
    let token = format!("{input}.{signature_}");
    let (right, wrong) = (
        key(&public(&signer_, "")).unwrap(),
        key(&public(&signer(2), "")).unwrap(),
    );
    let check = |keys: &[VerifyingKey]| {
        let token = compact::parse(&token, &Limits::default()).unwrap();
        signature::check(token, keys)
            .map(|signed| *signed.key().fingerprint())
            .map_err(|it| it.code())
    };
    assert_eq!(
        check(&[wrong.clone(), right.clone()]),
        Ok(*right.fingerprint())
    );
    assert_eq!(check(&[wrong]), Err(Code::TokenSignature));
    assert_eq!(check(&[key(P256).unwrap()]), Err(Code::TokenSignature));
    assert_eq!(check(&[]), Err(Code::TokenSignature));
}

#[test]
fn a_key_shows_what_it_is_for_and_nothing_of_itself() {
    let key = key(&rsa(&modulus(2048), &[1, 0, 1], r#","alg":"RS256""#)).unwrap();
    let shown = format!("{key:?}");
    assert!(
        shown.starts_with("a key for RS256, ") && shown.len() == "a key for RS256, ".len() + 43,
        "{shown}"
    );
    assert_eq!(
        VerifyingKey::from_jwk(&Json::Null)
            .unwrap_err()
            .to_string(),
        "not an object"
    );
}
