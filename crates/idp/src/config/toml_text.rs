//! Settings written as TOML, for people to copy and for the file of the console.

use crate::token::claims::JsonObject;
use serde_json::Value;

/// The lines of one table of an array, such as `[[user]]`. Empty members are left out.
pub(crate) struct TableText(String);

impl TableText {
    pub(crate) fn new(name: &str) -> Self {
        Self(format!("[[{name}]]\n"))
    }

    pub(crate) fn text(mut self, key: &str, text: Option<&str>) -> Self {
        if let Some(text) = text {
            self.0.push_str(&format!("{key} = {}\n", string(text)));
        }
        self
    }

    pub(crate) fn list(mut self, key: &str, values: &[String]) -> Self {
        if !values.is_empty() {
            self.0.push_str(&format!("{key} = {}\n", list(values)));
        }
        self
    }

    pub(crate) fn flag(mut self, key: &str, is_set: bool) -> Self {
        if is_set {
            self.0.push_str(&format!("{key} = true\n"));
        }
        self
    }

    pub(crate) fn json(mut self, key: &str, value: Option<&Value>) -> Self {
        if let Some(value) = value {
            self.0
                .push_str(&format!("{key} = {}\n", inline(value)));
        }
        self
    }

    pub(crate) fn object(self, key: &str, members: &JsonObject) -> Self {
        let value = Value::from(members.clone());
        self.json(key, (!members.is_empty()).then_some(&value))
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// A list; one value a line where it would be long.
pub(crate) fn list(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| string(value)).collect();
    let line = values.join(", ");
    // As people write it: short lists in one line.
    if line.len() <= 60 {
        return format!("[{line}]");
    }
    format!("[\n  {},\n]", values.join(",\n  "))
}

/// A basic string.
pub(crate) fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            // TOML allows no other control characters in a string.
            char if char.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(char)));
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// A JSON value in one line. TOML has no null, so null members are left out.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(values) => {
            let values = values
                .iter()
                .filter(|value| !value.is_null())
                .map(inline);
            format!("[{}]", values.collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            // Keys are quoted always: claims have dots and slashes in their names.
            let pairs =
                members.map(|(name, value)| format!("{} = {}", string(name), inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        // Numbers and booleans are written alike in both languages.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_text_reads_back_as_it_was() {
        let odd = "a\"b\\c\nd\te\u{7f}\u{1}f ' # [é]";
        let value = json!({ "a.b": [1, 2.5, true, { odd: odd }], "none": null });
        let text = TableText::new("client")
            .text("id", Some(odd))
            .list("scopes", &vec![odd.to_owned(); 4])
            .list("roles", &[])
            .flag("danger_unchecked", true)
            .json("claims", Some(&value))
            .into_text();
        let read: toml::Table = text.parse().unwrap();
        let client = read["client"][0].as_table().unwrap();
        assert_eq!(client["id"].as_str(), Some(odd));
        assert_eq!(client["scopes"][3].as_str(), Some(odd));
        assert_eq!(client["claims"]["a.b"][3][odd].as_str(), Some(odd));
        assert!(!client.contains_key("roles") && !text.contains("none"));
    }
}
