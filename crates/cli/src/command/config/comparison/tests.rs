//! Demands beside routes.

use super::super::openapi::sample_tests::{document, sets};
use super::*;
use portcullis_gateway::Config;

fn settings(routes: &str) -> Settings {
    let text = format!(
        "[[issuer]]\nurl = \"https://idp.acme.dev\"\naudience = \"api\"\n[gateway]\nupstream = \
         \"http://127.0.0.1:3000\"\n{routes}"
    );
    Config::from_toml(&text)
        .and_then(Settings::try_from)
        .unwrap()
}

/// The verdict on one route that has this `access` or `require`, for a demand.
fn one(demand: &Demand, route: &str) -> Verdict {
    let settings = settings(&format!("[[route]]\npath = \"/a\"\n{route}\n"));
    let rule = settings.routes().next().unwrap();
    verdict(demand, rule.access)
}

#[test]
fn a_route_beside_scopes() {
    for (scopes, route, expected) in [
        ("a", "require = { scope = \"a\" }", Verdict::Same),
        (
            "a",
            "require = { scope = [\"a\", \"b\"] }",
            Verdict::Stricter,
        ),
        ("a", "require = { scope = \"b\" }", Verdict::Looser),
        ("a", "", Verdict::Looser),
        ("a", "access = \"public\"", Verdict::Looser),
        (
            "a",
            "access = \"optional\"\nrequire = { scope = \"a\" }",
            Verdict::Looser,
        ),
        ("", "", Verdict::Same),
        ("", "access = \"public\"", Verdict::Looser),
        ("", "require = { role = \"x\" }", Verdict::Stricter),
        ("a+b", "require = { scope = \"a\" }", Verdict::Looser),
        (
            "a+b",
            "require = { all = [{ scope = \"b\" }, { scope = \"a\" }] }",
            Verdict::Same,
        ),
        (
            "a|b",
            "require = { any = [{ scope = \"b\" }, { scope = \"a\" }] }",
            Verdict::Same,
        ),
        ("a|b", "require = { scope = \"a\" }", Verdict::Stricter),
        (
            "a|b",
            "require = { scope = [\"a\", \"b\"] }",
            Verdict::Stricter,
        ),
        (
            "a+b",
            "require = { any = [{ scope = \"b\" }, { scope = \"a\" }] }",
            Verdict::Looser,
        ),
        (
            "a",
            "require = { scope = \"a\", role = \"x\" }",
            Verdict::Stricter,
        ),
        (
            "a",
            "require = { any = [{ scope = \"a\" }, { role = \"x\" }] }",
            Verdict::Looser,
        ),
        (
            "a",
            "require = { not = { scope = \"b\" } }",
            Verdict::Looser,
        ),
        (
            "a",
            "require = { scope = \"a\", not = { scope = \"b\" } }",
            Verdict::Stricter,
        ),
        (
            "a",
            "require = { any = [{ scope = \"a\" }, { scope = \"a\", role = \"x\" }] }",
            Verdict::Same,
        ),
    ] {
        let found = one(&Demand::Token(sets(scopes)), route);
        assert_eq!(found, expected, "{scopes}: {route}");
    }
}

#[test]
fn a_route_beside_what_needs_no_token() {
    let optional = || Demand::Optional(sets("a"));
    for (demand, route, expected) in [
        (Demand::Public, "access = \"public\"", Verdict::Same),
        (Demand::Public, "access = \"optional\"", Verdict::Stricter),
        (Demand::Public, "", Verdict::Stricter),
        (Demand::Silent, "", Verdict::Same),
        (Demand::Silent, "require = { scope = \"a\" }", Verdict::Same),
        (Demand::Silent, "access = \"public\"", Verdict::Unsaid),
        (Demand::Silent, "access = \"optional\"", Verdict::Unsaid),
        (optional(), "access = \"public\"", Verdict::Same),
        (
            optional(),
            "access = \"optional\"\nrequire = { scope = \"a\" }",
            Verdict::Same,
        ),
        (
            optional(),
            "access = \"optional\"\nrequire = { scope = \"b\" }",
            Verdict::Stricter,
        ),
        (optional(), "require = { scope = \"a\" }", Verdict::Stricter),
    ] {
        assert_eq!(one(&demand, route), expected, "{demand}: {route}");
    }
}

/// Two to the power of thirteen sets: not worked out, and so not believed.
#[test]
fn a_requirement_with_too_many_sets_counts_as_looser() {
    let mut list = String::new();
    for pair in 0..13 {
        list.push_str(&format!(
            "{{ any = [{{ scope = \"a{pair}\" }}, {{ scope = \"b{pair}\" }}] }}, "
        ));
    }
    let route = format!("require = {{ all = [{list}] }}");
    let route = &route;
    assert_eq!(one(&Demand::Token(sets("a0|b0")), route), Verdict::Looser);
}

const API: &str = "openapi: 3.1.0\nsecurity: [oauth: [r]]\ncomponents: {securitySchemes: {oauth: \
                   {type: oauth2}}}\npaths:\n";

/// The lines as `verdict method path route`.
fn lines(paths: &str, routes: &str, host: Option<&str>) -> (Vec<String>, Vec<String>) {
    let (settings, document) = (settings(routes), document(&format!("{API}{paths}")));
    let comparisons = compare(&settings, &document, host).unwrap();
    let spell = |line: &Comparison<'_>| {
        let path = line.part.as_ref().unwrap_or(&line.operation.path);
        let method = &line.operation.method;
        format!("{:?} {method} {path} {}", line.verdict, line.rule.name)
    };
    let unused = comparisons
        .unused
        .iter()
        .map(|rule| rule.name.to_owned());
    let lines = comparisons.lines.iter().map(spell);
    (lines.collect(), unused.collect())
}

/// A route, by its name, path and demand.
fn route(name: &str, path: &str, rest: &str) -> String {
    format!("[[route]]\nname = \"{name}\"\npath = \"{path}\"\n{rest}\n")
}

#[test]
fn a_route_for_one_name_of_a_parameter_is_found() {
    let routes = [
        route("r", "/pets/*", "require = { scope = \"r\" }"),
        route("open", "/pets/free", "access = \"public\""),
        route(
            "closed",
            "/pets/secret",
            "require = { scope = [\"r\", \"s\"] }",
        ),
        route("old", "/old/**", ""),
    ];
    let (lines_found, unused) = lines("  /pets/{id}: {get: {}}\n", &routes.concat(), None);
    let expected = [
        "Same GET /pets/{id} r",
        "Looser GET /pets/free open",
        "Stricter GET /pets/secret closed",
    ];
    assert_eq!(lines_found, expected);
    assert_eq!(unused, ["old"]);
}

#[test]
fn what_the_document_decides_by_another_operation_is_not_counted_twice() {
    let routes = [
        route("r", "/pets/*", "require = { scope = \"r\" }"),
        route("open", "/pets/free", "access = \"public\""),
    ];
    let paths = "  /pets/{id}: {get: {}}\n  /pets/free: {get: {security: []}}\n";
    let (found, unused) = lines(paths, &routes.concat(), None);
    assert_eq!(found, ["Same GET /pets/{id} r", "Same GET /pets/free open"]);
    assert_eq!(unused, [""; 0]);
    // With another method, it is no other operation.
    let paths = "  /pets/{id}: {get: {}}\n  /pets/free: {put: {security: []}}\n";
    let (found, _) = lines(paths, &routes.concat(), None);
    assert_eq!(found[1], "Looser GET /pets/free open");
}

/// OpenAPI leaves open which template counts for `/books/new`, so its route has to be as strict as
/// both; stricter than one of them is what `init` writes.
#[test]
fn a_path_of_two_templates_is_compared_with_both() {
    let paths = "  /books/{id}: {get: {}}\n  /{kind}/new: {get: {security: [oauth: [w]]}}\n";
    let of = |rest: &str| {
        let routes = [
            route("books", "/books/*", "require = { scope = \"r\" }"),
            route("kinds", "/*/new", "require = { scope = \"w\" }"),
            route("both", "/books/new", rest),
        ];
        lines(paths, &routes.concat(), None).0
    };
    let same = ["Same GET /books/{id} books", "Same GET /{kind}/new kinds"];
    assert_eq!(of("require = { scope = [\"r\", \"w\"] }"), same);
    let expected = [
        same[0],
        "Looser GET /books/new both",
        same[1],
        "Looser GET /books/new both",
    ];
    assert_eq!(of("access = \"public\""), expected);
    let expected = [same[0], same[1], "Looser GET /books/new both"];
    assert_eq!(of("require = { scope = \"r\" }"), expected);
}

#[test]
fn an_operation_without_a_route_has_the_default() {
    let paths = "  /a: {get: {}}\n  /b: {get: {security: [oauth: []]}, put: {security: []}}\n";
    let (found, _) = lines(paths, "", None);
    let expected = [
        "Looser GET /a default",
        "Same GET /b default",
        "Stricter PUT /b default",
    ];
    assert_eq!(found, expected);
}

#[test]
fn routes_of_other_hosts_do_not_count() {
    let routes = [
        route("r", "/**", "require = { scope = \"r\" }"),
        route("x", "/a", "hosts = [\"x.acme.dev\"]\naccess = \"public\""),
    ];
    let paths = "  /a: {get: {}}\n";
    let at = |host| lines(paths, &routes.concat(), host).0;
    assert_eq!(at(None), ["Same GET /a r"]);
    assert_eq!(at(Some("y.acme.dev")), ["Same GET /a r"]);
    assert_eq!(at(Some("x.acme.dev")), ["Looser GET /a x"]);
}

#[test]
fn an_operation_counts_once_by_its_worst_line() {
    let routes = [
        route("r", "/pets/*", "require = { scope = \"r\" }"),
        route("open", "/pets/free", "access = \"public\""),
        route(
            "closed",
            "/pets/secret",
            "require = { scope = [\"r\", \"s\"] }",
        ),
    ];
    let settings = settings(&routes.concat());
    let document = document(&format!("{API}  /pets/{{id}}: {{get: {{}}, put: {{}}}}\n"));
    let comparisons = compare(&settings, &document, None).unwrap();
    assert_eq!(comparisons.lines.len(), 6);
    assert_eq!(comparisons.count(Verdict::Looser), 2);
    assert_eq!(comparisons.count(Verdict::Same), 0);
}
