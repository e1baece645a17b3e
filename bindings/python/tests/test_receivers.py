"""Receivers of logouts and security events: the development provider sends, and tokens end."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from flask import Flask
from starlette.websockets import WebSocketDisconnect

from portcullis_auth import Refusal, Server, receivers
from portcullis_auth.asgi import PortcullisMiddleware, ReceiversMiddleware
from portcullis_auth.client import UserSession
from portcullis_auth.fastapi import Portcullis, Token
from portcullis_auth.flask import Portcullis as FlaskPortcullis
from portcullis_auth.testing import Idp
from portcullis_auth.wsgi import ReceiversMiddleware as WsgiReceivers
from serving import serve, serve_wsgi, wait_until

SECRET = "Bearer for-the-receiver"
PUSH = {"authorization": SECRET, "content-type": "application/secevent+jwt"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Later:
    """An application that is made after its address is known."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def address(later: Later) -> Iterator[str]:
    with serve(later) as served:
        yield f"http://{served}"


@pytest.fixture
def idp(address: str) -> Iterator[Idp]:
    """A provider that tells the application of logouts."""
    web = {
        "redirect_uris": ["http://127.0.0.1/callback"],
        "backchannel_logout_uri": f"{address}/.portcullis/logout",
    }
    service = {"secret": "service-secret", "scopes": ["ssf.manage"]}
    with Idp(clients={"web": web, "service": service}) as running:
        yield running


@pytest.fixture
def server(idp: Idp, tmp_path: Path) -> Server:
    secret = tmp_path / "authorization"
    secret.write_text(SECRET)
    stream = {
        "name": "idp",
        "issuer": idp.issuer,
        "audience": "service",
        "authorization_file": str(secret),
    }
    return idp.server(issuer={"logout": {"clients": ["web"]}}, events=[stream])


def guarded(server: Server) -> FastAPI:
    """An application of FastAPI whose operations need a token, and whose receivers do not."""
    auth = Portcullis(server)
    app = FastAPI()

    @app.get("/orders")
    async def orders(token: Annotated[Token, Depends(auth)]) -> str:
        return token.name

    app.mount("/.portcullis", receivers(auth))
    return app


def status_of(client: TestClient, token: str) -> int:
    return client.get("/orders", headers=bearer(token)).status_code


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def create_stream(idp: Idp, address: str) -> None:
    """A stream of the client ``service``, pushed to the application."""
    token = idp.client("service").token_blocking("ssf.manage")
    wanted = {
        "events_requested": [
            "https://schemas.openid.net/secevent/caep/event-type/credential-change",
            "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        ],
        "delivery": {
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": f"{address}/.portcullis/events/idp",
            "authorization_header": SECRET,
        },
    }
    headers = bearer(token.text)
    answer = httpx2.post(f"{idp.issuer}/ssf/streams", json=wanted, headers=headers)
    assert answer.status_code == 201, answer.text


def test_a_logout_ends_the_tokens_of_its_session(
    later: Later, server: Server, idp: Idp, address: str
) -> None:
    later.app = guarded(server)
    session = UserSession(idp.client("web", None), idp.sign_in("alice"))
    signed_in = session.token_blocking().text
    with TestClient(later.app) as client:
        assert status_of(client, signed_in) == 200
        other = idp.token("alice")
        assert status_of(client, other) == 200
        notices = idp.logout("alice")
        assert [notice["status"] for notice in notices] == [200], notices
        assert status_of(client, signed_in) == 401
        # Of the same person, but of no session that ended.
        assert status_of(client, other) == 200


def test_an_event_that_is_pushed_ends_tokens(
    later: Later, server: Server, idp: Idp, address: str
) -> None:
    later.app = guarded(server)
    create_stream(idp, address)
    alice, bob = idp.token("alice"), idp.token("bob")
    with TestClient(later.app) as client:
        assert (status_of(client, alice), status_of(client, bob)) == (200, 200)
        sent = idp.send_event("alice", "account-disabled")
        assert [it["status"] for it in sent] == [202], sent
        assert (status_of(client, alice), status_of(client, bob)) == (401, 200)
        idp.send_event("bob", "credential-change", change_type="revoke")
        assert status_of(client, bob) == 401


def test_what_is_no_event_is_refused(server: Server) -> None:
    with TestClient(guarded(server)) as client:
        path = "/.portcullis/events/idp"
        for headers, body, code in [
            ({**PUSH, "authorization": "Bearer other"}, b"a.b.c", "authentication_failed"),
            (PUSH, b"a.b.c", "invalid_request"),
            ({**PUSH, "content-type": "text/plain"}, b"a.b.c", "invalid_request"),
        ]:
            answer = client.post(path, content=body, headers=headers)
            assert (answer.status_code, answer.json()["err"]) == (400, code)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["content-type"] == "application/json"
        answer = client.post("/.portcullis/logout", content=b"logout_token=a.b.c", headers=FORM)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert client.get("/.portcullis/logout").status_code == 405
        assert client.get("/.portcullis/logout").headers["allow"] == "POST"
        for other in ("/.portcullis/events/other", "/.portcullis/logout/", "/.portcullis/x"):
            assert client.post(other, content=b"a.b.c", headers=PUSH).status_code == 404
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/.portcullis/logout"):
            pass


def test_a_body_is_bounded(server: Server) -> None:
    def in_parts(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield b"x" * 4096

    with TestClient(guarded(server)) as client:
        path = "/.portcullis/events/idp"
        for content, status in [
            (b"x" * 65_536, 400),
            (b"x" * 65_537, 413),
            (in_parts(16), 400),
            (in_parts(17), 413),
        ]:
            assert client.post(path, content=content, headers=PUSH).status_code == status


def test_half_a_body_is_not_taken(server: Server) -> None:
    parts = [
        {"type": "http.request", "body": b"logout_token=a.b.c", "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope = {"type": "http", "path": "/logout", "method": "POST", "headers": []}
    sent: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(receivers(server)(scope, receive, send))
    assert sent == []


def test_they_stand_before_the_routes(server: Server) -> None:
    app = FastAPI()
    app.add_middleware(PortcullisMiddleware, server=server)

    @app.get("/orders")
    async def orders() -> str:
        return "all"

    body = b"logout_token=a.b.c"
    with TestClient(app) as client:
        assert client.post("/.portcullis/logout", content=body, headers=FORM).status_code == 401
    app = FastAPI()
    app.add_middleware(PortcullisMiddleware, server=server)
    app.add_middleware(ReceiversMiddleware, server=server, path="/identity")
    with TestClient(app) as client:
        assert client.post("/identity/logout", content=body, headers=FORM).status_code == 400
        for other in ("/identity", "/identityx/logout", "/.portcullis/logout", "/orders"):
            assert client.post(other, content=body, headers=FORM).status_code == 401


def test_alone_they_stand_below_their_path(server: Server) -> None:
    client = TestClient(receivers(server))
    body = b"logout_token=a.b.c"
    answer = client.post("/.portcullis/logout", content=body, headers=FORM)
    assert answer.status_code == 400
    assert client.post("/orders").status_code == 404


def test_flask_and_wsgi(server: Server, idp: Idp) -> None:
    app = Flask(__name__)
    auth = FlaskPortcullis(app, server)

    @app.get("/orders")
    @auth.token_required
    def orders() -> str:
        return "all"

    app.wsgi_app = WsgiReceivers(app.wsgi_app, server)  # type: ignore[method-assign]
    client = app.test_client()
    body = b"logout_token=a.b.c"
    answer = client.post("/.portcullis/logout", data=body, headers=FORM)
    assert (answer.status_code, answer.json) == (400, json.loads(answer.data))
    assert client.post("/.portcullis/logout", data=b"x" * 65_537, headers=FORM).status_code == 413
    assert client.get("/.portcullis/logout").status_code == 405
    assert client.get("/.portcullisx").status_code == 404
    assert client.get("/orders").status_code == 401
    assert client.get("/orders", headers=idp.bearer()).status_code == 200


def test_wsgi_takes_events(server: Server, idp: Idp) -> None:
    def nothing(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [("content-type", "text/plain")])
        return [b""]

    with serve_wsgi(WsgiReceivers(nothing, server)) as served:
        create_stream(idp, f"http://{served}")
        token = idp.token("alice")
        server.verify_blocking(token)
        sent = idp.send_event("alice", "account-disabled")
        assert [it["status"] for it in sent] == [202], sent
        with pytest.raises(Refusal, match="revoked"):
            server.verify_blocking(token)


def test_what_becomes_of_an_event_is_recorded(idp: Idp, tmp_path: Path) -> None:
    records = tmp_path / "audit.jsonl"
    server = idp.server(issuer={"logout": {"clients": ["web"]}}, log={"audit": str(records)})
    headers = {**FORM, "x-request-id": "0123456789abcdef"}
    answer = server.answer_receiver_blocking("/logout", "POST", headers, b"x=1", "192.0.2.7")
    assert answer[0] == 400
    wait_until(lambda: records.read_text() != "")
    record = json.loads(records.read_text())
    assert record["outcome"] == "refused"
    assert "192.0.2.7" in json.dumps(record)
    assert 'outcome="refused"} 1' in server.metrics()
