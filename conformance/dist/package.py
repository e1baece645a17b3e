"""The Debian package: what lintian says, and its life from installation to purge."""

import grp
import os
import pwd
import re
import shutil
import stat
from pathlib import Path

import network
from archive import only
from machine import differences, wait
from network import ask
from report import Report, run

SETTINGS = Path("/etc/portcullis/portcullis.toml")
UNITS = Path("/usr/lib/systemd/system")
MODES = {
    "/usr/bin/portcullis": "-rwxr-xr-x root root",
    "/etc/portcullis": "drwxr-xr-x root root",
    str(SETTINGS): "-rw-r----- root portcullis",
    str(UNITS / "portcullis.service"): "-rw-r--r-- root root",
    str(UNITS / "portcullis.socket"): "-rw-r--r-- root root",
    "/usr/lib/sysusers.d/portcullis.conf": "-rw-r--r-- root root",
    "/usr/share/man/man1/portcullis-serve.1.gz": "-rw-r--r-- root root",
    "/usr/share/doc/portcullis/copyright": "-rw-r--r-- root root",
    "/usr/share/doc/portcullis/changelog.gz": "-rw-r--r-- root root",
    "/usr/share/bash-completion/completions/portcullis": "-rw-r--r-- root root",
    "/usr/share/zsh/vendor-completions/_portcullis": "-rw-r--r-- root root",
    "/usr/share/fish/vendor_completions.d/portcullis.fish": "-rw-r--r-- root root",
}
LEFT = re.compile(
    r"/(var/lib/dpkg/|var/log/|var/cache/(man|debconf)/|tmp/|root/|etc/\.pwd\.lock$|etc/\w+-$|"
    r"var/lib/systemd/|var/tmp/|etc/(fstab|mtab|machine-id)$|usr/sbin/policy-rc\.d$)"
)
"""What others change: dpkg's records, caches, copies of the lists of users, systemd's start."""
USERS = tuple(f"/etc/{it}" for it in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid"))
CONFINED = [
    "CapEff:\t0000000000000000",
    "CapBnd:\t0000000000000000",
    "NoNewPrivs:\t1",
    "Seccomp:\t2",
]
EXPOSURE = 2.0
"""The most that `systemd-analyze security` may say, of 10."""
WRITTEN = {
    "/var/lib/portcullis": "drwxr-x--- portcullis portcullis",
    "/var/lib/portcullis/keys.json": "-rw------- portcullis portcullis",
    "/var/log/portcullis": "drwx------ portcullis portcullis",
    "/var/log/portcullis/audit.jsonl": "-rw------- portcullis portcullis",
}
"""What the service writes with the paths that the pages show for it."""


def lint(report: Report, folder: Path) -> None:
    path = only(folder, "portcullis_*.deb")
    if not shutil.which("lintian"):
        report.skip("lintian", "not installed")
        return
    told = run("lintian", "--allow-root", "--fail-on", "error,warning", str(path))
    report.check("lintian finds no error and nothing to warn of", told.returncode == 0, told.stdout)


def check(report: Report, folder: Path) -> None:
    """In a copy of this system, under systemd: see `machine`."""
    path = only(folder, "portcullis_*.deb")
    users = [Path(it).read_text() for it in USERS]
    report.equal(
        "nothing of it is there before", {it for it in MODES if os.path.lexists(it)}, set()
    )
    _install(report, path)
    _check_files(report)
    _check_units(report)
    network.serve_api()
    provider = network.start_provider("/usr/bin/portcullis")
    SETTINGS.write_text(network.keeping_files())
    _start(report)
    _update(report, path)
    _start_by_socket(report)
    provider.terminate()
    provider.wait(20)
    _remove(report, path)
    report.equal("the users are those of before", [Path(it).read_text() for it in USERS], users)
    ours = {it for it in differences() if not LEFT.match(it) and it not in USERS}
    report.equal("nothing is left", ours, set())


def _install(report: Report, path: Path) -> None:
    _dpkg(report, "--install", str(path))
    report.equal("the files are as packed", run("dpkg", "--verify", "portcullis").stdout, "")
    user = pwd.getpwnam("portcullis")
    report.check("its user is one of the system", 0 < user.pw_uid < 1000, user)
    report.check("nobody can sign in as it", user.pw_shell.endswith("/nologin"), user)
    for unit in ("portcullis.service", "portcullis.socket"):
        state = _state(unit, "ActiveState", "UnitFileState")
        report.equal(f"{unit} waits for settings", state, ["inactive", "disabled"])


def _dpkg(report: Report, *arguments: str) -> None:
    done = run("dpkg", *arguments)
    report.check(f"dpkg {arguments[0]}", done.returncode == 0, done.stdout)


def _state(unit: str, *properties: str) -> list[str]:
    names = [f"--property={it}" for it in properties]
    lines = run("systemctl", "show", unit, *names).stdout.splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    return [told.get(it, "") for it in properties]


def _check_modes(report: Report, modes: dict[str, str]) -> None:
    for path, expected in modes.items():
        if not os.path.lexists(path):
            report.equal(path, "missing", expected)
            continue
        found = os.stat(path)
        owner = f"{pwd.getpwuid(found.st_uid).pw_name} {grp.getgrgid(found.st_gid).gr_name}"
        report.equal(path, f"{stat.filemode(found.st_mode)} {owner}", expected)


def _check_files(report: Report) -> None:
    _check_modes(report, MODES)
    for user, status in {"portcullis": 0, "nobody": 1}.items():
        reader = ["setpriv", f"--reuid={user}", "--clear-groups", f"--regid={user}"]
        if user == "nobody":
            reader[-1] = "--regid=nogroup"
        read = run(*reader, "cat", str(SETTINGS)).returncode
        report.equal(f"the settings, read by {user}", read, status)
    command = ["portcullis", "config", "check", "--without-files", "--config", str(SETTINGS)]
    checked = run(*command)
    report.check("the example is in order", checked.returncode == 0, checked.stdout)
    pages = list(Path("/usr/share/man/man1").glob("portcullis*.1.gz"))
    report.check("there is a manual page for each command", len(pages) > 15, len(pages))
    if shutil.which("man"):
        told = run("man", "--warnings", "--local-file", "--encoding=UTF-8", *map(str, pages))
        faults = [it for it in told.stdout.splitlines() if "warning:" in it]
        report.equal("man shows the pages", (told.returncode, faults[:3]), (0, []))


def _check_units(report: Report) -> None:
    units = [str(UNITS / it) for it in ("portcullis.service", "portcullis.socket")]
    told = run("systemd-analyze", "verify", "--man=no", *units)
    ours = [it for it in told.stdout.splitlines() if "portcullis" in it]
    report.equal("systemd finds no fault in the units", (told.returncode, ours), (0, []))
    told = run("systemd-analyze", "security", "--offline=true", "--no-pager", units[0])
    level = re.search(r"Overall exposure level for .*: ([\d.]+)", told.stdout)
    exposure = float(level[1]) if level else 10.0
    report.check(f"the exposure is {exposure}", exposure <= EXPOSURE, told.stdout[-2000:])


def _start(report: Report) -> None:
    done = run("systemctl", "start", "portcullis.service")
    told = done.stdout + run("systemctl", "--no-pager", "status", "portcullis.service").stdout
    report.check("systemd starts the service", done.returncode == 0, told)
    report.check("it is ready", wait(lambda: ask(9901, "/ready")[0] == 200), told)
    (process,) = _state("portcullis.service", "MainPID")
    status = Path(f"/proc/{process}/status").read_text()
    report.equal("it is confined", [it for it in CONFINED if it not in status], [])
    owner = pwd.getpwnam("portcullis").pw_uid
    report.equal("it runs as its user", Path(f"/proc/{process}").stat().st_uid, owner)
    _check_answers(report, 8080)
    wait(lambda: all(map(os.path.lexists, WRITTEN)))
    _check_modes(report, WRITTEN)
    SETTINGS.write_text(network.SETTINGS.replace("/public-data", "/other"))
    done = run("systemctl", "reload", "portcullis.service")
    report.check("systemd reloads it", done.returncode == 0, done.stdout)
    report.check("it reads its settings", wait(lambda: ask(8080, "/other")[0] == 200))
    SETTINGS.write_text(network.SETTINGS)


def _check_answers(report: Report, port: int) -> None:
    report.equal(f"{port}: a public route", ask(port, "/public-data"), (200, "nobody"))
    report.equal(f"{port}: no token", ask(port, "/orders")[0], 401)
    status, subject = ask(port, "/orders", network.token())
    report.check(f"{port}: a token", status == 200 and subject != "nobody", (status, subject))


def _update(report: Report, path: Path) -> None:
    """An update goes on with the new program, and leaves the settings alone."""
    before = _state("portcullis.service", "MainPID")
    _dpkg(report, "--install", str(path))
    after = _state("portcullis.service", "MainPID")
    report.check("an update starts the service again", before != after, (before, after))
    report.check("it is ready again", wait(lambda: ask(9901, "/ready")[0] == 200))
    run("systemctl", "stop", "portcullis.service")
    stopped = _state("portcullis.service", "ActiveState", "Result", "ExecMainStatus")
    report.equal("systemd stops it", stopped, ["inactive", "success", "0"])
    shutil.chown(SETTINGS, "root", "nogroup")
    SETTINGS.chmod(0o600)
    _dpkg(report, "--install", str(path))
    report.equal(
        "what is stopped stays so", _state("portcullis.service", "ActiveState"), ["inactive"]
    )
    found = SETTINGS.stat()
    kept = (stat.filemode(found.st_mode), grp.getgrgid(found.st_gid).gr_name, SETTINGS.read_text())
    report.equal("the settings are kept", kept, ("-rw-------", "nogroup", network.SETTINGS))
    shutil.chown(SETTINGS, "root", "portcullis")
    SETTINGS.chmod(0o640)


def _start_by_socket(report: Report) -> None:
    """The port is open before the service, which needs no right to open it."""
    SETTINGS.write_text(network.beyond_loopback())
    done = run("systemctl", "enable", "--now", "portcullis.socket")
    report.check("the socket can be enabled", done.returncode == 0, done.stdout)
    run("systemctl", "enable", "portcullis.service")
    report.equal("the service waits", _state("portcullis.service", "ActiveState"), ["inactive"])
    # The first request starts it.
    report.equal("443: an answer", ask(443, "/orders")[0], 401)
    report.check("443: ready", wait(lambda: ask(9901, "/ready")[0] == 200))
    _check_answers(report, 443)


def _remove(report: Report, path: Path) -> None:
    _dpkg(report, "--remove", "portcullis")
    left = {it for it in MODES if os.path.lexists(it)}
    report.equal("the settings stay", left, {str(SETTINGS), str(SETTINGS.parent)})
    running = run("pgrep", "--full", "portcullis serve").stdout
    report.equal("nothing of it runs", running, "")
    links = list(Path("/etc/systemd/system").rglob("portcullis*"))
    report.equal("no link points to it", links, [])
    key = SETTINGS.with_name("tls.key")
    key.write_text("of the administrator")
    _dpkg(report, "--purge", "portcullis")
    report.check("a file of the administrator stays", key.exists())
    report.equal("so do the service's own", [it for it in WRITTEN if not os.path.lexists(it)], [])
    report.equal("its user stays with it", run("id", "-un", "portcullis").stdout, "portcullis\n")
    shutil.rmtree(SETTINGS.parent)
    for folder in ("/var/lib/portcullis", "/var/log/portcullis"):
        shutil.rmtree(folder)
    _purge_again(report, path)


def _purge_again(report: Report, path: Path) -> None:
    """Without files of others, the user goes too."""
    _dpkg(report, "--install", str(path))
    _dpkg(report, "--purge", "portcullis")
    report.equal("no file stays", {it for it in MODES if os.path.lexists(it)}, set())
    report.check("the user is gone", run("id", "portcullis").returncode != 0)
