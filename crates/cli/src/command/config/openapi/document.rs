//! The whole document, read once.

use super::node::Node;
use super::notes::Notes;
use super::operations::{Operation, Reader};
use super::security::Schemes;
use super::servers::Server;
use super::text;
use crate::exit::CommandError;
use portcullis_core::config::blank;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigError, ConfigErrors, Faults};
use std::path::Path;

/// What a document says about access.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) operations: Vec<Operation>,
    /// The issuer of an `openIdConnect` scheme.
    pub(crate) issuer: Option<String>,
    /// Scheme, host and port of the first server.
    pub(crate) upstream: Option<String>,
    pub(crate) host: Option<String>,
    /// What the gateway cannot express, or expresses in another way.
    pub(crate) notes: Notes,
}

/// What follows the issuer in the address of its metadata (OpenID Connect Discovery, section 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// A file that is no document of OpenAPI 3.0 or 3.1, with every fault of what decides about
    /// access.
    pub(crate) fn read(path: &Path) -> Result<Self, CommandError> {
        let root = text::read(path).map_err(|fault| {
            // The fault names the file itself.
            CommandError::could_not_run(fault.to_string())
        })?;
        Self::parse(&root).map_err(|errors| {
            let mut message = format!("{} in {}:", errors.count(), path.display());
            for fault in errors.iter() {
                message.push_str(&format!("\n\n{fault}"));
            }
            CommandError::could_not_run(message)
        })
    }

    pub(super) fn parse(root: &Node) -> Result<Self, ConfigErrors> {
        check_version(root)?;
        let (faults, mut notes) = (Faults::default(), Notes::default());
        let schemes = Schemes::read(root, &faults);
        if let Some(security) = root.member("security") {
            // Its notes stand beside the operations that it is for.
            schemes.demand(security, "", &mut Notes::default(), &faults);
        }
        let server = match root.member("servers") {
            Some(servers) => Server::read(servers, &mut notes, &faults),
            None => Server::default(),
        };
        let issuer = issuer(&schemes, &mut notes);
        let (upstream, host) = (server.origin.clone(), server.host.clone());
        let mut reader = Reader {
            root,
            schemes: &schemes,
            server,
            notes: &mut notes,
            faults: &faults,
        };
        let operations = reader.read();
        if operations.is_empty() && faults.count() == 0 {
            faults
                .expected("paths", "at least one operation")
                .found_nothing()
                .help("name the document that has the operations of the API");
        }
        faults.check()?;
        Ok(Self {
            operations,
            issuer,
            upstream,
            host,
            notes,
        })
    }
}

fn check_version(root: &Node) -> Result<(), ConfigError> {
    let expected = |place: &str| ConfigError::expected(place, "OpenAPI 3.0 or 3.1");
    match (root.member("openapi"), root.member("swagger")) {
        (Some(Node::Text(version) | Node::Plain(version)), _) => {
            let mut parts = version.split('.');
            match (parts.next(), parts.next()) {
                (Some("3"), Some("0" | "1")) => Ok(()),
                _ => Err(expected("openapi")
                    .found_as(format!("version {version:?}"))
                    .help("write the document in version 3.1")),
            }
        }
        (None, Some(version)) => Err(expected("swagger")
            .found_as(format!("Swagger {}", version.describe().trim_matches('"')))
            .help("convert it first, such as by `npx swagger2openapi`")),
        (Some(other), _) => Err(expected("openapi")
            .found_as(other.describe())
            .help("write `openapi: 3.1.0`")),
        (None, None) => Err(expected("openapi")
            .found_nothing()
            .help("name a file with an OpenAPI document, which begins with `openapi: 3.1.0`")),
    }
}

/// The issuer of the first `openIdConnect` scheme that has one.
fn issuer(schemes: &Schemes, notes: &mut Notes) -> Option<String> {
    let mut first = None;
    for url in &schemes.discovery_urls {
        let issuer = url.strip_suffix(DISCOVERY).filter(|it| is_issuer(it));
        let remark = match (issuer, &first) {
            (None, _) => "no issuer can be told from this openIdConnectUrl",
            (Some(issuer), None) => {
                first = Some(issuer.to_owned());
                continue;
            }
            (Some(issuer), Some(first)) if first == issuer => continue,
            (Some(_), Some(_)) => "this is a second issuer; write an `[[issuer]]` for it",
        };
        notes.add(remark, url);
    }
    first
}

fn is_issuer(text: &str) -> bool {
    blank(text).is_none() && Issuer::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::demand::Demand;
    use super::super::sample_tests::{document, sets};
    use super::*;

    fn faults(text: &str) -> String {
        Document::parse(&text::parse(text).unwrap())
            .unwrap_err()
            .to_string()
    }

    const HEAD: &str = "openapi: 3.1.0\ncomponents:\n  securitySchemes:\n    oidc:\n      type: \
        openIdConnect\n      openIdConnectUrl: \
        https://idp.acme.dev/realms/a/.well-known/openid-configuration\n";

    #[test]
    fn the_operation_overrides_the_document() {
        let text = format!(
            "{HEAD}security: [oidc: [a]]\npaths:\n  /x:\n    get: {{}}\n    put: {{security: \
             [oidc: [b]]}}\n    delete: {{security: []}}\n  /y: {{trace: {{}}, get: {{}}}}\n"
        );
        let document = document(&text);
        let found = document
            .operations
            .iter()
            .map(|it| (it.to_string(), it.demand.clone()));
        let expected = [
            ("GET /x", Demand::Token(sets("a"))),
            ("PUT /x", Demand::Token(sets("b"))),
            ("DELETE /x", Demand::Public),
            ("GET /y", Demand::Token(sets("a"))),
        ];
        let expected = expected.map(|(label, demand)| (label.to_owned(), demand));
        assert_eq!(found.collect::<Vec<_>>(), expected);
        assert_eq!(
            document.issuer.as_deref(),
            Some("https://idp.acme.dev/realms/a")
        );
    }

    #[test]
    fn without_security_nothing_is_known() {
        let text = "openapi: 3.0.3\npaths: {/a: {get: {}}, /b: {get: {security: []}}}\n";
        let document = document(text);
        assert_eq!(document.operations[0].demand, Demand::Silent);
        assert_eq!(document.operations[1].demand, Demand::Public);
    }

    #[test]
    fn servers_of_an_operation_come_before_those_of_its_path() {
        let text = "openapi: 3.0.3\nservers: [url: 'https://api.acme.dev/v1']\npaths:\n  /a: \
                    {get: {}}\n  /b: {servers: [url: /v2], get: {}, put: {servers: [url: /v3]}}\n";
        let document = document(text);
        let paths: Vec<&str> = document
            .operations
            .iter()
            .map(|it| it.path.as_str())
            .collect();
        assert_eq!(paths, ["/v1/a", "/v2/b", "/v3/b"]);
        assert_eq!(document.upstream.as_deref(), Some("https://api.acme.dev"));
        assert_eq!(document.host.as_deref(), Some("api.acme.dev"));
    }

    #[test]
    fn an_issuer_that_is_none_is_told() {
        for url in [
            "/.well-known/openid-configuration",
            "https://idp.acme.dev/{tenant}/.well-known/openid-configuration",
            "https://idp.acme.dev/metadata",
        ] {
            let text = format!(
                "openapi: 3.0.3\npaths: {{/a: {{get: {{security: []}}}}}}\ncomponents: \
                 {{securitySchemes: {{o: {{type: openIdConnect, openIdConnectUrl: '{url}'}}}}}}\n"
            );
            let document = document(&text);
            assert_eq!(document.issuer, None);
            assert_eq!(document.notes.iter().len(), 1, "{url}");
        }
    }

    #[test]
    fn other_documents_are_told_from_openapi() {
        for (text, expected) in [
            (
                "swagger: '2.0'\n",
                "swagger: expected OpenAPI 3.0 or 3.1, found Swagger 2.0",
            ),
            (
                "openapi: 3.2.0\n",
                "openapi: expected OpenAPI 3.0 or 3.1, found version \"3.2.0\"",
            ),
            (
                "openapi: [3]\n",
                "openapi: expected OpenAPI 3.0 or 3.1, found a list",
            ),
            (
                "a: 1\n",
                "openapi: expected OpenAPI 3.0 or 3.1, found nothing",
            ),
            (
                "just text\n",
                "openapi: expected OpenAPI 3.0 or 3.1, found nothing",
            ),
            (
                "openapi: 3.0\n",
                "paths: expected a map of paths, found nothing",
            ),
            (
                "openapi: 3.0.0\npaths: []\n",
                "paths: expected a map of paths, found a list",
            ),
            (
                "openapi: 3.0.0\npaths: {a: {}}\n",
                "paths.a: expected a path that begins with",
            ),
            (
                "openapi: 3.0.0\npaths: {/a: {}}\n",
                "paths: expected at least one operation",
            ),
            (
                "openapi: 3.0.0\npaths: {/a: 1}\n",
                "paths./a: expected a map of methods, found 1",
            ),
            (
                "openapi: 3.0.0\npaths: {/a: {get: 1}}\n",
                "paths./a.get: expected an operation",
            ),
            (
                "openapi: 3.0.0\npaths: {'/a{': {get: {}}}\n",
                "a path whose braces are in pairs",
            ),
            (
                "openapi: 3.0.0\npaths: {/a: {$ref: b.yaml}}\n",
                "paths./a.$ref: expected a reference",
            ),
            (
                "openapi: 3.0.0\npaths: {/a: {$ref: '#/paths/~1b', get: {}}, /b: {get: {}}}\n",
                "expected a `$ref` without operations beside it, found both",
            ),
        ] {
            let said = faults(text);
            assert!(
                said.contains(expected) && said.contains("help: "),
                "{text}: {said}"
            );
        }
    }

    /// A fault is shown in a terminal.
    #[test]
    fn names_of_a_document_steer_no_terminal() {
        let text = "openapi: 3.1.0\nsecurity: [\"\\e[31m\": 1]\npaths: {\"/\\e[31m\": 1, \"\\e[0m\": \
                    {}}\ncomponents: {securitySchemes: {\"\\e[31m\": {type: oauth2}}}\n";
        let said = faults(text);
        assert!(said.starts_with("3 faults"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }

    #[test]
    fn a_path_item_may_stand_among_the_components() {
        let text = "openapi: 3.1.0\npaths: {/a: {$ref: '#/components/pathItems/A'}}\ncomponents: \
                    {pathItems: {A: {get: {security: []}}}}\n";
        let document = document(text);
        assert_eq!(document.operations[0].to_string(), "GET /a");
        assert_eq!(document.operations[0].demand, Demand::Public);
    }

    #[test]
    fn faults_of_the_security_of_the_document_are_told_once() {
        let text = "openapi: 3.1.0\nsecurity: {a: []}\npaths: {/a: {get: {}, put: {}}}\n";
        assert!(faults(text).starts_with("1 fault"), "{}", faults(text));
    }
}
