//! Plans as the gateway reads them.

use super::super::openapi::demand::ScopeSets;
use super::super::openapi::sample_tests::{document, sets};
use super::super::{comparison, starter};
use super::*;
use http::Method;
use portcullis_gateway::{Access, Config, Settings};
use std::collections::BTreeSet;

fn token(text: &str) -> RouteDemand {
    RouteDemand::token(sets(text))
}

fn operation(method: &Method, path: &str, demand: Demand) -> Operation {
    Operation {
        method: method.clone(),
        path: path.to_owned(),
        template: Some(Template::parse(path).unwrap()),
        demand,
    }
}

/// Routes as `GET+HEAD /path: demand`, where `-` is a valid token.
fn routes(operations: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let operations: Vec<Operation> = operations
        .iter()
        .map(|(label, demand)| {
            let (method, path) = label.split_once(' ').unwrap();
            let demand = match *demand {
                "public" => Demand::Public,
                "silent" => Demand::Silent,
                text => match text.strip_prefix('?') {
                    Some(text) => Demand::Optional(sets(text)),
                    None => Demand::Token(sets(text.trim_matches('-'))),
                },
            };
            operation(&method.parse().unwrap(), path, demand)
        })
        .collect();
    let mut notes = Notes::default();
    let routes = plan(&operations, &mut notes).unwrap();
    let spell = |route: &PlannedRoute| {
        let methods: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
        let demand = match &route.demand {
            RouteDemand::Public => "public".to_owned(),
            RouteDemand::Token(all) if all.is_empty() => "-".to_owned(),
            RouteDemand::Token(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                all.join(" & ").replace('`', "").replace("scope ", "")
            }
        };
        format!("{} {}: {demand}", methods.join("+"), route.path)
    };
    let notes = notes
        .iter()
        .map(|(remark, places)| format!("{remark}: {}", places.join(", ")));
    (routes.iter().map(spell).collect(), notes.collect())
}

#[test]
fn equal_demands_of_a_path_share_a_route() {
    let (found, notes) = routes(&[
        ("GET /a/{id}", "r"),
        ("POST /a/{id}", "w"),
        ("HEAD /a/{other}", "r"),
        ("PUT /a/{id}", "w"),
        ("GET /b", "public"),
        ("GET /c", "a|b"),
    ]);
    let expected = [
        "GET+HEAD /a/{id}: r",
        "POST+PUT /a/{id}: w",
        "GET /b: public",
        "GET /c: a or b",
    ];
    assert_eq!(found, expected);
    assert_eq!(notes, [""; 0]);
}

#[test]
fn one_path_of_two_operations_demands_both() {
    let (found, notes) = routes(&[("GET /a", "r"), ("GET /a/", "w"), ("HEAD /a/", "public")]);
    assert_eq!(found, ["GET+HEAD /a: r & w"]);
    assert!(notes[0].ends_with(": GET /a/"), "{notes:?}");
}

#[test]
fn silence_and_choice_become_a_token_and_are_told() {
    let (found, notes) = routes(&[("GET /a", "silent"), ("GET /b", "?r"), ("GET /c", "-")]);
    assert_eq!(found, ["GET /a: -", "GET /b: r", "GET /c: -"]);
    assert_eq!(notes.len(), 2);
    assert!(
        notes[0].ends_with("demands a valid token: GET /a"),
        "{notes:?}"
    );
    assert!(notes[1].contains("access = \"optional\""), "{notes:?}");
}

#[test]
fn a_wider_path_is_never_public_and_demands_what_is_around_it() {
    let (found, notes) = routes(&[
        ("GET /f/{a}.{b}", "public"),
        ("GET /g/{a}.{b}", "public"),
        ("PUT /g/{a}.{b}", "x"),
        ("GET /g/{a}", "r"),
        ("PUT /{a}/{b}", "s"),
        ("GET /g/admin", "admin"),
    ]);
    let expected = [
        "GET /f/*: -",
        "GET /g/*: r",
        "PUT /g/*: s & x",
        "PUT /{a}/{b}: s",
        "GET /g/admin: admin",
    ];
    assert_eq!(found, expected);
    assert!(
        notes
            .iter()
            .any(|it| it.contains("the route is for /f/*")),
        "{notes:?}"
    );
}

#[test]
fn a_path_of_two_templates_demands_both_unless_the_document_has_it() {
    let (found, notes) = routes(&[("GET /books/{id}", "r"), ("GET /{kind}/new", "w")]);
    let expected = [
        "GET /books/{id}: r",
        "GET /{kind}/new: w",
        "GET /books/new: r & w",
    ];
    assert_eq!(found, expected);
    let expected = "/books/{id} and /{kind}/new both fit this path; its route demands both: GET \
                    /books/new";
    assert_eq!(notes, [expected]);
    // The stricter one wins already, or the document says what counts.
    let stricter = [("GET /books/{id}", "r+w"), ("GET /{kind}/new", "w")];
    assert_eq!(routes(&stricter).0.len(), 2);
    let own = [
        ("GET /books/{id}", "r"),
        ("GET /{kind}/new", "w"),
        ("GET /books/new", "public"),
    ];
    assert_eq!(routes(&own).0[2..], ["GET /books/new: public"]);
}

/// The path itself says nothing of this method, so both templates count for it; for `HEAD`, its
/// `GET` does.
#[test]
fn a_method_that_a_path_does_not_have_is_left_open_as_well() {
    let (found, _) = routes(&[
        ("PUT /books/{id}", "r"),
        ("PUT /{kind}/new", "w"),
        ("HEAD /books/{id}", "r"),
        ("HEAD /{kind}/new", "w"),
        ("GET /books/new", "public"),
    ]);
    let expected = [
        "PUT+HEAD /books/{id}: r",
        "PUT+HEAD /{kind}/new: w",
        "GET /books/new: public",
        "PUT /books/new: r & w",
    ];
    assert_eq!(found, expected);
}

#[test]
fn demands_are_put_together_without_what_follows() {
    let both = token("a+b").and(&token("a"));
    assert_eq!(both, token("a+b"));
    assert_eq!(token("a|b").and(&token("a")), token("a"));
    assert_eq!(token("a").and(&token("b")).and(&token("a+b")), token("a+b"));
    assert_eq!(RouteDemand::Public.and(&token("a")), token("a"));
    assert_eq!(
        token("").and(&RouteDemand::Public),
        RouteDemand::valid_token()
    );
}

/// What a document says of requests, written without the gateway and without the plan: the most
/// specific templates that fit the path, and of these the operations of the method.
struct Oracle<'o>(&'o [Operation]);

/// How close a segment of a template is to a name; `None` if it does not fit.
fn closeness(segment: &str, name: &str) -> Option<u8> {
    match segment {
        "{x}" => Some(2),
        "{x}.{y}" => {
            let (before, after) = name.split_once('.')?;
            (!before.is_empty() && !after.is_empty()).then_some(1)
        }
        literal => (literal == name).then_some(0),
    }
}

fn fit(template: &str, path: &str) -> Option<Vec<u8>> {
    let template: Vec<&str> = template
        .trim_end_matches('/')
        .split('/')
        .skip(1)
        .collect();
    let path: Vec<&str> = path.split('/').skip(1).collect();
    if template.len() != path.len() {
        return None;
    }
    template
        .iter()
        .zip(path)
        .map(|(segment, name)| closeness(segment, name))
        .collect()
}

impl Oracle<'_> {
    /// The demands of a template for a method; those of `GET` for a `HEAD` that it does not list.
    fn demands(&self, template: &str, method: &Method) -> Vec<&Demand> {
        let of = |method: &Method| -> Vec<&Demand> {
            let own = self
                .0
                .iter()
                .filter(|it| it.path == template && it.method == *method);
            own.map(|it| &it.demand).collect()
        };
        match of(method) {
            none if none.is_empty() && *method == Method::HEAD => of(&Method::GET),
            found => found,
        }
    }

    /// All demands that a request may have to meet, as the document leaves it.
    fn all(&self, method: &Method, path: &str) -> Vec<&Demand> {
        let fits: Vec<(&str, Vec<u8>)> = self
            .0
            .iter()
            .filter_map(|it| Some((it.path.as_str(), fit(&it.path, path)?)))
            .collect();
        let with_method: Vec<_> = fits
            .iter()
            .filter(|(template, _)| !self.demands(template, method).is_empty())
            .cloned()
            .collect();
        for candidates in [&fits, &with_method] {
            let closest = candidates.iter().filter(|(_, own)| {
                !candidates.iter().any(|(_, other)| {
                    other != own && other.iter().zip(own).all(|(other, own)| other <= own)
                })
            });
            let demands: BTreeSet<&str> = closest.map(|(template, _)| *template).collect();
            let demands: Vec<&Demand> = demands
                .iter()
                .flat_map(|it| self.demands(it, method))
                .collect();
            if !demands.is_empty() {
                return demands;
            }
        }
        Vec::new()
    }
}

struct Random(u64);

impl Random {
    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963);
        &list[usize::try_from(self.0 >> 33).unwrap() % list.len()]
    }
}

const SEGMENTS: [&str; 5] = ["a", "b", "c.d", "{x}", "{x}.{y}"];
const METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];

fn random_operations(random: &mut Random) -> Vec<Operation> {
    let demands = [
        Demand::Public,
        Demand::Silent,
        Demand::Optional(sets("o")),
        Demand::Token(sets("r")),
        Demand::Token(sets("w")),
        Demand::Token(sets("r+w")),
        Demand::Token(sets("r|w")),
        Demand::Token(ScopeSets::valid_token()),
    ];
    let mut operations: Vec<Operation> = Vec::new();
    for _ in 0..*random.pick(&[2, 4, 6, 9]) {
        let mut path = String::new();
        for _ in 0..*random.pick(&[1, 2, 2, 2, 3]) {
            path.push('/');
            path.push_str(random.pick::<&str>(&SEGMENTS));
        }
        path.push_str(random.pick::<&str>(&["", "", "", "", "/"]));
        let method = random.pick(&METHODS);
        // A document has a path and a method once.
        if !operations
            .iter()
            .any(|it| it.path == path && it.method == *method)
        {
            operations.push(operation(method, &path, random.pick(&demands).clone()));
        }
    }
    operations
}

fn written(operations: &[Operation]) -> Settings {
    let mut notes = Notes::default();
    let routes = plan(operations, &mut notes).unwrap();
    let mut document = document("openapi: 3.1.0\npaths: {/a: {get: {}}}\n");
    document.operations = operations.to_vec();
    let text = starter::settings(&document, "x.yaml", &routes, &notes);
    Config::from_toml(&text)
        .and_then(Settings::try_from)
        .unwrap()
}

/// Whether the gateway decides a request at least as strictly as each of these demands.
fn is_strict_enough(access: &Access, demands: &[&Demand]) -> bool {
    match demands {
        [] => matches!(access, Access::Required(_)),
        _ => demands.iter().all(|demand| {
            let verdict = comparison::verdict(demand, access);
            verdict <= comparison::Verdict::Stricter
        }),
    }
}

/// Requests of every kind of path, with names that templates have and names that they have not.
fn requests() -> Vec<String> {
    let names = ["a", "b", "c.d", "z", "y.z"];
    let mut paths: Vec<String> = Vec::new();
    for first in names {
        paths.push(format!("/{first}"));
        for second in names {
            paths.push(format!("/{first}/{second}"));
            for third in ["a", "z", "y.z"] {
                paths.push(format!("/{first}/{second}/{third}"));
            }
        }
    }
    paths
}

#[test]
fn no_request_is_decided_looser_than_the_document_says() {
    let (mut random, requests) = (Random(7), requests());
    let (mut decided, mut open) = (0, 0);
    for _ in 0..400 {
        let operations = random_operations(&mut random);
        let settings = written(&operations);
        let oracle = Oracle(&operations);
        for path in &requests {
            for method in &METHODS {
                let matches = settings.routes_for(method, None, path).unwrap();
                let [found] = matches.as_slice() else {
                    panic!("{method} {path}: {matches:?}");
                };
                let demands = oracle.all(method, path);
                assert!(
                    is_strict_enough(found.rule.access, &demands),
                    "{method} {path}: {:?} by {}, and the document demands {demands:?} of {:?}",
                    found.rule.access,
                    found.rule.name,
                    operations
                        .iter()
                        .map(|it| format!("{it}: {:?}", it.demand))
                        .collect::<Vec<_>>()
                );
                decided += usize::from(!demands.is_empty());
                open += usize::from(matches!(found.rule.access, Access::Public));
            }
        }
    }
    // Neither a document without operations nor a gateway that stops everybody would be a test.
    assert!(decided > 5_000 && open > 300, "{decided} {open}");
}

/// Without templates that no route can express, and without two that fit one path, every operation
/// is decided by its own demand.
#[test]
fn an_operation_is_decided_by_its_own_demand() {
    let mut random = Random(11);
    let mut exact = 0;
    for _ in 0..300 {
        let mut operations = random_operations(&mut random);
        operations.retain(|it| !it.path.contains('.') && !it.path.ends_with('/'));
        if operations.is_empty() {
            continue;
        }
        let settings = written(&operations);
        for operation in &operations {
            let path = operation.path.replace("{x}", "q");
            let matches = settings
                .routes_for(&operation.method, None, &path)
                .unwrap();
            let access = matches[0].rule.access;
            let expected = match &operation.demand {
                Demand::Public => comparison::Verdict::Same,
                Demand::Optional(_) => comparison::Verdict::Stricter,
                _ => comparison::Verdict::Same,
            };
            let found = comparison::verdict(&operation.demand, access);
            assert_eq!(found, expected, "{operation}: {access:?}");
            exact += 1;
        }
    }
    assert!(exact > 300, "{exact}");
}
