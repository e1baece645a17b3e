use super::*;

fn route(name: &str) -> Route {
    Route {
        name: name.into(),
        access: Access::Required(Requirement::ValidToken),
        resource: None,
        upstream: 0,
        body_bytes: None,
        response_timeout: Duration::from_secs(1),
        assertion_audience: None,
    }
}

/// A pattern written as `GET host/path`, with `-` for any method and nothing for any host.
fn pattern(text: &str) -> Pattern {
    let (method, rest) = text.split_once(' ').unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    Pattern {
        host: (!host.is_empty()).then(|| HostPattern::parse(host).unwrap()),
        path: PathPattern::parse(path).unwrap(),
        method: (method != "-").then(|| method.parse().unwrap()),
    }
}

fn routes(patterns: &[&str]) -> Routes {
    let mut routes = Routes::new(route("default"));
    for text in patterns {
        assert!(routes.add(route(text), &[pattern(text)]).is_empty(), "{text}");
    }
    routes
}

fn found<'r>(routes: &'r Routes, request: &str) -> &'r str {
    let (method, rest) = request.split_once(' ').unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let path = NormalPath::parse(path).unwrap();
    &routes.find(&Host::parse(host).unwrap(), &path, &method.parse().unwrap()).name
}

#[test]
fn the_most_specific_route_wins() {
    let routes = routes(&[
        "- /**",
        "- /orders/**",
        "- /orders/*",
        "- /orders/*/lines",
        "- /orders/new",
        "GET /orders/new",
        "GET /orders/old/*",
        "- a.example/**",
        "- *.example/**",
        "- *.b.example/**",
    ]);
    for (request, expected) in [
        ("GET x/", "- /**"),
        ("GET x/orders", "- /orders/**"),
        ("GET x/orders/", "- /orders/**"),
        ("GET x/orders/1", "- /orders/*"),
        ("GET x/orders/1/", "- /orders/*"),
        ("GET x/orders/1/lines", "- /orders/*/lines"),
        ("GET x/orders/1/lines/2", "- /orders/**"),
        ("GET x/orders/new", "GET /orders/new"),
        ("HEAD x/orders/new", "GET /orders/new"),
        ("POST x/orders/new", "- /orders/new"),
        ("GET x/orders/old/lines", "GET /orders/old/*"),
        ("POST x/orders/old/lines", "- /orders/*/lines"),
        ("GET x/Orders", "- /**"),
        ("GET x/ordersx", "- /**"),
        ("GET a.example:8443/orders/new", "- a.example/**"),
        ("GET c.example/orders", "- *.example/**"),
        ("GET c.b.example/", "- *.b.example/**"),
        ("GET example/", "- /**"),
    ] {
        assert_eq!(found(&routes, request), expected, "{request}");
    }
}

#[test]
fn what_matches_nothing_falls_to_the_default() {
    let routes = routes(&["GET /a", "- h.example/b"]);
    for request in ["POST x/a", "GET x/a/b", "GET x/b", "GET x/", "GET h.example/a/b"] {
        assert_eq!(found(&routes, request), "default", "{request}");
    }
    assert_eq!(found(&routes, "GET h.example/a"), "GET /a");
}

#[test]
fn the_same_rank_twice_is_told() {
    let mut routes = routes(&["GET /a/*/**", "- /b"]);
    let mut same = |patterns: &[&str]| -> String {
        let patterns: Vec<Pattern> = patterns.iter().map(|text| pattern(text)).collect();
        routes.add(route("again"), &patterns).join(", ")
    };
    assert_eq!(same(&["GET /a/*/**"]), "GET /a/*/**");
    assert_eq!(same(&["- /b/"]), "- /b");
    assert_eq!(same(&["POST /a/*/**", "- /a/*"]), "");
}

#[test]
fn patterns_are_checked() {
    assert_eq!(PathPattern::parse("/{id}/x/**"), PathPattern::parse("/*/x/**"));
    for bad in ["/{}", "/{a-b}", "/x{id}", "/{id", "", "a", "/a*", "/a/**/b", "//", "/..", "/a;b", "**"] {
        assert!(PathPattern::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(PathPattern::parse("/%61/**"), PathPattern::parse("/a/**"));
    assert!(PathPattern::parse("/**").unwrap().open);
}
