//! Values of the environment in a settings file: `"${NAME}"`, alone or within a longer string.
//!
//! Every string value of the document may hold them; names of members never do. `$${` stands for
//! `${` itself. Refuses a variable that is not set, and a `${` without a name and its end. What a
//! variable held is never shown in a fault.

use super::dotenv;
use portcullis_core::{ConfigError, ConfigErrors};
use std::borrow::Cow;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// The variables that were put in, so that faults can leave their values out.
#[derive(Clone, Debug, Default)]
pub struct Filled(Vec<Variable>);

#[derive(Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    value: String,
}

/// Shows the name only.
impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Filled {
    /// A message without the values of variables: a parser tells what it found.
    pub fn hide(&self, message: &str) -> String {
        self.0
            .iter()
            .fold(message.to_owned(), |message, Variable { name, value }| {
                let shown = format!("${{{name}}}");
                let message = message
                    .replace(&format!("{value:?}"), &format!("\"{shown}\""))
                    .replace(&format!("`{value}`"), &format!("`{shown}`"));
                // A short value may be a word of the message itself; quoted it was replaced above.
                if value.len() < 4 {
                    message
                } else {
                    message.replace(value.as_str(), &shown)
                }
            })
    }

    /// Puts the same values into the same document, read in another way.
    pub fn fill(&self, document: &mut toml::Table) {
        document
            .iter_mut()
            .for_each(|(_, value)| self.fill_value(value));
    }

    fn fill_value(&self, value: &mut toml::Value) {
        match value {
            toml::Value::String(text) => {
                let variable = |name: &str| self.0.iter().find(|known| known.name == name);
                let mut value = |name: &str| variable(name).map(|known| known.value.clone());
                if let Ok(Some(filled)) = filled(text, &mut value, &mut Vec::new()) {
                    *text = filled;
                }
            }
            toml::Value::Array(elements) => {
                elements.iter_mut().for_each(|value| self.fill_value(value));
            }
            toml::Value::Table(table) => self.fill(table),
            _ => {}
        }
    }
}

/// Puts variables of the environment, or else of `.env`, in the place of their names.
///
/// # Errors
///
/// Every place that names a variable which is not set, or names none.
pub fn fill(document: &mut DeTable<'_>) -> Result<Filled, ConfigErrors> {
    let mut file = None;
    let mut from_file = |name: &str| {
        let lines = file.get_or_insert_with(|| dotenv(Path::new(".env")).unwrap_or_default());
        lines.get(name).cloned()
    };
    fill_with(document, &mut |name| {
        std::env::var(name).ok().or_else(|| from_file(name))
    })
}

/// The same, with variables from anywhere.
pub(crate) fn fill_with(
    document: &mut DeTable<'_>,
    variable: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Filled, ConfigErrors> {
    let mut walk = Walk {
        variable,
        known: Vec::new(),
        faults: Vec::new(),
    };
    walk.table("", document);
    ConfigErrors::check(walk.faults)?;
    Ok(Filled(walk.known))
}

struct Walk<'v> {
    variable: &'v mut dyn FnMut(&str) -> Option<String>,
    known: Vec<Variable>,
    faults: Vec<ConfigError>,
}

impl Walk<'_> {
    fn table(&mut self, place: &str, table: &mut DeTable<'_>) {
        for (name, value) in table.iter_mut() {
            let name = name.get_ref();
            let place = if place.is_empty() {
                name.to_string()
            } else {
                format!("{place}.{name}")
            };
            self.value(&place, value.get_mut());
        }
    }

    fn value(&mut self, place: &str, value: &mut DeValue<'_>) {
        match value {
            DeValue::String(text) => match filled(text, self.variable, &mut self.known) {
                Ok(None) => {}
                Ok(Some(filled)) => *text = Cow::Owned(filled),
                Err(Unfilled::Unset(name)) => {
                    let cure = format!(
                        "set `{name}` in the environment or in `.env`; `$${{` is a plain `${{`"
                    );
                    let expected =
                        format!("expected the variable `{name}` to be set, found it unset");
                    self.faults.push(ConfigError::new(place, expected, cure));
                }
                Err(Unfilled::Unnamed) => {
                    let cure =
                        "write `${NAME}` with letters, digits and `_`; `$${` is a plain `${`";
                    let expected =
                        "expected the name of a variable and `}` after `${`, found something else";
                    self.faults.push(ConfigError::new(place, expected, cure));
                }
            },
            DeValue::Array(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    self.value(&format!("{place}[{index}]"), element.get_mut());
                }
            }
            DeValue::Table(table) => self.table(place, table),
            _ => {}
        }
    }
}

enum Unfilled {
    Unset(String),
    Unnamed,
}

/// The text with its variables; none where it holds none.
fn filled<V>(
    text: &str,
    variable: &mut V,
    known: &mut Vec<Variable>,
) -> Result<Option<String>, Unfilled>
where
    V: FnMut(&str) -> Option<String> + ?Sized,
{
    if !text.contains("${") {
        return Ok(None);
    }
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(plain) = before.strip_suffix('$') {
            filled.push_str(plain);
            filled.push_str("${");
            rest = after;
            continue;
        }
        let (name, after) = after
            .split_once('}')
            .filter(|(name, _)| is_name(name))
            .ok_or(Unfilled::Unnamed)?;
        let value = variable(name).ok_or_else(|| Unfilled::Unset(name.to_owned()))?;
        filled.push_str(before);
        filled.push_str(&value);
        let variable = Variable {
            name: name.to_owned(),
            value,
        };
        if !known.contains(&variable) {
            known.push(variable);
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(Some(filled))
}

fn is_name(text: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty()
        && text.bytes().all(fit)
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

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
        Config::from_toml_with(text, &mut variable).map_err(|errors| errors.to_string())
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
            "realm: expected the variable `NOWHERE` to be set",
            "issuer[0].audience[1]: expected the variable `ALSO_NOWHERE` to be set",
            "issuer[0].profile: expected the name",
            "issuer[0].tenant: expected the name",
            "issuer[0].subject: expected the name",
            "5 faults",
        ] {
            assert!(errors.contains(told), "{told}: {errors}");
        }
    }

    #[test]
    fn names_of_members_hold_none_and_other_tables_are_left_alone() {
        let errors = read("[[issuer]]\nurl = \"x\"\n\"${NAME}\" = 1\n").unwrap_err();
        assert!(
            errors.contains("line 3: unknown field `${NAME}`"),
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
        let text = "a = \"${NAME}\"\nb = [\"${ISSUER}\", 1]\n[c]\nd = \"$${x}\"\n";
        let mut document = DeTable::parse(text).unwrap();
        let filled = fill_with(document.get_mut(), &mut variable).unwrap();
        let mut table: toml::Table = text.parse().unwrap();
        filled.fill(&mut table);
        let expected = "a = \"api\"\nb = [\"https://idp.example\", 1]\n[c]\nd = '${x}'\n";
        assert_eq!(table, expected.parse().unwrap());
        assert!(!format!("{filled:?}").contains("idp.example"));
    }
}
