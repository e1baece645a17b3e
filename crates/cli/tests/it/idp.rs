//! `portcullis idp`: its settings, and a provider that runs for as long as a test does.

use crate::folder::Folder;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A development identity provider of its own.
pub(crate) struct Provider {
    child: Child,
    pub(crate) issuer: String,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["idp", "--listen", "0", "--algorithm", "ES256"])
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let issuer = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.trim().strip_prefix("issuer")?.trim().to_owned())
        });
        // The page is read to its end, so that the provider can go on writing it.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            issuer: issuer.unwrap(),
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn a_starter_is_written_once_and_is_in_order() {
    let folder = Folder::new("idp-init");
    let (is_fine, said) = folder.run_plainly(&["idp", "init"]);
    assert!(
        is_fine && said.contains("portcullis idp --config idp.toml"),
        "{said}"
    );
    let (is_fine, said) = folder.run_plainly(&["idp", "init"]);
    assert!(!is_fine && !said.contains("os error"), "{said}");
    assert!(
        said.contains("idp.toml: expected no file of that name") && said.contains("--config"),
        "{said}"
    );
    // Every member behind a `#` is a setting: a wrong one would be a fault.
    let text = folder.read("idp.toml").replace("\n# ", "\n");
    assert!(text.contains("\nalgorithm = "), "{text}");
}

#[test]
fn every_fault_of_a_file_is_told_at_its_line() {
    let folder = Folder::new("idp-faults");
    folder.write(
        "idp.toml",
        r#"as = "entraa"
algoritm = "x"
listen = "0.0.0.0:1"
cors_origins = ["http://a/"]
[[client]]
id = "a"
token_endpoint_auth_method = "private_key_jwt"
secret = "hunter22"
[[client]]
id = "a"
secret = 7
[[user]]
username = "a"
tenant = "a/b"
"#,
    );
    let (is_fine, said) = folder.run_plainly(&["idp", "--config", "idp.toml"]);
    assert!(!is_fine && !said.contains("hunter22"), "{said}");
    for told in [
        "9 faults in the settings",
        "idp.toml:10: client[1].id: expected an id that no other client has",
        "idp.toml:1: as: expected one of generic, entra,",
        "idp.toml:2: algoritm: unknown member `algoritm`",
        "help: write `algorithm`; `portcullis idp schema` has all members",
        "idp.toml:3: listen: expected a loopback address, found 0.0.0.0:1",
        "idp.toml:4: cors_origins[0]: expected an origin as browsers write it",
        "idp.toml:7: client[0].token_endpoint_auth_method:",
        "idp.toml:11: client[1].secret: expected a string",
        "idp.toml:12: user[0].password: expected a value, found nothing",
        "idp.toml:14: user[0].tenant: expected a text that fits into a URL's path",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

/// An address that somebody chose is used, or is an error: settings name it.
#[test]
fn a_chosen_address_that_is_taken_is_an_error() {
    let folder = Folder::new("idp-taken");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (is_fine, said) = folder.run_plainly(&["idp", "--listen", &address]);
    assert!(!is_fine && said.contains("cannot be listened on"), "{said}");
}

/// One line for programs: what an application needs to trust the provider, and to command it.
#[test]
fn a_program_reads_where_it_listens() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["idp", "--listen", "0", "--algorithm", "ES256", "--json"])
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines.next().is_none(), "nothing but that line");
    let issuer = told["issuer"].as_str().unwrap();
    assert!(issuer.starts_with("http://127.0.0.1:"), "{line}");
    assert_eq!(told["audience"][0], "api://enterprise-api");
    assert_eq!(told["token_endpoint"], format!("{issuer}/token"));
}

/// The variable that `portcullis token` reads, unless it is somebody's production.
#[test]
fn the_variable_names_the_provider_only_on_loopback() {
    let (provider, folder) = (Provider::start(), Folder::new("idp-variable"));
    let run = |issuer: &str, command: &[&str]| {
        folder.run_with(
            &[&["idp", "fault"], command].concat(),
            &[("OAUTH2_ISSUER", issuer)],
        )
    };
    let (is_fine, said) = run(&provider.issuer, &["jwks", "500"]);
    assert!(
        is_fine && said.contains("jwks                  500"),
        "{said}"
    );
    // Only shown, because the default port may be somebody's.
    let (_, said) = run("https://idp.example", &[]);
    assert!(
        said.contains("not on loopback; using http://127.0.0.1:9000"),
        "{said}"
    );
}
