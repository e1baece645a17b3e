//! `portcullis serve` without a settings file, and with arguments in place of its settings.

use crate::folder::Folder;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};

/// A gateway that runs for as long as the test does, and its log.
struct Gateway {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    address: String,
    /// What it said before it listened.
    said: String,
}

impl Gateway {
    fn start(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let arguments = [&["serve", "--listen", "0"], arguments].concat();
        let mut command = folder.command(&arguments, variables);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let line = log.next();
            assert!(line.is_some(), "it ended: {said}");
            let line = line.unwrap().unwrap();
            said.push_str(&line);
            said.push('\n');
            if let Some((_, rest)) = line.split_once("\"address\":\"") {
                break rest.split('"').next().unwrap().to_owned();
            }
        };
        Self {
            child,
            log,
            address,
            said,
        }
    }

    /// The status of a request without a token.
    fn status(&self) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &id])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Ends it by SIGTERM; answers whether it ended well, and what its log said since.
    fn end(mut self) -> (bool, String) {
        self.signal("-TERM");
        let log = &mut self.log;
        let rest: Vec<String> = log.map_while(Result::ok).collect();
        (self.child.wait().unwrap().success(), rest.join("\n"))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

const VARIABLES: [(&str, &str); 2] = [
    ("OAUTH2_ISSUER", "http://127.0.0.1:9"),
    ("OAUTH2_AUDIENCE", "api"),
];

#[test]
fn two_variables_and_an_upstream_are_enough() {
    let folder = Folder::new("serve-environment");
    let gateway = Gateway::start(&folder, &["--upstream", "localhost:9"], &VARIABLES);
    // A log that is no terminal's has the summary as one event.
    for piece in [
        "\"from\":\"the environment\"",
        "\"issuers\":\"http://127.0.0.1:9\"",
        "http://localhost:9\"",
        "\"routes\":0",
    ] {
        assert!(gateway.said.contains(piece), "{piece}: {}", gateway.said);
    }
    assert_eq!(gateway.status(), "HTTP/1.1 401 Unauthorized");
    // Without a file there is nothing to reload, and SIGHUP must not end it.
    gateway.signal("-HUP");
    assert_eq!(gateway.status(), "HTTP/1.1 401 Unauthorized");
    let (is_fine, said) = gateway.end();
    assert!(is_fine && said.contains("stopped"), "{said}");
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let folder = Folder::new("serve-nothing");
    let (is_fine, said) = folder.run_plainly(&["serve"]);
    assert!(
        !is_fine && said.contains("no settings: expected the file `portcullis.toml`"),
        "{said}"
    );
    let variables = [("OAUTH2_ISSUER", "ftp://idp.acme.dev")];
    let (is_fine, said) = folder.run_with(&["serve"], &variables);
    assert!(!is_fine, "{said}");
    for told in [
        "3 faults",
        "OAUTH2_AUDIENCE: ",
        "OAUTH2_ISSUER: ",
        "--upstream: ",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let open = ["serve", "--upstream", "9", "--listen", "0.0.0.0:0"];
    let (is_fine, said) = folder.run_with(&open, &VARIABLES);
    assert!(
        !is_fine && said.contains("--listen: expected a loopback address"),
        "{said}"
    );
}

#[test]
fn arguments_come_before_the_file_and_ignored_variables_are_told() {
    let folder = Folder::new("serve-arguments");
    // A file without `[gateway]` is at fault, unless the arguments take its place.
    folder.write(
        "portcullis.toml",
        "[[issuer]]\nurl = \"http://127.0.0.1:9\"\naudience = \"a\"\n",
    );
    let mut gateway = Gateway::start(&folder, &["--upstream", "8"], &VARIABLES);
    assert!(
        gateway.said.contains("http://127.0.0.1:8\""),
        "{}",
        gateway.said
    );
    assert!(
        gateway
            .said
            .contains("OAUTH2_AUDIENCE: set in the environment"),
        "{}",
        gateway.said
    );
    assert_eq!(gateway.status(), "HTTP/1.1 401 Unauthorized");
    // A reload keeps them. It waits for keys, as nothing listens at the issuer; without an upstream
    // it would fail before that.
    gateway.signal("-HUP");
    let is_about_it = |line: &String| line.contains("reload") || line.contains("new settings");
    let mut lines = gateway.log.by_ref().map_while(Result::ok);
    let line = lines.find(is_about_it).unwrap_or_default();
    assert!(line.contains("new settings wait"), "{line}");
    let (is_fine, said) = gateway.end();
    assert!(is_fine && !said.contains("cannot reload"), "{said}");
}

/// For an operator who looks at the log, nothing seems to happen otherwise for ten seconds.
#[test]
fn a_reload_that_waits_says_so_at_once_and_for_which_issuer() {
    let folder = Folder::new("serve-reload");
    let settings = |issuer: &str| {
        folder.write(
            "portcullis.toml",
            &format!("[[issuer]]\nurl = \"{issuer}\"\naudience = \"a\"\n"),
        );
    };
    settings("http://127.0.0.1:9");
    let mut gateway = Gateway::start(&folder, &["--upstream", "8"], &[]);
    // It is answered once SIGHUP is listened for.
    assert_eq!(gateway.status(), "HTTP/1.1 401 Unauthorized");
    settings("http://127.0.0.1:7");
    gateway.signal("-HUP");
    let lines = gateway.log.by_ref().map_while(Result::ok);
    let mut told = lines.filter(|line| {
        line.contains("new settings wait for this") || line.contains("reloaded the settings")
    });
    let first = told.next().unwrap_or_default();
    assert!(
        first.contains("wait for this") && first.contains("the keys of http://127.0.0.1:7"),
        "{first}"
    );
}
