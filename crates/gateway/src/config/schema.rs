//! A JSON schema of the settings, made from the types that read them: for editors.

use crate::config::Tables;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// The schema of `portcullis.toml` (JSON Schema 2020-12): what `portcullis config schema` prints.
pub fn schema() -> String {
    // One generator for both halves: two could give different types the same name in `$defs`.
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let tokens = generator.root_schema_for::<portcullis_resource_server::Config>();
    let mut document = generator.into_root_schema_for::<Tables>();
    document.insert("title".to_owned(), "portcullis.toml".into());
    document.insert(
        "description".to_owned(),
        "The settings of Portcullis.".into(),
    );
    for part in ["properties", "$defs"] {
        let members = tokens.get(part).and_then(Value::as_object);
        let own = document
            .ensure_object()
            .entry(part)
            .or_insert_with(|| Map::new().into());
        if let (Some(own), Some(members)) = (own.as_object_mut(), members) {
            own.extend(members.clone());
        }
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What the schema says about a member, references followed.
    fn member<'s>(schema: &'s Value, root: &'s Value, name: &str) -> Option<&'s Value> {
        let properties = |schema: &'s Value| {
            let list = schema.get("items").unwrap_or(schema);
            let alternatives = list
                .get("anyOf")
                .and_then(|any| any.get(0))
                .unwrap_or(list);
            match alternatives.get("$ref").and_then(Value::as_str) {
                Some(reference) => root.pointer(reference.trim_start_matches('#')),
                None => Some(alternatives),
            }
        };
        let found = properties(schema)?;
        assert_eq!(
            found["additionalProperties"],
            json!(false),
            "unknown members are refused: {found}"
        );
        found["properties"].get(name)
    }

    #[test]
    fn every_setting_says_what_it_means_and_what_holds_without_it() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let tables = schema["$defs"].as_object().unwrap().iter();
        let mut count = 0;
        for (table, node) in tables.chain([(&"".to_owned(), &schema)]) {
            let required = node["required"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for (name, member) in node["properties"].as_object().into_iter().flatten() {
                let meaning = member["description"].as_str().unwrap_or_default();
                assert!(meaning.len() > 10, "{table}.{name} has no description");
                let default = member
                    .get("default")
                    .is_some_and(|default| !default.is_null());
                // A table that is missing is told by its own members.
                let is_table = member.to_string().contains("\"#/$defs/");
                let is_said = default || is_table || meaning.contains("efault");
                assert!(
                    is_said || required.contains(&Value::from(name.as_str())),
                    "{table}.{name}: {meaning}"
                );
                count += 1;
            }
        }
        assert!(count > 150, "{count}");
        let issuer = &schema["$defs"]["IssuerConfig"]["required"];
        assert_eq!(*issuer, json!(["url", "audience"]));
    }

    #[test]
    fn every_member_of_the_starter_is_in_the_schema_with_its_meaning() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        for path in [
            &["realm"][..],
            &["issuer", "audience"],
            &["limits", "token_bytes"],
            &["gateway", "listen"],
            &["gateway", "tls", "minimum"],
            &["gateway", "cors", "credentials"],
            &["route", "cors", "origins"],
            &["gateway", "identity", "forward_token"],
            &["gateway", "identity", "assertion", "issuer"],
            &["gateway", "danger_plain_http"],
            &["route", "path"],
            &["route", "require", "scope"],
            &["upstream", "health", "path"],
            &["forward_auth", "trusted_peers"],
            &["ext_authz", "tls", "client_authorities"],
        ] {
            let found = path
                .iter()
                .try_fold(&schema, |at, name| member(at, &schema, name));
            let told = found.unwrap_or_else(|| panic!("{path:?}"))["description"].as_str();
            assert!(
                told.is_some_and(|text| text.len() > 20),
                "{path:?}: {found:?}"
            );
        }
        assert!(schema["properties"].get("gatewy").is_none());
    }
}
