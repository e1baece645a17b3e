//! One entry of the log: `mark`, `since` (not for a token or a session) and `until`, in seconds
//! since 1970.
//!
//! Other writers of the stream may write anything: an entry is read strictly, or ignored with a
//! reason.

use crate::revocation::Revocation;
use crate::revocation::mark::RevocationMark;
use crate::revocation::revocation::{Term, WHENEVER};
use portcullis_core::token::NumericDate;

/// The names and values of a revocation's entry. Moments that no entry can hold become the nearest
/// that one can.
pub(super) fn fields(revocation: &Revocation) -> Vec<(&'static str, String)> {
    let mut fields = vec![("mark", revocation.mark.to_string())];
    if let Some(since) = revocation.since() {
        fields.push(("since", format_moment(since)));
    }
    fields.push(("until", format_moment(revocation.until())));
    fields
}

/// Reads the names and values of an entry, in their order.
pub(super) fn parse(fields: &[&[u8]]) -> Result<Revocation, &'static str> {
    let mut texts = [""; 6];
    if fields.len() > texts.len() {
        return Err("it has other fields than a revocation");
    }
    for (text, field) in texts.iter_mut().zip(fields) {
        // Before it is looked at: the stream may hold fields of megabytes.
        if field.len() > LONGEST {
            return Err("a field is too long");
        }
        *text = std::str::from_utf8(field).map_err(|_| "a field is not UTF-8")?;
    }
    // One order and no other fields: an entry of a newer version must not be half understood.
    let (mark, since, until) = match (fields.len(), texts) {
        (4, ["mark", mark, "until", until, ..]) => (mark, None, until),
        (6, ["mark", mark, "since", since, "until", until]) => (mark, Some(since), until),
        _ => return Err("it has other fields than a revocation"),
    };
    let mark = RevocationMark::parse(mark).ok_or("its `mark` is not a mark")?;
    let since = match since {
        Some(since) => parse_moment(since).ok_or("its `since` is not a moment")?,
        None => WHENEVER,
    };
    let until = parse_moment(until).ok_or("its `until` is not a moment")?;
    Ok(Revocation {
        mark,
        term: Term { since, until },
    })
}

/// An entry, read and written again.
#[cfg(feature = "fuzzing")]
pub(crate) fn rewrite(entry: &[&[u8]]) -> Result<Vec<(&'static str, String)>, &'static str> {
    parse(entry).map(|revocation| fields(&revocation))
}

const LONGEST: usize = 64;

fn format_moment(moment: NumericDate) -> String {
    moment.seconds().clamp(0, LAST).to_string()
}

const LAST: i64 = 999_999_999_999;

/// Plain decimal digits, twelve at most.
fn parse_moment(text: &str) -> Option<NumericDate> {
    // One spelling for each moment: `parse` alone would take a sign.
    let is_digit = |digit: u8| digit.is_ascii_digit();
    if !(1..=12).contains(&text.len()) || !text.bytes().all(is_digit) {
        return None;
    }
    Some(NumericDate::from_seconds(text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::token::Issuer;

    fn read(fields: &[(&str, &str)]) -> Result<Revocation, &'static str> {
        let flat: Vec<&[u8]> = fields
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()])
            .collect();
        parse(&flat)
    }

    #[test]
    fn what_is_written_reads_back() {
        let (issuer, now) = (
            Issuer::parse("https://idp.example").unwrap(),
            NumericDate::from_seconds(1_800_000_000),
        );
        for revocation in [
            Revocation::token(&issuer, "id", now),
            Revocation::session(&issuer, "s", now),
            Revocation::subject(&issuer, "alice", now),
            Revocation::client(&issuer, "c", NumericDate::from_seconds(0)),
        ] {
            let written = fields(&revocation);
            let written: Vec<(&str, &str)> = written
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            assert_eq!(read(&written), Ok(revocation));
        }
    }

    #[test]
    fn moments_out_of_reach_are_written_as_the_nearest() {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let (never, always) = (
            NumericDate::from_seconds(i64::MIN),
            NumericDate::from_seconds(i64::MAX - 1),
        );
        for (since, expected) in [(never, 0), (always, LAST)] {
            let written =
                fields(&Revocation::subject(&issuer, "alice", since).remember_until(always));
            let written: Vec<(&str, &str)> = written
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let read = read(&written).unwrap();
            assert_eq!(read.since(), Some(NumericDate::from_seconds(expected)));
            assert_eq!(read.until(), NumericDate::from_seconds(LAST));
        }
    }

    #[test]
    fn what_others_write_is_not_read() {
        let mark = "subject:000102030405060708090a0b0c0d0e";
        let long = "9".repeat(65);
        assert!(read(&[("mark", mark), ("since", "1"), ("until", "2")]).is_ok());
        for fields in [
            vec![],
            vec![("mark", mark)],
            vec![("until", "2"), ("mark", mark)],
            vec![("mark", mark), ("until", "-2")],
            vec![("mark", mark), ("until", "+2")],
            vec![("mark", mark), ("until", "")],
            vec![("mark", mark), ("until", "2.0")],
            vec![("mark", mark), ("until", "9999999999999")],
            vec![("mark", mark), ("until", long.as_str())],
            vec![("mark", "subject:00"), ("until", "2")],
            vec![("mark", mark), ("since", "x"), ("until", "2")],
            vec![
                ("mark", mark),
                ("since", "1"),
                ("until", "2"),
                ("more", "3"),
            ],
        ] {
            assert!(read(&fields).is_err(), "{fields:?}");
        }
        assert!(parse(&[b"mark", &[0xff], b"until", b"2"]).is_err());
        assert!(parse(&[b"mark"]).is_err());
    }
}
