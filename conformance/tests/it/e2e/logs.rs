//! The log and the audit records of a gateway, as an operator collects them: who was refused and
//! why, each refusal once, and an outage in a few lines.

use super::process::{Folder, free_port, program};
use axum::Router;
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, Overlap};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpListener;

/// A gateway whose log is a file.
struct LoggedGateway {
    child: Child,
    url: String,
    log: PathBuf,
    audit: PathBuf,
    _folder: Folder,
}

impl LoggedGateway {
    /// Starts a gateway in front of `upstream`, with these settings at the end.
    async fn start(idp: &Idp, name: &str, upstream: u16, settings: &str) -> Self {
        let port = free_port();
        let folder = Folder::new(name, port);
        let (log, audit) = (folder.0.join("log"), folder.0.join("audit"));
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n[gateway]\n\
             listen = \"127.0.0.1:{port}\"\nupstream = \"http://127.0.0.1:{upstream}\"\n\
             [[route]]\npath = \"/admin\"\nrequire = {{ role = \"Admin\" }}\n{settings}",
            idp.issuer(),
            idp.audience()
        );
        std::fs::write(folder.0.join("portcullis.toml"), text).unwrap();
        let child = Command::new(program("portcullis"))
            .arg("serve")
            .current_dir(&folder.0)
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.0.join("out")).unwrap())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let gateway = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            log,
            audit,
            _folder: folder,
        };
        gateway
            .until(|lines| count(lines, "new keys") == 1)
            .await;
        gateway
    }

    async fn code(&self, path: &str, token: &str) -> String {
        let url = format!("{}{path}", self.url);
        let request = reqwest::Client::new().get(url).bearer_auth(token);
        let Ok(response) = request.send().await else {
            return "no answer".to_owned();
        };
        let body = response.text().await.unwrap();
        let problem: Value = serde_json::from_str(&body).unwrap_or_default();
        problem["code"].as_str().unwrap_or("ok").to_owned()
    }

    /// The lines of the log, as JSON.
    fn lines(&self) -> Vec<Value> {
        read(&self.log)
    }

    /// Waits until the log is as it should be.
    async fn until(&self, is_so: impl Fn(&[Value]) -> bool) {
        for _ in 0..1_200 {
            if is_so(&self.lines()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{:#?}", self.lines());
    }
}

impl Drop for LoggedGateway {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Whole lines only: the last one may be under way.
fn read(file: &PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn with_message<'l>(lines: &'l [Value], start: &str) -> Vec<&'l Value> {
    let message = |line: &&Value| {
        let message = line["fields"]["message"].as_str().unwrap_or_default();
        message.starts_with(start)
    };
    lines.iter().filter(message).collect()
}

fn count(lines: &[Value], start: &str) -> usize {
    with_message(lines, start).len()
}

/// An API that answers everything, and its port.
async fn api() -> u16 {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let port = socket.local_addr().unwrap().port();
    let app = Router::new().fallback(|| async { "ok" });
    tokio::spawn(async move { axum::serve(socket, app).await });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_is_written_down_once_with_who_and_what() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let upstream = api().await;
    let token = idp
        .token("bob")
        .claim("roles", serde_json::json!(["Reader"]))
        .sign();
    let refuse = async |gateway: &LoggedGateway| {
        assert_eq!(gateway.code("/admin", &token).await, "policy.role");
        assert_eq!(gateway.code("/a//b", &token).await, "request.path");
    };
    // Without records, the log has it.
    let gateway = LoggedGateway::start(&idp, "logged", upstream, "[log]\naudit = \"none\"\n").await;
    refuse(&gateway).await;
    gateway
        .until(|lines| count(lines, "not forwarded") == 1)
        .await;
    let lines = gateway.lines();
    let refused = with_message(&lines, "refused");
    let [line] = refused.as_slice() else {
        panic!("{refused:#?}");
    };
    let fields = &line["fields"];
    assert_eq!(fields["issuer"], idp.issuer().as_str());
    assert_eq!(fields["required"], "roles `Admin`");
    assert_eq!(fields["present"], "roles `Reader`");
    assert_eq!(
        fields["facts"],
        "expected role `Admin`, found roles `Reader`"
    );
    assert!(fields["subject"].is_string() && fields["client"].is_string());
    drop(gateway);
    // With records, they have it, and the log is silent.
    let gateway =
        LoggedGateway::start(&idp, "recorded", upstream, "[log]\naudit = \"audit\"\n").await;
    refuse(&gateway).await;
    gateway
        .until(|lines| count(lines, "not forwarded") == 1)
        .await;
    assert_eq!(count(&gateway.lines(), "refused"), 0);
    let records = read(&gateway.audit);
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!(records[0]["present"]["roles"][0], "Reader");
    assert_eq!(records[0]["subject"], fields["subject"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_issuer_is_one_line_and_its_end_another() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let upstream = api().await;
    let settings = "[log]\naudit = \"audit\"\n";
    let gateway = LoggedGateway::start(&idp, "outage", upstream, settings).await;
    // A new key alone would be fetched: the key set has to fail before it is needed.
    idp.fail(Endpoint::Jwks, Fault::InternalError);
    idp.rotate(Overlap::Without).await;
    let token = idp.token("alice").sign();
    let mut denied = 0;
    for _ in 0..20 {
        denied += usize::from(gateway.code("/x", &token).await == "outage.keys");
    }
    assert_eq!(denied, 20);
    idp.fail(Endpoint::Jwks, Fault::None);
    gateway
        .until(|lines| count(lines, "keys: reachable again") == 1)
        .await;
    assert_eq!(gateway.code("/x", &token).await, "ok");
    let lines = gateway.lines();
    assert_eq!(
        count(&lines, "no new keys") + count(&lines, "no keys"),
        1,
        "{lines:#?}"
    );
    // A line for each denied request would fill a disk in an outage.
    assert_eq!(count(&lines, "no decision"), 0, "{lines:#?}");
    let end = with_message(&lines, "keys: reachable again")[0];
    assert_eq!(end["fields"]["denied"], 20);
    let message = end["fields"]["message"].as_str().unwrap();
    assert!(message.ends_with("requests answered 503: 20"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_away_is_one_line() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let settings = "[log]\naudit = \"none\"\n";
    let gateway = LoggedGateway::start(&idp, "away", free_port(), settings).await;
    let token = idp.token("alice").sign();
    for _ in 0..20 {
        assert_eq!(gateway.code("/x", &token).await, "upstream.unreachable");
    }
    let lines = gateway.lines();
    // As many as are written, without the default.
    assert_eq!(with_message(&lines, "settings")[0]["fields"]["routes"], 1);
    assert_eq!(count(&lines, "the upstream fails"), 1, "{lines:#?}");
    let first = with_message(&lines, "the upstream fails")[0];
    assert!(first["fields"]["request_id"].is_string(), "{first}");
    assert_eq!(
        count(&lines, "not forwarded") + count(&lines, "the server"),
        0,
        "{lines:#?}"
    );
}

/// An audit finds both, but nobody audits a gateway that runs.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_open_key_and_an_old_certificate_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let files = Folder::new("old-certificate-files", free_port());
    let [certificate, key] = ["old.crt", "old.key"].map(|name| files.0.join(name));
    let mut params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2_020, 1, 1);
    let pair = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&certificate, params.self_signed(&pair).unwrap().pem()).unwrap();
    std::fs::write(&key, pair.serialize_pem()).unwrap();
    let mode = |mode| std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    let (place, key_place) = (certificate.display(), key.display());
    let settings = format!(
        "[log]\naudit = \"none\"\n[gateway.tls]\n\
         certificate = \"{place}\"\nkey = \"{key_place}\"\n"
    );
    let gateway = LoggedGateway::start(&idp, "old-certificate", free_port(), &settings).await;
    // The one who looks at certificates begins beside the listeners.
    let expired = "a certificate has expired";
    gateway.until(|lines| count(lines, expired) == 1).await;
    let lines = gateway.lines();
    let old = with_message(&lines, expired);
    let expected = format!("{place} is valid until 2020-01-01T00:00:00Z");
    assert_eq!(old[0]["fields"]["facts"], expected);
    let open = "a private key is readable or writable by every user";
    let told = with_message(&lines, open);
    assert_eq!(told.len(), 1, "{lines:#?}");
    let expected = format!("{key_place} has mode 0644");
    assert_eq!(told[0]["fields"]["facts"], expected);
    // A reload says it again of what is still so.
    mode(0o640);
    std::fs::write(&key, pair.serialize_pem() + "\n").unwrap();
    let reloaded = "reloaded the certificates";
    gateway
        .until(|lines| count(lines, reloaded) == 1 && count(lines, expired) == 2)
        .await;
    let lines = gateway.lines();
    assert_eq!(count(&lines, open), 1, "{lines:#?}");
}
