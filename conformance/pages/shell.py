"""One shell for a page: its variables and its background programs live as long as the page."""

import os
import queue
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

PATIENCE = 60
"""Seconds until a command counts as one that hangs."""
MARK = "end-of-a-command"


class Shell:
    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.backgrounds = 0
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def run(self, command: str) -> tuple[int, list[str]]:
        """Runs a command; its exit status and its output."""
        self._write(f"{{ {command}\n}} </dev/null\nprintf '\\n%s %d\\n' {MARK} $?\n")
        output: list[str] = []
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"no end after {PATIENCE} s") from None
            if line is None:
                raise RuntimeError("the shell has ended: " + " ".join(output[-3:]))
            if line.startswith(MARK):
                if output and not output[-1]:
                    output.pop()
                return int(line.split()[1]), output
            output.append(line)

    def start(self, command: str, until: str) -> None:
        """Starts a command, and returns once it has printed this."""
        self.backgrounds += 1
        log = self.folder / f".background-{self.backgrounds}.log"
        self._write(f"{{ {command}\n}} </dev/null >{log} 2>&1 &\n")
        deadline = time.monotonic() + PATIENCE
        while not (log.exists() and until in log.read_text(errors="replace")):
            if time.monotonic() > deadline:
                printed = log.read_text(errors="replace") if log.exists() else ""
                raise TimeoutError(f"{until!r} was not printed, but:\n{printed[-2000:]}")
            time.sleep(0.05)

    def close(self) -> None:
        # The shell leads a session: its background programs end with it.
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
            time.sleep(0.1)
        self.process.wait()

    def _write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)


def missing_line(shown: list[str], output: list[str]) -> str | None:
    """The first line that the page shows and the command did not print. `...` stands for anything."""
    rest = iter(output)
    for line in shown:
        if line.strip() in ("", "...", "…"):
            continue
        pattern = re.escape(line.strip()).replace(r"\.\.\.", ".*").replace("…", ".*")
        if not any(re.fullmatch(pattern, printed.strip()) for printed in rest):
            return line
    return None
