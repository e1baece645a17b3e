"""The package in the processes that people run: uvicorn and gunicorn, with workers and forks."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from fastapi import Depends, FastAPI
from flask import Flask
from flask import request as flask_request

from conftest import AUDIENCE, Idp
from portcullis_auth import Denied, Server, _portcullis
from portcullis_auth.fastapi import Portcullis, Token
from serving import PATIENCE, Service, serve_process, wait_until

TESTS = Path(__file__).parent
OIDC_PROVIDER = TESTS.parents[2] / "conformance/e2e/oidc-provider"
CALLERS = 20
"""Callers that wait at the same time."""


# The applications, as the servers import them.


def make_asgi() -> FastAPI:
    """An application for uvicorn and for the ASGI workers of gunicorn."""
    auth = Portcullis()
    _warm_up(auth.server)
    app = FastAPI()
    auth.install(app)

    @app.get("/me")
    async def me(token: Annotated[Token, Depends(auth)]):
        return _report(auth.server, token.subject)

    @app.get("/state")
    async def state():
        return _report(auth.server, None)

    return app


def make_wsgi() -> Flask:
    """An application for the synchronous workers of gunicorn."""
    server = Server.from_env()
    _warm_up(server)
    app = Flask(__name__)

    @app.get("/me")
    def me():
        query = flask_request.query_string.decode("latin-1")
        try:
            token = server.decide_blocking(flask_request.headers, query)
        except Denied as denied:
            return {"code": denied.code}, denied.status, denied.headers
        return _report(server, token.subject)

    @app.get("/state")
    def state():
        return _report(server, None)

    return app


def _warm_up(server: Server) -> None:
    """Fetches keys where the variable asks for it: in a master, before it forks."""
    if "FETCH_BEFORE_FORK" not in os.environ:
        return
    server.start()
    wait_until(server.is_ready)


def _report(server: Server, subject: str | None) -> dict[str, Any]:
    return {
        "subject": subject,
        "process": os.getpid(),
        "fetches": _count_fetches(server),
        "tasks": _portcullis._count_waits(),
        "threads": _native_threads(),
    }


def _count_fetches(server: Server) -> int:
    lines = server.metrics().splitlines()
    counts = [line for line in lines if line.startswith("portcullis_key_fetches_total{")]
    return sum(int(line.split()[-1]) for line in counts)


def _native_threads() -> int:
    """The threads of the package in this process. Python's own list does not have them."""
    names = [name.read_text() for name in Path("/proc/self/task").glob("*/comm")]
    return sum(name.startswith("portcullis") for name in names)


# The processes, as the tests see them.


@contextmanager
def callers_without_keys(idp: Idp, service: Service, late: int) -> Iterator[list[socket.socket]]:
    """Callers whose key the server has to fetch, which takes so many milliseconds."""
    assert service.get("/me", idp.bearer())[0] == 200
    before = service.get("/state")[1]["tasks"]
    idp.fault(jwks=f"slow:{late}")
    idp.rotate()
    value = idp.bearer()["authorization"]
    request = f"GET /me HTTP/1.1\r\nhost: api\r\nauthorization: {value}\r\n\r\n".encode()
    callers = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(CALLERS)]
    try:
        for caller in callers:
            caller.settimeout(PATIENCE)
            caller.sendall(request)
        wait_until(lambda: service.get("/state")[1]["tasks"] >= before + CALLERS)
        yield callers
    finally:
        for caller in callers:
            caller.close()


UVICORN = ["uvicorn", "--fd", "{port}", "--factory", "test_process:make_asgi"]
GUNICORN = ["gunicorn", "--bind", "fd://{port}", "--workers", "2", "--preload"]
SERVERS = {
    "uvicorn": [*UVICORN, "--workers", "2"],
    "gunicorn-asgi": [*GUNICORN, "-k", "asgi", "test_process:make_asgi()"],
    "gunicorn-uvicorn": [
        *GUNICORN,
        "-k",
        "uvicorn.workers.UvicornWorker",
        "test_process:make_asgi()",
    ],
    "gunicorn-sync": [*GUNICORN, "-k", "sync", "test_process:make_wsgi()"],
    "gunicorn-threads": [
        *GUNICORN,
        "-k",
        "gthread",
        "--threads",
        "4",
        "test_process:make_wsgi()",
    ],
}


@pytest.mark.parametrize("name", SERVERS)
def test_every_worker_decides_with_its_own_keys(idp: Idp, tmp_path: Path, name: str) -> None:
    # The master of gunicorn has keys and threads when it forks: that is the hard case.
    warm = {"FETCH_BEFORE_FORK": "1"} if name.startswith("gunicorn") else {}
    with serve_process(SERVERS[name], idp.issuer, tmp_path, **warm) as service:
        for before in service.ask_all("/state"):
            assert before["fetches"] == 0
        after = service.ask_all("/me", idp.bearer())
        assert [body["fetches"] for body in after] == [1, 1]
        assert [body["threads"] for body in after] == [2, 2]
        # Each worker notices a new key by itself.
        idp.rotate()
        for body in service.ask_all("/me", idp.bearer("bob")):
            assert body["fetches"] == 2
        status, body = service.get("/me", idp.bearer(flaw="wrong-key"))
        assert (status, body["code"]) == (401, "token.signature")
        assert service.stop() < 10
        for body in after:
            with pytest.raises(ProcessLookupError):
                os.kill(body["process"], 0)


def test_a_client_that_disconnects_ends_its_wait(idp: Idp, tmp_path: Path) -> None:
    # Gunicorn's own workers cancel the handler. Uvicorn only tells it, and FastAPI does not listen.
    command = ["gunicorn", "--bind", "fd://{port}", "-k", "asgi"]
    command += ["--asgi-disconnect-grace-period", "0", "test_process:make_asgi()"]
    with serve_process(command, idp.issuer, tmp_path) as service:
        with callers_without_keys(idp, service, 1900) as callers:
            waits = service.get("/state")[1]["tasks"]
            for caller in callers:
                caller.close()
            wait_until(lambda: service.get("/state")[1]["tasks"] <= waits - CALLERS)
            # The fetch is everybody's: without it the waits would have ended by themselves.
            assert service.get("/state")[1]["fetches"] == 1
        assert service.stop() < 10


def test_a_stop_lets_waiting_callers_have_their_response(idp: Idp, tmp_path: Path) -> None:
    with (
        serve_process(UVICORN, idp.issuer, tmp_path) as service,
        callers_without_keys(idp, service, 1000) as callers,
    ):
        assert service.stop() < 10
        for caller in callers:
            assert caller.recv(65_536).startswith(b"HTTP/1.1 200 ")


SCRIPT = """
import asyncio, sys, threading
from portcullis_auth import Server

headers = {"authorization": f"Bearer {sys.argv[1]}"}
server = Server.from_env()
threading.Thread(target=server.decide_blocking, args=(headers,), daemon=True).start()

async def leave():
    server.decide(headers)

asyncio.run(leave())
print("the end")
"""


def test_a_process_ends_while_decisions_wait(idp: Idp) -> None:
    token = idp.token()
    idp.fault(jwks="slow:60000")
    settings = {"OAUTH2_ISSUER": idp.issuer, "OAUTH2_AUDIENCE": AUDIENCE}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, token],
        env={**os.environ, **settings},
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"the end\n", b"")


@pytest.fixture
def oidc_provider() -> Iterator[str]:
    """The issuer of a certified provider in JavaScript."""
    folder = Path(os.environ.get("PORTCULLIS_OIDC_PROVIDER", OIDC_PROVIDER))
    node = shutil.which("node")
    if node is None:
        pytest.skip("no tokens of oidc-provider were checked: Node.js is missing")
    if not (folder / "node_modules").is_dir():
        pytest.skip(f"no tokens of oidc-provider were checked: run `npm ci` in {folder}")
    process = subprocess.Popen([node, "server.mjs"], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["issuer"]
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_tokens_of_a_certified_provider_are_accepted(oidc_provider: str, tmp_path: Path) -> None:
    form = {"grant_type": "client_credentials", "scope": "orders:read"}
    request = Request(f"{oidc_provider}/token", urlencode(form).encode())
    request.add_header("authorization", "Basic c2VydmljZTpzZXJ2aWNlLXNlY3JldA==")
    with urlopen(request, timeout=PATIENCE) as response:
        token = json.load(response)["access_token"]
    command = [*GUNICORN, "-k", "sync", "test_process:make_wsgi()"]
    with serve_process(command, oidc_provider, tmp_path) as service:
        for body in service.ask_all("/me", {"authorization": f"Bearer {token}"}):
            assert body["subject"] == "service"
        status, body = service.get("/me", {"authorization": f"Bearer {token[:-8]}AAAAAAAA"})
        assert (status, body["code"]) == (401, "token.signature")
