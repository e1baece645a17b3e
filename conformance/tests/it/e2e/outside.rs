//! The command in a network whose only way out is a proxy, and settings that hold variables of the
//! environment.

use super::command::{portcullis, text};
use super::process::Folder;
use portcullis_idp::{Idp, IdpConfig};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// An HTTP proxy that asks one server whatever it is asked for. It remembers the first lines of
/// what came.
fn proxy(server: SocketAddr) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://somebody:secret@{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&seen);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut client = BufReader::new(client);
            let mut line = String::new();
            client.read_line(&mut line).unwrap();
            let mut rest = String::new();
            while !rest.ends_with("\r\n\r\n") && client.read_line(&mut rest).unwrap() > 0 {}
            let path = line
                .split(' ')
                .nth(1)
                .and_then(|url| url.splitn(4, '/').nth(3))
                .unwrap_or_default()
                .to_owned();
            lines.lock().unwrap().push(line.trim().to_owned());
            let mut upstream = TcpStream::connect(server).unwrap();
            let request =
                format!("GET /{path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\r\n");
            upstream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            upstream.read_to_end(&mut answer).unwrap();
            client.get_mut().write_all(&answer).unwrap();
        }
    });
    (url, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_through_the_proxy_of_the_environment() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let (proxy, seen) = proxy(idp.address());
    let jwks_uri = format!(
        "http://idp.invalid/{}",
        idp.jwks_uri().splitn(4, '/').nth(3).unwrap()
    );
    let arguments = ["keys", "http://idp.invalid", "--jwks-uri", &jwks_uri];
    let plain = ("OAUTH2_DANGER_PLAIN_HTTP", "true");
    let through = portcullis(&arguments, &[plain, ("http_proxy", &proxy)]);
    assert_eq!(through.status.code(), Some(0), "{}", text(&through.stderr));
    assert!(text(&through.stdout).contains("usable"));
    assert_eq!(*seen.lock().unwrap(), [format!("GET {jwks_uri} HTTP/1.1")]);
    // A client of a CGI program sets this one.
    assert_ne!(
        portcullis(&arguments, &[plain, ("HTTP_PROXY", &proxy)])
            .status
            .code(),
        Some(0)
    );
    let past = portcullis(
        &arguments,
        &[plain, ("http_proxy", &proxy), ("NO_PROXY", ".invalid")],
    );
    assert_ne!(past.status.code(), Some(0));
    // A host inside is asked directly.
    let inside = portcullis(&["keys", idp.issuer().as_str()], &[("ALL_PROXY", &proxy)]);
    assert_eq!(inside.status.code(), Some(0), "{}", text(&inside.stderr));
    assert_eq!(seen.lock().unwrap().len(), 1);
    // Without the switch nothing beyond loopback is asked over http.
    assert_eq!(
        portcullis(&arguments, &[("http_proxy", &proxy)])
            .status
            .code(),
        Some(1)
    );
}

#[test]
fn settings_hold_variables_and_show_the_proxy() {
    let folder = Folder::new("variables", 0);
    let file = folder.0.join("portcullis.toml");
    let settings = "[[issuer]]\nurl = \"${A_TEST_ISSUER}/x\"\naudience = \"api\"\n[gateway]\nupstream = \"http://127.0.0.1:1\"\n";
    std::fs::write(&file, settings).unwrap();
    let check = ["config", "check", "--config", file.to_str().unwrap()];
    let unset = portcullis(&check, &[]);
    assert_eq!(unset.status.code(), Some(1));
    let told = text(&unset.stderr);
    assert!(
        told.contains(":2: issuer[0].url: expected the variable `A_TEST_ISSUER` to be set"),
        "{told}"
    );
    let issuer = ("A_TEST_ISSUER", "https://idp.example");
    let set = portcullis(
        &check,
        &[
            issuer,
            ("HTTPS_PROXY", "http://somebody:secret@proxy.example:3128"),
        ],
    );
    let told = text(&set.stdout);
    assert_eq!(set.status.code(), Some(0), "{}", text(&set.stderr));
    assert!(
        told.contains("https through http://proxy.example:3128") && !told.contains("secret"),
        "{told}"
    );
    let socks = portcullis(
        &check,
        &[
            issuer,
            ("HTTPS_PROXY", "socks5://somebody:secret@proxy.example"),
        ],
    );
    let told = text(&socks.stderr);
    assert!(
        socks.status.code() == Some(1) && told.contains("HTTPS_PROXY") && !told.contains("secret"),
        "{told}"
    );
}
