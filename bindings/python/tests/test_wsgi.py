"""The route table in front of an application of WSGI."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from conftest import AUDIENCE, Idp
from portcullis_auth import Server
from portcullis_auth.wsgi import PortcullisMiddleware, token_of
from serving import serve_wsgi
from test_asgi import ROUTES, raw


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    token = token_of(environ)
    headers = [[name, value] for name, value in environ.items() if name.startswith("HTTP_X")]
    told = {
        "caller": token.name if token else None,
        "path": environ["PATH_INFO"],
        "headers": sorted(headers),
    }
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(told).encode()]


@pytest.fixture
def routed(idp: Idp) -> Server:
    issuer = f'[[issuer]]\nurl = "{idp.issuer}"\naudience = "{AUDIENCE}"\n'
    return Server.from_toml(issuer + ROUTES)


@pytest.fixture
def address(routed: Server) -> Iterator[str]:
    with serve_wsgi(PortcullisMiddleware(application, routed)) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://{address}") as client:
        yield client


def test_routes_say_who_may_call(idp: Idp, client: httpx2.Client) -> None:
    for path, headers, expected in [
        ("/public/a", {}, 200),
        ("/other", {}, 401),
        ("/other", idp.bearer("bob"), 200),
        ("/admin/a", idp.bearer("bob"), 403),
        ("/admin/a", idp.bearer("alice"), 200),
        ("/guests", {}, 200),
        ("/guests", {"authorization": "Bearer x"}, 401),
    ]:
        assert client.get(path, headers=headers).status_code == expected, path
    assert client.get("/other", headers=idp.bearer("alice")).json()["caller"] == "Alice Adams"


def test_the_application_gets_the_headers_of_the_gateway_and_no_forged_ones(
    idp: Idp, client: httpx2.Client
) -> None:
    forged = {"X-Auth-Roles": "Admin", "x_auth_subject": "root", "X-Auth-Tenant": "t", "X-A": "1"}
    seen = client.get("/public/a", headers=forged).json()["headers"]
    assert seen == [["HTTP_X_A", "1"]]
    seen = client.get("/other", headers={**idp.bearer("alice"), **forged}).json()["headers"]
    assert [name for name, _ in seen] == ["HTTP_X_A", "HTTP_X_AUTH_ROLES", "HTTP_X_AUTH_SUBJECT"]
    assert ["HTTP_X_AUTH_ROLES", "Admin"] in seen


def test_a_path_is_decided_on_as_the_application_sees_it(address: str) -> None:
    for path, expected in [
        ("/%61dmin/a", 401),
        # `wsgiref` does not keep the path on the wire, so an escaped slash is a slash for all.
        ("/admin%2fa", 401),
        ("/p%75blic/%C3%A4", 200),
        ("/public/../admin/a", 400),
        ("/public/%2e%2e/admin/a", 400),
        ("/public/a%3bb", 400),
        ("/public/%ff", 400),
    ]:
        assert raw(address, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")[0] == expected, path


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
def test_an_escaped_slash_on_the_wire_is_refused(routed: Server, name: str) -> None:
    statuses = []
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/public/a",
        "QUERY_STRING": "b=%2f",
        "HTTP_HOST": "a",
        "REMOTE_ADDR": "192.0.2.1",
    }

    def start_response(status: str, _headers: Any) -> None:
        statuses.append(status)

    app = PortcullisMiddleware(application, routed)
    for sent in ("/public/a?b=%2f", "/public%2fa?b=%2f", "http://a/public/a?b", "http://a/x%2fa"):
        list(app({**environ, name: sent}, start_response))
    assert statuses == ["200 OK", "400 Bad Request", "200 OK", "400 Bad Request"]


def test_a_prefix_moves_no_route_under_another_one(routed: Server) -> None:
    statuses = []
    app = PortcullisMiddleware(application, routed)
    for prefix in ("", "/public", "/admin"):
        environ = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": prefix,
            "PATH_INFO": "/admin/a",
            "QUERY_STRING": "",
            "HTTP_HOST": "a",
        }
        list(app(environ, lambda status, _headers: statuses.append(status)))
    assert statuses == ["401 Unauthorized"] * 3


def test_denials_are_problem_documents(idp: Idp, client: httpx2.Client) -> None:
    response = client.get("/other")
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "credential.missing"
    idp.fault(metadata="500")
    response = client.get("/other", headers=idp.bearer())
    assert (response.status_code, response.json()["code"]) == (503, "outage.metadata")
    assert int(response.headers["retry-after"]) > 0


def test_two_credentials_are_none(idp: Idp, address: str) -> None:
    token = idp.token("alice")
    twice = f"Authorization: Bearer {token}\r\n" * 2
    status, body = raw(address, f"GET /other HTTP/1.1\r\nHost: a\r\n{twice}\r\n")
    # The server has joined them to one text, which is no token.
    assert (status, json.loads(body)["code"]) == (401, "token.malformed")
