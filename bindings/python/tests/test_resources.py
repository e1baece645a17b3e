"""The metadata of resources, and tokens that are for one of them, in front of an application."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from conftest import Idp
from portcullis_auth import Server
from portcullis_auth.asgi import PortcullisMiddleware
from portcullis_auth.wsgi import PortcullisMiddleware as WsgiMiddleware

ORDERS = "https://api.example/v1/orders"
BILLS = "https://api.example/v1/bills"
WELL_KNOWN = "/.well-known/oauth-protected-resource/v1/orders"


@pytest.fixture
def server(idp: Idp) -> Server:
    return Server.from_toml(f"""
[[issuer]]
url = "{idp.issuer}"
audience = ["{ORDERS}", "{BILLS}"]
[[resource]]
url = "{ORDERS}"
[[route]]
path = "/v1/orders"
require = {{ scope = "orders:read" }}
[[route]]
path = "/**"
""")


async def tell(request: Request) -> JSONResponse:
    return JSONResponse(request.url.path)


def application(server: Server) -> Any:
    inner = Starlette(routes=[Route("/{path:path}", tell)])
    return PortcullisMiddleware(inner, server)


def test_a_token_is_for_its_resource(idp: Idp, server: Server) -> None:
    client = TestClient(application(server))
    good = idp.bearer(audience=ORDERS, scope="orders:read")
    assert client.get("/v1/orders", headers=good).status_code == 200
    other = client.get("/v1/orders", headers=idp.bearer(audience=BILLS, scope="orders:read"))
    assert (other.status_code, other.json()["code"]) == (401, "token.audience")
    challenge = other.headers["www-authenticate"]
    assert f'resource_metadata="https://api.example{WELL_KNOWN}", ' in challenge
    assert 'scope="orders:read"' in challenge
    assert client.get("/other", headers=idp.bearer(audience=BILLS)).status_code == 200


def test_a_mounted_application_is_beneath_the_same_resource(idp: Idp, server: Server) -> None:
    mounted = Starlette(routes=[Mount("/v1", application(server))])
    client = TestClient(mounted)
    good = idp.bearer(audience=ORDERS, scope="orders:read")
    assert client.get("/v1/orders", headers=good).status_code == 200
    other = client.get("/v1/orders", headers=idp.bearer(audience=BILLS, scope="orders:read"))
    assert (other.status_code, other.json()["code"]) == (401, "token.audience")


def test_the_metadata_is_for_everybody(idp: Idp, server: Server) -> None:
    client = TestClient(application(server))
    response = client.get(WELL_KNOWN, headers={"host": "evil.example"})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["content-type"] == "application/json"
    assert response.json()["resource"] == ORDERS
    assert response.json()["authorization_servers"] == [idp.issuer]
    assert response.json()["scopes_supported"] == ["orders:read"]
    assert client.post(WELL_KNOWN).status_code == 405
    assert client.head(WELL_KNOWN).content == b""
    assert client.get("/.well-known/oauth-protected-resource").status_code == 404


def test_the_same_by_wsgi(server: Server) -> None:
    told: list[Any] = []

    def start(status: str, fields: list[tuple[str, str]]) -> None:
        told.extend([status, dict(fields)])

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": WELL_KNOWN, "HTTP_HOST": "x"}
    body = b"".join(WsgiMiddleware(lambda *_: [], server)(environ, start))
    assert told[0] == "200 OK"
    assert told[1]["content-length"] == str(len(body))
    assert ORDERS.encode() in body
