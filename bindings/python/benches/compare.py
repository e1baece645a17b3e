"""The cost of protection for an endpoint of FastAPI: this package beside other libraries.

>>> python benches/compare.py --python VENV/bin/python --idp portcullis --rounds 15 --requests 500

`VENV` has the packages of `requirements.in` and a wheel of this package, of a release build. This
program itself needs Python and Linux only.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

from provider import AUDIENCE, Provider, run_provider
from serving import ServerProcess, environment_for, serve

SERVER_CORE = 0
LOAD_CORE = 1


@dataclass
class Row:
    """An application under one kind of load, and the figures of its rounds."""

    title: str
    module: str
    fresh: bool = False
    """Whether each request has a token that the application never saw."""
    direct: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    resident: int = 0


ROWS = [
    ("no protection, an empty dependency", "unprotected", False),
    ("portcullis-auth, a known token", "portcullis", False),
    ("portcullis-auth, a new token each time", "portcullis", True),
    ("python-jose, a cached key set", "python_jose", False),
    ("PyJWT, `PyJWKClient`", "pyjwt_client", False),
    ("fastapi-azure-auth", "azure_auth", False),
    ("joserfc, a cached key set", "joserfc_keys", False),
]


class DirectProcess:
    """A process that calls an application without a server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def measure(self, tokens: list[str], repeat: int) -> float:
        """The microseconds for each call."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"tokens": tokens, "repeat": repeat}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the application failed: see above")
        return float(line)


@contextmanager
def run_direct(
    python: list[str], module: str, environment: dict[str, str]
) -> Iterator[DirectProcess]:
    """Runs such a process."""
    folder = os.path.dirname(os.path.abspath(__file__))
    command = [*python, os.path.join(folder, "direct.py"), module]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield DirectProcess(process)


class Bench:
    """All applications, running side by side. Only one at a time has work."""

    def __init__(self, options: argparse.Namespace, provider: Provider, stack: ExitStack) -> None:
        self.options = options
        self.rows = [Row(title, f"apps.{name}", fresh) for title, name, fresh in ROWS]
        environment = environment_for(provider.issuer, AUDIENCE)
        python = ["taskset", "-c", str(SERVER_CORE), options.python]
        self.known = provider.mint(1)
        self.fresh = provider.mint((options.rounds + 1) * options.requests)
        self.direct: list[DirectProcess] = []
        self.servers: list[ServerProcess] = []
        for row in self.rows:
            # A process for each row: a cache that one row fills would help another.
            direct = run_direct(python, row.module, environment)
            self.direct.append(stack.enter_context(direct))
            server = serve(python, row.module, environment)
            self.servers.append(stack.enter_context(server))

    def warm_up(self) -> None:
        """The first keys, and caches of the interpreter."""
        for direct, server in zip(self.direct, self.servers, strict=True):
            direct.measure(self.known, 200)
            server.measure(self.known * 200)

    def run(self) -> None:
        """All rounds. The rows take turns, so that a busy moment meets all of them."""
        self.warm_up()
        count = self.options.requests
        for number in range(self.options.rounds):
            fresh = self.fresh[number * count : (number + 1) * count]
            for row, direct, server in zip(self.rows, self.direct, self.servers, strict=True):
                tokens, repeat = (fresh, 1) if row.fresh else (self.known, count)
                row.direct.append(direct.measure(tokens, repeat))
                row.server.append(server.measure(tokens * repeat))
        for row, server in zip(self.rows, self.servers, strict=True):
            row.resident = server.resident_kib()

    def report(self) -> Iterator[str]:
        """The table."""
        base = self.rows[0]
        yield "| | call, µs | over row 1, µs | ratio | server, µs | over row 1, µs | ratio | MiB |"
        yield "|---|---|---|---|---|---|---|---|"
        for row in self.rows:
            cells = [*compare(row.direct, base.direct), *compare(row.server, base.server)]
            yield f"| {row.title} | {' | '.join(cells)} | {row.resident / 1024:.0f} |"


def compare(own: list[float], base: list[float]) -> list[str]:
    """The median, and the medians of difference and ratio within the rounds."""
    pairs = list(zip(own, base, strict=True))
    difference = median(mine - theirs for mine, theirs in pairs)
    ratio = median(mine / theirs for mine, theirs in pairs)
    return [f"{median(own):.1f}", f"{difference:.1f}", f"{ratio:.2f}"]


def describe_installation(python: str) -> str:
    """The versions, and the native module: 80 MiB say that it is a debug build."""
    script = (
        "import importlib.metadata as m, os, platform;"
        "import portcullis_auth._portcullis as p;"
        "names = 'fastapi uvicorn python-jose pyjwt joserfc fastapi-azure-auth cryptography';"
        "print('CPython', platform.python_version(), *(f'{n} {m.version(n)}' for n in"
        " names.split()), sep=', ');"
        "print(f'native module: {os.path.getsize(p.__file__) / 2**20:.1f} MiB, {p.__file__}')"
    )
    command = [python, "-c", script]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compares what protection costs.")
    parser.add_argument("--python", required=True, help="the interpreter with the packages")
    parser.add_argument("--idp", default="portcullis", help="the command `portcullis`")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=500, help="in each round, for each row")
    return parser.parse_args()


def main() -> None:
    """Runs the bench and prints its table."""
    options = parse_options()
    print(describe_installation(options.python))
    os.sched_setaffinity(0, {LOAD_CORE})
    with run_provider(options.idp) as provider, ExitStack() as stack:
        bench = Bench(options, provider, stack)
        bench.run()
        print("\n".join(bench.report()))


if __name__ == "__main__":
    main()
