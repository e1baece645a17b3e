//! Metrics from a real scrape, audit records from a real file, and traces as the upstream gets them.

use crate::client::{Client, get};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use http_body_util::Full;
use serde_json::{Value, json};
use std::path::PathBuf;

const ADMIN: &str = "admin = { listen = \"127.0.0.1:0\" }\n";
const ROUTES: &str = "[[route]]\npath = \"/open\"\naccess = \"public\"\n\
                      [[route]]\npath = \"/admin/**\"\nrequire = { role = \"Admin\" }\n";

async fn scrape(setup: &TestSetup) -> String {
    let answer = Client::new(setup.admin.unwrap())
        .get("/metrics", None)
        .await;
    assert_eq!(
        answer.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    String::from_utf8(answer.body.to_vec()).unwrap()
}

fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}"))
        .parse()
        .unwrap()
}

fn with(
    path: &str,
    token: Option<&str>,
    headers: &[(&'static str, &str)],
) -> http::Request<Full<Bytes>> {
    let mut request = get(path, token);
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        request
            .headers_mut()
            .append(name, HeaderValue::from_str(value).unwrap());
    }
    request
}

/// A setup that writes audit records to a file, and that file.
async fn start_with_audit(name: &str, log: &str, settings: &str) -> (TestSetup, PathBuf) {
    let file = std::env::temp_dir().join(format!(
        "portcullis-audit-{name}-{}.log",
        std::process::id()
    ));
    _ = std::fs::remove_file(&file);
    let settings = format!("{settings}[log]\naudit = \"{}\"\n{log}", file.display());
    (TestSetup::new(&settings).await, file)
}

/// The records, after the gateway has stopped.
async fn records(setup: TestSetup, file: &PathBuf) -> Vec<Value> {
    setup.stop().await;
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::remove_file(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect()
}

#[tokio::test]
async fn a_scrape_tells_what_happened() {
    let setup = TestSetup::new(&format!("{ADMIN}{ROUTES}")).await;
    let (client, token) = (setup.client(), setup.token());
    for (path, token, status) in [
        ("/x", Some(&*token), 200),
        ("/x", None, 401),
        ("/open", None, 200),
        ("/admin/a", Some(&*token), 403),
    ] {
        assert_eq!(client.get(path, token).await.status, status);
    }
    assert_eq!(client.get("/a/../b", None).await.status, 400);
    let text = scrape(&setup).await;
    let requests = |route: &str, status: &str| {
        value(
            &text,
            &format!("portcullis_gateway_requests_total{{route=\"{route}\",status=\"{status}\"}}"),
        )
    };
    assert_eq!(requests("default", "200"), 1.0);
    assert_eq!(requests("default", "401"), 1.0);
    assert_eq!(requests("route[0] /open", "200"), 1.0);
    assert_eq!(requests("route[1] /admin/**", "403"), 1.0);
    assert_eq!(requests("none", "400"), 1.0);
    assert_eq!(
        value(
            &text,
            "portcullis_decisions_total{outcome=\"allow\",code=\"ok\"}"
        ),
        1.0
    );
    assert_eq!(
        value(
            &text,
            "portcullis_decisions_total{outcome=\"deny\",code=\"policy.role\"}"
        ),
        1.0
    );
    let upstream = setup.upstream.url();
    let server = upstream.trim_start_matches("http://");
    let up = |text: &str| {
        let labels = format!("upstream=\"{upstream}\",server=\"{server}\"");
        value(text, &format!("portcullis_gateway_upstream_up{{{labels}}}"))
    };
    assert_eq!(up(&text), 1.0);
    assert!(
        value(
            &text,
            &format!("portcullis_keys{{issuer=\"{}\"}}", setup.idp.issuer())
        ) >= 1.0
    );
    assert!(
        !text.contains("user-1") && !text.contains(&token),
        "no label tells who called"
    );
}

#[tokio::test]
async fn every_refusal_links_the_page_of_its_code() {
    let doors = "[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"caddy\"\n\
                 trusted_peers = [\"127.0.0.1\"]\n";
    let file = std::env::temp_dir().join(format!("portcullis-links-{}.log", std::process::id()));
    _ = std::fs::remove_file(&file);
    let audit = format!("[log]\naudit = \"{}\"\n", file.display());
    let code_url = "code_url = \"https://docs.example/codes/#{code}\"\n";
    let settings = format!("{ROUTES}{doors}{audit}");
    let setup = TestSetup::with_token_settings(code_url, &settings).await;
    let page = |code: &str| format!("https://docs.example/codes/#{code}");
    let (client, token) = (setup.client(), setup.token());
    for (path, token, code) in [
        ("/x", None, "credential.missing"),
        ("/admin/a", Some(&*token), "policy.role"),
        ("/a/../b", None, "request.path"),
    ] {
        let answer = client.get(path, token).await;
        assert_eq!(answer.json()["type"], page(code), "{path}");
    }
    let asking = Client::new(setup.forward_auth.unwrap());
    let answer = asking.get("/", None).await;
    assert_eq!(answer.json()["type"], page("door.original"));
    let records = records(setup, &file).await;
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record["code_url"], page(record["code"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn counts_go_on_through_a_reload_and_states_of_what_is_gone_end() {
    let setup = TestSetup::new(ADMIN).await;
    setup.client().get("/x", None).await;
    let missing = "portcullis_decisions_total{outcome=\"deny\",code=\"credential.missing\"}";
    assert_eq!(value(&scrape(&setup).await, missing), 1.0);
    // Other token settings make another resource server. It goes on with the counts of the old
    // one.
    let other = setup
        .document(ADMIN)
        .replacen("[log]", "realm = \"other\"\n[log]", 1);
    let other = other.replace("[[issuer]]", "[[issuer]]\nprofile = \"generic\"");
    let settings = portcullis_gateway::Config::from_toml(&other)
        .unwrap()
        .try_into()
        .unwrap();
    setup.handle.reload(settings).await.unwrap();
    setup.client().get("/x", None).await;
    assert_eq!(value(&scrape(&setup).await, missing), 2.0);
    let gone = other.replace(&setup.upstream.url(), "http://127.0.0.1:9");
    let settings = portcullis_gateway::Config::from_toml(&gone)
        .unwrap()
        .try_into()
        .unwrap();
    setup.handle.reload(settings).await.unwrap();
    let text = scrape(&setup).await;
    let up: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("portcullis_gateway_upstream_up{"))
        .collect();
    assert_eq!(up.len(), 1, "{up:?}");
    assert!(up[0].contains("127.0.0.1:9"), "{up:?}");
}

#[tokio::test]
async fn an_audit_record_tells_who_asked_for_what_and_how_it_went() {
    let (setup, file) = start_with_audit("members", "", ROUTES).await;
    let (client, token) = (setup.client(), setup.token());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let named = [("x-request-id", "req-1"), ("traceparent", trace)];
    client
        .send(with("/orders/%31?secret=query", Some(&token), &named))
        .await;
    client.get("/admin/x", Some(&token)).await;
    client.get("/open", None).await;
    let bad = setup
        .idp
        .token("bob")
        .audience("api://evil\"\u{202e}\n")
        .sign();
    client.get("/x", Some(&bad)).await;
    let issuer = setup.idp.issuer().to_string();
    let records = records(setup, &file).await;
    // The policy refused a verified token, so the caller is known.
    for (member, expected) in [
        ("issuer", &*issuer),
        ("kind", "user"),
        ("subject", "user-1"),
    ] {
        assert_eq!(records[1][member], expected, "{member}");
    }
    assert_eq!(records[1]["required"], json!({ "roles": ["Admin"] }));
    assert_eq!(records[1]["present"], json!({ "roles": [] }));
    assert_eq!(records[1]["client"], records[0]["client"]);
    let outcomes: Vec<_> = records
        .iter()
        .map(|it| [&it["outcome"], &it["code"], &it["route"]])
        .collect();
    assert_eq!(
        outcomes,
        [
            ["allow", "ok", "default"],
            ["deny", "policy.role", "route[1] /admin/**"],
            ["public", "ok", "route[0] /open"],
            ["deny", "token.audience", "default"]
        ]
    );
    let first = &records[0];
    for (member, expected) in [
        ("time", "2027-01-15T08:00:00Z"),
        ("request_id", "req-1"),
        ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
        ("method", "GET"),
        ("host", "gw.example"),
        ("path", "/orders/1"),
        ("peer", "127.0.0.1"),
        ("issuer", &*issuer),
        ("kind", "user"),
        ("subject", "user-1"),
    ] {
        assert_eq!(first[member], expected, "{member}");
    }
    assert!(first["latency_us"].is_u64() && first.get("facts").is_none());
    assert!(
        ["subject", "client", "issuer", "present"]
            .iter()
            .all(|it| records[3].get(*it).is_none()),
        "nothing of a refused token is taken for true"
    );
    assert!(
        records[3]["facts"]
            .as_str()
            .unwrap()
            .contains("\\u{202e}"),
        "{}",
        records[3]
    );
    let text = format!("{records:?}");
    for secret in [&token, &bad, "secret=query"] {
        assert!(!text.contains(secret));
    }
}

/// The record of the decision is written before the upstream answers.
#[tokio::test]
async fn a_request_without_an_answer_is_found_by_its_id() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let more = format!(
        "upstream = \"api\"\nlimits = {{ body_bytes = 4 }}\n[[route]]\npath = \"/**\"\n\
         access = \"public\"\nname = \"all\"\n[[upstream]]\nname = \"api\"\n\
         servers = [\"http://{address}\"]\n"
    );
    let (setup, file) = start_with_audit("answers", "", &more).await;
    let answer = setup.client().get("/x", None).await;
    let id = answer.json()["request_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(answer.status, 502);
    let mut large = get("/x", None);
    *large.body_mut() = "12345".into();
    assert_eq!(setup.client().send(large).await.status, 413);
    let records = records(setup, &file).await;
    let told = |record: &Value| {
        ["record", "outcome", "code"].map(|name| record[name].as_str().map(str::to_owned))
    };
    let told: Vec<_> = records.iter().map(told).collect();
    let of = |record: Option<&str>, outcome: &str, code: &str| {
        let all = [record, Some(outcome), Some(code)];
        all.map(|name| name.map(str::to_owned))
    };
    assert_eq!(
        told,
        [
            of(None, "public", "ok"),
            of(Some("answer"), "fail", "upstream.unreachable"),
            of(None, "public", "ok"),
            of(Some("answer"), "deny", "request.body"),
        ]
    );
    for record in &records[..2] {
        assert_eq!(
            (&record["request_id"], &record["route"]),
            (&id.clone().into(), &"all".into())
        );
    }
    assert_eq!(records[1]["status"], 502);
    assert_ne!(records[1]["facts"], Value::Null);
}

#[tokio::test]
async fn what_is_personal_can_be_left_out() {
    let subjects = async |name: &str, log: &str| {
        let (setup, file) = start_with_audit(name, log, "").await;
        for subject in ["user-1", "user-1", "user-2"] {
            let token = setup.idp.token("bob").claim("sub", subject).sign();
            assert_eq!(setup.client().get("/x", Some(&token)).await.status, 200);
        }
        let records = records(setup, &file).await;
        assert_eq!(records.len(), 3);
        records
    };
    let hashed = subjects("hashed", "audit_subject = \"hashed\"\naudit_peer = false\n").await;
    assert_eq!(hashed[0]["subject"], hashed[1]["subject"]);
    assert_ne!(hashed[0]["subject"], hashed[2]["subject"]);
    assert_eq!(hashed[0]["subject"].as_str().unwrap().len(), 32);
    assert!(hashed[0].get("peer").is_none());
    // A refusal by policy shows no more of a person than a permitted request does.
    let refused = async |name: &str, log: &str| {
        let (setup, file) = start_with_audit(name, log, ROUTES).await;
        let answer = setup
            .client()
            .get("/admin/x", Some(&setup.token()))
            .await;
        assert_eq!(answer.status, 403);
        records(setup, &file).await.remove(0)
    };
    let record = refused("hashed-403", "audit_subject = \"hashed\"\n").await;
    assert_eq!(record["subject"].as_str().unwrap().len(), 32);
    assert!(!record.to_string().contains("user-1"), "{record}");
    let record = refused("none-403", "audit_subject = \"none\"\n").await;
    assert!(record.get("subject").is_none() && !record.to_string().contains("user-1"));
    let none = subjects("none", "audit_subject = \"none\"\n").await;
    assert!(none[0].get("subject").is_none() && none[0]["peer"] == "127.0.0.1");
}

#[tokio::test]
async fn records_for_people_are_one_line_each() {
    let (setup, file) = start_with_audit("text", "format = \"text\"\n", "").await;
    let token = setup
        .idp
        .token("bob")
        .claim("sub", "a\nb\u{1b}[31m")
        .sign();
    setup.client().get("/x", Some(&token)).await;
    setup.stop().await;
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.starts_with("2027-01-15T08:00:00Z allow  ok "),
        "{text}"
    );
    assert!(text.contains(" GET gw.example /x [default] "), "{text}");
    assert!(text.contains("subject=`a\\nb\\u{1b}[31m`"), "{text}");
}

#[tokio::test]
async fn a_trace_goes_on_to_the_upstream() {
    let seen = async |settings: &str, headers: &[(&'static str, &str)]| {
        let setup = TestSetup::new(&format!(
            "[[route]]\npath = \"/**\"\naccess = \"public\"\n{settings}"
        ))
        .await;
        setup.client().send(with("/x", None, headers)).await;
        let saw = setup.upstream.take_requests();
        (saw[0].values("traceparent"), saw[0].values("tracestate"))
    };
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let none = Vec::<String>::new;
    let state = ("tracestate", "a=1");
    assert_eq!(
        seen("", &[("traceparent", good), state]).await,
        (vec![good.to_owned()], vec!["a=1".to_owned()])
    );
    assert_eq!(
        seen("", &[("traceparent", "00-evil"), state]).await,
        (none(), none())
    );
    assert_eq!(seen("", &[]).await, (none(), none()));
    let begin = "[log]\naudit = \"none\"\nbegin_traces = true\n";
    let (begun, states) = seen(begin, &[("traceparent", "00-evil"), state]).await;
    assert!(
        begun.len() == 1 && begun[0].len() == 55 && begun[0].ends_with("-01"),
        "{begun:?}"
    );
    assert_eq!(states, none());
}

#[tokio::test]
async fn who_keeps_failing_is_not_verified_any_more_and_known_neighbours_are() {
    let settings = format!(
        "trusted_proxies = [\"127.0.0.0/8\"]\n{ADMIN}limits = {{ failing_callers = 3 }}\n\
         [[route]]\npath = \"/open\"\naccess = \"public\"\n"
    );
    let setup = TestSetup::new(&settings).await;
    let (known, fresh) = (setup.token(), setup.idp.token("alice").sign());
    let from = async |address: &str, path: &str, token: Option<&str>| {
        setup
            .client()
            .send(with(path, token, &[("x-forwarded-for", address)]))
            .await
    };
    let attacker = "192.0.2.1";
    assert_eq!(from(attacker, "/x", Some(&known)).await.status, 200);
    // Entries that the client wrote before the proxy's own are not trusted.
    for number in 0..4 {
        let address = format!("198.51.100.{number}, {attacker}");
        assert_eq!(from(&address, "/x", Some("bad")).await.status, 401);
    }
    let limited = from(attacker, "/x", Some("bad")).await;
    assert_eq!(
        (limited.status, &*limited.code()),
        (429, "request.refused_too_often")
    );
    assert_eq!(limited.headers["retry-after"], "20");
    assert_eq!(
        from(attacker, "/x", Some(&fresh)).await.status,
        429,
        "it is not looked at"
    );
    assert_eq!(
        from(attacker, "/x", Some(&known)).await.status,
        200,
        "it was verified before"
    );
    assert_eq!(
        from(attacker, "/open", Some("bad")).await.status,
        200,
        "nobody is asked there"
    );
    assert_eq!(from("192.0.2.2", "/x", Some(&fresh)).await.status, 200);
    let text = scrape(&setup).await;
    assert_eq!(
        value(&text, "portcullis_gateway_limited_requests_total"),
        2.0
    );
    assert_eq!(value(&text, "portcullis_gateway_failing_callers"), 1.0);
    setup.clock.advance(std::time::Duration::from_secs(20));
    assert_eq!(from(attacker, "/x", Some("bad")).await.status, 401);
    assert_eq!(from(attacker, "/x", Some("bad")).await.status, 429);
    // Callers on loopback are not counted.
    for _ in 0..10 {
        assert_eq!(setup.client().get("/x", Some("bad")).await.status, 401);
    }
}

#[tokio::test]
async fn nothing_that_a_caller_sends_makes_a_record_long_or_acts_on_a_terminal() {
    let (setup, file) = start_with_audit("bent", "", ROUTES).await;
    let token = setup
        .idp
        .token("bob")
        .claim("sub", "\u{1b}[2J\u{9b}31m\u{202e}\r\n{}")
        .sign();
    // A head has room for four of them.
    let long = "A".repeat(6_000);
    let mut request = with(
        &format!("/{long}"),
        Some(&token),
        &[("x-request-id", &long), ("traceparent", &long)],
    );
    *request.method_mut() = http::Method::from_bytes(long.as_bytes()).unwrap();
    assert_eq!(setup.client().send(request).await.status, 200);
    setup.stop().await;
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(
        text.lines().count() == 1 && text.len() < 2_000,
        "{}",
        text.len()
    );
    assert!(
        text.trim_end()
            .chars()
            .all(|it| matches!(it, ' '..='~')),
        "{text}"
    );
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        record["subject"], "\u{1b}[2J\u{9b}31m\u{202e}\r\n{}",
        "it is the same value"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn an_audit_file_is_for_its_owner_and_one_that_is_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |file: &PathBuf| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
    let (setup, file) = start_with_audit("mode", "", ROUTES).await;
    assert_eq!(mode(&file), 0o600);
    setup.client().get("/open", None).await;
    drop(setup);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let settings = format!("{ROUTES}[log]\naudit = \"{}\"\n", file.display());
    let setup = TestSetup::new(&settings).await;
    assert_eq!(
        mode(&file),
        0o640,
        "it may be meant for whoever collects records"
    );
    drop(setup);
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn a_reload_that_failed_shows_until_one_goes_well() {
    let folder = std::env::temp_dir().join(format!("portcullis-reloads-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("portcullis.toml");
    let setup = TestSetup::new(ADMIN).await;
    std::fs::write(&path, setup.document(ADMIN)).unwrap();
    let watching = tokio::spawn(portcullis_gateway::watch(
        setup.handle.clone(),
        path.clone(),
    ));
    let becomes = async |failed: f64| {
        for _ in 0..1_000 {
            let text = scrape(&setup).await;
            if value(&text, "portcullis_gateway_reload_failed{what=\"settings\"}") == failed {
                return text;
            }
            setup.clock.advance(std::time::Duration::from_secs(2));
        }
        panic!("never {failed}");
    };
    becomes(0.0).await;
    std::fs::write(&path, "nonsense").unwrap();
    becomes(1.0).await;
    std::fs::write(&path, format!("# another\n{}", setup.document(ADMIN))).unwrap();
    let text = becomes(0.0).await;
    for outcome in ["ok", "failed"] {
        let series =
            format!("portcullis_gateway_reloads_total{{what=\"settings\",outcome=\"{outcome}\"}}");
        assert_eq!(value(&text, &series), 1.0, "{outcome}");
    }
    watching.abort();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_proxy_that_asks_has_its_trace_written_down_too() {
    let doors = "[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"caddy\"\ntrusted_peers = [\"127.0.0.1\"]\n\
                 [ext_authz]\nlisten = \"127.0.0.1:0\"\npath_prefix = \"/check\"\n";
    let (setup, file) = start_with_audit("doors", "", doors).await;
    let trace = (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    let original = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-host", "gw.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-uri", "/asked"),
        trace,
    ];
    Client::new(setup.forward_auth.unwrap())
        .send(with("/", None, &original))
        .await;
    Client::new(setup.ext_authz.unwrap())
        .send(with("/check/asked", None, &[trace]))
        .await;
    let records = records(setup, &file).await;
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record["path"], "/asked");
        assert_eq!(record["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    }
}
