//! The wording of evidence: foreign text is escaped and cut, and lists are bounded.

use portcullis_core::rejection::quote;
use std::time::Duration;

/// Several names, each quoted, escaped and cut; of many only the first.
pub(crate) fn quote_list<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    const MOST: usize = 6;
    let names: Vec<&str> = names.into_iter().collect();
    let first: Vec<String> = names.iter().copied().take(MOST).map(quote).collect();
    let more = names.len().saturating_sub(MOST);
    if more == 0 {
        first.join(", ")
    } else {
        format!("{} and {more} more", first.join(", "))
    }
}

/// One piece of evidence if something is wrong; none otherwise.
pub(crate) fn when(is_wrong: bool, evidence: impl Into<String>) -> Vec<String> {
    if is_wrong {
        vec![evidence.into()]
    } else {
        Vec::new()
    }
}

/// The names that are of one kind.
pub(crate) fn only(names: Vec<&str>, is_of_kind: fn(&str) -> bool) -> Vec<&str> {
    let mut found = Vec::new();
    for name in names {
        if is_of_kind(name) {
            found.push(name);
        }
    }
    found
}

/// Evidence that a member holds these names; none for no names.
pub(crate) fn holds(member: &str, names: Vec<&str>) -> Vec<String> {
    if names.is_empty() {
        return Vec::new();
    }
    vec![format!("`{member}` holds {}", quote_list(names))]
}

/// A duration as people say it, such as `5 min`.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(portcullis_audit::format_duration(Duration::from_secs(7_200)), "2 h");
/// ```
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end() {
        assert_eq!(quote_list(["a", "b\n"]), "`a`, `b\\n`");
        assert_eq!(
            quote_list(["x"; 9]),
            "`x`, `x`, `x`, `x`, `x`, `x` and 3 more"
        );
    }

    #[test]
    fn durations_are_format_duration() {
        let texts = [0, 30, 300, 7_200, 864_000]
            .map(|seconds| format_duration(Duration::from_secs(seconds)));
        assert_eq!(texts, ["0 ms", "30 s", "5 min", "2 h", "10 days"]);
    }
}
