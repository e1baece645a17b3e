//! What the tests need from outside, installed by lock files and in fixed versions, or named when it cannot be had.

use crate::cargo::{cargo, root};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program of a Redis or Valkey, installed from the distribution where that is possible.
pub(crate) fn redis_server() -> Result<PathBuf, String> {
    let named = std::env::var_os("PORTCULLIS_REDIS_SERVER").map(PathBuf::from);
    if let Some(program) = named.into_iter().chain(REDIS_SERVERS.map(PathBuf::from)).find(|it| it.is_file()) {
        return Ok(program);
    }
    let installed = from_distribution("redis-server");
    let program = REDIS_SERVERS.map(PathBuf::from).into_iter().find(|it| it.is_file());
    match program {
        Some(program) if installed => Ok(program),
        _ => {
            Err("install `redis-server` or `valkey-server`, or name one in PORTCULLIS_REDIS_SERVER"
                .to_owned())
        }
    }
}

/// Prometheus' own checker of exposition and rules, installed from the distribution where that is possible.
pub(crate) fn promtool() -> Result<PathBuf, String> {
    let named = std::env::var_os("PORTCULLIS_PROMTOOL").map(PathBuf::from);
    let found = || {
        let usual = ["/usr/bin/promtool", "/usr/local/bin/promtool"].map(PathBuf::from);
        named.clone().into_iter().chain(usual).find(|it| it.is_file())
    };
    found()
        .or_else(|| from_distribution("prometheus").then(found)?)
        .ok_or_else(|| "install `prometheus`, or name its promtool in PORTCULLIS_PROMTOOL".to_owned())
}

/// Installs a Debian package, where there are any. Whether it worked.
fn from_distribution(package: &str) -> bool {
    let installed = Command::new("apt-get")
        .args(["install", "-y", "--no-install-recommends", package])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    installed.is_ok_and(|status| status.success())
}

/// Where the distributions put it.
const REDIS_SERVERS: [&str; 4] = [
    "/usr/bin/redis-server",
    "/usr/bin/valkey-server",
    "/usr/local/bin/redis-server",
    "/usr/local/bin/valkey-server",
];

/// The folder of other people's vectors, if it is there.
pub(crate) fn vectors() -> Result<PathBuf, String> {
    let beside = || root().join("../shared/vectors");
    let folder = std::env::var_os("PORTCULLIS_VECTORS").map_or_else(beside, PathBuf::from);
    if folder.is_dir() { Ok(folder) } else { Err("set PORTCULLIS_VECTORS to their folder".to_owned()) }
}

/// A program from crates.io.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(crate) const CARGO_DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
pub(crate) const CARGO_HACK: Tool = Tool { name: "cargo-hack", version: "0.6.46" };

/// The program, from `target/tools`; built there if it is not there in this version.
pub(crate) fn installed(tool: &Tool) -> Result<PathBuf, String> {
    let folder = root().join("target/tools");
    let program = folder.join("bin").join(format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX));
    if is_version(&program, tool) {
        return Ok(program);
    }
    let mut install = cargo(&["install", tool.name, "--version", tool.version, "--locked", "--force"]);
    install.arg("--root").arg(&folder).env("CARGO_TARGET_DIR", folder.join("build"));
    // It runs for a second: what counts is how long it takes to build.
    install.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    let done = install.status().is_ok_and(|status| status.success());
    _ = std::fs::remove_dir_all(folder.join("build"));
    if done && is_version(&program, tool) {
        Ok(program)
    } else {
        Err(format!("`cargo install {}` failed: is crates.io reachable?", tool.name))
    }
}

fn is_version(program: &Path, tool: &Tool) -> bool {
    let output = Command::new(program).args(tool.name.strip_prefix("cargo-")).arg("--version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().ends_with(tool.version))
}
