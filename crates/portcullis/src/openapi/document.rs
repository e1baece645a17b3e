//! The document: put together from the routes, and shown to clients.

use super::described_route::{DescribedMethod, DescribedRoute};
use super::operation::Operation;
use super::responses;
use super::schemas::{Schemas, adapt};
use super::schemes::SecuritySchemes;
use super::security::Access;
use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use portcullis_core::Requirement;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The name, version and purpose of an API (OpenAPI 3.1, section 4.8.2).
#[derive(Clone, Debug)]
#[must_use]
pub struct ApiInfo {
    title: String,
    version: String,
    description: Option<String>,
}

impl ApiInfo {
    /// The name of the API, and the version of its interface.
    pub fn new(title: &str, version: &str) -> Self {
        Self {
            title: title.to_owned(),
            version: version.to_owned(),
            description: None,
        }
    }

    /// The purpose of the API, in CommonMark.
    pub fn description(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }

    fn into_value(self) -> Value {
        let mut info = json!({ "title": self.title, "version": self.version });
        if let (Some(text), Some(info)) = (self.description, info.as_object_mut()) {
            info.insert("description".to_owned(), text.into());
        }
        info
    }
}

/// An OpenAPI 3.1 document, and who may call what.
#[derive(Clone, Debug)]
pub struct OpenApi {
    document: Value,
    routes: Vec<RouteAccess>,
}

/// A method of a path, and the callers that it lets in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteAccess {
    /// The method, in capitals.
    pub method: String,
    /// The path, as axum writes it.
    pub path: String,
    /// The callers that it lets in.
    pub access: Access,
}

/// The method, the path, and `public`, `token` or the demand: `GET /orders: scope `orders:read``.
impl fmt::Display for RouteAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.method, self.path, self.access)
    }
}

impl OpenApi {
    pub(super) fn of(info: ApiInfo, schemes: &SecuritySchemes, routes: &[DescribedRoute]) -> Self {
        let mut building = Building::new(schemes);
        for route in routes {
            building.add(route);
        }
        building.finish(info, schemes)
    }

    /// The document.
    pub fn as_value(&self) -> &Value {
        &self.document
    }

    /// The document, to be changed. Leave the security of operations as the guards wrote it.
    pub fn as_value_mut(&mut self) -> &mut Value {
        &mut self.document
    }

    /// Every route, in the order in which they were added, with who may call it.
    pub fn routes(&self) -> &[RouteAccess] {
        &self.routes
    }

    /// A router that shows the document at a path, to everybody.
    pub fn router<S: Clone + Send + Sync + 'static>(&self, path: &str) -> Router<S> {
        // Made once: every client gets the same bytes.
        let text = Bytes::from(self.document.to_string());
        let show = async move || ([(CONTENT_TYPE, "application/json")], text);
        Router::new().route(path, get(show))
    }
}

/// A document while routes are added.
struct Building {
    schemas: Schemas,
    scheme_names: Vec<String>,
    scopes: BTreeSet<String>,
    paths: BTreeMap<String, Map<String, Value>>,
    names: BTreeSet<String>,
    tags: Vec<Value>,
    responses: BTreeSet<&'static str>,
    routes: Vec<RouteAccess>,
}

impl Building {
    fn new(schemes: &SecuritySchemes) -> Self {
        Self {
            schemas: Schemas::new(),
            scheme_names: schemes.names(),
            scopes: BTreeSet::new(),
            paths: BTreeMap::new(),
            names: BTreeSet::new(),
            tags: Vec::new(),
            responses: BTreeSet::new(),
            routes: Vec::new(),
        }
    }

    fn add(&mut self, route: &DescribedRoute) {
        let mut operation = Operation::new(&route.path);
        for demand in &route.demands {
            operation.demand(demand);
        }
        (route.endpoint.describe)(&mut operation, &mut self.schemas);
        responses::describe_guards(&mut operation);
        self.responses
            .extend(operation.common_responses().map(|it| it.name));
        let (access, mut object) = operation.into_object();
        self.scopes.extend(access.scopes());
        object.insert("security".to_owned(), self.security(&access));
        self.add_text(&route.endpoint, &access, &mut object);
        let path = self
            .paths
            .entry(openapi_path(&route.path))
            .or_default();
        path.insert(route.endpoint.method.to_owned(), object.into());
        self.routes.push(RouteAccess {
            method: route.endpoint.method.to_ascii_uppercase(),
            path: route.path.clone(),
            access,
        });
    }

    fn security(&self, access: &Access) -> Value {
        let names: Vec<&str> = self.scheme_names.iter().map(String::as_str).collect();
        access.security(&names)
    }

    /// Adds the text for readers: name, summary, description and demand.
    fn add_text(
        &mut self,
        endpoint: &DescribedMethod,
        access: &Access,
        object: &mut Map<String, Value>,
    ) {
        if let Some(name) = endpoint.name {
            // A function that serves two paths has two operations, which may not share a name.
            let mut unique = name.to_owned();
            while !self.names.insert(unique.clone()) {
                unique.push('_');
            }
            object.insert("operationId".to_owned(), unique.into());
        }
        let of_name = || endpoint.name.map(sentence);
        if let Some(summary) = endpoint.summary.clone().or_else(of_name) {
            object.insert("summary".to_owned(), summary.into());
        }
        let texts = [endpoint.description.clone(), demand_text(access)];
        let texts: Vec<String> = texts.into_iter().flatten().collect();
        if !texts.is_empty() {
            object.insert("description".to_owned(), texts.join("\n\n").into());
        }
        if let Some(tag) = &endpoint.tag {
            object.insert("tags".to_owned(), json!([tag]));
            let tag = json!({ "name": tag });
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
    }

    fn finish(self, info: ApiInfo, schemes: &SecuritySchemes) -> OpenApi {
        let mut schemas = self.schemas.into_definitions();
        let mut components = Map::new();
        for (name, schema) in responses::schemas(&self.responses) {
            schemas.insert(name.to_owned(), schema);
        }
        components.insert(
            "responses".to_owned(),
            responses::components(&self.responses).into(),
        );
        components.insert("schemas".to_owned(), schemas.into());
        let schemes = schemes.to_object(&self.scopes);
        components.insert("securitySchemes".to_owned(), schemes.into());
        let mut document = json!({
            "openapi": "3.1.0",
            "info": info.into_value(),
            // Relative to the document's own address (OpenAPI 3.1, section 4.8.5).
            "servers": [{ "url": "/" }],
            "tags": self.tags,
            "paths": self.paths,
            "components": components,
        });
        adapt(&mut document);
        OpenApi {
            document,
            routes: self.routes,
        }
    }
}

/// The demand in words: a document has no other place for roles, groups and claims.
fn demand_text(access: &Access) -> Option<String> {
    match access {
        Access::Public => None,
        Access::Token(Requirement::ValidToken) => Some("Needs a valid token.".to_owned()),
        Access::Token(demand) => Some(format!("Needs a valid token with {demand}.")),
        Access::Optional(Requirement::ValidToken) => {
            Some("A token may be absent, and must be valid.".to_owned())
        }
        Access::Optional(demand) => Some(format!(
            "A token may be absent, and must be valid, with {demand}."
        )),
    }
}

/// The path as OpenAPI writes it: it has no mark for a parameter that takes several segments.
fn openapi_path(path: &str) -> String {
    path.replace("{*", "{")
}

/// The name of a function as the beginning of a sentence: `list_orders` is "List orders".
fn sentence(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}
