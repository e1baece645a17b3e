//! A header as it is typed: `Name: value`.

use crate::exit::CommandError;
use http::{HeaderName, HeaderValue};

/// Reads the value of an option `--header`.
///
/// # Errors
///
/// A line that is no header.
pub(crate) fn parse_header(line: &str) -> Result<(HeaderName, HeaderValue), CommandError> {
    if let Some((name, value)) = line.split_once(':')
        && let Ok(name) = name.trim().parse::<HeaderName>()
        && let Ok(value) = value.trim().parse::<HeaderValue>()
    {
        return Ok((name, value));
    }
    // The line is not repeated: it may be an API key.
    let message = "`--header`: expected a name and a value, such as `Accept: text/plain`";
    Err(CommandError::could_not_run(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_a_name_and_a_value() {
        let (name, value) = parse_header("Accept:  text/plain").unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("accept", "text/plain")
        );
        for line in ["Accept", "a b: c", "a: b\nc: d"] {
            assert!(parse_header(line).is_err(), "{line}");
        }
    }
}
