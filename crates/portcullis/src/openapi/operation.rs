//! One operation of a document, as the arguments and the result of its handler describe it.

use super::schemas::Schemas;
use super::security::Access;
use portcullis_core::Requirement;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a document says about one method of one path.
///
/// The arguments of a handler fill it by [`DescribeArgument`](super::DescribeArgument), its result
/// by [`DescribeResponse`](super::DescribeResponse).
#[derive(Debug)]
pub struct Operation {
    /// The names of the path's parameters, in order.
    path_names: Vec<String>,
    access: Access,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: BTreeMap<String, Value>,
    /// Those of them that are components of the document, by their names.
    common_responses: BTreeMap<String, &'static str>,
}

impl Operation {
    pub(super) fn new(path: &str) -> Self {
        Self {
            path_names: path_names(path),
            access: Access::Public,
            parameters: Vec::new(),
            body: None,
            responses: BTreeMap::new(),
            common_responses: BTreeMap::new(),
        }
    }

    /// Demands this of the caller, beside what is demanded already.
    pub fn demand(&mut self, requirement: &Requirement) {
        self.access.demand(requirement);
    }

    /// Reads a credential where there is one, and demands this of it; requests without one pass.
    pub fn demand_if_present(&mut self, requirement: &Requirement) {
        self.access.demand_if_present(requirement);
    }

    /// Who may call it.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Adds a parameter in `place`, which is `query`, `header` or `cookie` (OpenAPI 3.1, section
    /// 4.8.12).
    pub fn parameter(&mut self, place: &str, name: &str, required: bool, schema: &Value) {
        self.parameters.push(json!({
            "in": place,
            "name": name,
            "required": required,
            "schema": schema,
        }));
    }

    /// Adds a parameter for each member of `T`, which is a struct of values.
    pub fn query<T: JsonSchema>(&mut self, schemas: &mut Schemas) {
        for (name, member) in schemas.members_of::<T>() {
            self.parameter("query", &name, member.required, &member.schema);
        }
    }

    /// Gives the parameters of the path their types: those of the members of a struct by their
    /// names, those of a tuple in order, or one type for the only one.
    pub fn path<T: JsonSchema>(&mut self, schemas: &mut Schemas) {
        let types = schemas.path_types_of::<T>(&self.path_names);
        for (name, schema) in self.path_names.iter().zip(types) {
            let parameter =
                json!({ "in": "path", "name": name, "required": true, "schema": schema });
            self.parameters.push(parameter);
        }
    }

    /// The body of a request, in this media type.
    pub fn body<T: JsonSchema>(&mut self, media_type: &str, schemas: &mut Schemas) {
        let content = json!({ media_type: { "schema": schemas.schema_of::<T>() } });
        self.body = Some(json!({ "required": true, "content": content }));
    }

    /// A response without a body. `status` is a status code, or `default` for all others.
    pub fn response(&mut self, status: &str, description: &str) {
        self.describe_response(status, description);
    }

    /// A response with a body of this media type.
    pub fn response_of<T: JsonSchema>(
        &mut self,
        status: &str,
        description: &str,
        media_type: &str,
        schemas: &mut Schemas,
    ) {
        let schema = schemas.schema_of::<T>();
        let response = self.describe_response(status, description);
        response.insert(
            "content".to_owned(),
            json!({ media_type: { "schema": schema } }),
        );
    }

    /// Adds a header to a response that was described before.
    pub fn response_header(&mut self, status: &str, name: &str, description: &str, schema: &Value) {
        if let Some(response) = self.responses.get_mut(status) {
            let header = json!({ "description": description, "schema": schema });
            match response.get_mut("headers").and_then(Value::as_object_mut) {
                Some(headers) => _ = headers.insert(name.to_owned(), header),
                None => _ = set(response, "headers", json!({ name: header })),
            }
        }
    }

    /// A response of the document's components.
    pub(super) fn common_response(&mut self, status: &str, name: &'static str) {
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        // What the handler says of a status is nearer to the truth than what all have in common.
        if !self.responses.contains_key(status) {
            self.responses.insert(status.to_owned(), reference);
            self.common_responses.insert(status.to_owned(), name);
        }
    }

    /// The names of the components that it refers to.
    pub(super) fn common_responses(&self) -> impl Iterator<Item = &'static str> {
        self.common_responses.values().copied()
    }

    /// The response of this status; two descriptions of one status are joined.
    fn describe_response(&mut self, status: &str, description: &str) -> &mut Map<String, Value> {
        let response = self.responses.entry(status.to_owned()).or_default();
        if !response.is_object() || response.get("$ref").is_some() {
            *response = json!({});
            self.common_responses.remove(status);
        }
        let text = match response.get("description").and_then(Value::as_str) {
            Some(before) if before != description => format!("{before} {description}"),
            _ => description.to_owned(),
        };
        set(response, "description", text.into())
    }

    /// The operation as it stands in the document, without what only the document knows.
    pub(super) fn into_object(mut self) -> (Access, Map<String, Value>) {
        self.name_remaining_path_parameters();
        let mut object = Map::new();
        if !self.parameters.is_empty() {
            object.insert("parameters".to_owned(), self.parameters.into());
        }
        if let Some(body) = self.body {
            object.insert("requestBody".to_owned(), body);
        }
        if self.responses.is_empty() {
            // The specification wants one.
            self.responses.insert(
                "default".to_owned(),
                json!({ "description": "The response" }),
            );
        }
        let responses: Map<String, Value> = self.responses.into_iter().collect();
        object.insert("responses".to_owned(), responses.into());
        (self.access, object)
    }

    /// A parameter of the path that no argument reads is text; the specification wants each named.
    fn name_remaining_path_parameters(&mut self) {
        for name in &self.path_names {
            if !self.parameters.iter().any(|it| is_path_parameter(it, name)) {
                let text = json!({ "type": "string" });
                let parameter =
                    json!({ "in": "path", "name": name, "required": true, "schema": text });
                self.parameters.push(parameter);
            }
        }
    }
}

fn is_path_parameter(parameter: &Value, name: &str) -> bool {
    parameter["in"] == "path" && parameter["name"] == name
}

/// Sets a member of an object, and gives the object.
fn set<'v>(value: &'v mut Value, name: &str, member: Value) -> &'v mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(object) => {
            object.insert(name.to_owned(), member);
            object
        }
        _ => unreachable!("it was made an object"),
    }
}

/// The names between the braces of a path of axum's: `/orders/{id}`, `/files/{*path}`.
fn path_names(path: &str) -> Vec<String> {
    let mut names = Vec::new();
    for segment in path.split('/') {
        let name = segment
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'));
        if let Some(name) = name {
            names.push(name.trim_start_matches('*').to_owned());
        }
    }
    names
}
