"""One line for each check, and the totals at the end."""

import subprocess
import sys
from collections.abc import Callable

END = "the end of "


class Report:
    def __init__(self) -> None:
        self.checks = 0
        self.failed = 0

    def check(self, name: str, passed: bool, detail: object = "") -> bool:
        """Counts a check; its detail is shown if it failed."""
        self.checks += 1
        self.failed += not passed
        say(f"ok: {name}" if passed else f"FAILED: {name}: {detail}")
        return passed

    def equal(self, name: str, found: object, expected: object) -> bool:
        return self.check(name, found == expected, f"expected {expected!r}, found {found!r}")

    def skip(self, name: str, missing: str) -> None:
        say(f"skipped: {name}: {missing}")

    def enter(self, part: str, checks: Callable[[], None]) -> None:
        """Makes the checks of a part. If it ends early, that is a failure, and others go on."""
        try:
            checks()
            self.check(f"{END}{part}", True)
        except Exception as error:
            self.check(f"{END}{part}", False, f"{type(error).__name__}: {error}")

    def relay(self, part: str, told: str) -> None:
        """Counts the lines that a part printed. A part that did not come to its end failed."""
        for line in told.splitlines():
            say(line)
            passed, failed = line.startswith("ok: "), line.startswith("FAILED: ")
            self.checks += passed or failed
            self.failed += failed
        if f": {END}{part}" not in told:
            self.check(f"{END}{part}", False, "it stopped before")

    def close(self) -> int:
        say(f"totals: dist: {self.checks} checks, {self.failed} failed")
        return min(self.failed, 1)


def say(line: str) -> None:
    print(line)
    sys.stdout.flush()


def run(*command: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end; what it prints on both streams is in `stdout`."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
