"""Calls an application without a server, and measures its processor time.

A request is a line on standard input, `{"tokens": [...], "repeat": 1}`; a response is a line on
standard output: the microseconds for each call. The process belongs to `compare.py`.
"""

import asyncio
import importlib
import json
import sys
import time
from typing import Any

from fastapi import FastAPI


def scope_for(token: str) -> dict[str, Any]:
    """A request as uvicorn hands it over, with the headers of a browser's `fetch`."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "method": "GET",
        "path": "/me",
        "raw_path": b"/me",
        "query_string": b"",
        "headers": [
            (b"host", b"api.example"),
            (b"user-agent", b"bench"),
            (b"accept", b"application/json"),
            (b"accept-encoding", b"gzip"),
            (b"authorization", b"Bearer " + token.encode()),
        ],
        "state": {},
    }


async def receive() -> dict[str, Any]:
    """An empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def call(app: FastAPI, scope: dict[str, Any]) -> None:
    """One request. It fails loudly: a refusal is quick, and would look like a good figure."""

    async def send(message: Any) -> None:  # noqa: ANN401
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"expected status 200, found {message['status']}")

    await app(scope, receive, send)


async def measure(app: FastAPI, tokens: list[str], repeat: int) -> float:
    """The microseconds of processor time for each call, all threads included."""
    scopes = [scope_for(token) for token in tokens for _ in range(repeat)]
    began = time.process_time()
    for scope in scopes:
        await call(app, scope)
    return (time.process_time() - began) / len(scopes) * 1e6


async def main(module: str) -> None:
    """Answers until standard input ends."""
    app = importlib.import_module(module).make_app()
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(await measure(app, **json.loads(line)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
