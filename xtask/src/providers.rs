//! Identity providers for the end-to-end suite, and a client of ours, from three registries:
//! installed in fixed versions, or named when they cannot be had.
//!
//! npm and pip check every file against the hashes of a lock file. Debian's mirrors keep one build
//! of a version only, so there the version is fixed, and apt checks what it fetches against the
//! archive's signed index. Nothing is installed into the system.

use crate::cargo::root;
use crate::tools;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An identity provider that the suite runs, or a client that it runs against ours.
pub(crate) struct Provider {
    /// The step's name.
    pub(crate) title: &'static str,
    /// The variable by which the suite is told where it is.
    pub(crate) variable: &'static str,
    /// Installs it, and answers with its folder.
    pub(crate) install: fn() -> Result<PathBuf, String>,
}

pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        title: "npm oidc-provider",
        variable: "PORTCULLIS_OIDC_PROVIDER",
        install: oidc_provider,
    },
    Provider {
        title: "npm openid-client",
        variable: "PORTCULLIS_OPENID_CLIENT",
        install: openid_client,
    },
    Provider {
        title: "PyPI canaille",
        variable: "PORTCULLIS_CANAILLE",
        install: canaille,
    },
    Provider {
        title: "Debian glewlwyd",
        variable: "PORTCULLIS_GLEWLWYD",
        install: glewlwyd,
    },
];

/// Installs them all. Answers with the lines by which a shell knows them, for running a single
/// test.
pub(crate) fn install_all() -> Result<String, String> {
    let mut lines = Vec::new();
    for provider in PROVIDERS {
        let folder =
            (provider.install)().map_err(|missing| format!("{}: {missing}", provider.title))?;
        lines.push(format!("export {}={}", provider.variable, folder.display()));
    }
    Ok(lines.join("\n"))
}

/// JavaScript, certified.
fn oidc_provider() -> Result<PathBuf, String> {
    there("node", "install Node.js 20 or later")?;
    tools::npm_ci("conformance/e2e/oidc-provider")
}

/// A client, certified as well.
fn openid_client() -> Result<PathBuf, String> {
    there("node", "install Node.js 20 or later")?;
    tools::npm_ci("conformance/e2e/openid-client")
}

/// Python: a virtual environment, made anew when the lock file changes.
fn canaille() -> Result<PathBuf, String> {
    let folder = root().join("target/providers/canaille");
    let lock = root().join("conformance/e2e/canaille/requirements.txt");
    let installed = folder.join("requirements.txt");
    let wanted = fs::read_to_string(&lock).map_err(|error| error.to_string())?;
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    there("python3", "install Python 3.11 or later")?;
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    run(
        &mut make,
        "`python3 -m venv` failed: on Debian it needs the package python3-venv",
    )?;
    let mut install = Command::new(folder.join("bin/pip"));
    install.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
    ]);
    install
        .args(["--require-hashes", "--requirement"])
        .arg(&lock);
    run(&mut install, "`pip install` failed: is PyPI reachable?")?;
    fs::write(installed, wanted).map_err(|error| error.to_string())?;
    Ok(folder)
}

const GLEWLWYD: &str = "2.7.5";

/// C: the package and the libraries that this machine lacks, unpacked, with an empty database
/// beside them.
fn glewlwyd() -> Result<PathBuf, String> {
    let folder = root().join("target/providers/glewlwyd");
    let done = folder.join(GLEWLWYD);
    if done.exists() {
        return Ok(folder);
    }
    there("apt-get", "Debian 12 and its kin have the package")?;
    there("dpkg", "Debian 12 and its kin have the package")?;
    let packages = match missing_packages() {
        Ok(packages) => packages,
        // The lists of packages may not have been fetched yet, as in a fresh container.
        Err(_) => {
            _ = Command::new("apt-get")
                .args(["update", "--quiet=2", "-o", "Acquire::Retries=3"])
                .status();
            missing_packages()?
        }
    };
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut download = Command::new("apt-get");
    download
        .args(["download", "--quiet=2"])
        .args(packages)
        .current_dir(&folder)
        .stderr(Stdio::null());
    run(
        &mut download,
        "`apt-get download` failed: is Debian's mirror reachable?",
    )?;
    unpack(&folder)?;
    empty_database(&folder)?;
    fs::write(done, "").map_err(|error| error.to_string())?;
    Ok(folder)
}

/// What apt would install for it, but for what a running service needs besides: its pages'
/// libraries, a set-up dialogue.
fn missing_packages() -> Result<Vec<String>, String> {
    let simulated = Command::new("apt-get")
        // What is installed in the system counts too: it is unpacked here nevertheless.
        .args([
            "install",
            "--simulate",
            "--reinstall",
            "--no-install-recommends",
        ])
        .args(["glewlwyd", "dbconfig-no-thanks", "rnbyc", "sqlite3"])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&simulated.stdout);
    let mut packages = Vec::new();
    for line in text
        .lines()
        .filter_map(|line| line.strip_prefix("Inst "))
    {
        let (name, rest) = line.split_once(' ').unwrap_or_default();
        if name == "glewlwyd" && !rest.contains(&format!("({GLEWLWYD}-")) {
            return Err(format!(
                "apt has another version of glewlwyd than {GLEWLWYD}"
            ));
        }
        let library =
            name.starts_with("lib") && !name.starts_with("libjs-") && !name.starts_with("libc6");
        if library || ["glewlwyd", "glewlwyd-common", "rnbyc", "sqlite3"].contains(&name) {
            packages.push(name.to_owned());
        }
    }
    if !packages.iter().any(|name| name == "glewlwyd") {
        return Err("apt does not know glewlwyd: is Debian's mirror reachable?".to_owned());
    }
    Ok(packages)
}

fn unpack(folder: &Path) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    for package in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if package
            .extension()
            .is_some_and(|extension| extension == "deb")
        {
            run(
                Command::new("dpkg")
                    .arg("-x")
                    .arg(&package)
                    .arg(folder),
                "`dpkg -x` failed",
            )?;
            fs::remove_file(&package).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// The package's own tables and its first administrator, as its guide has them made.
fn empty_database(folder: &Path) -> Result<(), String> {
    let script = "zcat usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz | sqlite3 glewlwyd.db";
    let path = format!(
        "{}:{}",
        folder.join("usr/bin").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut make = Command::new("sh");
    make.args(["-c", script])
        .env("PATH", path)
        .current_dir(folder);
    run(&mut make, "the database of glewlwyd cannot be made")
}

fn there(program: &str, cure: &str) -> Result<(), String> {
    let mut ask = Command::new(program);
    ask.arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    run(&mut ask, &format!("`{program}` is missing: {cure}"))
}

fn run(command: &mut Command, otherwise: &str) -> Result<(), String> {
    if command.status().is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}
