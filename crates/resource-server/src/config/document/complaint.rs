//! What serde says about a document, understood and said again as a sentence.

/// One complaint of serde.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Complaint<'m> {
    /// A member that the table does not have, and those that it has.
    Unknown { name: &'m str, known: Vec<&'m str> },
    /// A member that the table needs.
    Missing(&'m str),
    /// A value of another kind; what was expected.
    Unfit(String),
    /// Anything else, in its own words.
    Other(&'m str),
}

impl<'m> Complaint<'m> {
    pub(super) fn parse(message: &'m str) -> Self {
        if let Some(rest) = message.strip_prefix("unknown field `") {
            // A table without members: `there are no fields`.
            let (name, known) = rest.split_once('`').unwrap_or((rest, ""));
            // serde puts each name into backticks, so every second piece is a name.
            let known = known.split('`').skip(1).step_by(2).collect();
            return Self::Unknown { name, known };
        }
        if let Some(rest) = message.strip_prefix("missing field `") {
            return Self::Missing(rest.trim_end_matches('`'));
        }
        // These words are the standard library's, so they name nothing that was expected.
        if message == "invalid socket address syntax" {
            return Self::Unfit(ADDRESS.to_owned());
        }
        // The attribute `expecting` of our own types.
        if let Some(expected) = message.strip_prefix("expected ") {
            return Self::Unfit(expected.to_owned());
        }
        // From the end: the value before it may hold the same words.
        match message.rsplit_once(", expected ") {
            Some((_, expected)) => Self::Unfit(expectation(expected)),
            None => Self::Other(message),
        }
    }
}

const ADDRESS: &str = "an address and a port, such as 127.0.0.1:8080";

/// What serde expects, in the words of TOML.
fn expectation(serde: &str) -> String {
    let words = match serde {
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "a character" => "one character",
        "path string" => "the path of a file",
        "socket address" => ADDRESS,
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65,535",
        "u32" => "a whole number from 0 to 4,294,967,295",
        "u64" | "usize" => "a whole number from 0",
        "i64" => "a whole number",
        _ if serde.starts_with("struct ") => "a table",
        other => other,
    };
    words.to_owned()
}

/// How alike two names must be (Jaro) for one to be taken for the other misspelled: as much as clap
/// wants it.
const ALIKE: f64 = 0.7;
/// How alike for a member that is missing to be meant by an unknown one.
const PERHAPS: f64 = 0.6;

/// The known name that is nearest to an unknown one.
pub(in crate::config) fn nearest<'k>(unknown: &str, known: &[&'k str]) -> Option<&'k str> {
    let mut best: Option<(f64, &str)> = None;
    for name in known {
        let alike = strsim::jaro(unknown, name);
        if alike > best.map_or(ALIKE, |(most, _)| most) {
            best = Some((alike, name));
        }
    }
    best.map(|(_, name)| name)
}

/// The known names that an unknown one may have been meant for: those near enough to be proposed,
/// or else those that are somewhat alike.
pub(super) fn meanings<'k>(unknown: &str, known: &[&'k str]) -> Vec<&'k str> {
    let is_proposed = nearest(unknown, known).is_some();
    let alike = if is_proposed { ALIKE } else { PERHAPS };
    let mut meanings = known.to_vec();
    meanings.retain(|name| strsim::jaro(unknown, name) > alike);
    meanings
}

/// An example of a member that a table needs.
pub(super) fn example(name: &str) -> Option<&'static str> {
    let example = match name {
        "url" => "url = \"https://idp.example.com\"",
        "path" => "path = \"/orders/**\"",
        "name" => "name = \"orders\"",
        "servers" => "servers = [\"http://127.0.0.1:8000\"]",
        "listen" => "listen = \"127.0.0.1:8080\"",
        "proxy" => "proxy = \"nginx\"",
        "certificate" => "certificate = \"/etc/portcullis/tls.crt\"",
        "key" => "key = \"/etc/portcullis/tls.key\"",
        "issuer" => "issuer = \"https://api.example.com\"",
        "audience" => "audience = \"https://orders.internal\"",
        "policies" => "policies = [\"policies\"]",
        _ => return None,
    };
    Some(example)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_understood() {
        let known = vec!["upstream", "listen", "hosts"];
        for (message, expected) in [
            (
                "unknown field `lissten`, expected one of `upstream`, `listen`, `hosts`",
                Complaint::Unknown {
                    name: "lissten",
                    known,
                },
            ),
            (
                "unknown field `x`, there are no fields",
                Complaint::Unknown {
                    name: "x",
                    known: Vec::new(),
                },
            ),
            ("missing field `url`", Complaint::Missing("url")),
            (
                "invalid type: integer `7`, expected a string",
                Complaint::Unfit("a string".to_owned()),
            ),
            (
                "invalid value: integer `-1`, expected u64",
                Complaint::Unfit("a whole number from 0".to_owned()),
            ),
            (
                "invalid type: string \"x, expected y\", expected struct GatewayConfig",
                Complaint::Unfit("a table".to_owned()),
            ),
            ("something new", Complaint::Other("something new")),
        ] {
            assert_eq!(Complaint::parse(message), expected, "{message}");
        }
    }

    #[test]
    fn the_nearest_member_is_named() {
        for (unknown, known, expected) in [
            (
                "lissten",
                &["upstream", "listen", "hosts"][..],
                Some("listen"),
            ),
            (
                "path_prefx",
                &["listen", "path_prefix"],
                Some("path_prefix"),
            ),
            ("requires", &["path", "require", "access"], Some("require")),
            ("gatewy", &["realm", "url"], None),
            ("zzz", &["listen", "hosts"], None),
        ] {
            assert_eq!(nearest(unknown, known), expected, "{unknown}");
        }
    }
}
