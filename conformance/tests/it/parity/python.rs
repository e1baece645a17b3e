//! The Python package as a door: its middlewares in front of an application, behind the servers
//! that people run.

use super::case::{Case, Outcome};
use super::door::Door;
use crate::e2e::process::{Folder, Process, free_port};
use portcullis_testkit::NOW;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

const MISSING: &str = "the Python package is not installed here";
const WITHOUT_CEDAR: &str = "the Python package has no Cedar";

/// Both kinds of applications, with the settings of the other doors.
pub(super) struct PythonDoors {
    pub(super) asgi: SocketAddr,
    pub(super) wsgi: SocketAddr,
    _running: [Process; 2],
    _folder: Folder,
}

impl PythonDoors {
    /// Starts uvicorn and gunicorn, or says why not.
    pub(super) fn start(
        settings: &str,
        key_sets: &[(String, String)],
    ) -> Result<Self, &'static str> {
        if settings.contains("[cedar]") {
            return Err(WITHOUT_CEDAR);
        }
        let Some(bin) = std::env::var_os("PORTCULLIS_PYTHON_PACKAGE").map(PathBuf::from) else {
            crate::tally::skipped("parity through Python: PORTCULLIS_PYTHON_PACKAGE is not set");
            return Err(MISSING);
        };
        let folder = Folder::new("python-doors", free_port());
        let key_sets: BTreeMap<_, _> = key_sets.iter().cloned().collect();
        let doors = json!({ "settings": settings, "key_sets": key_sets, "now": NOW });
        let file = folder.0.join("doors.json");
        std::fs::write(&file, doors.to_string()).unwrap();
        let start = |program: &str, arguments: &str| {
            let mut command = Command::new(bin.join("python"));
            command
                .args(["-u", "-m", program])
                .args(arguments.split_whitespace())
                .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/python"))
                .env("PORTCULLIS_DOORS", &file);
            Process::start(&mut command)
        };
        let asgi = start("doors", "asgi");
        let wsgi = start("doors", "wsgi");
        Ok(Self {
            asgi: address(&asgi),
            wsgi: address(&wsgi),
            _running: [asgi, wsgi],
            _folder: folder,
        })
    }
}

/// Why this door answers otherwise than the others, and must.
pub(super) fn exception(door: Door, case: &Case, outcome: &Outcome) -> Option<&'static str> {
    let path = case.target.split('?').next().unwrap_or_default();
    if path.to_ascii_lowercase().contains("%2f") {
        let found = (outcome.status, outcome.code.as_str());
        assert_eq!(found, (400, "request.path"), "{case:?}");
        return Some("an application would split its path at an escaped slash: always refused");
    }
    let is_credential = |name: &str| name.eq_ignore_ascii_case("authorization");
    let credentials = case
        .headers
        .iter()
        .filter(|(name, _)| is_credential(name));
    if door == Door::Wsgi && credentials.count() > 1 {
        assert!(matches!(outcome.status, 400 | 401), "{case:?}: {outcome:?}");
        return Some("its server has joined repeated fields to one text: refused as that");
    }
    // h11, httptools and gunicorn are stricter about methods, fields and sizes than hyper.
    let is_bare = matches!(outcome.status, 400 | 417 | 431) && outcome.code.is_empty();
    is_bare.then_some("the application's server has refused it by itself")
}

fn address(process: &Process) -> SocketAddr {
    let lines = process.lines_to("listening at ");
    let line = lines.last().unwrap();
    line.trim_start_matches("listening at ")
        .parse()
        .unwrap()
}
