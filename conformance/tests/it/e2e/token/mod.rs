//! `portcullis token` and `logout` as processes: each grant, against our provider and a certified
//! one, with what is kept between two calls. People sign in with a headless Chromium, which
//! `BROWSER` names.

mod bound;
mod call;
mod device;
mod kept;
mod keyring;
mod messages;
mod odd;
mod people;
mod service;
mod stand_in;
mod step_up;
mod step_up_ours;

pub(super) use stand_in::{StandIn, api};

use super::process::{Folder, free_port, program};
use portcullis_core::jose::base64url;
use serde_json::Value;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Somebody's command line: a folder for what is kept, and an environment of its own.
pub(super) struct Shell {
    folder: Folder,
    environment: Vec<(String, String)>,
}

impl Shell {
    pub(super) fn new(issuer: &str) -> Self {
        let shell = Self {
            folder: Folder::new("token", free_port()),
            environment: Vec::new(),
        };
        shell
            .with("OAUTH2_ISSUER", issuer)
            .with("PORTCULLIS_TOKEN_STORE", "file")
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// The client that proves itself by a secret.
    pub(super) fn service(issuer: &str) -> Self {
        Self::new(issuer)
            .with("OAUTH2_CLIENT_ID", "service")
            .with("OAUTH2_CLIENT_SECRET", "service-secret")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    /// A file, for an argument.
    pub(super) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("portcullis"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .current_dir(&self.folder.0);
        // What node needs to find a browser, and its own settings.
        for name in ["HOME", "PORTCULLIS_CHROMIUM", "TMPDIR"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("PORTCULLIS_STATE_DIR", self.path("state"));
        command.envs(
            self.environment
                .iter()
                .map(|(name, value)| (name, value)),
        );
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().unwrap())
    }

    /// A program for `BROWSER` that signs alice in at the development identity provider.
    pub(super) fn alices_browser(&self) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let jar = self.path("jar");
        let jar = jar.display();
        let sign_in = "-d username=alice -d password=alice -o /dev/null";
        let script = format!("#!/bin/sh\ncurl -s -L -c {jar} -b {jar} \"$1\" {sign_in}\n");
        let file = self.file("sign-in", &script);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).unwrap();
        file
    }

    /// A token that must be there.
    pub(super) fn token(&self, arguments: &[&str]) -> String {
        let said = self.run(&[&["token"], arguments].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        let token = said.out.strip_suffix('\n').unwrap().to_owned();
        assert!(
            !token.is_empty() && !token.contains(char::is_whitespace),
            "nothing but the token: {token}"
        );
        token
    }

    /// What `token list --json` says.
    pub(super) fn list(&self) -> Vec<Value> {
        let said = self.run(&["token", "list", "--json"]);
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

/// A command that waits for something: what it says meanwhile on standard error.
pub(super) struct Waiting {
    child: std::process::Child,
    said: std::sync::Arc<std::sync::Mutex<String>>,
    listener: std::thread::JoinHandle<()>,
}

impl Waiting {
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let said = std::sync::Arc::<std::sync::Mutex<String>>::default();
        let (mut stderr, heard) = (child.stderr.take().unwrap(), std::sync::Arc::clone(&said));
        let listener = std::thread::spawn(move || {
            let mut part = [0; 512];
            while let Ok(read @ 1..) = stderr.read(&mut part) {
                heard
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&part[..read]));
            }
        });
        Self {
            child,
            said,
            listener,
        }
    }

    /// Waits until it has said something that this finds something in.
    pub(super) fn hears<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let said = self.said.lock().unwrap().clone();
            match find(&said) {
                Some(found) => return found,
                None if Instant::now() > end => panic!("it only said {said}"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn end(self) -> Said {
        let output = self.child.wait_with_output().unwrap();
        let said = Said::of(&output);
        // Its last words may still be in the pipe when it has ended.
        self.listener.join().unwrap();
        Said {
            err: self.said.lock().unwrap().clone(),
            ..said
        }
    }
}

/// What a token says of itself.
pub(super) fn claims(token: &str) -> Value {
    let payload = token
        .split('.')
        .nth(1)
        .unwrap_or_else(|| panic!("{token}"));
    serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap()
}
