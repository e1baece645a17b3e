"""A key that rotates under load, while the provider is slow."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.request import urlopen

from fastapi import Depends, FastAPI

from conftest import Idp
from portcullis_auth.fastapi import Portcullis, Token
from serving import PATIENCE, serve_process

CONNECTIONS = 250
"""Open at the same time: few enough for the descriptors of any machine."""
REQUESTS = 20
"""On each connection, one after the other."""
TOKENS = 100
"""Different tokens of each key."""
TICK = 0.002
"""Seconds between two looks at the clock."""


def make_app() -> FastAPI:
    """A protected application that notes the longest pause of its loop."""
    auth = Portcullis()
    longest = 0.0
    ticks = 0

    async def tick() -> None:
        nonlocal longest, ticks
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK)
            longest = max(longest, time.monotonic() - before - TICK)
            ticks += 1

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.create_task(tick())
        yield
        ticking.cancel()

    app = FastAPI(lifespan=lifespan)
    auth.install(app)

    @app.get("/me")
    async def me(token: Annotated[Token, Depends(auth)]):
        return token.subject

    @app.get("/loop")
    async def loop():
        nonlocal longest
        seen, longest = longest, 0.0
        return {"pause": seen, "ticks": ticks}

    return app


@dataclass
class Response:
    """A response, as far as the test looks at it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """A connection that stays open, as a client's pool has it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def get(self, path: str, token: str) -> Response:
        request = f"GET {path} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\n\r\n"
        self.writer.write(request.encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        pairs = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in pairs}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return Response(int(head[0].split()[1]), headers, body)


@dataclass
class Tally:
    """Which responses came, in their order."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    wrong: list[Response] = field(default_factory=list)

    def add(self, key: str, response: Response) -> None:
        self.statuses[key, response.status] += 1
        if response.status == 200:
            self.order.append(key)
        elif key == "old" or not is_outage(response):
            self.wrong.append(response)


def is_outage(response: Response) -> bool:
    """Whether a response says that the keys did not come in time, in the documented way."""
    return (
        response.status == 503
        and int(response.headers["retry-after"]) > 0
        and "www-authenticate" not in response.headers
        and json.loads(response.body)["code"] == "outage.keys"
    )


async def call(port: int, key: str, tokens: list[str], tally: Tally) -> None:
    """Sends the requests of one connection. One that met the outage is sent again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connection = Connection(reader, writer)
    for number in range(REQUESTS):
        token = tokens[number % len(tokens)]
        response = await connection.get("/me", token)
        tally.add(key, response)
        if response.status == 503:
            tally.add(key, await connection.get("/me", token))
    writer.close()
    await writer.wait_closed()


async def call_all(port: int, tokens: dict[str, list[str]]) -> Tally:
    tally = Tally()
    keys = list(tokens)
    async with asyncio.timeout(4 * PATIENCE), asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            key = keys[number % len(keys)]
            # Each connection begins with another token.
            begin = number % TOKENS
            own = tokens[key][begin:] + tokens[key][:begin]
            group.create_task(call(port, key, own, tally))
    return tally


def rotate_with_overlap(idp: Idp) -> None:
    """Signs with a new key from now on. The old one stays published, as providers have it."""
    with urlopen(f"{idp.issuer}/dev/rotate", b"overlap=true", timeout=10) as response:
        assert response.status == 204


def test_a_slow_rotation_refuses_nobody_and_stops_nothing(idp: Idp, tmp_path: Path) -> None:
    command = ["uvicorn", "--fd", "{port}", "--factory", "test_rotation:make_app"]
    with serve_process(command, idp.issuer, tmp_path) as service:
        tokens = {"old": [idp.token() for _ in range(TOKENS)]}
        first = {"authorization": f"Bearer {tokens['old'][0]}"}
        assert service.get("/me", first)[0] == 200
        idp.fault(jwks="slow:2000")
        rotate_with_overlap(idp)
        tokens["new"] = [idp.token() for _ in range(TOKENS)]
        service.get("/loop")
        tally = asyncio.run(call_all(service.port, tokens))
        loop = service.get("/loop")[1]
        service.stop()
    print(f"longest pause {loop['pause'] * 1000:.1f} ms, {dict(tally.statuses)}")
    assert tally.wrong == []
    good = CONNECTIONS * REQUESTS // 2
    assert tally.statuses["old", 200] == tally.statuses["new", 200] == good
    # Tokens of the known key do not wait for the other one.
    assert tally.order.index("new") > 50
    # A loop that waits for the keys pauses for two seconds.
    assert loop["pause"] < 1.5
