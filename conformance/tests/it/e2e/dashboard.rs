//! Every query of the dashboard, and every alert rule, at a real Prometheus that scrapes a real
//! gateway under traffic: permitted and refused requests, an outage of the issuer, an upstream that
//! goes away.

use super::process::{Folder, free_port, program};
use crate::tally::skipped;
use axum::Router;
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, Overlap};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpListener;

/// Panels of parts that this gateway does not have: TLS, introspection, a store, bound tokens,
/// streams of events.
const MAY_BE_EMPTY: [&str; 9] = [
    "Proofs by code",
    "Store of used proofs",
    "Certificate",
    "Introspection",
    "Logouts and events by outcome",
    "Revocation store",
    "Since the last event",
    "Streams of events",
    "Since the revocation store was heard from",
];

/// A process that is killed when the test ends, well or not.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn deploy(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy")
        .join(path)
}

/// Prometheus with a scrape each second; `None` if it is not there.
fn prometheus(folder: &Folder, port: u16, admin: u16) -> Option<Killed> {
    let settings = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
         rule_files: [\"{}\"]\n\
         scrape_configs:\n\
         - job_name: portcullis\n  static_configs: [{{ targets: [\"127.0.0.1:{admin}\"] }}]\n",
        deploy("helm/portcullis/prometheus/alerts.yml").display()
    );
    let file = folder.0.join("prometheus.yml");
    std::fs::write(&file, settings).unwrap();
    let program = std::env::var_os("PORTCULLIS_PROMETHEUS").unwrap_or("prometheus".into());
    let spawned = Command::new(program)
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.0.join("data").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.0.join("prometheus.log")).unwrap())
        .spawn();
    spawned.ok().map(Killed)
}

fn gateway(folder: &Folder, idp: &Idp, ports: (u16, u16), upstream: u16) -> Killed {
    let (port, admin) = ports;
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n[gateway]\n\
         listen = \"127.0.0.1:{port}\"\nupstream = \"http://127.0.0.1:{upstream}\"\n\
         admin = {{ listen = \"127.0.0.1:{admin}\" }}\n[log]\naudit = \"none\"\n\
         [[route]]\npath = \"/admin\"\nrequire = {{ role = \"Admin\" }}\n\
         [[upstream]]\nname = \"gone\"\nservers = [\"http://127.0.0.1:{}\"]\n\
         [[route]]\npath = \"/gone\"\nupstream = \"gone\"\naccess = \"public\"\n",
        idp.issuer(),
        idp.audience(),
        free_port(),
    );
    std::fs::write(folder.0.join("portcullis.toml"), text).unwrap();
    let child = Command::new(program("portcullis"))
        .arg("serve")
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Killed(child.unwrap())
}

/// One round of requests with every outcome.
async fn make_traffic(gateway: u16, tokens: &[&str]) {
    // Let through, lacking a role, refused before any token is read, and an upstream that is away.
    for path in ["/orders", "/admin", "/a//b", "/gone"] {
        for token in tokens {
            let url = format!("http://127.0.0.1:{gateway}{path}");
            let request = reqwest::Client::new().get(url);
            // What comes back is in the figures.
            _ = request.bearer_auth(token).send().await;
        }
    }
}

async fn ask(prometheus: u16, path: &str, query: &str) -> Option<Value> {
    let address = format!("http://127.0.0.1:{prometheus}/api/v1/{path}");
    let url = reqwest::Url::parse_with_params(&address, [("query", query)]).ok()?;
    let request = reqwest::Client::new().get(url);
    let text = request.send().await.ok()?.text().await.ok()?;
    let answer: Value = serde_json::from_str(&text).ok()?;
    assert_eq!(answer["status"], "success", "{query}: {answer}");
    Some(answer["data"].clone())
}

/// The queries of the dashboard with their panels, the variables filled in as for "All".
fn queries() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(deploy("grafana/portcullis.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().unwrap();
            let query = query
                .replace("$__rate_interval", "1m")
                .replace("$__range", "5m");
            let query = query.replace("$job", ".*").replace("$instance", ".*");
            assert!(!query.contains('$'), "{query}");
            queries.push((panel["title"].as_str().unwrap().to_owned(), query));
        }
    }
    queries
}

/// The panels with a query that has no data.
async fn empty(prometheus: u16) -> Vec<String> {
    let mut panels = Vec::new();
    for (title, query) in queries() {
        let data = ask(prometheus, "query", &query).await;
        let series = data
            .as_ref()
            .and_then(|data| data["result"].as_array());
        if series.is_none_or(Vec::is_empty) && !MAY_BE_EMPTY.contains(&&*title) {
            panels.push(format!("{title}: {query}"));
        }
    }
    panels
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_dashboard_has_data_and_every_rule_is_evaluated() {
    let (gateway_port, admin, prometheus_port) = (free_port(), free_port(), free_port());
    let folder = Folder::new("dashboard", gateway_port);
    let Some(_prometheus) = prometheus(&folder, prometheus_port, admin) else {
        return skipped("prometheus is not there (Debian: prometheus)");
    };
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let upstream = socket.local_addr().unwrap().port();
    let app = Router::new().fallback(|| async { "ok" });
    tokio::spawn(async move { axum::serve(socket, app).await });
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let _gateway = gateway(&folder, &idp, (gateway_port, admin), upstream);
    let (good, bad) = (idp.token("bob").sign(), idp.token("bob").expire().sign());
    // The issuer changes its keys and fails: a token by the new key is an outage.
    make_traffic(gateway_port, &[&good, &bad]).await;
    let mut outage = None;
    for _ in 0..120 {
        let Some(token) = &outage else {
            if ask(prometheus_port, "query", "portcullis_keys > 0")
                .await
                .is_some_and(|data| !data["result"].as_array().unwrap().is_empty())
            {
                idp.fail(Endpoint::Jwks, Fault::InternalError);
                idp.rotate(Overlap::Without).await;
                outage = Some(idp.token("bob").sign());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
            continue;
        };
        // In every round: `rate` needs two samples of a counter before it has a value.
        make_traffic(gateway_port, &[&good, &bad, token]).await;
        if empty(prometheus_port).await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(empty(prometheus_port).await, Vec::<String>::new());
    let rules = ask(prometheus_port, "rules", "").await.unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap().clone();
    assert!(rules.len() > 15, "{}", rules.len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}
