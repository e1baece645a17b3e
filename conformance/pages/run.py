"""Runs the snippets of the pages, as a reader would: `python run.py [page ...]`.

Shell commands run in one shell for each page, in a folder of its own, in a network of its own
where the system allows that. Settings go through `portcullis config check`; Python runs; JSON and
YAML are parsed; Rust is compiled by the crate's own documentation tests (`src/pages.rs`).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

import blocks
from blocks import Block, Page
from network import enter_own_network
from shell import Shell, missing_line

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
APART = ("decisions", "maintainers")
"""Folders whose pages are not for users."""
ELSEWHERE = ("python",)
"""Pages whose snippets the tests of the Python package run."""
SHELLS = ("console", "sh", "bash", "shell")
INSTALLS = re.compile(r"^(sudo )?(pip|cargo|uv|apt-get|npm|brew) install|^git clone|^cd portcullis$")
"""Commands that bring what the suites have already."""
BASE_ISSUER = '\n[[issuer]]\nurl = "https://idp.example.com"\naudience = ["api://example"]\n'
BASE_GATEWAY = '\n[gateway]\nupstream = "http://127.0.0.1:3000"\n'


class Fault(Exception):
    """What is wrong with a snippet."""


class Runner:
    def __init__(self, page: Page, command: Path) -> None:
        self.page = page
        self.command = command
        self.folder = Path(tempfile.mkdtemp(prefix="page-"))
        path = f"{command.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        kept = ("LANG", "PORTCULLIS_VECTORS")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment |= {"PATH": path, "HOME": str(self.folder), "NO_COLOR": "1"}
        self.environment |= {"COLUMNS": "100", "PYTHONUNBUFFERED": "1"}
        self.shell = Shell(self.folder, self.environment)
        self.replacements: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def run(self) -> None:
        try:
            self._start_provider()
            for block in self.page.blocks:
                self._try(block)
        finally:
            self.shell.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start_provider(self) -> None:
        """The development provider in the place of the one that the page is about."""
        dialect, issuer = self.page.setting.get("as"), self.page.setting.get("issuer")
        if not dialect or not issuer:
            return
        command = f"portcullis idp --listen 127.0.0.1:9000 --as {dialect}"
        settings = self._sidecar(".idp.toml")
        if settings.exists():
            command += f" --config {settings}"
        self.shell.start(command, "issuer")
        told = (self.folder / ".background-1.log").read_text()
        own = next(line.split()[1] for line in told.splitlines() if line.split()[:1] == ["issuer"])
        self.replacements[issuer.rstrip("/")] = own.rstrip("/")

    def _sidecar(self, suffix: str) -> Path:
        relative = self.page.path.relative_to(DOCS) if DOCS in self.page.path.parents else None
        name = relative.with_suffix(suffix) if relative else Path(self.page.path.stem + suffix)
        return Path(__file__).parent / "settings" / name

    def _try(self, block: Block) -> None:
        for text, replacement in self.replacements.items():
            block.text = block.text.replace(text, replacement)
        try:
            self.counts[self._take(block)] += 1
        except Exception as fault:
            place = self.page.path.relative_to(ROOT)
            self.faults.append(f"{place}:{block.line}: {fault}")

    def _take(self, block: Block) -> str:
        if not block.has_readable_wish():
            raise Fault(f"expected skip, status or background, found {block.wish!r}")
        if block.title:
            file = self.folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        if block.reason:
            return "skipped"
        if block.language in SHELLS:
            return self._run_commands(block)
        if block.language == "toml":
            return self._check_toml(block)
        if block.language == "python":
            return self._run_python(block)
        if block.language == "rust":
            pages = ROOT / "conformance/src/pages.rs"
            name = str(self.page.path.relative_to(ROOT))
            if name not in pages.read_text():
                raise Fault(f"conformance/src/pages.rs does not compile {name}")
            return "compiled"
        if block.language == "json":
            json.loads(block.text)
            return "run"
        return "shown"

    def _run_commands(self, block: Block) -> str:
        pairs = list(blocks.commands(block))
        ran = False
        for number, (command, shown) in enumerate(pairs):
            if INSTALLS.match(command):
                continue
            ran = True
            command = re.sub(r"^cargo run (--release )?(--locked )?-- ", "portcullis ", command)
            last = number + 1 == len(pairs)
            if block.until and last:
                self.shell.start(command, block.until)
                continue
            status, output = self.shell.run(command)
            wanted = block.status if last else 0
            printed = "\n".join(output)[-3000:]
            if status != wanted:
                raise Fault(f"`{command}` ends with {status}, not {wanted}:\n{printed}")
            if (line := missing_line(shown, output)) is not None:
                raise Fault(f"`{command}` does not print {line!r}, but:\n{printed}")
        return "run" if ran else "installs"

    def _check_toml(self, block: Block) -> str:
        data = tomllib.loads(block.text)
        own = block.title is None or Path(block.title).name.startswith("portcullis")
        if not own or "dependencies" in data or "package" in data:
            return "run"
        text = block.text
        if "issuer" not in data:
            text += BASE_ISSUER
        if "upstream" not in data.get("gateway", {}) and "upstream" not in data:
            has = "[gateway]" in text
            line = BASE_GATEWAY.split("\n")[2]
            text = text.replace("[gateway]", f"[gateway]\n{line}") if has else text + BASE_GATEWAY
        file = self.folder / f".checked-{block.line}.toml"
        file.write_text(text)
        status, output = self.shell.run(f"portcullis config check --without-files --config {file}")
        if status:
            raise Fault("config check: " + "\n".join(output)[-3000:])
        return "run"

    def _run_python(self, block: Block) -> str:
        compile(block.text, block.title or "snippet", "exec")
        if block.title is None:
            ended = subprocess.run(
                [sys.executable, "-c", block.text],
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=60,
            )
            if ended.returncode:
                raise Fault((ended.stdout + ended.stderr)[-3000:])
        return "run"


def all_pages() -> list[Path]:
    pages = sorted(DOCS.rglob("*.md"))
    apart = (*APART, *ELSEWHERE)
    return [ROOT / "README.md"] + [
        page for page in pages if page.relative_to(DOCS).parts[0] not in apart
    ]


def main() -> int:
    enter_own_network()
    command = shutil.which(os.environ.get("PORTCULLIS_COMMAND", "portcullis"))
    if command is None:
        print("no `portcullis` on the path, and PORTCULLIS_COMMAND names none")
        return 1
    pages = [Path(name).resolve() for name in sys.argv[1:]] or all_pages()
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for path in pages:
        runner = Runner(blocks.read(path), Path(command).resolve())
        runner.run()
        counts += runner.counts
        faults += runner.faults
    for fault in faults:
        print(fault)
    told = ", ".join(f"{counts[word]} {word}" for word in ("run", "compiled", "shown", "skipped"))
    print(f"totals: snippets of {len(pages)} pages: {told}, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
