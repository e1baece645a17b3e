//! One response of an operation, described by its handler, by a guard, or by both.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A response that many operations give, and its name among the document's components.
#[derive(Debug)]
pub(super) struct CommonResponse {
    pub(super) status: &'static str,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// The name and the text of its header.
    pub(super) header: Option<(&'static str, &'static str)>,
    /// The name of the schema of its problem document.
    pub(super) schema: &'static str,
}

impl CommonResponse {
    fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/responses/{}", self.name) })
    }

    /// Adds the text, the header and the body to a handler's own description.
    pub(super) fn add_to(&self, response: &mut DescribedResponse) {
        response.add_text(self.description);
        if let Some((name, text)) = self.header {
            response.add_header(name, text, &json!({ "type": "string" }));
        }
        let schema = json!({ "$ref": format!("#/components/schemas/{}", self.schema) });
        response.add_schema("application/problem+json", schema);
    }
}

/// The descriptions of one status. A guard and a handler may both answer with it.
#[derive(Debug, Default)]
pub(super) struct DescribedResponse {
    texts: Vec<String>,
    headers: Map<String, Value>,
    /// The schemas of each media type: a body fits one of them.
    content: BTreeMap<String, Vec<Value>>,
    common: Option<&'static CommonResponse>,
}

impl DescribedResponse {
    pub(super) fn add_text(&mut self, text: &str) {
        if !self.texts.iter().any(|known| known == text) {
            self.texts.push(text.to_owned());
        }
    }

    pub(super) fn add_header(&mut self, name: &str, text: &str, schema: &Value) {
        let header = json!({ "description": text, "schema": schema });
        self.headers.insert(name.to_owned(), header);
    }

    pub(super) fn add_schema(&mut self, media_type: &str, schema: Value) {
        let schemas = self.content.entry(media_type.to_owned()).or_default();
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }

    pub(super) fn add_common(&mut self, response: &'static CommonResponse) {
        self.common = Some(response);
    }

    /// The component of the document that it is made of, as a whole or in part.
    pub(super) fn common(&self) -> Option<&'static CommonResponse> {
        self.common
    }

    /// The response as it stands in the document: a reference if only a guard describes it.
    pub(super) fn into_value(mut self) -> Value {
        if let Some(common) = self.common {
            if self.texts.is_empty() && self.content.is_empty() {
                return common.reference();
            }
            common.add_to(&mut self);
        }
        let mut object = Map::new();
        object.insert("description".to_owned(), self.texts.join(" ").into());
        if !self.headers.is_empty() {
            object.insert("headers".to_owned(), self.headers.into());
        }
        let mut content = Map::new();
        for (media_type, schemas) in self.content {
            content.insert(media_type, json!({ "schema": any_of(schemas) }));
        }
        if !content.is_empty() {
            object.insert("content".to_owned(), content.into());
        }
        object.into()
    }
}

fn any_of(mut schemas: Vec<Value>) -> Value {
    match schemas.len() {
        1 => schemas.swap_remove(0),
        _ => json!({ "anyOf": schemas }),
    }
}
