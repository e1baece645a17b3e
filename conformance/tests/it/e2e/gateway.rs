//! `portcullis serve` and `portcullis config`, as an operator runs them: a file, signals, a socket
//! from systemd.

use super::process::{Process, program};
use axum::Router;
use axum::http::HeaderMap;
use portcullis_idp::{Idp, IdpConfig};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tokio::net::TcpListener;

/// A folder with a settings file, an identity provider, and an API without any protection of its
/// own.
pub(super) struct OperatorSetup {
    pub(super) folder: PathBuf,
    pub(super) idp: Idp,
    api: SocketAddr,
    pub(super) gateway: SocketAddr,
    admin: SocketAddr,
}

impl OperatorSetup {
    pub(super) async fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let api = socket.local_addr().unwrap();
        let who = |headers: HeaderMap| async move {
            let name = headers
                .get("x-auth-client")
                .map_or("nobody", |value| value.to_str().unwrap());
            format!("hello {name}")
        };
        tokio::spawn(async move { axum::serve(socket, Router::new().fallback(who)).await });
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        Self {
            folder,
            idp,
            api,
            gateway: free(),
            admin: free(),
        }
    }

    pub(super) fn write(&self, routes: &str) {
        let Self {
            idp,
            api,
            gateway,
            admin,
            ..
        } = self;
        let (issuer, audience) = (idp.issuer(), idp.audience());
        let text = format!(
            "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{audience}\"]\n\
             [gateway]\nlisten = \"{gateway}\"\nupstream = \"http://{api}\"\nadmin = {{ listen = \"{admin}\" }}\n{routes}"
        );
        std::fs::write(self.folder.join("portcullis.toml"), text).unwrap();
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("portcullis"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("RUST_LOG", "off");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    async fn status(&self, path: &str, token: Option<&str>) -> Option<u16> {
        let request = reqwest::Client::new().get(format!("http://{}{path}", self.gateway));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Some(request.send().await.ok()?.status().as_u16())
    }

    async fn becomes(&self, path: &str, token: Option<&str>, status: u16) {
        for _ in 0..600 {
            if self.status(path, token).await == Some(status) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} never answered {status}");
    }

    /// Waits until the gateway has the keys.
    pub(super) async fn ready(&self) {
        let probe = format!("http://{}/ready", self.admin);
        for _ in 0..600 {
            if reqwest::get(&probe)
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the gateway never became ready");
    }
}

impl Drop for OperatorSetup {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An address that nobody uses at the moment.
fn free() -> SocketAddr {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
}

const CLOSED: &str = "[[route]]\npath = \"/admin/**\"\nrequire = { role = \"Admin\" }\n";
const OPEN: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_api_is_protected_reloaded_and_stopped() {
    let world = OperatorSetup::new("serve").await;
    world.write(CLOSED);
    let gateway = Process::start(&mut world.command(&["serve"]));
    world.ready().await;
    let (alice, bob) = (
        world.idp.token("alice").sign(),
        world.idp.token("bob").sign(),
    );
    for (path, token, status) in [
        ("/orders", None, 401),
        ("/orders", Some(bob.as_str()), 200),
        ("/admin/x", Some(&bob), 403),
        ("/admin/x", Some(&alice), 200),
        ("/admin%2fx", Some(&alice), 400),
    ] {
        assert_eq!(world.status(path, token).await, Some(status), "{path}");
    }
    world.write(OPEN);
    gateway.signal("-HUP");
    world.becomes("/orders", None, 200).await;
    world.write("[[rout]]\n");
    gateway.signal("-HUP");
    // The bad file is looked at before the good one that follows; meanwhile the settings before
    // hold.
    assert_eq!(world.status("/orders", None).await, Some(200));
    world.write(CLOSED);
    gateway.signal("-HUP");
    world.becomes("/orders", None, 401).await;
    assert!(
        gateway.terminate(),
        "the gateway ends well when it is told to"
    );
    assert_eq!(world.status("/orders", None).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_begun_and_checked() {
    let world = OperatorSetup::new("config").await;
    let begun = world.run(&["config", "init"]);
    assert!(begun.status.success());
    assert!(
        !world.run(&["config", "init"]).status.success(),
        "a file that is there is kept"
    );
    assert!(world.run(&["config", "check"]).status.success());
    world.write("[[route]]\npath = \"/a//b\"\naccess = \"open\"\n");
    for arguments in [&["config", "check"][..], &["serve"]] {
        let checked = world.run(arguments);
        let told = String::from_utf8(checked.stderr).unwrap();
        assert_eq!(checked.status.code(), Some(1), "{told}");
        for part in [
            "2 faults",
            "portcullis.toml:9: route[0].path",
            "portcullis.toml:10: route[0].access",
            "^^^^^^",
            "help: ",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_leaves_descriptors_for_probes() {
    let world = OperatorSetup::new("flood").await;
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = silent.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = silent.accept().await {
            held.push(stream);
        }
    });
    world.write(&format!(
        "{OPEN}[[route]]\npath = \"/wait\"\naccess = \"public\"\nupstream = \"http://{address}\"\n"
    ));
    let few = |arguments: &str| {
        let mut command = Command::new("sh");
        let script = format!(
            "ulimit -n 512 && exec {} {arguments}",
            program("portcullis").display()
        );
        command
            .args(["-c", &script])
            .current_dir(&world.folder)
            .env("RUST_LOG", "off");
        command
    };
    let checked = few("config check").output().unwrap();
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(
        checked.status.success() && told.contains("WARNING"),
        "{told}"
    );
    let joined = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains("512 are allowed here"), "{told}");

    let gateway = Process::start(&mut few("serve"));
    world.ready().await;
    let mut flood = Vec::new();
    for _ in 0..400 {
        let mut stream = tokio::net::TcpStream::connect(world.gateway)
            .await
            .unwrap();
        tokio::io::AsyncWriteExt::write_all(
            &mut stream,
            b"GET /wait HTTP/1.1\r\nHost: gw.example\r\n\r\n",
        )
        .await
        .unwrap();
        flood.push(stream);
    }
    for _ in 0..20 {
        let answer = reqwest::get(format!("http://{}/live", world.admin))
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "probes have descriptors of their own");
    }
    let refused = "portcullis_gateway_out_of_bounds_requests_total{bound=\"upstream\"} ";
    let mut many = 0;
    while many < 50 {
        let metrics = reqwest::get(format!("http://{}/metrics", world.admin))
            .await
            .unwrap();
        let metrics = metrics.text().await.unwrap();
        let count = metrics
            .lines()
            .find_map(|line| line.strip_prefix(refused))
            .unwrap();
        many = count.parse::<u64>().unwrap();
    }
    drop(flood);
    world.becomes("/x", None, 200).await;
    assert!(gateway.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_can_hand_over_the_socket() {
    const ACTIVATE: &str = "systemd-socket-activate";
    let there = Command::new(ACTIVATE)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if there.is_err() {
        crate::tally::excused(&format!("`{ACTIVATE}` is not installed"));
        return;
    }
    let world = OperatorSetup::new("activation").await;
    world.write(OPEN);
    let mut command = Command::new(ACTIVATE);
    // Another address than the settings say: the socket that is handed over is the one that counts.
    let handed = free();
    command
        .args(["-l", &handed.to_string()])
        .arg(program("portcullis"))
        .arg("serve");
    let _gateway = Process::start(
        command
            .current_dir(&world.folder)
            .env("RUST_LOG", "off"),
    );
    let answer = async {
        for _ in 0..600 {
            if let Ok(answer) = reqwest::get(format!("http://{handed}/x")).await {
                return answer.text().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nobody answered at {handed}");
    };
    assert_eq!(answer.await, "hello nobody");
    assert_eq!(world.status("/x", None).await, None);
}

/// `Type=notify-reload`: systemd starts what comes after the gateway once it is told that the
/// gateway is ready, and not before.
#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_what_the_gateway_does() {
    let world = OperatorSetup::new("notify").await;
    world.write(CLOSED);
    let socket = world.folder.join("notify");
    let systemd = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    systemd
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // Each message holds lines; those before the one that is waited for are passed over.
    let told = |line: &str| {
        let mut bytes = [0; 4096];
        loop {
            let length = systemd
                .recv(&mut bytes)
                .unwrap_or_else(|error| panic!("never told {line}: {error}"));
            if String::from_utf8_lossy(&bytes[..length])
                .lines()
                .any(|held| held == line)
            {
                return;
            }
        }
    };
    let gateway = Process::start(world.command(&["serve"]).env("NOTIFY_SOCKET", &socket));
    told("READY=1");
    // It listens by then.
    assert_eq!(world.status("/orders", None).await, Some(401));
    gateway.signal("-HUP");
    told("RELOADING=1");
    told("READY=1");
    gateway.signal("-TERM");
    told("STOPPING=1");
}
