//! The page of all names, the alert rules and the dashboard, compared with the code and with a real
//! scrape.

use crate::client::Client;
use crate::setup::TestSetup;
use portcullis_gateway::events as gateway;
use portcullis_resource_server::events::{self as decisions, Metric, MetricKind};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metrics() -> impl Iterator<Item = &'static Metric> {
    decisions::METRICS.iter().chain(gateway::METRICS)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The names of metrics in a text, without the suffixes of histograms.
fn metric_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("portcullis_"));
    ours.map(|word| word.strip_suffix("_bucket").unwrap_or(word).to_owned())
        .collect()
}

async fn scrape() -> String {
    let setup = TestSetup::new("admin = { listen = \"127.0.0.1:0\" }\n").await;
    for token in [Some(&*setup.token()), None] {
        setup.client().get("/x", token).await;
    }
    let answer = Client::new(setup.admin.unwrap())
        .get("/metrics", None)
        .await;
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[test]
fn documents_list_every_name() {
    let mut text = String::from(
        "# What Portcullis tells\n\nMade from the code by `cargo xtask docs`; do not edit. How the figures, audit records and traces are set up\n\
         is in [gateway.md](gateway.md#logs-metrics-traces).\n",
    );
    for (title, table) in [
        ("Metrics of the resource server", decisions::METRICS),
        ("Metrics of the gateway", gateway::METRICS),
    ] {
        write!(
            text,
            "\n## {title}\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n"
        )
        .unwrap();
        for Metric {
            name,
            kind,
            labels,
            help,
        } in table
        {
            let kind = match kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                _ => "histogram, seconds",
            };
            let labels: Vec<String> = labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            writeln!(
                text,
                "| `{name}` | {kind} | {} | {help} |",
                labels.join(", ")
            )
            .unwrap();
        }
    }
    for (title, name, tables) in [
        ("Spans", "span", [decisions::SPANS, gateway::SPANS]),
        (
            "Fields of log lines",
            "field",
            [decisions::FIELDS, gateway::FIELDS],
        ),
    ] {
        write!(text, "\n## {title}\n\n| {name} | meaning |\n|---|---|\n").unwrap();
        for (name, meaning) in tables.into_iter().flatten() {
            writeln!(text, "| `{name}` | {meaning} |").unwrap();
        }
    }
    let path = root().join("docs/observability.md");
    if std::env::var_os("PORTCULLIS_WRITE_DOCUMENTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert!(
        read("docs/observability.md") == text,
        "not what the code says: run `cargo xtask docs`"
    );
}

#[test]
fn rules_and_dashboard_name_only_what_there_is_and_the_dashboard_names_all() {
    let all: BTreeSet<String> = metrics()
        .map(|metric| metric.name.to_owned())
        .collect();
    assert_eq!(all.len(), metrics().count(), "a name is given once");
    let dashboard = metric_names(&read("deploy/grafana/portcullis.json"));
    for (file, named) in [
        (
            "deploy/helm/portcullis/prometheus/alerts.yml",
            metric_names(&read("deploy/helm/portcullis/prometheus/alerts.yml")),
        ),
        (
            "deploy/helm/portcullis/prometheus/alerts_test.yml",
            metric_names(&read("deploy/helm/portcullis/prometheus/alerts_test.yml")),
        ),
        ("deploy/grafana/portcullis.json", dashboard.clone()),
    ] {
        assert!(named.len() > 4, "{file}");
        let unknown: Vec<&String> = named.difference(&all).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    assert_eq!(dashboard, all);
    serde_json::from_str::<serde_json::Value>(&read("deploy/grafana/portcullis.json")).unwrap();
}

#[tokio::test]
async fn every_metric_is_in_a_scrape_and_every_line_is_well_formed() {
    let text = scrape().await;
    for metric in metrics() {
        assert!(
            text.contains(&format!("# TYPE {} ", metric.name)),
            "{}",
            metric.name
        );
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        value
            .parse::<f64>()
            .unwrap_or_else(|_| panic!("{line}"));
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let metric = metrics().find(|metric| metric.name == name || Some(metric.name) == base);
        let metric = metric.unwrap_or_else(|| panic!("{line}"));
        for label in metric.labels {
            assert!(labels.contains(&format!("{label}=\"")), "{line}");
        }
    }
}

/// The path of `promtool`, from `PORTCULLIS_PROMTOOL` or `PATH`. `None`, with a notice, if it is
/// absent.
#[allow(clippy::print_stdout, reason = "what is skipped is said")]
fn promtool(arguments: &[&str], folder: &Path, input: &str) -> Option<String> {
    let program = std::env::var_os("PORTCULLIS_PROMTOOL").unwrap_or_else(|| "promtool".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    let spawned = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        // Written directly, as the test runner hides the output of passing tests.
        _ = std::io::Write::write_all(
            &mut std::io::stdout(),
            b"skipped: promtool is not there (Debian: prometheus)\n",
        );
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    Some(told)
}

#[tokio::test]
async fn prometheus_reads_the_scrape() {
    let text = scrape().await;
    promtool(&["check", "metrics"], &root(), &text);
}

#[test]
fn prometheus_reads_the_rules_and_they_fire_when_they_should() {
    let folder = root().join("deploy/helm/portcullis/prometheus");
    promtool(&["check", "rules", "alerts.yml"], &folder, "");
    promtool(&["test", "rules", "alerts_test.yml"], &folder, "");
}

/// Every field of log lines and spans in the sources is in the tables.
#[test]
fn log_lines_have_only_fields_that_are_listed() {
    let listed: BTreeSet<&str> = [decisions::FIELDS, gateway::FIELDS]
        .into_iter()
        .flatten()
        .map(|(name, _)| *name)
        .collect();
    let (mut found, mut unlisted) = (0, BTreeSet::new());
    for crate_name in ["resource-server", "gateway"] {
        for file in sources(&root().join("crates").join(crate_name).join("src")) {
            let source = std::fs::read_to_string(&file).unwrap();
            for field in source.split("tracing::").skip(1).flat_map(fields) {
                found += 1;
                if !listed.contains(&*field) {
                    unlisted.insert(format!("{}: {field}", file.display()));
                }
            }
        }
    }
    assert!(found > 30, "{found}");
    assert!(unlisted.is_empty(), "{unlisted:#?}");
}

/// The fields of one macro call; the text begins with the macro's name.
fn fields(call: &str) -> Vec<String> {
    let Some((name, rest)) = call.split_once("!(") else {
        return Vec::new();
    };
    if !["error", "warn", "info", "debug", "debug_span"].contains(&name) {
        return Vec::new();
    }
    let mut depth = 1;
    let end = rest.find(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    // Commas inside brackets do not separate fields.
    let mut depth = 0;
    let arguments = rest.get(..end.unwrap()).unwrap().split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    let arguments = arguments.map(str::trim);
    let before_text = arguments.take_while(|argument| !argument.starts_with('"'));
    let fields = before_text.filter(|argument| !argument.starts_with("events::"));
    let name = |field: &str| {
        field
            .split('=')
            .next()
            .unwrap()
            .trim()
            .trim_start_matches(['%', '?'])
            .to_owned()
    };
    fields
        .map(name)
        .filter(|name| !name.is_empty())
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| {
        if path.is_dir() {
            sources(&path)
        } else {
            vec![path]
        }
    });
    nested
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "rs")
        })
        .collect()
}
