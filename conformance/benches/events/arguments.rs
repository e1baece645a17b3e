//! What the bench was asked for, and what it needs from the environment.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The words behind `--`.
pub(crate) struct Arguments {
    pub(crate) what: Option<String>,
    options: Vec<(String, String)>,
}

impl Arguments {
    pub(crate) fn read() -> Self {
        let mut words = std::env::args().skip(1);
        let (mut what, mut options) = (None, Vec::new());
        while let Some(word) = words.next() {
            match word.strip_prefix("--") {
                // What `cargo bench` itself adds.
                Some("bench") => {}
                Some(name) => options.push((name.to_owned(), words.next().unwrap_or_default())),
                None => what = Some(word),
            }
        }
        Self { what, options }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let mut options = self.options.iter();
        let found = options.find(|(option, _)| option == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn number(&self, name: &str, default: usize) -> usize {
        let text = self.text(name).map(str::parse);
        text.map_or(default, |number| number.expect("a number"))
    }
}

/// A program or folder that this variable names, or one of these places.
pub(crate) fn installed(variable: &str, places: &[&str]) -> Result<PathBuf, String> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let places = named
        .into_iter()
        .chain(places.iter().map(PathBuf::from));
    let mut there = places.filter(|place| place.exists());
    there
        .next()
        .ok_or_else(|| format!("missing: {variable} names nothing that is there"))
}

pub(crate) fn redis_server() -> Result<PathBuf, String> {
    let places = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"];
    installed("PORTCULLIS_REDIS_SERVER", &places)
}

/// A folder of this package.
pub(crate) fn source_folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The optimised command, built now if it is not up to date: with the store, which it lacks by
/// default. `--program` names another build.
pub(crate) fn portcullis(arguments: &Arguments) -> PathBuf {
    if let Some(program) = arguments.text("program") {
        return program.into();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--profile", "bench", "--locked"])
        .args(["-p", "portcullis-cli", "--features", "redis"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success(), "the command to be built");
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release/portcullis")
}
