"""The checksums, and the archive for any Linux."""

import hashlib
import re
import tarfile
import tempfile
from pathlib import Path

from report import Report, run

NAME = re.compile(
    r"portcullis-(?P<version>[^-]+(?:-rc\.\d+)?)-(?P<target>\w+-\w+-linux-\w+)\.tar\.gz"
)
PUBLISHED = ("portcullis[-_]*.tar.gz", "portcullis_*.deb", "portcullis-*.tar", "portcullis-*.json")
MEMBERS = [
    "CHANGELOG.md",
    "LICENSE",
    "NOTICES.txt",
    "README.md",
    "completions/_portcullis",
    "completions/portcullis.bash",
    "completions/portcullis.fish",
    "man/portcullis.1",
    "man/portcullis-serve.1",
    "portcullis",
    "portcullis.toml",
    "systemd/portcullis.service",
    "systemd/portcullis.socket",
    "systemd/portcullis.sysusers",
]


def only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    assert len(found) == 1, f"expected one {pattern}, found {[it.name for it in found]}"
    return found[0]


def unpack(path: Path, folder: Path) -> None:
    done = run("tar", "--extract", "--file", str(path), "--directory", str(folder))
    assert done.returncode == 0, done.stdout


def check_sums(report: Report, folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {it.name for pattern in PUBLISHED for it in folder.glob(pattern)}
    report.equal("SHA256SUMS names all files", set(sums), there)
    for name, digest in sums.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        report.equal(f"the digest of {name}", found, digest)


def check(report: Report, folder: Path) -> None:
    path = only(folder, "portcullis-*.tar.gz")
    match = NAME.fullmatch(path.name)
    if not report.check("the archive's name", match is not None, path.name):
        return
    assert match
    top = path.name.removesuffix(".tar.gz")
    with tarfile.open(path) as tar:
        members = tar.getmembers()
    with tempfile.TemporaryDirectory() as temporary:
        unpack(path, Path(temporary))
        _try_files(report, Path(temporary) / top, match["version"])
    names = [it.name for it in members]
    inside = [it.removeprefix(f"{top}/") for it in names if it != top]
    report.equal("the archive has what it must", sorted(set(MEMBERS) - set(inside)), [])
    report.equal("all is below one folder", {it.split("/")[0] for it in names}, {top})
    report.equal("the archive is sorted", inside, sorted(inside, key=lambda it: it.split("/")))
    check_members(report, "the archive", members, executable={f"{top}/portcullis"})


def check_members(
    report: Report, name: str, members: list[tarfile.TarInfo], executable: set[str]
) -> None:
    """Owners, times and modes that do not depend on who packed."""
    report.equal(f"{name} is owned by root", {(it.uid, it.gid) for it in members}, {(0, 0)})
    report.equal(f"{name} has one time", len({it.mtime for it in members}), 1)
    odd = [
        f"{it.name} {it.mode:o}"
        for it in members
        if it.mode != (0o755 if it.isdir() or it.name in executable else 0o644)
    ]
    report.equal(f"{name} has plain modes", odd, [])


def _try_files(report: Report, root: Path, version: str) -> None:
    program = str(root / "portcullis")
    report.equal("its version", run(program, "--version").stdout.strip(), f"portcullis {version}")
    settings = str(root / "portcullis.toml")
    checked = run(program, "config", "check", "--without-files", "--config", settings)
    report.check("its settings are in order", checked.returncode == 0, checked.stdout)
    script = root / "completions/portcullis.bash"
    completed = run("bash", "-c", f"source {script} && complete -p portcullis")
    report.check("bash can complete", completed.returncode == 0, completed.stdout)
    for page in sorted(root.glob("man/*")):
        text = page.read_text()
        if not text.startswith((".ie", ".TH", "'\\\"", '.\\"')):
            report.check(f"{page.name} is a manual page", False, text[:40])
    notices = (root / "NOTICES.txt").read_text()
    report.check("licences of others are there", "MIT" in notices and "tokio" in notices)
