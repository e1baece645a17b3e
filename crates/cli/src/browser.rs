//! The browser of the person at this machine: `$BROWSER`, or the default one.

use std::ffi::OsString;

/// Whether a browser can probably be opened. Only opening one tells for certain.
pub(crate) fn is_likely() -> bool {
    is_likely_with(|name| std::env::var_os(name))
}

/// Opens a page in the browser.
///
/// # Errors
///
/// The reason why it cannot be opened.
pub(crate) fn open(url: &str) -> Result<(), String> {
    webbrowser::open(url).map_err(|error| error.to_string())
}

fn is_likely_with(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name| matches!(variable(name), Some(value) if !value.is_empty());
    // On macOS and Windows there is a desktop, unless this is a remote session.
    let desktop = cfg!(any(target_os = "macos", windows)) && !is_set("SSH_CONNECTION");
    desktop || is_set("BROWSER") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> bool {
        is_likely_with(|name| {
            let variable = variables.iter().find(|(set, _)| *set == name);
            variable.map(|(_, value)| value.into())
        })
    }

    #[test]
    fn a_browser_is_likely_with_a_display_or_a_named_browser() {
        assert!(with(&[("BROWSER", "x")]));
        assert!(with(&[("DISPLAY", ":0")]));
        assert!(with(&[("WAYLAND_DISPLAY", "wayland-0")]));
        assert!(!with(&[("SSH_CONNECTION", "x")]));
        assert!(!with(&[("SSH_CONNECTION", "x"), ("BROWSER", "")]));
    }
}
