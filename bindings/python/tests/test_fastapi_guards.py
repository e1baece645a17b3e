"""Guards that are declared in other ways than the documentation shows."""

import logging
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Security
from fastapi.testclient import TestClient

from portcullis_auth import Server
from portcullis_auth.fastapi import Portcullis, Token
from portcullis_auth.testing import Signer


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def auth(signer: Signer) -> Portcullis:
    return Portcullis(signer.server())


def client_of(auth: Portcullis, dependency) -> TestClient:
    app = FastAPI()
    auth.install(app)

    @app.get("/orders", dependencies=[dependency])
    def orders():
        return []

    return TestClient(app)


@pytest.mark.parametrize("scope", ["orders:read", ["orders:read", "orders:read"]])
def test_a_scope_is_demanded_once(
    signer: Signer, auth: Portcullis, caplog: pytest.LogCaptureFixture, scope
) -> None:
    client = client_of(auth, auth.require(scope=scope))
    with caplog.at_level(logging.INFO, "portcullis_auth"):
        response = client.get("/orders", headers=signer.bearer("bob"))
    assert 'scope="orders:read"' in response.headers["www-authenticate"]
    assert "scope orders:read and" not in caplog.text
    assert client.get("/orders", headers=signer.bearer("bob", scopes=["orders:read"])).json() == []


def test_scopes_of_an_outer_guard_count_beside_its_own(signer: Signer, auth: Portcullis) -> None:
    app = FastAPI()
    required = auth.require(scope="orders:read")

    async def reader(token: Annotated[Token, required]) -> Token:
        return token

    @app.get("/orders", dependencies=[Security(reader, scopes=["orders:list", "orders:read"])])
    def orders():
        return []

    client = TestClient(app)
    only = signer.bearer("bob", scopes=["orders:read"])
    assert client.get("/orders", headers=only).status_code == 403
    only = signer.bearer("bob", scopes=["orders:list"])
    assert client.get("/orders", headers=only).status_code == 403
    both = signer.bearer("bob", scopes=["orders:read", "orders:list"])
    assert client.get("/orders", headers=both).status_code == 200


def test_a_requirement_may_stand_in_depends(signer: Signer, auth: Portcullis) -> None:
    app = FastAPI()
    auth.install(app)
    admin = auth.require(role="Admin", scope="reports")

    @app.get("/a", dependencies=[Depends(admin)])
    def in_a_list():
        return "a"

    @app.get("/b")
    def as_a_parameter(token: Annotated[Token, Depends(admin)]):
        return token.subject

    @app.get("/c")
    def as_a_default(token: Token = Depends(admin)):  # noqa: B008
        return token.subject

    client = TestClient(app)
    document = client.get("/openapi.json").json()
    for path in ("/a", "/b", "/c"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=signer.bearer("bob")).status_code == 403
        role = signer.bearer("alice", roles=["Admin"])
        assert client.get(path, headers=role).status_code == 403
        both = signer.bearer("alice", roles=["Admin"], scopes=["reports"])
        assert client.get(path, headers=both).status_code == 200
        operation = document["paths"][path]["get"]
        assert {"oauth2": ["reports"]} in operation["security"]
        assert "403" in operation["responses"]
        # A parameter of the request would be one that a caller can set.
        assert "parameters" not in operation
    with auth.override(app, "alice", roles=["Admin"], scopes=["reports"]):
        assert client.get("/b").json() == "alice"


@pytest.mark.parametrize("word", ["role", "group"])
def test_several_roles_need_a_word_about_them(auth: Portcullis, word: str) -> None:
    with pytest.raises(TypeError, match=rf"expected {word} to be one name, found list; .*any_of"):
        auth.require(**{word: ["Admin"]})


def test_warnings_of_the_settings_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    server = Server("https://your-tenant.eu.auth0.com", "https://api.example")
    assert server.warnings
    server.is_ready()
    server.is_ready()
    logged = [it.getMessage() for it in caplog.records if it.name == "portcullis_auth"]
    assert logged == server.warnings
    assert {it.levelno for it in caplog.records} == {logging.WARNING}
