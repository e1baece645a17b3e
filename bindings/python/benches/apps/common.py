"""The parts that all applications of the bench share."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import urlopen

from fastapi import FastAPI

ISSUER = os.environ["OAUTH2_ISSUER"]
AUDIENCE = os.environ["OAUTH2_AUDIENCE"]
METADATA = f"{ISSUER}/.well-known/openid-configuration"
TICK = 0.001
"""Seconds between two looks at the clock of the loop."""


def bare_app() -> FastAPI:
    """An application without the endpoint. With WATCH_LOOP it reports the pauses of its loop."""
    # Only on demand, because looking at the clock costs processor time.
    if "WATCH_LOOP" not in os.environ:
        return FastAPI()
    pauses: list[float] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.create_task(_tick(pauses))
        yield
        ticking.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.get("/pauses")
    async def read_pauses() -> list[float]:
        seen = sorted(pauses)
        pauses.clear()
        return seen

    return app


async def _tick(pauses: list[float]) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(TICK)
        pauses.append(time.monotonic() - before - TICK)


def jwks_uri() -> str:
    """Where the issuer's keys are."""
    return str(_fetch(METADATA)["jwks_uri"])


def fetch_key_set() -> dict[str, Any]:
    """The issuer's keys, fetched once: as quick as a cache can be."""
    return _fetch(jwks_uri())


def _fetch(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=10) as response:
        document: dict[str, Any] = json.load(response)
    return document
