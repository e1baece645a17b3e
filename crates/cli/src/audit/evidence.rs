//! How evidence is worded: foreign text is escaped and cut, and lists do not grow without end.

use portcullis_core::rejection::shown;
use std::time::Duration;

/// Several names, each quoted, escaped and cut; of many only the first.
pub(super) fn listed<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    const MOST: usize = 6;
    let names: Vec<&str> = names.into_iter().collect();
    let first: Vec<String> = names.iter().take(MOST).map(|name| shown(name)).collect();
    let more = names.len().saturating_sub(MOST);
    if more == 0 {
        first.join(", ")
    } else {
        format!("{} and {more} more", first.join(", "))
    }
}

/// One piece of evidence, or none.
pub(super) fn when(wrong: bool, evidence: impl FnOnce() -> String) -> Vec<String> {
    if wrong { vec![evidence()] } else { Vec::new() }
}

/// A duration as people say it.
pub(crate) fn spoken(duration: Duration) -> String {
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
        assert_eq!(listed(["a", "b\n"]), "`a`, `b\\n`");
        assert_eq!(listed(["x"; 9]), "`x`, `x`, `x`, `x`, `x`, `x` and 3 more");
    }

    #[test]
    fn durations_are_spoken() {
        let told = [0, 30, 300, 7_200, 864_000].map(|seconds| spoken(Duration::from_secs(seconds)));
        assert_eq!(told, ["0 ms", "30 s", "5 min", "2 h", "10 days"]);
    }
}
