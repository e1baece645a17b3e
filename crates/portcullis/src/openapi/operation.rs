//! One operation of a document, as the arguments and the result of its handler describe it.

use super::described_response::{CommonResponse, DescribedResponse};
use super::schemas::Schemas;
use super::security::Access;
use portcullis_core::Requirement;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One method of one path, as the document describes it.
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
    responses: BTreeMap<String, DescribedResponse>,
}

impl Operation {
    pub(super) fn new(path: &str) -> Self {
        Self {
            path_names: path_names(path),
            access: Access::Public,
            parameters: Vec::new(),
            body: None,
            responses: BTreeMap::new(),
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

    /// The callers that it lets in.
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
            self.parameters.push(path_parameter(name, &schema));
        }
    }

    /// The body of a request, in this media type.
    pub fn body<T: JsonSchema>(&mut self, media_type: &str, schemas: &mut Schemas) {
        let content = json!({ media_type: { "schema": schemas.schema_of::<T>() } });
        self.body = Some(json!({ "required": true, "content": content }));
    }

    /// Adds a response without a body. `status` is a status code, or `default` for all others. Two
    /// descriptions of one status are joined.
    pub fn response(&mut self, status: &str, description: &str) {
        self.describe_status(status).add_text(description);
    }

    /// Adds a response with a body of this media type.
    pub fn response_of<T: JsonSchema>(
        &mut self,
        status: &str,
        description: &str,
        media_type: &str,
        schemas: &mut Schemas,
    ) {
        let schema = schemas.schema_of::<T>();
        let response = self.describe_status(status);
        response.add_text(description);
        response.add_schema(media_type, schema);
    }

    /// Adds a header to the response of this status.
    pub fn response_header(&mut self, status: &str, name: &str, description: &str, schema: &Value) {
        let response = self.describe_status(status);
        response.add_header(name, description, schema);
    }

    /// Adds a response of the document's components.
    pub(super) fn common_response(&mut self, response: &'static CommonResponse) {
        self.describe_status(response.status)
            .add_common(response);
    }

    /// The components that it refers to.
    pub(super) fn common_responses(&self) -> impl Iterator<Item = &'static CommonResponse> {
        self.responses
            .values()
            .filter_map(DescribedResponse::common)
    }

    fn describe_status(&mut self, status: &str) -> &mut DescribedResponse {
        self.responses.entry(status.to_owned()).or_default()
    }

    /// The operation as it stands in the document, without what only the document knows.
    pub(super) fn into_object(mut self) -> (Access, Map<String, Value>) {
        self.name_remaining_path_parameters();
        if self.responses.is_empty() {
            // The specification wants at least one.
            self.response("default", "The response.");
        }
        let mut object = Map::new();
        if !self.parameters.is_empty() {
            object.insert("parameters".to_owned(), self.parameters.into());
        }
        if let Some(body) = self.body {
            object.insert("requestBody".to_owned(), body);
        }
        let mut responses = Map::new();
        for (status, response) in self.responses {
            responses.insert(status, response.into_value());
        }
        object.insert("responses".to_owned(), responses.into());
        (self.access, object)
    }

    /// A parameter of the path that no argument reads is text; the specification wants each named.
    fn name_remaining_path_parameters(&mut self) {
        for name in &self.path_names {
            if !self
                .parameters
                .iter()
                .any(|it| is_path_parameter(it, name))
            {
                let text = json!({ "type": "string" });
                self.parameters.push(path_parameter(name, &text));
            }
        }
    }
}

fn path_parameter(name: &str, schema: &Value) -> Value {
    json!({ "in": "path", "name": name, "required": true, "schema": schema })
}

fn is_path_parameter(parameter: &Value, name: &str) -> bool {
    parameter["in"] == "path" && parameter["name"] == name
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
