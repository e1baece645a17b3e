"""WebSockets and streams that end with their token, through a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from conftest import Idp
from portcullis_auth import Server
from portcullis_auth._portcullis import _count_waits
from portcullis_auth.fastapi import Portcullis, Token
from serving import serve


class Events:
    """What the application saw of its connections."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, str]] = []
        self.subprotocols: list[str] = []


def application(auth: Portcullis, events: Events) -> FastAPI:
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(websocket: WebSocket, token: Annotated[Token, Depends(auth)]):
        events.subprotocols = websocket.scope["subprotocols"]
        await websocket.accept()
        await websocket.send_text(token.name)
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect as end:
            events.ends.append((end.code, end.reason))

    @app.websocket("/admin")
    async def admin(websocket: WebSocket, _token: Annotated[Token, auth.require(role="Admin")]):
        await websocket.accept(subprotocol="chat")
        await websocket.close()

    @app.websocket("/guests")
    async def guests(websocket: WebSocket, token: Annotated[Token | None, Depends(auth.optional)]):
        await websocket.accept()
        await websocket.send_text(token.name if token else "guest")
        await websocket.close()

    @app.websocket("/flood")
    async def flood(websocket: WebSocket, _token: Annotated[Token, Depends(auth)]):
        await websocket.accept()
        try:
            while True:
                await websocket.send_text("x")
                await asyncio.sleep(0.01)
        except WebSocketDisconnect as end:
            events.ends.append((end.code, end.reason))

    @app.get("/events")
    async def stream(token: Annotated[Token, Depends(auth)]):
        async def numbers() -> AsyncIterator[str]:
            number = 0
            try:
                while True:
                    yield f"data: {number}\n\n"
                    number += 1
                    await asyncio.sleep(0.05)
            finally:
                events.ends.append((number, "stream"))

        return StreamingResponse(auth.until_end(token, numbers()), media_type="text/event-stream")

    return app


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def auth(server: Server) -> Portcullis:
    return Portcullis(server)


@pytest.fixture(params=["installed", "plain"])
def address(request: pytest.FixtureRequest, auth: Portcullis, events: Events) -> Iterator[str]:
    app = application(auth, events)
    if request.param == "installed":
        auth.install(app)
    with serve(app) as address:
        yield address


async def exhaust(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


def run(scenario: Any) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30))


def test_a_websocket_is_opened_by_header_and_by_subprotocol(
    idp: Idp, address: str, events: Events
) -> None:
    async def scenario() -> None:
        async with connect(f"ws://{address}/echo", additional_headers=idp.bearer()) as socket:
            assert await socket.recv() == "Alice Adams"
            await socket.send("ping")
            assert await socket.recv() == "ping"
        protocols = ["bearer", idp.token()]
        async with connect(f"ws://{address}/echo", subprotocols=protocols) as socket:
            assert socket.subprotocol == "bearer"
            assert await socket.recv() == "Alice Adams"
        assert events.subprotocols == []
        protocols = ["chat", "bearer", idp.token()]
        async with connect(f"ws://{address}/admin", subprotocols=protocols) as socket:
            assert socket.subprotocol == "chat"
        async with connect(f"ws://{address}/guests") as socket:
            assert await socket.recv() == "guest"
        async with connect(f"ws://{address}/guests", subprotocols=protocols) as socket:
            assert await socket.recv() == "Alice Adams"

    run(scenario())


def test_a_websocket_without_a_good_token_is_refused(
    request: pytest.FixtureRequest, idp: Idp, address: str
) -> None:
    installed = "installed" in request.node.name

    async def refusal(path: str, **arguments: Any) -> tuple[int, str | None]:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{address}{path}", **arguments)
        response = refused.value.response
        body = bytes(response.body or b"")
        return response.status_code, json.loads(body)["code"] if body else None

    async def scenario() -> None:
        expired = idp.bearer(flaw="expired")
        bob = idp.bearer("bob")
        both = {"subprotocols": ["bearer", idp.token()], "additional_headers": idp.bearer()}
        refusals = [
            (("/echo", {}), (401, "credential.missing")),
            (("/echo", {"additional_headers": expired}), (401, "token.expired")),
            (("/echo", {"subprotocols": ["bearer"]}), (400, "credential.malformed")),
            (("/echo", both), (400, "credential.repeated")),
            (("/admin", {"additional_headers": bob}), (403, "policy.role")),
            (("/guests", {"additional_headers": expired}), (401, "token.expired")),
        ]
        for (path, arguments), expected in refusals:
            # Without `install`, a refused handshake is 403, whatever the reason.
            expected = expected if installed else (403, None)
            assert await refusal(path, **arguments) == expected, (path, arguments)
        idp.fault(metadata="500")

    run(scenario())


@pytest.mark.parametrize("path", ["/echo", "/flood"])
def test_a_websocket_ends_with_its_token(idp: Idp, address: str, events: Events, path: str) -> None:
    async def scenario() -> None:
        headers = idp.bearer(lifetime=2)
        async with connect(f"ws://{address}{path}", additional_headers=headers) as socket:
            with pytest.raises(ConnectionClosed):
                await exhaust(socket)
            assert socket.close_code == 1008
            assert socket.close_reason == "the access token expired"
        while not events.ends:
            await asyncio.sleep(0.01)
        assert events.ends == [(1008, "the access token expired")]

    run(scenario())


def test_a_websocket_ends_with_the_revocation_of_its_token(
    idp: Idp, server: Server, address: str
) -> None:
    async def scenario() -> None:
        headers = idp.bearer()
        async with connect(f"ws://{address}/echo", additional_headers=headers) as socket:
            await socket.recv()
            await asyncio.to_thread(server.revoke_blocking, token=server.decide_blocking(headers))
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert (socket.close_code, socket.close_reason) == (
                1008,
                "the access token was revoked",
            )

    run(scenario())


def test_a_stream_ends_with_its_token(idp: Idp, address: str, events: Events) -> None:
    async def scenario() -> None:
        async with httpx2.AsyncClient() as client:
            url = f"http://{address}/events"
            headers = idp.bearer(lifetime=2)
            async with client.stream("GET", url, headers=headers) as response:
                assert response.status_code == 200
                lines = [line async for line in response.aiter_lines() if line]
        assert 5 < len(lines) < 60
        assert events.ends

    run(scenario())


def test_nobody_waits_for_the_token_of_a_websocket_that_is_over(
    idp: Idp, server: Server, address: str
) -> None:
    async def scenario() -> None:
        await asyncio.to_thread(server.decide_blocking, idp.bearer())
        before = _count_waits()
        sockets = [
            await connect(f"ws://{address}/echo", additional_headers=idp.bearer())
            for _ in range(10)
        ]
        for socket in sockets:
            await socket.recv()
        assert _count_waits() >= before + 10
        for socket in sockets:
            await socket.close()
        while _count_waits() > before:
            await asyncio.sleep(0.01)

    run(scenario())


def test_nobody_waits_for_the_token_of_a_stream_that_is_over(
    idp: Idp, server: Server, auth: Portcullis
) -> None:
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(3):
                yield number
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def scenario() -> None:
        token = await asyncio.to_thread(server.decide_blocking, idp.bearer())
        before = _count_waits()

        async def read(into: list[int]) -> None:
            async for number in auth.until_end(token, numbers()):
                into.append(number)

        seen: list[list[int]] = [[] for _ in range(10)]
        readers = [asyncio.ensure_future(read(into)) for into in seen]
        while any(into != [0, 1, 2] for into in seen):
            await asyncio.sleep(0.01)
        assert _count_waits() >= before + 10
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
        assert len(closed) == 10
        while _count_waits() > before:
            await asyncio.sleep(0.01)

        async def few() -> AsyncIterator[int]:
            yield 1

        assert [number async for number in auth.until_end(token, few())] == [1]
        while _count_waits() > before:
            await asyncio.sleep(0.01)

    run(scenario())
