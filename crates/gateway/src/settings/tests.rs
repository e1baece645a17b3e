use super::*;

const ISSUER: &str = "[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"api\"]\n";

fn settings(text: &str) -> Result<Settings, ConfigErrors> {
    Config::from_toml(&format!("{ISSUER}{text}"))
        .unwrap()
        .try_into()
}

fn places(text: &str) -> Vec<String> {
    let errors = settings(text).unwrap_err();
    errors
        .iter()
        .map(|fault| fault.place().to_owned())
        .collect()
}

#[test]
fn an_issuer_and_an_upstream_are_enough() {
    let settings = settings("[gateway]\nupstream = \"http://127.0.0.1:8000\"\n").unwrap();
    assert_eq!(
        settings.listeners.listen.unwrap().to_string(),
        "127.0.0.1:8080"
    );
    assert_eq!(settings.upstreams.len(), 1);
    assert!(settings.dangers().is_empty());
}

#[test]
fn records_of_responses_are_among_audit_records() {
    let places = |log: &str| {
        places(&format!(
            "[gateway]\nupstream = \"http://127.0.0.1:8000\"\n[log]\n{log}audit_responses = true\n"
        ))
    };
    assert_eq!(places("audit = \"none\"\n"), ["log.audit_responses"]);
    let good = "[gateway]\nupstream = \"http://127.0.0.1:8000\"\n[log]\naudit_responses = true\n";
    assert!(settings(good).unwrap().listeners.log.audit_responses);
}

#[test]
fn what_tells_the_caller_is_checked() {
    let places = |members: &str| {
        places(&format!(
            "[gateway]\nupstream = \"http://127.0.0.1:8000\"\n{members}\n"
        ))
    };
    for (members, place) in [
        ("client_address = {}", "gateway.client_address"),
        (
            "trusted_proxies = [\"unix\"]\nclient_address = { header = \"a b\" }",
            "gateway.client_address.header",
        ),
        (
            "trusted_proxies = [\"10.0.0.7\"]\nclient_address = { header = \"Host\" }",
            "gateway.client_address.header",
        ),
        (
            "trusted_proxies = [\"10.0.0.7\"]\nclient_address = { proxies = 0 }",
            "gateway.client_address.proxies",
        ),
        (
            "trusted_proxies = [\"10.0.0.7\"]\nclient_address = { header = \"X-Real-IP\", proxies \
                = 1 }",
            "gateway.client_address.proxies",
        ),
        (
            "identity = { danger_pass = [\"X-Own\"] }",
            "gateway.identity.danger_pass[0]",
        ),
        (
            "identity = { danger_pass = [\"X-Forwarded-For\"] }",
            "gateway.identity.danger_pass[0]",
        ),
    ] {
        assert_eq!(places(members), [place], "{members}");
    }
    let loose = "[gateway]\nupstream = \"http://127.0.0.1:8000\"\nidentity = { danger_pass = \
        [\"CF-IPCountry\"] }\n";
    assert_eq!(
        settings(loose).unwrap().dangers(),
        ["gateway.identity.danger_pass"]
    );
}

#[test]
fn all_faults_are_found_at_once() {
    let found = places(
        r#"
        [gateway]
        listen = "0.0.0.0:80"
        upstream = "nobody"
        hosts = ["a b"]
        trusted_proxies = ["10.0.0.0/40"]
        [gateway.limits]
        header_bytes = 1
        connections = 0
        [gateway.timeouts]
        head = 0
        connect = 0
        [gateway.identity]
        reserved = ["x"]
        [[route]]
        path = "/a/../b"
        methods = ["get", "TRACE"]
        access = "open"
        [[route]]
        path = "/a"
        access = "public"
        require = { role = "x" }
        [[route]]
        path = "/a/"
        require = {}
        timeout = 0
        encoded_slashes = "decode"
        strip_prefix = "/b"
        [[route]]
        path = "/b"
        strip_prefix = "/"
        require = { any = [], scope = "a b", role = [], claim = { "" = 1 }, kind = "robot", acr = "a b", max_age = 0 }
        [[upstream]]
        name = "x"
        servers = ["http://a/b?c", "ftp://a", "https://u@a"]
        protocol = "h3"
        host = "mine"
        health = { path = "x" }
        [[upstream]]
        name = "x"
        servers = []
        "#,
    );
    for place in [
        "gateway.listen",
        "gateway.upstream",
        "gateway.hosts[0]",
        "gateway.trusted_proxies[0]",
        "gateway.limits.header_bytes",
        "gateway.limits.connections",
        "gateway.timeouts.head",
        "gateway.timeouts.connect",
        "gateway.identity.reserved",
        "route[0].path",
        "route[0].methods[0]",
        "route[0].methods[1]",
        "route[0].access",
        "route[1].access",
        "route[2].path",
        "route[2].require",
        "route[2].timeout",
        "route[2].encoded_slashes",
        "route[2].strip_prefix",
        "route[3].strip_prefix",
        "route[3].require",
        "route[3].require.scope",
        "route[3].require.role",
        "route[3].require.claim.",
        "route[3].require.kind",
        "route[3].require.acr",
        "route[3].require.max_age",
        "upstream[0].servers[0]",
        "upstream[0].servers[1]",
        "upstream[0].servers[2]",
        "upstream[0].protocol",
        "upstream[0].host",
        "upstream[0].health.path",
        "upstream[1].name",
        "upstream[1].servers",
    ] {
        assert!(found.iter().any(|it| it == place), "{place} in {found:?}");
    }
}

#[test]
fn what_is_missing_is_told() {
    assert_eq!(places(""), ["gateway"]);
    assert_eq!(places("[gateway]\n"), ["gateway.upstream"]);
    let one = "[gateway]\n[[upstream]]\nname = \"a\"\nservers = [\"http://a:1\"]\n";
    assert_eq!(
        settings(one)
            .unwrap()
            .routes
            .iter()
            .last()
            .unwrap()
            .upstream,
        0
    );
}

#[test]
fn plain_http_beyond_loopback_is_a_danger() {
    let text =
        "[gateway]\nupstream = \"http://a\"\nlisten = \"0.0.0.0:80\"\ndanger_plain_http = true\n";
    assert_eq!(
        settings(text).unwrap().dangers(),
        ["gateway.danger_plain_http"]
    );
    let text = "[gateway]\nupstream = \"http://a\"\nlisten = \"0.0.0.0:443\"\ntls = { certificate \
        = \"c\", key = \"k\" }\n";
    assert!(settings(text).unwrap().dangers().is_empty());
}

#[test]
fn another_door_needs_no_upstream() {
    let text = "[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"caddy\"\n";
    let alone = settings(text).unwrap();
    assert!(alone.listeners.listen.is_none() && alone.upstreams.is_empty());
    let both = settings(&format!("{text}[gateway]\nupstream = \"http://a\"\n")).unwrap();
    assert!(both.listeners.listen.is_some());
    assert_eq!(
        places(&format!("{text}[gateway]\nlisten = \"127.0.0.1:1\"\n")),
        ["gateway.upstream"]
    );
}

#[test]
fn doors_are_for_this_machine_or_behind_tls() {
    let forward_auth =
        |more: &str| format!("[forward_auth]\nlisten = \"0.0.0.0:1\"\nproxy = \"nginx\"\n{more}");
    let ext_authz = |more: &str| format!("[ext_authz]\nlisten = \"0.0.0.0:1\"\n{more}");
    assert_eq!(places(&forward_auth("")), ["forward_auth.listen"]);
    assert_eq!(places(&ext_authz("")), ["ext_authz.listen"]);
    let tls = "tls = { certificate = \"c\", key = \"k\" }\n";
    assert!(
        settings(&forward_auth(tls))
            .unwrap()
            .dangers()
            .is_empty()
    );
    assert_eq!(places(&ext_authz(tls)), ["ext_authz.listen"]);
    let mutual = "tls = { certificate = \"c\", key = \"k\", client_authorities = \"a\" }\n";
    assert!(
        settings(&ext_authz(mutual))
            .unwrap()
            .dangers()
            .is_empty()
    );
    let loose = settings(&forward_auth("danger_plain_http = true\n")).unwrap();
    assert_eq!(loose.dangers(), ["forward_auth.danger_plain_http"]);
    let loose = settings(&ext_authz("danger_open_listener = true\n")).unwrap();
    assert_eq!(loose.dangers(), ["ext_authz.danger_open_listener"]);
    let unix = "[ext_authz]\nlisten = \"unix:/run/x.sock\"\n";
    assert!(settings(unix).unwrap().dangers().is_empty());
}

#[test]
fn the_faults_of_doors_are_found_at_once() {
    let found = places(
        r#"
        [forward_auth]
        listen = "unix:x"
        proxy = "haproxy"
        trusted_peers = ["unix", "10.0.0.0/40", "x"]
        tls = { certificate = "c", key = "k", minimum = "1.1" }
        [ext_authz]
        listen = "127.0.0.1"
        path_prefix = "/check/"
        "#,
    );
    for place in [
        "forward_auth.listen",
        "forward_auth.proxy",
        "forward_auth.trusted_peers[1]",
        "forward_auth.trusted_peers[2]",
        "forward_auth.tls.minimum",
        "ext_authz.listen",
        "ext_authz.path_prefix",
    ] {
        assert!(found.iter().any(|it| it == place), "{place} in {found:?}");
    }
    // Behind one of the last two, a client's own path could name the method of gRPC.
    let to_method = [
        "/envoy.service.auth.v3.Authorization",
        "/envoy.service.auth.v3.Authorization/Check",
    ];
    for prefix in ["", "/", "check", "/a/../b", "/%61"]
        .into_iter()
        .chain(to_method)
    {
        let text = format!("[ext_authz]\nlisten = \"127.0.0.1:1\"\npath_prefix = \"{prefix}\"\n");
        assert_eq!(places(&text), ["ext_authz.path_prefix"], "{prefix}");
    }
}

#[test]
fn urls_name_upstreams_of_their_own_once() {
    let text = "[gateway]\nupstream = \"http://a:1\"\n\
                [[route]]\npath = \"/b\"\nupstream = \"https://b\"\n[[route]]\npath = \
                \"/c\"\nupstream = \"https://b\"\n";
    let names: Vec<String> = settings(text)
        .unwrap()
        .upstreams
        .into_iter()
        .map(|it| it.name.into())
        .collect();
    assert_eq!(names, ["http://a:1", "https://b"]);
}

#[test]
fn an_upstream_may_have_a_path() {
    let base_path = |written: &str| {
        let text = format!("[gateway]\nupstream = \"{written}\"\n");
        settings(&text)
            .map(|settings| settings.upstreams[0].base_path.to_string())
            .unwrap_or_default()
    };
    for (written, expected) in [
        ("http://a", ""),
        ("http://a/", ""),
        ("http://a:1/v1", "/v1"),
        ("http://a/v1/", "/v1"),
        ("http://a/%76%31/caf\u{e9}", "/v1/caf%C3%A9"),
    ] {
        assert_eq!(base_path(written), expected, "{written}");
    }
    for bad in [
        "http://a/v1/../b",
        "http://a//",
        "http://a/v1?x",
        "http://a/v1#x",
        "http://a/v1;x",
        "a/v1",
        "/v1",
    ] {
        assert_eq!(
            places(&format!("[gateway]\nupstream = \"{bad}\"\n")),
            ["gateway.upstream"],
            "{bad}"
        );
    }
    let servers = "[gateway]\n[[upstream]]\nname = \"a\"\nservers = [\"http://a/v1\", \
        \"http://b/v1/\", \"http://c\"]\n";
    assert_eq!(places(servers), ["upstream[0].servers[2]"]);
    let meant = settings("[gateway]\nupstream = \"http://a/v1\"\n").unwrap();
    let shown = meant.summary().into_iter().flat_map(|it| it.rows);
    let labels: Vec<String> = shown.map(|row| row.label).collect();
    assert!(labels.contains(&"http://a/v1".to_owned()), "{labels:?}");
}

#[test]
fn escaped_slashes_are_for_routes_that_keep_them() {
    let text = |more: &str| {
        format!("[gateway]\nupstream = \"http://a\"\n[[route]]\npath = \"/q/%2F/**\"\n{more}")
    };
    assert_eq!(places(&text("")), ["route[0].path"]);
    assert!(
        settings(&text(
            "encoded_slashes = \"keep\"\nstrip_prefix = \"/q/%2f\"\n"
        ))
        .is_ok()
    );
}

#[test]
fn requirements_are_all_the_words_that_are_written() {
    let text = "[gateway]\nupstream = \"http://a\"\n[[route]]\npath = \"/\"\n\
                require = { scope = [\"a\", \"b\"], role = \"c\", kind = \"user\", group = \"g\", \
                acr = [\"a\", \"b\"], max_age = 60, any = [{ role = \"d\" }, { not = { role = \
                \"e\" } }] }\n";
    let settings = settings(text).unwrap();
    let host = crate::request::host::Host::parse("x").unwrap();
    let path = crate::request::path::RequestPath::parse("/").unwrap();
    let route = settings
        .routes
        .find(&host, &path, &http::Method::GET)
        .unwrap();
    let crate::decision::routes::Access::Required(requirement) = &route.access else {
        panic!("{route:?}")
    };
    let told = "(scope `a` and scope `b` and role `c` and group `g` and a token for a user and acr \
        `a` or `b` and a sign-in no longer than 60 s ago and (role `d` or not role `e`))";
    assert_eq!(requirement.to_string(), told);
}

#[test]
fn the_starter_is_in_order_and_names_every_member() {
    let plain: Settings = Config::from_toml(crate::STARTER)
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(plain.upstreams.len(), 1);
    // What is commented out is right as well, once the remarks are: a line such as
    // `# name = value`.
    let uncommented: String = crate::STARTER
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(member) if member.starts_with('[') || member.contains(" = ") => member,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut config = Config::from_toml(&uncommented).unwrap();
    // Its files are nowhere, and a build may have no policies.
    assert_eq!(
        config.gateway.cedar.take().unwrap().claims["department"],
        "String"
    );
    let whole: Settings = config.try_into().unwrap();
    assert_eq!(whole.upstreams.len(), 2);
    assert!(whole.listeners.tls.is_some() && whole.listeners.admin.is_some());
    assert!(whole.forward_auth.is_some() && whole.ext_authz.is_some());
}

#[test]
fn pages_that_may_call_are_listed_as_browsers_write_them() {
    let cors = |members: &str| {
        settings(&format!(
            "[gateway]\nupstream = \"http://127.0.0.1:8000\"\n[gateway.cors]\n{members}\n"
        ))
    };
    let settings = cors("origins = [\"https://App.example.com:443\", \"http://localhost:5173\"]");
    let settings = settings.unwrap();
    assert!(settings.dangers().is_empty());
    let sections = settings.summary();
    let pages = &sections.last().unwrap().rows;
    let pages: Vec<&str> = pages.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(pages, ["https://app.example.com", "http://localhost:5173"]);
    let rules = settings.cors.unwrap();
    assert_eq!(rules.methods, "GET, HEAD, POST, PUT, PATCH, DELETE");
    assert_eq!(rules.headers, "authorization, dpop, content-type");
    assert_eq!(
        rules.exposed,
        "www-authenticate, dpop-nonce, retry-after, x-request-id"
    );
    assert_eq!((rules.max_age, rules.credentials), (600.into(), false));
    let rules = cors(
        "origins = [\"*\"]\nmethods = [\"GET\"]\nheaders = [\"X-Tenant\", \"authorization\"]\n\
         expose_headers = [\"X-Total-Count\"]\nmax_age = 0",
    );
    let rules = rules.unwrap().cors.unwrap();
    assert_eq!(rules.methods, "GET");
    assert_eq!(rules.headers, "authorization, dpop, content-type, x-tenant");
    assert!(
        rules
            .exposed
            .to_str()
            .unwrap()
            .ends_with("x-total-count")
    );
    let loose = "origins = [\"http://app.example.com\"]\ndanger_plain_http_origins = true";
    assert_eq!(
        cors(loose).unwrap().dangers(),
        ["gateway.cors.danger_plain_http_origins"]
    );
}

#[test]
fn pairs_that_open_more_than_is_meant_are_faults() {
    let faults = |members: &str| {
        let text =
            format!("[gateway]\nupstream = \"http://127.0.0.1:8000\"\n[gateway.cors]\n{members}\n");
        places(&text)
    };
    for (members, place) in [
        ("credentials = false", "gateway.cors.origins"),
        ("origins = [\"null\"]", "gateway.cors.origins[0]"),
        (
            "origins = [\"https://a.example/\"]",
            "gateway.cors.origins[0]",
        ),
        (
            "origins = [\"http://a.example\"]",
            "gateway.cors.origins[0]",
        ),
        (
            "origins = [\"*\", \"https://a.example\"]",
            "gateway.cors.origins",
        ),
        (
            "origins = [\"*\"]\ncredentials = true",
            "gateway.cors.credentials",
        ),
        (
            "origins = [\"https://*.example.com\"]\ncredentials = true",
            "gateway.cors.credentials",
        ),
        (
            "origins = [\"*\"]\nmethods = [\"*\"]",
            "gateway.cors.methods[0]",
        ),
        (
            "origins = [\"*\"]\nmethods = [\"get\"]",
            "gateway.cors.methods[0]",
        ),
        (
            "origins = [\"*\"]\nheaders = [\"*\"]",
            "gateway.cors.headers[0]",
        ),
        (
            "origins = [\"*\"]\nexpose_headers = [\"x\", \"a b\"]",
            "gateway.cors.expose_headers[1]",
        ),
        ("origins = [\"*\"]\nmax_age = 86401", "gateway.cors.max_age"),
    ] {
        assert_eq!(faults(members), [place], "{members}");
    }
    let both = "[gateway]\nupstream = \"http://127.0.0.1:8000\"\npublic_preflight = true\n\
        [gateway.cors]\norigins = [\"*\"]\n[[route]]\npath = \"/x\"\ncors = { origins = [\"null\"] }\n";
    assert_eq!(
        places(both),
        ["route[0].cors.origins[0]", "gateway.public_preflight"]
    );
}
