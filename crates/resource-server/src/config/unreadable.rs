//! What to tell about a document that cannot be read: the line, the fault, and the member that was
//! probably meant.

use super::DOORS;
use portcullis_core::ConfigError;
use std::ops::Range;

/// How alike two names must be (Jaro) for one to be taken for the other misspelled: as much as clap
/// wants it.
const ALIKE: f64 = 0.7;

/// The fault of a document that cannot be read, by what its parser says and where.
pub fn unreadable(text: &str, span: Option<Range<usize>>, message: &str) -> ConfigError {
    let start = span.map_or(0, |span| span.start);
    let line = 1 + text
        .bytes()
        .take(start)
        .filter(|byte| *byte == b'\n')
        .count();
    let all = "`portcullis config schema` has all members and their types";
    let cure = match meant(message) {
        Some(name) => format!("write `{name}`; {all}"),
        None => all.to_owned(),
    };
    ConfigError::new(format!("line {line}"), message, cure)
}

/// The known member that is nearest to an unknown one.
fn meant(message: &str) -> Option<&str> {
    let (unknown, expected) = message
        .strip_prefix("unknown field `")?
        .split_once("`, expected ")?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    // At the top of the document stand the tables of the doors as well, which are read elsewhere.
    let doors: &[&str] = if known.contains(&"issuer") {
        &DOORS
    } else {
        &[]
    };
    let all = known.iter().chain(doors).copied();
    let nearest = all
        .map(|name| (strsim::jaro(unknown, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    nearest
        .filter(|(alike, _)| *alike > ALIKE)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_member_is_named() {
        for (message, expected) in [
            (
                "unknown field `lissten`, expected one of `upstream`, `listen`, `hosts`",
                Some("listen"),
            ),
            (
                "unknown field `path_prefx`, expected `listen` or `path_prefix`",
                Some("path_prefix"),
            ),
            (
                "unknown field `requires`, expected one of `path`, `require`, `access`",
                Some("require"),
            ),
            (
                "unknown field `gatewy`, expected one of `realm`, `issuer`",
                Some("gateway"),
            ),
            (
                "unknown field `gatewy`, expected one of `realm`, `url`",
                None,
            ),
            (
                "unknown field `zzz`, expected one of `listen`, `hosts`",
                None,
            ),
            ("missing field `url`", None),
        ] {
            assert_eq!(meant(message), expected, "{message}");
        }
        let fault = unreadable(
            "a = 1\nb = 2\n",
            Some(6..7),
            "unknown field `b`, expected `bb`",
        );
        assert_eq!(
            (fault.place(), fault.help().contains("write `bb`")),
            ("line 2", true)
        );
    }
}
