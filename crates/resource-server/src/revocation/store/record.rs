//! One entry of the log: `mark`, `since` (not for a token or a session) and `until`, in seconds
//! since 1970; `source` and `told`, where it comes from; `lifted`, if an account can be used again.
//!
//! Other writers of the stream may write anything: an entry is read strictly, or ignored with a
//! reason.

use crate::revocation::mark::RevocationMark;
use crate::revocation::revocation::{Term, WHENEVER};
use crate::revocation::{Revocation, RevocationSource, RevokedKind};
use portcullis_core::token::NumericDate;

/// The names and values of a revocation's entry. Moments that no entry can hold become the nearest
/// that one can.
pub(super) fn fields(revocation: &Revocation) -> Vec<(&'static str, String)> {
    let mut fields = vec![("mark", revocation.mark.to_string())];
    if let Some(since) = revocation.since() {
        fields.push(("since", format_moment(since)));
    }
    fields.push(("until", format_moment(revocation.until())));
    if let (Some(source), Some(told_at)) = (revocation.source(), revocation.told_at()) {
        fields.push(("source", source.to_string()));
        fields.push(("told", format_moment(told_at)));
    }
    if revocation.is_lifted() {
        fields.push(("lifted", "yes".to_owned()));
    }
    fields
}

/// Reads the names and values of an entry, in their order.
pub(super) fn parse(fields: &[&[u8]]) -> Result<Revocation, &'static str> {
    let mut entry = EntryFields::new(fields)?;
    let mark = entry.take("mark").ok_or(OTHER_FIELDS)?;
    let since = entry.take("since");
    let until = entry.take("until").ok_or(OTHER_FIELDS)?;
    let source = entry.take("source");
    let told = entry.take("told");
    let lifted = entry.take("lifted");
    // One order and no other fields: an entry of a newer version must not be half understood.
    entry.end()?;
    let mark = RevocationMark::parse(mark).ok_or("its `mark` is not a mark")?;
    let since = match since {
        Some(since) => parse_moment(since).ok_or("its `since` is not a moment")?,
        None => WHENEVER,
    };
    let until = parse_moment(until).ok_or("its `until` is not a moment")?;
    let mut term = Term::new(since, until);
    term.cause = term.cause.lifted_if(match lifted {
        None => false,
        Some("yes") if mark.kind() == RevokedKind::Account => true,
        Some(_) => return Err("its `lifted` is not one of an account"),
    });
    let revocation = Revocation { mark, term };
    match (source, told) {
        (None, None) => Ok(revocation),
        (Some(source), Some(told)) => {
            let told = parse_moment(told).ok_or("its `told` is not a moment")?;
            Ok(revocation.caused_by(RevocationSource::parse(source), told))
        }
        _ => Err("it has only one of `source` and `told`"),
    }
}

/// The fields of an entry as texts, taken from the front.
struct EntryFields<'f> {
    texts: [&'f str; MOST_FIELDS],
    count: usize,
    taken: usize,
}

/// Six names and their values.
const MOST_FIELDS: usize = 12;

const OTHER_FIELDS: &str = "it has other fields than a revocation";

impl<'f> EntryFields<'f> {
    fn new(fields: &[&'f [u8]]) -> Result<Self, &'static str> {
        let mut texts = [""; MOST_FIELDS];
        if fields.len() > texts.len() || !fields.len().is_multiple_of(2) {
            return Err(OTHER_FIELDS);
        }
        for (text, field) in texts.iter_mut().zip(fields) {
            // Before it is looked at: the stream may hold fields of megabytes.
            if field.len() > LONGEST {
                return Err("a field is too long");
            }
            *text = std::str::from_utf8(field).map_err(|_| "a field is not UTF-8")?;
        }
        Ok(Self {
            texts,
            count: fields.len(),
            taken: 0,
        })
    }

    /// The value of the next field, if that has this name.
    fn take(&mut self, name: &str) -> Option<&'f str> {
        // Only what stands next: another order would be another spelling of the same entry.
        let rest = self.texts.get(self.taken..self.count)?;
        match rest {
            [found, value, ..] if *found == name => {
                self.taken += 2;
                Some(value)
            }
            _ => None,
        }
    }

    /// Nothing else may be there.
    fn end(self) -> Result<(), &'static str> {
        if self.taken == self.count {
            return Ok(());
        }
        Err(OTHER_FIELDS)
    }
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
    use portcullis_core::event::EventType;
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
            Revocation::account_disabled(&issuer, "alice", now),
            Revocation::account_enabled(&issuer, "alice", now)
                .caused_by(RevocationSource::Event(EventType::AccountEnabled), now),
            Revocation::sign_in(&issuer, "alice", now).caused_by(RevocationSource::Logout, now),
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
            vec![("mark", mark), ("until", "2"), ("source", "operator")],
            vec![("mark", mark), ("until", "2"), ("told", "2")],
            vec![
                ("mark", mark),
                ("until", "2"),
                ("source", "x"),
                ("told", "y"),
            ],
            vec![("mark", mark), ("until", "2"), ("lifted", "yes")],
            vec![
                ("mark", mark),
                ("until", "2"),
                ("told", "2"),
                ("source", "x"),
            ],
        ] {
            assert!(read(&fields).is_err(), "{fields:?}");
        }
        let account = mark.replace("subject", "account");
        let lifted = |value| read(&[("mark", &account), ("until", "2"), ("lifted", value)]);
        assert!(lifted("yes").is_ok() && lifted("no").is_err());
        // Who wrote it makes no difference to what it refuses.
        let new = read(&[
            ("mark", mark),
            ("until", "2"),
            ("source", "new"),
            ("told", "3"),
        ]);
        assert_eq!(new.unwrap().source(), Some(RevocationSource::Unknown));
        assert!(parse(&[b"mark", &[0xff], b"until", b"2"]).is_err());
        assert!(parse(&[b"mark"]).is_err());
    }
}
