//! `config init --from-openapi` and `config check --openapi`, as people run them.

use crate::folder::Folder;

const PETSTORE: &str = include_str!("openapi/petstore.yaml");
const INIT: [&str; 4] = ["config", "init", "--from-openapi", "api.yaml"];
const CHECK: [&str; 4] = ["config", "check", "--openapi", "api.yaml"];

/// A folder with a document, and what `init` says.
fn init(name: &str, document: &str) -> (Folder, bool, String) {
    let folder = Folder::new(&format!("openapi-{name}"));
    folder.write("api.yaml", document);
    let (is_fine, said) = folder.run(&INIT, &[]);
    (folder, is_fine, said)
}

/// The routes of a settings file, each as its lines without spaces at the signs.
fn routes(text: &str) -> Vec<String> {
    let mut routes = Vec::new();
    for table in text.split("\n[[route]]\n").skip(1) {
        let lines = table.lines().take_while(|line| !line.is_empty());
        let lines: Vec<&str> = lines.collect();
        routes.push(
            lines
                .join(" ")
                .replace("    = ", " = ")
                .replace("  = ", " = "),
        );
    }
    routes
}

const ROUTES: [&str; 22] = [
    r#"path = "/v2/pets" methods = ["GET", "HEAD"] require = { scope = "pets:read" }"#,
    r#"path = "/v2/pets" methods = ["POST"] require = { scope = ["pets:read", "pets:write"] }"#,
    r#"path = "/v2/pets/{petId}" methods = ["GET"] require = { scope = "pets:read" }"#,
    concat!(
        r#"path = "/v2/pets/{petId}" methods = ["PUT"] "#,
        r#"require = { any = [{ scope = "admin" }, { scope = "pets:write" }] }"#
    ),
    concat!(
        r#"path = "/v2/pets/{petId}" methods = ["DELETE"] "#,
        r#"require = { scope = ["admin", "pets:write"] }"#
    ),
    r#"path = "/v2/pets/{id}/toys/*" methods = ["PATCH"]"#,
    r#"path = "/v2/pets/mine" methods = ["GET"]"#,
    r#"path = "/v2/status" methods = ["GET"] access = "public""#,
    r#"path = "/v2/status" methods = ["PUT"] require = { scope = "ops" }"#,
    r#"path = "/v2/optional" methods = ["GET"] require = { scope = "pets:read" }"#,
    r#"path = "/v2/keys" methods = ["GET", "DELETE"]"#,
    r#"path = "/v2/keys" methods = ["POST", "PUT"] require = { scope = "a" }"#,
    r#"path = "/v2/files/*" methods = ["GET"]"#,
    concat!(
        r#"path = "/v2/files/*" methods = ["PUT"] "#,
        r#"require = { all = [{ scope = "files" }, { scope = "objects" }] }"#
    ),
    r#"path = "/v2/{kind}/new" methods = ["GET"] require = { scope = "admin" }"#,
    r#"path = "/v2/shops/{id}" methods = ["GET"] require = { scope = "shops" }"#,
    r#"path = "/v2/env/*/*" methods = ["GET"] require = { scope = "$${HOME}" }"#,
    r#"path = "/v2/shared" methods = ["GET"] require = { scope = "pets:read" }"#,
    r#"path = "/v2/shared" methods = ["POST"] require = { scope = "shared" }"#,
    concat!(
        r#"path = "/v2/pets/new" methods = ["GET"] "#,
        r#"require = { all = [{ scope = "admin" }, { scope = "pets:read" }] }"#
    ),
    r#"path = "/v2/files/new" methods = ["GET"] require = { scope = "admin" }"#,
    concat!(
        r#"path = "/v2/shops/new" methods = ["GET"] "#,
        r#"require = { all = [{ scope = "admin" }, { scope = "shops" }] }"#
    ),
];

#[test]
fn a_document_becomes_routes() {
    let (folder, is_fine, said) = init("petstore", PETSTORE);
    assert!(is_fine, "{said}");
    let text = folder.read("portcullis.toml");
    let found = routes(&text);
    for (found, expected) in found.iter().zip(ROUTES) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), ROUTES.len(), "{found:#?}");
    assert!(text.contains("\nurl      = \"https://idp.petstore.dev/realms/a\""));
    assert!(text.contains("\nupstream = \"https://api.petstore.dev\""));
    for note in [
        "`key` (apiKey) cannot be checked by the gateway",
        "`basic` (http basic) cannot be checked",
        "`mtls` (mutualTLS) cannot be checked",
        "the gateway never forwards TRACE",
        "GET /v2/semi;colon",
        "GET /v2/files/{name}.{ext}, PUT /v2/files/{name}.{ext}",
    ] {
        assert!(said.contains(note), "{note}: {said}");
        assert!(text.contains(note), "{note}: {text}");
    }
}

#[test]
fn what_init_writes_is_as_strict_as_the_document() {
    let (folder, is_fine, said) = init("round", PETSTORE);
    assert!(is_fine, "{said}");
    let (is_fine, said) = folder.run(&CHECK, &[]);
    assert!(is_fine, "{said}");
    let summary = "24 operations: 19 the same, 4 stricter, 1 refused for its path\n";
    assert!(said.ends_with(summary), "{said}");
}

#[test]
fn json_is_read_as_well_and_written_to_standard_output() {
    let folder = Folder::new("openapi-json");
    let json = r#"{"openapi": "3.0.3", "paths": {"/a": {"get": {"security": []}}}}"#;
    folder.write("api.yaml", json);
    let output = [&INIT[..], &["--config", "-"]].concat();
    let (is_fine, said) = folder.run_plainly(&output);
    assert!(is_fine, "{said}");
    assert_eq!(
        routes(&said),
        [r#"path = "/a" methods = ["GET"] access = "public""#]
    );
    assert!(
        said.contains("\nurl      = \"https://idp.example.com\""),
        "{said}"
    );
    assert!(
        said.contains("\nupstream = \"http://127.0.0.1:8000\""),
        "{said}"
    );
}

const API: &str = "openapi: 3.1.0\nsecurity: [oauth: [r]]\ncomponents: {securitySchemes: {oauth: \
                   {type: oauth2}}}\npaths:\n  /a: {get: {}, put: {security: []}}\n  /b/{id}: \
                   {get: {security: [oauth: [r, s]]}}\n  /c: {get: {security: [oauth: []]}}\n";
const SETTINGS: &str = "[[issuer]]\nurl = \"https://idp.acme.dev\"\naudience = \"api\"\n[gateway]\n\
                        upstream = \"http://127.0.0.1:3000\"\n";

/// What `check` says of these routes beside the document.
fn check(name: &str, routes: &str) -> (bool, String) {
    let folder = Folder::new(&format!("openapi-check-{name}"));
    folder.write("api.yaml", API);
    folder.write("portcullis.toml", &format!("{SETTINGS}{routes}"));
    folder.run(&CHECK, &[])
}

fn route(path: &str, rest: &str) -> String {
    format!("[[route]]\npath = \"{path}\"\n{rest}\n")
}

#[test]
fn a_looser_route_is_a_fault() {
    let routes = [
        route("/a", "methods = [\"GET\"]\nrequire = { scope = \"r\" }"),
        route("/a", "methods = [\"PUT\"]\naccess = \"public\""),
        route("/b/*", "require = { scope = \"r\" }"),
        route("/old/**", "access = \"public\""),
    ];
    let (is_fine, said) = check("looser", &routes.concat());
    assert!(!is_fine, "{said}");
    for line in [
        "  same      GET      /a       route[0]  scope `r`\n",
        "  same      PUT      /a       route[1]  public\n",
        "  LOOSER    GET      /b/{id}  route[2]\n",
        "            gateway   scope `r`, by route[2] /b/*\n",
        "            document  scope `r` and `s`\n",
        "  same      GET      /c       default   a valid token\n",
        "  unused    route[3] /old/**: public\n",
        "\n4 operations: 3 the same, 1 looser, 1 by the default, 1 unused\n",
        "expected routes as strict as api.yaml, found 1 looser\n    help: ",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn a_stricter_route_is_shown_and_no_fault() {
    let routes = [
        route("/a", "require = { scope = \"r\", role = \"x\" }"),
        route("/b/*", "require = { scope = [\"r\", \"s\"] }"),
        route("/c", ""),
    ];
    let (is_fine, said) = check("stricter", &routes.concat());
    assert!(is_fine, "{said}");
    for line in [
        "  stricter  GET      /a       route[0]\n",
        "            gateway   (scope `r` and role `x`), by route[0] /a\n",
        "            document  public\n",
        "\n4 operations: 2 the same, 2 stricter\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn a_public_route_for_one_name_is_found() {
    let routes = [
        route("/a", "require = { scope = \"r\" }"),
        route("/b/*", "require = { scope = [\"r\", \"s\"] }"),
        route("/b/open", "access = \"public\""),
    ];
    let (is_fine, said) = check("part", &routes.concat());
    assert!(!is_fine, "{said}");
    let line = "  LOOSER    GET      /b/open  route[2]\n            gateway   public, by";
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_bad_document_is_refused_and_nothing_is_written() {
    let deep = format!(
        "openapi: 3.1.0\nx: {}1{}\n",
        "[".repeat(9_999),
        "]".repeat(9_999)
    );
    let mut bomb = "openapi: 3.1.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    let large = format!("openapi: 3.1.0\nx: {}\n", "a".repeat(17 * 1024 * 1024));
    let elsewhere = "openapi: 3.1.0\npaths: {/a: {$ref: 'a.yaml'}}\n";
    for (name, document, expected) in [
        (
            "other",
            "a: 1\n",
            "openapi: expected OpenAPI 3.0 or 3.1, found nothing",
        ),
        (
            "swagger",
            "swagger: '2.0'\n",
            "swagger: expected OpenAPI 3.0 or 3.1, found Swagger 2.0",
        ),
        (
            "yaml",
            "a: [\n",
            "api.yaml: expected a document in YAML, found a fault: ",
        ),
        (
            "json",
            "{\"a\": ",
            "api.yaml: expected a document in JSON, found a fault: ",
        ),
        (
            "twice",
            "{\"a\": 1, \"a\": 2}",
            "the name \"a\" twice in a map",
        ),
        (
            "deep",
            &deep,
            "api.yaml: expected at most 64 levels of nesting, found more",
        ),
        (
            "bomb",
            &bomb,
            "api.yaml: expected a document without millions of values, found more",
        ),
        (
            "large",
            &large,
            "api.yaml: expected at most 16 MiB, found more",
        ),
        (
            "elsewhere",
            elsewhere,
            "paths./a.$ref: expected a reference to a part of this document, found \"a.yaml\"",
        ),
    ] {
        let (folder, is_fine, said) = init(&format!("bad-{name}"), document);
        assert!(!is_fine, "{name}: {said}");
        assert!(
            said.contains(expected) && said.contains("help: "),
            "{name}: {said}"
        );
        assert!(!folder.has("portcullis.toml"), "{name}");
    }
}

#[test]
fn a_host_that_is_none_is_a_fault_of_the_command_line() {
    let folder = Folder::new("openapi-host");
    folder.write("api.yaml", API);
    folder.write("portcullis.toml", SETTINGS);
    let (is_fine, said) = folder.run(&[&CHECK[..], &["--host", "a b"]].concat(), &[]);
    assert!(!is_fine, "{said}");
    assert!(
        said.contains("portcullis: --host: expected a host such as"),
        "{said}"
    );
}

#[test]
fn every_fault_of_a_document_is_told_at_once() {
    let document = "openapi: 3.1.0\npaths:\n  a: {get: {}}\n  /b: {$ref: 'b.yaml'}\n  /c: {get: \
                    {security: {x: []}}}\n  /d: {get: {security: [x: ['a b']]}}\ncomponents: \
                    {securitySchemes: {x: {type: oauth2}}}\n";
    let (_, is_fine, said) = init("faults", document);
    assert!(!is_fine, "{said}");
    for fault in [
        "4 faults in api.yaml:",
        "paths.a: expected a path that begins with \"/\", found \"a\"",
        "paths./b.$ref: expected a reference to a part of this document",
        "paths./c.get.security: expected a list of alternatives, found a map",
        "paths./d.get.security[0].x[0]: expected the name of one scope, found \"a b\"",
    ] {
        assert!(said.contains(fault), "{fault}: {said}");
    }
}
