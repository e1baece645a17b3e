use super::*;
use crate::config::Config;

const ISSUER: &str = "[[issuer]]\nurl = \"https://a\"\naudience = \"b\"\n";

fn settings(routes: &str) -> Settings {
    let text = format!("{ISSUER}[gateway]\nupstream = \"http://127.0.0.1:1\"\n{routes}");
    Settings::try_from(Config::from_toml(&text).unwrap()).unwrap()
}

fn route(path: &str, more: &str) -> String {
    format!("[[route]]\npath = \"{path}\"\n{more}\n")
}

/// The changes of requests for a path, each once.
fn changes(old: &str, new: &str, path: &str) -> Vec<DemandChange> {
    let (old, new) = (settings(old), settings(new));
    let comparison = old.compare(&new).unwrap();
    let of_path = comparison.requests.iter().filter(|it| it.path == path);
    let mut changes: Vec<DemandChange> = of_path.map(|it| it.change).collect();
    changes.sort();
    changes.dedup();
    changes
}

#[test]
fn less_and_more_are_told_apart() {
    use DemandChange::{Changed, Opened, Same, Tightened};
    let with = |require: &str| route("/x", require);
    for (old, new, expected) in [
        ("", "", Same),
        ("access = \"public\"", "", Tightened),
        ("", "access = \"optional\"", Opened),
        ("require = { scope = \"a\" }", "", Opened),
        (
            "require = { scope = [\"a\", \"b\"] }",
            "require = { scope = [\"b\", \"a\"] }",
            Same,
        ),
        (
            "require = { scope = \"a\" }",
            "require = { scope = \"b\" }",
            Changed,
        ),
        (
            "require = { role = \"a\" }",
            "require = { any = [{ role = \"a\" }, { role = \"b\" }] }",
            Opened,
        ),
        (
            "require = { claim = { x = 1 } }",
            "require = { claim = { x = 2 } }",
            Changed,
        ),
        (
            "require = { max_age = 60 }",
            "require = { max_age = 30 }",
            Tightened,
        ),
        (
            "access = \"optional\"\nrequire = { scope = \"a\" }",
            "require = { scope = \"a\" }",
            Tightened,
        ),
    ] {
        assert_eq!(
            changes(&with(old), &with(new), "/x"),
            [expected],
            "{old} -> {new}"
        );
    }
    // A route that goes leaves its requests to the next one.
    let wide = route("/**", "require = { role = \"Admin\" }");
    let both = format!("{wide}{}", route("/x", "access = \"public\""));
    assert_eq!(changes(&both, &wide, "/x"), [Tightened]);
    assert_eq!(changes(&wide, "", "/x"), []);
}

#[test]
fn other_settings_that_decide_are_named_without_their_values() {
    let text = |issuer: &str, gateway: &str| {
        let text =
            format!("{ISSUER}{issuer}[gateway]\nupstream = \"http://127.0.0.1:1\"\n{gateway}");
        Settings::try_from(Config::from_toml(&text).unwrap()).unwrap()
    };
    let old = text("", "");
    let new = text("max_lifetime = 60\n", "public_preflight = true\n");
    let comparison = old.compare(&new).unwrap();
    assert_eq!(
        comparison.others,
        ["issuer[0].max_lifetime", "gateway.public_preflight"]
    );
    let pages = "trusted_proxies = [\"10.0.0.1\"]\n[gateway.cors]\norigins = [\"*\"]\n\
        [[route]]\npath = \"/x\"\ncors = { origins = [\"https://a.example\"] }\n";
    let new = text("", pages);
    assert_eq!(
        old.compare(&new).unwrap().others,
        ["gateway.cors", "route.cors", "gateway.client_address"]
    );
    let served = text("", "hosts = [\"a.example\"]\n");
    let comparison = old.compare(&served).unwrap();
    let mut misdirected = comparison.requests.iter();
    assert!(misdirected.any(|it| it.new == RequestDemand::Misdirected));
}

/// A generator of small numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

/// Settings with some routes of a small vocabulary, so that they overlap in many ways.
fn random(numbers: &mut Numbers) -> Settings {
    let mut routes = String::new();
    let mut seen = Vec::new();
    for _ in 0..3 + numbers.below(7) {
        let (one, two) = (["/a", "/b", "/*", "/%2F"], ["", "/a", "/*", "/**", "/a/**"]);
        let path = format!("{}{}", numbers.pick(&one), numbers.pick(&two));
        let method = numbers.pick(&["", "GET", "HEAD", "POST"]);
        let host = numbers.pick(&["", "h.example", "*.example"]);
        if seen.contains(&(path.clone(), method, host)) {
            continue;
        }
        seen.push((path.clone(), method, host));
        let mut more = numbers
            .pick(&[
                "",
                "access = \"public\"",
                "require = { scope = \"s\" }",
                "require = { role = \"r\" }",
            ])
            .to_owned();
        if path.contains("%2F") || numbers.below(3) == 0 {
            more.push_str("\nencoded_slashes = \"keep\"");
        }
        if !method.is_empty() {
            more.push_str(&format!("\nmethods = [\"{method}\"]"));
        }
        if !host.is_empty() {
            more.push_str(&format!("\nhosts = [\"{host}\"]"));
        }
        routes.push_str(&route(&path, &more));
    }
    settings(&routes)
}

/// For every request, the samples say "same" only if both settings demand the same.
#[test]
fn no_request_is_decided_otherwise_where_the_samples_are_the_same() {
    let mut numbers = Numbers(7);
    let (mut probed, mut same, mut differing) = (0, 0, 0);
    for _ in 0..400 {
        let (old, new) = (random(&mut numbers), random(&mut numbers));
        let comparison = old.compare(&new).unwrap();
        let changed: Vec<_> = comparison
            .requests
            .iter()
            .filter(|it| it.change != DemandChange::Same)
            .collect();
        for _ in 0..60 {
            let mut path = String::new();
            for _ in 0..1 + numbers.below(3) {
                path.push('/');
                path.push_str(numbers.pick(&["a", "b", "a", "c", "a", "%2F", "b", "x%2Fy"]));
            }
            let path = if path.is_empty() { "/" } else { &path };
            let path = RequestPath::parse(path).unwrap();
            let host = numbers.pick(&["h.example", "i.example", "example", "other.test"]);
            let host = Host::parse(host).unwrap();
            let method: Method = numbers
                .pick(&["GET", "HEAD", "POST", "PUT"])
                .parse()
                .unwrap();
            let one = old.demand(&host, &path, &method);
            let other = new.demand(&host, &path, &method);
            probed += 1;
            if one.compare(&other) == DemandChange::Same {
                same += 1;
                continue;
            }
            differing += 1;
            // A sample with the same two decisions stands for it.
            let is_told = changed
                .iter()
                .any(|it| it.old == one && it.new == other);
            assert!(is_told, "{method} {host:?} {path:?}: {one} -> {other}");
        }
    }
    assert!(
        same > 5_000 && differing > 4_000,
        "{probed}: {same} {differing}"
    );
}
