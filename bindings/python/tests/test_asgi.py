"""The route table in front of an application of ASGI."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from conftest import AUDIENCE, Idp
from portcullis_auth import Server
from portcullis_auth._portcullis import _count_waits
from portcullis_auth.asgi import PortcullisMiddleware, token_of
from serving import serve

ROUTES = """
[gateway.identity.headers]
x-auth-subject = "subject"
x-auth-roles = "roles"

[[route]]
path = "/public/**"
access = "public"

[[route]]
path = "/admin/**"
require = { role = "Admin" }

[[route]]
path = "/guests"
access = "optional"

[[route]]
path = "/orders"
methods = ["POST"]
require = { scope = "orders:write" }
"""


class Ends:
    """How the connections of the application ended."""

    def __init__(self) -> None:
        self.seen: list[Any] = []


def application(ends: Ends) -> Starlette:
    async def tell(request: Request) -> JSONResponse:
        token = token_of(request.scope)
        headers = [list(pair) for pair in request.headers.items() if pair[0].startswith("x")]
        return JSONResponse({"caller": token.name if token else None, "headers": headers})

    async def stream(_request: Request) -> StreamingResponse:
        async def numbers() -> AsyncIterator[str]:
            try:
                for number in range(10_000):
                    yield f"data: {number}\n\n"
                    await asyncio.sleep(0.05)
            finally:
                ends.seen.append("stream")

        return StreamingResponse(numbers(), media_type="text/event-stream")

    async def silent(_request: Request) -> StreamingResponse:
        async def nothing() -> AsyncIterator[str]:
            try:
                yield "data: first\n\n"
                await asyncio.Event().wait()
            finally:
                ends.seen.append("silent")

        return StreamingResponse(nothing(), media_type="text/event-stream")

    async def echo(websocket: WebSocket) -> None:
        chosen = next(iter(websocket.scope["subprotocols"]), None)
        await websocket.accept(subprotocol=chosen)
        token = token_of(websocket.scope)
        await websocket.send_text(token.name if token else "nobody")
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect as end:
            ends.seen.append(end.code)

    methods = ["GET", "POST", "PUT"]
    return Starlette(
        routes=[
            Route("/events", stream),
            Route("/silent", silent),
            WebSocketRoute("/admin/live", echo),
            WebSocketRoute("/live", echo),
            Route("/{path:path}", tell, methods=methods),
        ]
    )


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def routed(idp: Idp) -> Server:
    issuer = f'[[issuer]]\nurl = "{idp.issuer}"\naudience = "{AUDIENCE}"\n'
    return Server.from_toml(issuer + ROUTES)


@pytest.fixture
def address(routed: Server, ends: Ends) -> Iterator[str]:
    with serve(PortcullisMiddleware(application(ends), routed)) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://{address}") as client:
        yield client


def test_routes_say_who_may_call(idp: Idp, client: httpx2.Client) -> None:
    alice, bob = idp.bearer("alice"), idp.bearer("bob")
    writer = idp.bearer("bob", scope="orders:write")
    for method, path, headers, expected in [
        ("GET", "/public/a", {}, 200),
        ("GET", "/other", {}, 401),
        ("GET", "/other", bob, 200),
        ("GET", "/admin/a", bob, 403),
        ("GET", "/admin/a", alice, 200),
        ("GET", "/guests", {}, 200),
        ("GET", "/guests", {"authorization": "Bearer x"}, 401),
        ("GET", "/orders", bob, 200),
        ("POST", "/orders", bob, 403),
        ("POST", "/orders", writer, 200),
    ]:
        response = client.request(method, path, headers=headers)
        assert response.status_code == expected, (method, path)
    assert client.get("/other", headers=alice).json()["caller"] == "Alice Adams"
    assert client.get("/guests").json() == {"caller": None, "headers": []}


def test_the_application_gets_the_headers_of_the_gateway_and_no_forged_ones(
    idp: Idp, client: httpx2.Client
) -> None:
    forged = {"X-Auth-Roles": "Admin", "x_auth_subject": "root", "X-Auth-Tenant": "t", "X-A": "1"}
    seen = client.get("/public/a", headers=forged).json()["headers"]
    assert seen == [["x-a", "1"]]
    seen = client.get("/other", headers={**idp.bearer("alice"), **forged}).json()["headers"]
    names = [name for name, _ in seen]
    assert names == ["x-a", "x-auth-roles", "x-auth-subject"]
    assert ["x-auth-roles", "Admin"] in seen


@pytest.mark.parametrize(
    "path",
    [
        "/public/../admin/a",
        "/public/%2e%2e/admin/a",
        "/public%2f..%2fadmin%2fa",
        "/admin%2fa",
        "/public//admin",
        "/public/a;b",
        "/public/a%5cb",
        "/public/%252e%252e/admin/a",
        "/public/%ff",
    ],
)
def test_a_path_with_two_readings_is_refused(address: str, path: str) -> None:
    assert raw(address, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 400


def test_a_path_is_decided_on_as_the_application_sees_it(idp: Idp, address: str) -> None:
    for path in ("/%61dmin/a", "/adm%69n/a", "/admin/%41"):
        status, _ = raw(address, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
        assert status == 401, path
    assert raw(address, "GET /p%75blic/%C3%A4 HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200
    assert raw(address, "GET /public/a HTTP/1.1\r\nHost: a b\r\n\r\n")[0] == 400


def test_a_rewritten_path_is_decided_on_as_it_is_now(routed: Server) -> None:
    """A middleware before may change the path: the raw one is then another one's."""
    statuses = []

    async def scenario(path: str, raw_path: bytes) -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": raw_path,
            "query_string": b"",
            "headers": [(b"host", b"a")],
            "client": ("192.0.2.1", 1),
        }

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        await PortcullisMiddleware(application(Ends()), routed)(scope, receive, send)

    for path, raw_path in [
        ("/admin/a", b"/public/a"),
        ("/public/a", b"/admin/a"),
        ("/admin/ä b", b"/public/a"),
    ]:
        asyncio.run(scenario(path, raw_path))
    assert statuses == [401, 200, 401]


@pytest.mark.parametrize("prefix", ["/api", "/pub"])
def test_routes_name_the_paths_that_the_application_routes_by(
    idp: Idp, routed: Server, prefix: str
) -> None:
    """FastAPI serves both, with its prefix and without."""
    app = FastAPI()
    app.add_api_route("/admin/a", lambda: "admin")
    app.add_api_route("/public/a", lambda: "public")
    app.add_middleware(PortcullisMiddleware, server=routed)
    client = TestClient(app, root_path=prefix)
    bob = idp.bearer("bob")
    for path in ("/admin/a", f"{prefix}/admin/a"):
        assert client.get(path, headers=bob).status_code == 403, path
        assert client.get(path, headers=idp.bearer("alice")).json() == "admin", path
    for path in ("/public/a", f"{prefix}/public/a"):
        assert client.get(path).json() == "public", path
    # A path that only begins with the same letters has no prefix.
    assert client.get(f"{prefix}x/admin/a", headers=bob).status_code == 404


def test_a_prefix_that_frameworks_read_in_two_ways_lets_nobody_in(routed: Server) -> None:
    app = FastAPI()
    app.add_api_route("/public/a", lambda: "public")
    app.add_middleware(PortcullisMiddleware, server=routed)
    client = TestClient(app, root_path="/public/")
    with pytest.raises(ValueError, match="without a slash at its end"):
        client.get("/public/a")


def test_an_application_with_a_prefix_of_its_own_is_not_wrapped(routed: Server) -> None:
    app = FastAPI()
    # As the deprecated argument of FastAPI sets it.
    app.root_path = "/api"
    with pytest.raises(ValueError, match="expected an application without root_path"):
        PortcullisMiddleware(app, routed)


def test_a_mounted_application_is_decided_on_by_its_own_paths(idp: Idp, routed: Server) -> None:
    inner = Starlette(routes=[Route("/admin/a", lambda _request: JSONResponse("in"))])
    outer = Starlette(routes=[Mount("/public", PortcullisMiddleware(inner, routed))])
    client = TestClient(outer)
    assert client.get("/public/admin/a").status_code == 401
    assert client.get("/public/admin/a", headers=idp.bearer("alice")).json() == "in"


def raw(address: str, request: str) -> tuple[int, bytes]:
    """The status and the body of the answer to these bytes."""
    import socket

    host, port = address.split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(
            request.encode("latin-1").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_denials_are_problem_documents(idp: Idp, client: httpx2.Client) -> None:
    response = client.get("/other", headers={"x-request-id": "r-1"})
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    problem = response.json()
    assert (problem["code"], problem["request_id"]) == ("credential.missing", "r-1")
    idp.fault(metadata="500")
    response = client.get("/other", headers=idp.bearer())
    assert (response.status_code, response.json()["code"]) == (503, "outage.metadata")
    assert int(response.headers["retry-after"]) > 0
    assert "www-authenticate" not in response.headers


def test_a_caller_who_keeps_failing_has_to_wait(routed: Server) -> None:
    headers = {"host": "a", "authorization": "Bearer x"}
    from portcullis_auth import Refusal

    codes = set()
    for _ in range(400):
        with pytest.raises(Refusal) as refused:
            routed.admit("GET", "/other", headers, "192.0.2.7")
        codes.add((refused.value.status, refused.value.code))
    assert (429, "request.refused_too_often") in codes
    with pytest.raises(Refusal) as refused:
        routed.admit("GET", "/other", headers, "192.0.2.8")
    assert refused.value.status == 401


def run(scenario: Any) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30))


async def exhaust(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


def test_websockets_are_decided_on_by_their_route(idp: Idp, address: str) -> None:
    async def scenario() -> None:
        protocols = ["bearer", idp.token("alice")]
        async with connect(f"ws://{address}/admin/live", subprotocols=protocols) as socket:
            assert socket.subprotocol == "bearer"
            assert await socket.recv() == "Alice Adams"
        protocols = ["bearer", idp.token("bob"), "chat"]
        async with connect(f"ws://{address}/live", subprotocols=protocols) as socket:
            assert socket.subprotocol == "chat"
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{address}/admin/live", subprotocols=protocols)
        response = refused.value.response
        assert response.status_code == 403
        assert json.loads(bytes(response.body or b""))["code"] == "policy.role"

    run(scenario())


def test_a_websocket_ends_with_its_token(idp: Idp, address: str, ends: Ends) -> None:
    async def scenario() -> None:
        headers = idp.bearer(lifetime=2)
        async with connect(f"ws://{address}/live", additional_headers=headers) as socket:
            with pytest.raises(ConnectionClosed):
                await exhaust(socket)
            assert (socket.close_code, socket.close_reason) == (1008, "the access token expired")
        while not ends.seen:
            await asyncio.sleep(0.01)

    run(scenario())


@pytest.mark.parametrize("path", ["/events", "/silent"])
def test_a_stream_of_events_ends_with_its_token(
    idp: Idp, address: str, ends: Ends, path: str
) -> None:
    async def scenario() -> None:
        async with httpx2.AsyncClient(timeout=20) as client:
            url, headers = f"http://{address}{path}", idp.bearer(lifetime=2)
            async with client.stream("GET", url, headers=headers) as response:
                lines = [line async for line in response.aiter_lines() if line]
        assert 1 <= len(lines) < 60
        while not ends.seen:
            await asyncio.sleep(0.01)

    run(scenario())


def test_nobody_waits_for_the_tokens_of_connections_that_are_over(
    idp: Idp, routed: Server, address: str
) -> None:
    async def scenario() -> None:
        headers = idp.bearer()
        url = f"http://{address}/events"
        async with httpx2.AsyncClient() as client, AsyncExitStack() as streams:
            await client.get(f"http://{address}/other", headers=headers)
            before = _count_waits()
            lines = []
            for _ in range(10):
                opening = client.stream("GET", url, headers=headers)
                response = await streams.enter_async_context(opening)
                # Forgotten, it would close the response.
                lines.append(response.aiter_lines())
                await anext(lines[-1])
            assert _count_waits() >= before + 10
            await streams.aclose()
            while _count_waits() > before:
                await asyncio.sleep(0.01)

    run(scenario())


def test_a_lifespan_passes_and_anything_else_does_not(routed: Server) -> None:
    passed = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope["type"])

    async def nothing(*_arguments: Any) -> Any:
        return {}

    middleware = PortcullisMiddleware(app, routed)
    asyncio.run(middleware({"type": "lifespan"}, nothing, nothing))
    with pytest.raises(ValueError, match="expected http, websocket or lifespan"):
        asyncio.run(middleware({"type": "webtransport"}, nothing, nothing))
    assert passed == ["lifespan"]


def test_nobody_knows_the_caller_without_a_middleware() -> None:
    with pytest.raises(LookupError):
        token_of({"type": "http"})
