//! A JSON schema of the settings, made from the types that read them.

use super::IdpConfig;
use schemars::generate::SchemaSettings;

/// The schema of the settings (JSON Schema 2020-12): what `portcullis idp schema` prints.
pub fn schema() -> String {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<IdpConfig>();
    schema.insert("title".to_owned(), "idp.toml".into());
    let description = "The settings of the development identity provider of Portcullis.";
    schema.insert("description".to_owned(), description.into());
    // A file that ends without a line break would differ from what editors save.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The members of the schema, with those of its tables, by name.
    fn members(node: &Value, found: &mut Vec<(String, Value)>) {
        let tables = node["$defs"].as_object().into_iter().flatten();
        for (_, table) in tables.chain([(&String::new(), node)]) {
            for (name, member) in table["properties"].as_object().into_iter().flatten() {
                found.push((name.clone(), member.clone()));
            }
        }
    }

    #[test]
    fn every_setting_has_its_meaning_and_stands_in_the_starter() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let mut found = Vec::new();
        members(&schema, &mut found);
        assert!(found.len() > 40, "{}", found.len());
        for (name, member) in found {
            let meaning = member["description"].as_str().unwrap_or_default();
            assert!(meaning.len() > 10, "{name} has no description");
            assert!(
                crate::STARTER.contains(&name),
                "{name} is not in the starter"
            );
        }
    }
}
