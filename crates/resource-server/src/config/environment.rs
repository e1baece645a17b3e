//! Values of the environment in a settings file: `"${NAME}"`, alone or within a longer string.
//!
//! Every string value of the document may hold them; names of members never do. `$${` stands for
//! `${` itself. A variable that is not set is a fault, and so is a `${` without a name and its end.
//! What a variable held is never shown in a fault.

use super::dotenv::dotenv;
use portcullis_core::ConfigError;
use std::path::Path;

/// Where variables come from, by name.
pub(super) type VariableSource<'v> = dyn FnMut(&str) -> Option<String> + 'v;

/// A variable that was put in, so that faults can leave its value out.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Variable {
    name: String,
    value: String,
}

/// Shows the name only.
impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Variable {
    /// A message with the name of the variable in the place of its value.
    pub(super) fn hide(&self, message: &str) -> String {
        let shown = format!("${{{}}}", self.name);
        // Messages repeat a value quoted, in backticks, escaped or bare. Any of them would put a
        // secret into a log.
        let quoted = format!("{:?}", self.value);
        let escaped = quoted.trim_matches('"');
        let message = message
            .replace(&quoted, &format!("\"{shown}\""))
            .replace(&format!("`{escaped}`"), &format!("`{shown}`"));
        // A short value may be a word of the message itself; quoted it was replaced above.
        if self.value.len() < 4 {
            return message;
        }
        message
            .replace(escaped, &shown)
            .replace(self.value.as_str(), &shown)
    }
}

/// The variables of the environment, or else of `.env`.
pub(super) fn of_process() -> impl FnMut(&str) -> Option<String> {
    let mut file = None;
    move |name| {
        if let Ok(value) = std::env::var(name) {
            return Some(value);
        }
        // Read once, and only when a document names a variable that the environment lacks.
        let lines = file.get_or_insert_with(|| dotenv(Path::new(".env")).unwrap_or_default());
        lines.get(name).cloned()
    }
}

/// Why a text could not be filled.
pub(super) enum FillError {
    Unset(String),
    Unnamed,
}

impl FillError {
    pub(super) fn fault(self, place: String) -> ConfigError {
        match self {
            Self::Unset(name) => {
                let help = format!(
                    "set `{name}` in the environment or in `.env`; `$${{` is a plain `${{`"
                );
                ConfigError::expected(place, format!("the variable `{name}` to be set"))
                    .found_as("it unset")
                    .help(help)
            }
            Self::Unnamed => {
                let expected = "the name of a variable and `}` after `${`";
                ConfigError::expected(place, expected)
                    .found_as("something else")
                    .help("write `${NAME}` with letters, digits and `_`; `$${` is a plain `${`")
            }
        }
    }
}

/// The text with its variables; none where it holds none.
pub(super) fn fill(
    text: &str,
    variable: &mut VariableSource<'_>,
    known: &mut Vec<Variable>,
) -> Result<Option<String>, FillError> {
    if !text.contains("${") {
        return Ok(None);
    }
    let (mut whole, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(plain) = before.strip_suffix('$') {
            whole.push_str(plain);
            whole.push_str("${");
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').ok_or(FillError::Unnamed)?;
        if !is_name(name) {
            return Err(FillError::Unnamed);
        }
        let value = variable(name).ok_or_else(|| FillError::Unset(name.to_owned()))?;
        whole.push_str(before);
        // The value is not searched again: what a variable holds must not name further variables.
        whole.push_str(&value);
        let variable = Variable {
            name: name.to_owned(),
            value,
        };
        if !known.contains(&variable) {
            known.push(variable);
        }
        rest = after;
    }
    whole.push_str(rest);
    Ok(Some(whole))
}

fn is_name(text: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty()
        && text.bytes().all(fit)
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Document};

    fn variable(name: &str) -> Option<String> {
        let known = [
            ("ISSUER", "https://idp.example"),
            ("NAME", "api"),
            ("SECRET", "hunter22"),
            ("EMPTY", ""),
        ];
        let quoted = ("QUOTED", "a\" ]\nrealm = \"x");
        known
            .iter()
            .chain([&quoted])
            .find(|(it, _)| *it == name)
            .map(|(_, value)| (*value).to_owned())
    }

    fn read(text: &str) -> Result<Config, String> {
        let document = Document::parse(text).unwrap();
        let is_ours = |name: &str| !crate::config::DOORS.contains(&name);
        let part = document.read_with::<Config>(is_ours, &mut variable);
        match part.origin.judge(&portcullis_core::Faults::default()) {
            Ok(()) => Ok(part.value),
            Err(errors) => Err(errors.to_string()),
        }
    }

    #[test]
    fn strings_hold_variables_wherever_they_stand() {
        let config = read(
            "realm = \"a-${NAME}-${NAME}b\"\ntoken_header = \"$${NAME}$\"\n[[issuer]]\nurl = \
                \"${ISSUER}/x\"\n\
             audience = [\"api://${NAME}\", \"$NAME\", \"${EMPTY}\"]\n[issuer.claims]\norg = \
             \"${NAME}\"\n",
        );
        let config = config.unwrap();
        assert_eq!(config.realm.as_deref(), Some("a-api-apib"));
        assert_eq!(config.token_header.as_deref(), Some("${NAME}$"));
        assert_eq!(config.issuer[0].url, "https://idp.example/x");
        assert_eq!(config.issuer[0].audience, ["api://api", "$NAME", ""]);
        assert!(format!("{:?}", config.issuer[0].claims).contains("api"));
    }

    /// A value is put in after the document was read: it cannot add members.
    #[test]
    fn a_value_stays_one_value() {
        let config = read("realm = \"${QUOTED}\"\n").unwrap();
        assert_eq!(config.realm.as_deref(), Some("a\" ]\nrealm = \"x"));
    }

    #[test]
    fn what_is_not_set_is_told_with_its_place_all_at_once() {
        let errors = read(
            "realm = \"${NOWHERE}\"\n[[issuer]]\nurl = \"x\"\naudience = [\"a\", \
                \"${ALSO_NOWHERE}\"]\nprofile = \"${}\"\n\
             tenant = \"${NAME\"\nsubject = \"${A-B}\"\n",
        )
        .unwrap_err();
        for told in [
            "realm (line 1): expected the variable `NOWHERE` to be set",
            "issuer[0].audience[1] (line 4): expected the variable `ALSO_NOWHERE` to be set",
            "issuer[0].profile (line 5): expected the name",
            "issuer[0].tenant (line 6): expected the name",
            "issuer[0].subject (line 7): expected the name",
            "5 faults",
        ] {
            assert!(errors.contains(told), "{told}: {errors}");
        }
    }

    #[test]
    fn names_of_members_hold_none_and_other_tables_are_left_alone() {
        let errors = read("[[issuer]]\nurl = \"x\"\n\"${NAME}\" = 1\n").unwrap_err();
        assert!(
            errors.contains("issuer[0].${NAME} (line 3): unknown member `${NAME}`"),
            "{errors}"
        );
        assert!(read("realm = \"x\"\n[gateway]\nupstream = \"${NOWHERE}\"\n").is_ok());
    }

    #[test]
    fn a_fault_shows_no_value() {
        for text in [
            "remembered_tokens = \"${SECRET}\"\n",
            "[revocation]\nstore = [\"${SECRET}\"]\n",
            "[[issuer]]\nurl = \"x\"\nleeway = \"a ${SECRET} b\"\n",
            "[limits]\ntoken_bytes = \"${NAME}\"\n",
        ] {
            let errors = read(text).unwrap_err();
            assert!(
                !errors.contains("hunter22") && !errors.contains("\"api\""),
                "{errors}"
            );
            assert!(errors.contains("line "), "{errors}");
        }
    }

    #[test]
    fn the_plain_document_is_filled_alike() {
        let text = "realm = \"${NAME}\"\n[limits]\ntoken_bytes = 4096\n";
        let document = Document::parse(text).unwrap();
        let part = document.read_with::<Config>(|_| true, &mut variable);
        let expected = "realm = \"api\"\n[limits]\ntoken_bytes = 4096\n";
        assert_eq!(part.table, expected.parse().unwrap());
        assert!(!format!("{part:?}").contains("hunter22"));
    }
}
