//! The browser of whoever sits here: `$BROWSER`, or the usual one.

use std::ffi::OsString;

/// Whether one can be opened, as far as can be told without trying.
pub(crate) fn is_likely(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let desktop = cfg!(any(target_os = "macos", windows)) && !set("SSH_CONNECTION");
    set("BROWSER") || desktop || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Opens a page. What the browser says does not come between our own lines.
///
/// # Errors
///
/// Why it cannot be opened.
pub(crate) fn open(url: &str) -> Result<(), String> {
    webbrowser::open(url).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_likely_where_one_is_named_or_there_is_a_display() {
        let with = |name: &'static str| is_likely(move |asked| (asked == name).then(|| "x".into()));
        assert!(with("BROWSER") && with("DISPLAY") && with("WAYLAND_DISPLAY"));
        assert!(!is_likely(
            |name| (name == "SSH_CONNECTION").then(|| "x".into())
        ));
        assert!(!is_likely(|name| (name == "SSH_CONNECTION")
            .then(|| "x".into())
            .or((name == "BROWSER").then(OsString::new))));
    }
}
