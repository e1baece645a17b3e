"""Servers that run while a test does: on a thread, or as processes with workers."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import uvicorn

from conftest import AUDIENCE

TESTS = Path(__file__).parent
PATIENCE = 30
"""Seconds until a test gives up. A busy machine needs some of them."""


@contextmanager
def serve(app: Any, **settings: Any) -> Iterator[str]:
    """An ASGI application behind uvicorn, on a thread; its address."""
    settings = {"lifespan": "off", "log_level": "warning", **settings}
    server = uvicorn.Server(uvicorn.Config(app, port=0, **settings))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not (server.started and server.servers):
        assert thread.is_alive()
        threading.Event().wait(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        pass


@contextmanager
def serve_wsgi(app: Any) -> Iterator[str]:
    """A WSGI application behind a server, on a thread; its address."""
    server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def wait_until(observe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not observe():
        if time.monotonic() > deadline:
            raise TimeoutError("the expected state never came")
        time.sleep(0.01)


class Service:
    """A server with its workers, on a port of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """The status and the body of a response, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def ask_all(
        self, path: str, headers: dict[str, str] | None = None, workers: int = 2
    ) -> list[dict[str, Any]]:
        """The first body from each worker."""
        bodies: dict[int, dict[str, Any]] = {}

        def ask(_: int) -> None:
            status, body = self.get(path, headers)
            assert status == 200, (body, self.log.read_text())
            bodies.setdefault(body["process"], body)

        deadline = time.monotonic() + PATIENCE
        # Several at once: one connection after the other often meets the same worker.
        with ThreadPoolExecutor(4) as callers:
            while len(bodies) < workers:
                assert time.monotonic() < deadline, "a worker does not answer"
                list(callers.map(ask, range(8)))
        assert len(bodies) == workers
        return list(bodies.values())

    def stop(self) -> float:
        """Stops the server as a platform does. The result is how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        # Uvicorn ends by the signal that it caught.
        assert code in (0, -signal.SIGTERM), self.log.read_text()
        return time.monotonic() - began


@contextmanager
def serve_process(
    command: list[str], issuer: str, folder: Path, **environment: str
) -> Iterator[Service]:
    """Runs a server as a process. `{port}` in its command becomes the descriptor of its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    descriptor = str(listener.fileno())
    path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *(part.replace("{port}", descriptor) for part in command)],
            env={
                **os.environ,
                "PYTHONPATH": path,
                "OAUTH2_ISSUER": issuer,
                "OAUTH2_AUDIENCE": AUDIENCE,
                **environment,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    port = listener.getsockname()[1]
    # Open here, it would keep connections waiting for a server that is gone.
    listener.close()
    try:
        yield Service(process, port, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
