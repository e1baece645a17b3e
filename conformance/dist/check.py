"""Checks what `cargo xtask dist` made, as its users get it: `python check.py target/dist`.

The files are read, the Debian package is installed and removed in a copy of this system that is
thrown away, and the image runs in containers. Needs Debian's lintian, umoci, crun and skopeo, and
root for what runs; what is missing is named, and skipped.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import archive
import bill
import container
import image
import machine
import package
from report import Report, run

NEEDS = {"package": ["dpkg", "systemctl", "pivot_root", "setpriv"], "image": ["umoci", "crun"]}
"""Programs that a part wants to have, beside `unshare`."""


def main() -> int:
    folder = Path(sys.argv[1]).resolve()
    report = Report()
    match sys.argv[2:]:
        case ["boot", told]:
            machine.boot(folder, Path(told))
        case ["package"]:
            report.enter("the package", lambda: package.check(report, folder))
        case ["image"]:
            report.enter("the image", lambda: container.check(report, folder))
        case _:
            check_all(report, folder)
            return report.close()
    return 0


def check_all(report: Report, folder: Path) -> None:
    report.enter("the checksums", lambda: archive.check_sums(report, folder))
    report.enter("the archive", lambda: archive.check(report, folder))
    report.enter("the bill of materials", lambda: bill.check(report, folder))
    report.enter("the package's form", lambda: package.lint(report, folder))
    report.enter("the image's form", lambda: image.check(report, folder))
    program = [sys.executable, str(Path(__file__).resolve()), str(folder)]
    if may_run(report, "package"):
        with tempfile.TemporaryDirectory(prefix="dist-told-") as told:
            done = run("unshare", *machine.NAMESPACES, *program, "boot", told)
            log = Path(told, "log")
            report.relay("the package", log.read_text() if log.exists() else done.stdout)
    if may_run(report, "image"):
        namespaces = ["--mount", "--pid", "--net", "--fork", "--kill-child"]
        report.relay("the image", run("unshare", *namespaces, *program, "image").stdout)


def may_run(report: Report, part: str) -> bool:
    missing = [it for it in ["unshare", *NEEDS[part]] if not shutil.which(it)]
    if os.geteuid() != 0:
        report.skip(f"the {part}, running", "only root may make namespaces")
    elif missing:
        report.skip(f"the {part}, running", f"{', '.join(missing)} not installed")
    else:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
