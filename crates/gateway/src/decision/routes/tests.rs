use super::*;

fn route(name: &str) -> Route {
    Route {
        name: name.into(),
        terms: RouteTerms::default(),
        access: Access::Required(Requirement::ValidToken),
        resource: None,
        upstream: 0,
        body_bytes: None,
        escaped_slashes: if name.contains("%2F") {
            EscapedSlashes::Keep
        } else {
            EscapedSlashes::Refuse
        },
        stripped_segments: 0,
        response_timeout: Duration::from_secs(1),
        assertion_audience: None,
        cors: None,
    }
}

/// A pattern written as `GET host/path`, with `-` for any method and nothing for any host.
fn pattern(text: &str) -> RoutePattern {
    let (method, rest) = text.split_once(' ').unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    RoutePattern {
        host: (!host.is_empty()).then(|| HostPattern::parse(host).unwrap()),
        path: PathPattern::parse(path, EscapedSlashes::Keep).unwrap(),
        method: (method != "-").then(|| method.parse().unwrap()),
    }
}

pub(super) fn routes(patterns: &[&str]) -> Routes {
    let mut routes = Routes::new(route("default"));
    for text in patterns {
        assert!(
            routes.add(route(text), &[pattern(text)]).is_empty(),
            "{text}"
        );
    }
    routes
}

fn found<'r>(routes: &'r Routes, request: &str) -> &'r str {
    let (method, rest) = request.split_once(' ').unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let path = RequestPath::parse(path).unwrap();
    let route = routes.find(&Host::parse(host).unwrap(), &path, &method.parse().unwrap());
    route.map_or("refused", |route| &*route.name)
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
    for request in [
        "POST x/a",
        "GET x/a/b",
        "GET x/b",
        "GET x/",
        "GET h.example/a/b",
    ] {
        assert_eq!(found(&routes, request), "default", "{request}");
    }
    assert_eq!(found(&routes, "GET h.example/a"), "GET /a");
}

#[test]
fn the_same_rank_twice_is_told() {
    let mut routes = routes(&["GET /a/*/**", "- /b"]);
    let mut same = |patterns: &[&str]| -> String {
        let patterns: Vec<RoutePattern> = patterns.iter().map(|text| pattern(text)).collect();
        routes.add(route("again"), &patterns).join(", ")
    };
    assert_eq!(same(&["GET /a/*/**"]), "GET /a/*/**");
    assert_eq!(same(&["- /b/"]), "- /b");
    assert_eq!(same(&["POST /a/*/**", "- /a/*"]), "");
}

#[test]
fn a_path_with_an_escaped_slash_is_for_routes_that_keep_it() {
    let routes = routes(&[
        "- /**",
        "- /q/%2F/**",
        "- /q/%2F/own",
        "- /q/*/names",
        "- keep.example/%2F/**",
    ]);
    for (request, expected) in [
        ("GET x/q/%2f/x", "- /q/%2F/**"),
        ("GET x/q/%2F/a%2Fb", "- /q/%2F/**"),
        ("GET x/q/%2F/own", "- /q/%2F/own"),
        ("GET x/q/%2F/", "- /q/%2F/**"),
        // The most specific route does not keep it; another one would.
        ("GET x/q/a%2Fb/names", "refused"),
        ("GET x/q/a%2Fb", "refused"),
        ("GET x/q%2F%2F/x", "refused"),
        ("GET x/q/a/names", "- /q/*/names"),
        ("GET keep.example/%2F", "- keep.example/%2F/**"),
        ("GET keep.example/a%2F", "refused"),
    ] {
        assert_eq!(found(&routes, request), expected, "{request}");
    }
}

#[test]
fn the_default_takes_no_escaped_slash() {
    assert_eq!(found(&routes(&[]), "GET x/a"), "default");
    assert_eq!(found(&routes(&[]), "GET x/%2F"), "refused");
    assert_eq!(found(&routes(&["GET /%2F/**"]), "POST x/%2F/a"), "refused");
}

fn parsed(text: &str) -> Result<PathPattern, String> {
    PathPattern::parse(text, EscapedSlashes::Refuse)
}

#[test]
fn patterns_are_checked() {
    assert_eq!(parsed("/{id}/x/**"), parsed("/*/x/**"));
    for bad in [
        "/{}", "/{a-b}", "/x{id}", "/{id", "/id}", "", "a", "/a*", "/a/**/b", "/**/", "//", "/..",
        "/a;b", "**", "/%2F", "/a b", "/a?b", "/a#b", "/%", "/%252e", "/%ff", "/a\\b", "/\u{7f}",
    ] {
        assert!(parsed(bad).is_err(), "{bad}");
    }
    assert_eq!(parsed("/%61/**"), parsed("/a/**"));
    assert!(parsed("/**").unwrap().open);
    assert!(PathPattern::parse("/%2f/x", EscapedSlashes::Keep).is_ok());
}

#[test]
fn patterns_are_read_like_requests() {
    for (one, other) in [
        ("/caf\u{e9}", "/caf%C3%A9"),
        ("/items%3abatch", "/items:batch"),
        ("/[a]|b", "/%5ba%5D%7Cb"),
        ("/%21%24%26%27%28%29%2B%2C%3D%40", "/!$&'()+,=@"),
        ("/a/", "/a"),
    ] {
        assert_eq!(parsed(one), parsed(other), "{one}");
    }
    // What is escaped stands for itself.
    for (star, character) in [
        ("/*", "/%2A"),
        ("/{id}", "/%7Bid%7D"),
        ("/a/**", "/a/%2A%2A"),
        ("/a/**", "/a/%2a*"),
    ] {
        assert_ne!(parsed(star), parsed(character), "{character}");
    }
    let routes = routes(&["- /%2A", "- /%7Bid%7D", "- /*/a"]);
    for (request, expected) in [
        ("GET x/*", "- /%2A"),
        ("GET x/%2a", "- /%2A"),
        ("GET x/{id}", "- /%7Bid%7D"),
        ("GET x/%7bid}", "- /%7Bid%7D"),
        ("GET x/b", "default"),
        ("GET x/*/a", "- /*/a"),
    ] {
        assert_eq!(found(&routes, request), expected, "{request}");
    }
}

#[test]
fn a_prefix_is_made_of_whole_segments() {
    let length = |path: &str, prefix: &str| {
        parsed(path)
            .unwrap()
            .length_of_prefix(&parsed(prefix).unwrap())
    };
    for (path, prefix, expected) in [
        ("/api/**", "/api", Some(1)),
        ("/api/**", "/%61pi/", Some(1)),
        ("/api/v1/x", "/api/v1", Some(2)),
        ("/{tenant}/api/**", "/*/api", Some(2)),
        ("/api", "/api", Some(1)),
        ("/api/**", "/", Some(0)),
        ("/apix/**", "/api", None),
        ("/api/**", "/api/v1", None),
        ("/api/**", "/api/**", None),
        ("/api/**", "/*", None),
        ("/*/x", "/api", None),
    ] {
        assert_eq!(length(path, prefix), expected, "{path} {prefix}");
    }
}

#[test]
fn more_segments_may_follow_two_stars_only() {
    for (path, is_open) in [
        ("/a/**", true),
        ("/**", true),
        ("/a", false),
        ("/a/*", false),
    ] {
        assert_eq!(parsed(path).unwrap().is_open(), is_open, "{path}");
    }
}
