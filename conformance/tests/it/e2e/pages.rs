//! The snippets of the documents, run as a reader would, and the pages that are made from the
//! command: `conformance/pages`.

use super::fastapi_docs::python;
use super::process::program;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[test]
fn every_snippet_of_the_pages_does_what_its_page_says() {
    let (Some(python), Some(redis)) = (python(), redis()) else {
        return;
    };
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", redis.display());
    let told = closing(&run(python, "run.py", &[], &path));
    // A runner that finds no snippets has nothing to complain of.
    let mut words = told
        .split_whitespace()
        .take_while(|word| *word != "run,");
    let count: usize = words.by_ref().last().unwrap().parse().unwrap();
    assert!(count >= 500, "{told}");
    crate::tally::tell(told.trim());
}

#[test]
fn every_setting_and_option_stands_in_the_reference() {
    let Some(python) = python() else {
        return;
    };
    let path = std::env::var("PATH").unwrap_or_default();
    let output = run(python, "reference.py", &["--check"], &path);
    crate::tally::tell(closing(&output).trim());
}

/// The folder of a Redis: the page about revocation starts one.
fn redis() -> Option<PathBuf> {
    let Some(program) = std::env::var_os("PORTCULLIS_REDIS_SERVER") else {
        crate::tally::skipped("the pages need a Redis; `cargo xtask test` installs one");
        return None;
    };
    Path::new(&program).parent().map(Path::to_owned)
}

fn run(python: PathBuf, name: &str, arguments: &[&str], path: &str) -> Output {
    let program = program("portcullis");
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("pages")
        .join(name);
    let mut command = Command::new(python);
    command.arg("-B").arg(file).args(arguments);
    let output = command
        .env("PORTCULLIS_COMMAND", program)
        .env("PATH", path)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{said}");
    output
}

fn closing(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stdout);
    told.lines().last().unwrap_or_default().to_owned()
}
