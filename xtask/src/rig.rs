//! `cargo xtask soak`, `load` and `hostile`: an optimised gateway as a process, under the
//! bench of that name. None is part of the tests: they take their minutes, or want a quiet machine.

use crate::cargo::cargo;
use crate::report::ran;
use std::path::PathBuf;

/// Where distributions put HAProxy; Envoy comes from many places, and `PATH` is looked through for
/// both.
const PLACES: &[&str] = &["/usr/sbin", "/usr/local/sbin"];

/// Runs the soak for this long.
pub(crate) fn soak(seconds: u64) -> Result<String, String> {
    bench(&["soak", &seconds.to_string()])
}

/// Runs the load beside the proxies that are there; or with `site` only prepares what is around
/// one, for a profiler.
pub(crate) fn load(what: Option<&str>) -> Result<String, String> {
    if what == Some("site") {
        return bench(&["site"]);
    }
    if found("wrk").is_none() {
        return Err(
            "`wrk` is missing: install it (Debian: `wrk`), and `haproxy` and `envoy` to compare with".into(),
        );
    }
    bench(&["load"])
}

/// Attacks the gateway in every way there is a bound for, and says what each costs beside a plain
/// request.
pub(crate) fn hostile() -> Result<String, String> {
    bench(&["hostile"])
}

fn bench(arguments: &[&str]) -> Result<String, String> {
    // As it is measured, and not as people try it: `Cargo.toml` has the profiles.
    let program = [
        "build",
        "--profile",
        "bench",
        "-p",
        "portcullis-cli",
        "--locked",
    ];
    ran(cargo(&program)).into_result()?;
    let mut command = cargo(&[
        "bench",
        "-p",
        "portcullis-conformance",
        "--bench",
        "gateway",
        "--locked",
        "--",
    ]);
    command.args(arguments);
    for (variable, program) in [
        ("PORTCULLIS_ENVOY", "envoy"),
        ("PORTCULLIS_HAPROXY", "haproxy"),
    ] {
        if std::env::var_os(variable).is_none()
            && let Some(place) = found(program)
        {
            command.env(variable, place);
        }
    }
    ran(command).into_result()
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(PLACES.iter().map(PathBuf::from));
    places
        .map(|place| place.join(program))
        .find(|file| file.is_file())
}
