//! The operations of a document: each method of each path.

use super::demand::Demand;
use super::node::Node;
use super::notes::Notes;
use super::reference::resolve;
use super::security::Schemes;
use super::servers::Server;
use super::template::{Template, TemplateFault};
use http::Method;
use portcullis_core::Faults;
use std::fmt;

/// The most paths of a document: each is compared with every other one.
const MOST_PATHS: usize = 10_000;

/// The members of a path item that are methods.
const METHODS: [(&str, Method); 7] = [
    ("get", Method::GET),
    ("head", Method::HEAD),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
    ("options", Method::OPTIONS),
];

/// A method of a path, and what it demands.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// The path as it is written, below the one of its server.
    pub(crate) path: String,
    /// `None` where the gateway refuses the path, whoever calls.
    pub(crate) template: Option<Template>,
    pub(crate) demand: Demand,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path.escape_debug())
    }
}

/// Reads the operations.
pub(super) struct Reader<'d> {
    pub(super) root: &'d Node,
    pub(super) schemes: &'d Schemes,
    pub(super) server: Server,
    pub(super) notes: &'d mut Notes,
    pub(super) faults: &'d Faults,
}

impl Reader<'_> {
    /// All operations, in the order of the document.
    pub(super) fn read(&mut self) -> Vec<Operation> {
        let members = self.root.member("paths").and_then(Node::members);
        let Some(paths) = members.filter(|it| !it.is_empty()) else {
            self.faults
                .expected("paths", "a map of paths")
                .found_as(
                    self.root
                        .member("paths")
                        .map_or("nothing".into(), Node::describe),
                )
                .help("name the document that has the paths of the API");
            return Vec::new();
        };
        if paths.len() > MOST_PATHS {
            self.faults
                .expected("paths", format!("at most {MOST_PATHS} paths"))
                .found(paths.len())
                .help("name the document of one API");
            return Vec::new();
        }
        let mut operations = Vec::new();
        for (path, item) in paths {
            // The document's own additions stand among the paths.
            if !path.starts_with("x-") {
                self.read_item(path, item, &mut operations);
            }
        }
        operations
    }

    fn read_item(&mut self, path: &str, item: &Node, operations: &mut Vec<Operation>) {
        // A fault is shown in a terminal, which an escape sequence in a name would steer.
        let place = format!("paths.{}", path.escape_debug());
        let faults = self.faults.at(&place);
        if !path.starts_with('/') {
            faults
                .expected("", "a path that begins with \"/\"")
                .found(path)
                .help("write the slash before it");
            return;
        }
        let Some(target) = faults.note(resolve(self.root, item, &place)) else {
            return;
        };
        let has_methods = METHODS
            .iter()
            .any(|(name, _)| item.member(name).is_some());
        if item.member("$ref").is_some() && has_methods {
            // OpenAPI leaves open which of the two counts.
            faults
                .expected("", "a `$ref` without operations beside it")
                .found_as("both")
                .help("move the operations to where the reference leads");
            return;
        }
        if target.members().is_none() {
            faults
                .expected("", "a map of methods")
                .found_as(target.describe())
                .help("write the operations by their methods, such as `get`");
            return;
        }
        if target.member("trace").is_some() {
            let label = format!("TRACE {}", path.escape_debug());
            self.notes
                .add("the gateway never forwards TRACE", &label);
        }
        for (name, method) in METHODS {
            if let Some(written) = target.member(name) {
                let faults = faults.at(name);
                let found = self.read_operation(method, path, (target, written), &faults);
                operations.extend(found);
            }
        }
    }

    fn read_operation(
        &mut self,
        method: Method,
        path: &str,
        (item, written): (&Node, &Node),
        faults: &Faults,
    ) -> Option<Operation> {
        if written.members().is_none() {
            faults
                .expected("", "an operation")
                .found_as(written.describe())
                .help("write a map with `responses`, and `security` if it differs");
            return None;
        }
        let server = match written
            .member("servers")
            .or_else(|| item.member("servers"))
        {
            Some(servers) => Server::read(servers, self.notes, faults),
            None => self.server.clone(),
        };
        let mut operation = Operation {
            method,
            path: format!("{}{path}", server.base_path),
            template: None,
            demand: Demand::Silent,
        };
        let label = operation.to_string();
        operation.template = self.template(&operation.path, &label, faults);
        // The operation's own list replaces the document's; an empty one as well.
        if let Some(security) = written.member("security") {
            operation.demand = self
                .schemes
                .demand(security, &label, self.notes, faults);
        } else if let Some(security) = self.root.member("security") {
            // The faults of the document's list are reported once, by the document.
            let faults = Faults::default();
            operation.demand = self
                .schemes
                .demand(security, &label, self.notes, &faults);
        }
        Some(operation)
    }

    fn template(&mut self, path: &str, label: &str, faults: &Faults) -> Option<Template> {
        match Template::parse(path) {
            Ok(template) => {
                if template.seems_open {
                    self.notes.add(ONE_SEGMENT, label);
                }
                Some(template)
            }
            Err(TemplateFault::Braces) => {
                faults
                    .expected("", "a path whose braces are in pairs")
                    .found(path)
                    .help("write a parameter as `{name}`");
                None
            }
            Err(TemplateFault::Refused(fault)) => {
                let remark = format!("the gateway refuses such a path with 400: {fault}");
                self.notes.add(remark, label);
                None
            }
        }
    }
}

const ONE_SEGMENT: &str = "a parameter is one segment; longer paths need a valid token only, \
                           unless you write a route with `/**` for them";
