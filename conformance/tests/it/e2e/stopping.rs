//! Commands that run on end when they are told to, by SIGTERM as by Ctrl-C: the first process of a
//! container is ended by nothing else. And systemd is told when the gateway is ready.

use super::process::{Folder, Process, free_port, program};
use portcullis_idp::{Idp, IdpConfig};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

fn portcullis(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("portcullis"));
    command
        .args(arguments)
        .env("RUST_LOG", "off")
        .env("NO_COLOR", "1");
    command
}

/// A signal that nobody listens to ends a process too, but not well, and not the first one of a
/// container.
#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_runs_on_ends_well_when_it_is_told_to() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().to_string();
    for (arguments, ready) in [
        (&["idp", "--listen", "127.0.0.1:0"][..], "Ctrl-C"),
        (&["dev"], "Ctrl-C"),
        (&["dev", "--upstream", "http://127.0.0.1:9"], "Ctrl-C"),
        (&["keys", "--watch", &issuer], ""),
    ] {
        for terminate in [true, false] {
            let process = Process::start(&mut portcullis(arguments));
            process.lines_to(ready);
            let ended = if terminate {
                process.terminate()
            } else {
                process.interrupt()
            };
            assert!(ended, "{arguments:?}, by SIGTERM: {terminate}");
        }
    }
}

/// `Type=notify`: the unit starts what comes after it at READY=1, and not before.
#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_when_the_gateway_is_ready_and_when_it_stops() {
    let folder = Folder::new("notify", free_port());
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let file = folder.0.join("portcullis.toml");
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n\
         [gateway]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://127.0.0.1:9\"\n",
        idp.issuer(),
        idp.audience()
    );
    std::fs::write(&file, &text).unwrap();
    let path = folder.0.join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let told = || {
        let mut bytes = [0; 1_024];
        let length = systemd
            .recv(&mut bytes)
            .expect("the gateway to tell systemd");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let mut command = portcullis(&["serve", "--config", file.to_str().unwrap()]);
    let gateway = Process::start(command.env("NOTIFY_SOCKET", &path));
    assert!(told().lines().any(|line| line == "READY=1"));
    gateway.signal("-HUP");
    let reloading = told();
    assert!(
        reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="),
        "{reloading}"
    );
    assert!(told().lines().any(|line| line == "READY=1"));
    gateway.signal("-TERM");
    assert!(told().lines().any(|line| line == "STOPPING=1"));
    assert!(gateway.terminate());
}
