"""The pages for FastAPI: their code runs as it stands there, and does what they say."""

import json
import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from conftest import AUDIENCE, Idp
from portcullis_auth import ConfigError, Server, testing
from portcullis_auth.asgi import PortcullisMiddleware
from test_example import check_commands, serving

PAGES = Path(__file__).parents[3] / "docs" / "python"


def blocks_of(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def run_blocks(page: Path, blocks: list[str]) -> dict[str, Any]:
    """The names that the blocks define, run one after the other."""
    names: dict[str, Any] = {"__name__": page.stem}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
    return names


@pytest.fixture
def settings(idp: Idp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The settings of the development provider, and a folder of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OAUTH2_ISSUER", idp.issuer)
    monkeypatch.setenv("OAUTH2_AUDIENCE", AUDIENCE)
    return tmp_path


Order = dict[str, Any]
SOON = 20
"""Seconds within the clock skew that is allowed."""

# Each row of the page: the token, the path, and the responses before and after.
MIGRATION: dict[str, tuple[Order, str, str, str]] = {
    "a good token": ({}, "/protected-data", "200", "200"),
    "a token without `aud`, although an audience is demanded": (
        {"claims": {"aud": None}},
        "/protected-data",
        "200",
        "401 token.claim_missing",
    ),
    "a token without `exp`": (
        {"claims": {"exp": None}},
        "/protected-data",
        "200",
        "401 token.claim_missing",
    ),
    '`exp` as a text, such as `"9999999999"`': (
        {"claims": {"exp": "9999999999"}},
        "/protected-data",
        "200",
        "401 token.claim_type",
    ),
    "an ID token with a `nonce` and without `at_hash`, for the audience of the API": (
        {"format": "id-token", "claims": {"aud": AUDIENCE, "nonce": "n", "at_hash": None}},
        "/protected-data",
        "200",
        "401 token.id_token",
    ),
    "a token that is bound to a key (DPoP), without its proof": (
        {"claims": {"cnf": {"jkt": "A" * 43}}},
        "/protected-data",
        "200",
        "401 proof.missing",
    ),
    '`"roles": "NotAdmin"`, a text in place of a list': (
        {"claims": {"roles": "NotAdmin"}},
        "/admin-dashboard",
        "200",
        "403 policy.role",
    ),
    '`"roles": {"Admin": false}`': (
        {"claims": {"roles": {"Admin": False}}},
        "/admin-dashboard",
        "200",
        "403 policy.role",
    ),
    "a token that begins 20 seconds from now, as clocks differ": (
        {"claims": {"nbf": SOON}},
        "/protected-data",
        "401",
        "200",
    ),
    "a token without the role": ({"user": "bob"}, "/admin-dashboard", "403", "403 policy.role"),
}


def order(idp: Idp, ordered: Order) -> dict[str, str]:
    claims = dict(ordered.get("claims", {}))
    if "nbf" in claims:
        claims["nbf"] += int(time.time())
    return idp.bearer(**{**ordered, "claims": json.dumps(claims)})


def response_to(client: TestClient, path: str, headers: dict[str, str]) -> str:
    response = client.get(path, headers=headers)
    is_json = "json" in response.headers.get("content-type", "")
    body = response.json() if is_json else None
    code = body.get("code", "") if isinstance(body, dict) else ""
    return f"{response.status_code} {code}".strip()


def test_the_migration_changes_what_the_page_says(idp: Idp, settings: Path) -> None:
    path = PAGES / "from-python-jose.md"
    page = path.read_text()
    before, after = blocks_of(page, "python")
    lines = [line for line in after.splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith("    ")]) == 10
    old, new = (run_blocks(path, [block])["app"] for block in (before, after))
    rows = re.findall(r"^\| (.+) \| (\S.*) \| (\S.*) \|$", page.split("## python-jose")[0], re.M)
    told = {request: (old_cell, new_cell) for request, old_cell, new_cell in rows}
    for client_of, column in [(old, 0), (new, 1)]:
        with TestClient(client_of, raise_server_exceptions=False) as client:
            for request, (ordered, path_of, *expected) in MIGRATION.items():
                found = response_to(client, path_of, order(idp, ordered))
                assert found == expected[column], (request, column)
                cell = told[request][column].replace("*", "").replace("`", "")
                assert cell.startswith(expected[column]), request
            assert response_to(client, "/protected-data", {}).startswith("401")
            for flaw in ("flipped", "wrong-key", "wrong-issuer", "wrong-audience", "expired"):
                headers = idp.bearer(flaw=flaw)
                assert response_to(client, "/protected-data", headers).startswith("401"), flaw
            refused = client.get("/admin-dashboard", headers=idp.bearer("bob"))
            assert ("www-authenticate" in refused.headers) is (column == 1)
            # The provider signs with another key from now on.
            idp.rotate()
            found = response_to(client, "/protected-data", idp.bearer())
            assert found == ("401", "200")[column]
    assert told["a good token, after the provider has rotated its key"] == (
        "**401 until the process restarts**",
        "200",
    )


def test_the_migration_tells_an_outage(idp: Idp, settings: Path) -> None:
    path = PAGES / "from-python-jose.md"
    blocks = blocks_of(path.read_text(), "python")
    idp.fault(metadata="500")
    found = []
    for block in blocks:
        client = TestClient(run_blocks(path, [block])["app"], raise_server_exceptions=False)
        found.append(response_to(client, "/protected-data", idp.bearer()))
    assert found == ["500", "503 outage.metadata"]
    assert "| **500** | 503 `outage.metadata` with `Retry-After` |" in path.read_text()


# docs/python/fastapi.md: each block runs after the first one, and each is found by a word in it.

FASTAPI = PAGES / "fastapi.md"


def example(*words: str) -> dict[str, Any]:
    """The names of the first block, and of the one block with each of these words."""
    first, *others = blocks_of(FASTAPI.read_text(), "python")
    chosen = [block for block in others if any(word in block for word in words)]
    assert len(chosen) == len(words)
    return run_blocks(FASTAPI, [first, *chosen])


def calls(idp: Idp, app: FastAPI, *expectations: tuple[str, Order | None, str]) -> None:
    """Asserts the response to each request: by nobody, or with a token of this order."""
    with TestClient(app) as client:
        for path, ordered, expected in expectations:
            headers = {} if ordered is None else order(idp, ordered)
            assert response_to(client, path, headers) == expected, (path, ordered)


def test_every_block_runs(idp: Idp, settings: Path) -> None:
    blocks = blocks_of(FASTAPI.read_text(), "python")
    write_settings(idp, settings)
    for block in blocks[1:]:
        run_blocks(FASTAPI, [blocks[0], block])
    assert len(blocks) == 15


def write_settings(idp: Idp, folder: Path) -> None:
    """The settings of the page, for the development provider."""
    text = next(it for it in blocks_of(FASTAPI.read_text(), "toml") if "[[route]]" in it)
    text = text.replace("http://127.0.0.1:9000", idp.issuer)
    (folder / "portcullis.toml").write_text(text)


def test_the_commands_answer_as_the_page_says(idp: Idp, settings: Path) -> None:
    (settings / "main.py").write_text(blocks_of(FASTAPI.read_text(), "python")[0])
    command = ["-m", "uvicorn", "main:app", "--port", "0"]
    with serving(idp, settings / "log", *command, folder=settings) as address:
        assert check_commands(FASTAPI.read_text(), idp.issuer, address) == 3


def test_the_first_guard(idp: Idp, settings: Path) -> None:
    calls(
        idp,
        example()["app"],
        ("/public-data", None, "200"),
        ("/protected-data", None, "401 credential.missing"),
        ("/protected-data", {"user": "bob"}, "200"),
        ("/admin-dashboard", {"user": "bob"}, "403 policy.role"),
        ("/admin-dashboard", {"user": "alice"}, "200"),
    )


def test_the_settings(idp: Idp, settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(idp, settings)
    assert example("auth = Portcullis(Server.from_file")["auth"].server.issuers == [idp.issuer]
    (settings / ".env").write_text("OAUTH2_ISSUER=https://idp.example.com\n")
    assert example()["auth"].server.issuers == [idp.issuer]
    (settings / ".env").unlink()
    for name in ("OAUTH2_ISSUER", "OAUTH2_AUDIENCE"):
        monkeypatch.delenv(name)
    with pytest.raises(ConfigError) as caught:
        example()
    assert str(caught.value).strip() in FASTAPI.read_text()


def test_the_guards(idp: Idp, settings: Path) -> None:
    clerk = {"user": "bob", "roles": "Clerk", "scope": "batch"}
    suspended = {**clerk, "claims": {"groups": ["suspended"]}}
    recent = {"acr": "mfa", "auth_time": int(time.time())}
    calls(
        idp,
        example("APIRouter")["app"],
        ("/orders", {"scope": "orders:read"}, "200"),
        ("/orders", {"scope": "orders:write"}, "403 policy.scope"),
        ("/greeting", None, "200"),
        ("/greeting", {}, "200"),
        ("/greeting", {"flaw": "expired"}, "401 token.expired"),
        ("/batch", clerk, "200"),
        ("/batch", {"user": "service", "scope": "batch"}, "200"),
        ("/batch", suspended, "403 policy.denied"),
        ("/batch", {"user": "bob", "scope": "batch"}, "403 policy.role"),
        ("/payments/today", {"claims": recent}, "200"),
        ("/payments/today", {"claims": {**recent, "auth_time": 1}}, "401 policy.step_up"),
        ("/payments/today", None, "401 credential.missing"),
    )


def test_claims_as_a_model(idp: Idp, settings: Path) -> None:
    calls(
        idp,
        example("class Employee")["app"],
        ("/me", {"claims": {"department": "sales"}}, "200"),
        ("/me", {}, "403"),
    )


def test_errors(idp: Idp, settings: Path) -> None:
    with TestClient(example("exception_handler")["app"]) as client:
        response = client.get("/protected-data")
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["www-authenticate"] == 'Bearer realm="api"'
        assert response.json()["title"] == "a bearer token is required"
    with TestClient(example("CORSMiddleware")["app"]) as client:
        origin = {"origin": "https://shop.example"}
        response = client.get("/protected-data", headers=origin)
        assert response.status_code == 401
        assert response.headers["access-control-allow-origin"] == origin["origin"]
        assert "WWW-Authenticate" in response.headers["access-control-expose-headers"]


def test_bodies_are_read_before_the_guard(idp: Idp, settings: Path) -> None:
    names = example()
    app, auth = names["app"], names["auth"]

    @app.post("/orders", dependencies=[Depends(auth)])
    def make_order(order: dict[str, int]) -> None: ...

    with TestClient(app) as client:
        json_type = {"content-type": "application/json"}
        assert client.post("/orders", content=b"{", headers=json_type).status_code == 422
        assert client.post("/orders", json={"a": "b"}).status_code == 401
    behind = TestClient(PortcullisMiddleware(app, auth.server))
    assert behind.post("/orders", content=b"{", headers=json_type).status_code == 401


def test_a_websocket_by_both_ways(idp: Idp, settings: Path) -> None:
    token = idp.token()
    with TestClient(example("websocket.iter_text")["app"]) as client:
        for options in (
            {"headers": {"authorization": f"Bearer {token}"}},
            {"subprotocols": ["bearer", token]},
        ):
            with client.websocket_connect("/live", **options) as live:
                live.send_text("hello")
                assert live.receive_text() == "Alice Adams: hello"
        with pytest.raises(WebSocketDenialResponse) as caught:
            client.websocket_connect(f"/live?access_token={token}").__enter__()
        assert caught.value.status_code == 401


def test_events_end_with_the_token(idp: Idp, settings: Path) -> None:
    # The clocks may be 60 seconds apart: 2 seconds are left.
    short = {"exp": int(time.time()) - 58}
    headers = idp.bearer(claims=json.dumps(short))
    with TestClient(example("EventSourceResponse")["app"]) as client:
        response = client.get("/events", headers=headers)
    ticks = re.findall(r'^data: \{"tick":(\d+)\}$', response.text, re.M)
    assert ticks[:2] == ["0", "1"]
    # All of them would take 50 seconds.
    assert len(ticks) < 500


def test_the_issuers_are_good_settings(idp: Idp, settings: Path) -> None:
    text = next(it for it in blocks_of(FASTAPI.read_text(), "toml") if "tenants" in it)
    assert Server.from_toml(text).issuers[0] == "https://idp.example.com"
    auth = example()["auth"]
    app = FastAPI(dependencies=[auth.require(claims={"iss": idp.issuer})])
    app.get("/")(lambda: "")
    other = FastAPI(dependencies=[auth.require(claims={"iss": "https://idp.example.com"})])
    other.get("/")(lambda: "")
    calls(idp, app, ("/", {}, "200"), ("/docs", None, "200"))
    calls(idp, other, ("/", {}, "403"))


def test_the_route_table(idp: Idp, settings: Path) -> None:
    write_settings(idp, settings)
    app = example("PortcullisMiddleware")["app"]
    calls(
        idp,
        app,
        ("/public-data", None, "200"),
        ("/admin-dashboard", None, "401 credential.missing"),
        ("/admin-dashboard", {"user": "bob"}, "403 policy.role"),
        ("/admin-dashboard", {"user": "alice"}, "200"),
        ("/docs", None, "401 credential.missing"),
        ("/nothing", None, "401 credential.missing"),
        ("/nothing", {}, "404"),
    )


def test_routes_are_the_same_below_a_root_path(idp: Idp, settings: Path) -> None:
    write_settings(idp, settings)
    below = TestClient(example("PortcullisMiddleware")["app"], root_path="/api")
    for prefix in ("/api", ""):
        assert below.get(f"{prefix}/public-data").status_code == 200
        bob = below.get(f"{prefix}/admin-dashboard", headers=idp.bearer("bob"))
        assert bob.status_code == 403


def test_a_revoked_token(idp: Idp, settings: Path) -> None:
    headers = idp.bearer()
    with TestClient(example("revoke_blocking")["app"]) as client:
        assert client.get("/protected-data", headers=headers).status_code == 200
        assert client.post("/logout", headers=headers).status_code == 204
        response = client.get("/protected-data", headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "token.revoked")
        assert client.get("/protected-data", headers=idp.bearer()).status_code == 200


def test_a_refusal_in_the_log(idp: Idp, settings: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = example("basicConfig")["app"]
    caplog.set_level(logging.INFO, "portcullis_auth")
    calls(idp, app, ("/protected-data", {"flaw": "expired"}, "401 token.expired"))
    line = next(it for it in caplog.messages if it.startswith("refused"))
    printed = FASTAPI.read_text().split("INFO portcullis_auth ")[1].split("\n")[0]

    def pattern(text: str) -> str:
        return re.sub(r"request_id=\w+", "request_id=", re.sub(r"\d+", "0", text))

    assert pattern(line) == pattern(printed)


def test_metrics_and_readiness(idp: Idp, settings: Path) -> None:
    idp.fault(jwks="slow:300")
    with TestClient(example("PlainTextResponse")["app"]) as client:
        assert client.get("/ready").status_code == 503
        scraper = idp.bearer("service", scope="metrics:read")
        figures = client.get("/metrics", headers=scraper).text
        assert 'portcullis_decisions_total{outcome="allow",code="ok"} 1' in figures
        assert client.get("/ready").status_code == 200
        assert client.get("/metrics", headers=idp.bearer()).status_code == 403


def test_the_tests(idp: Idp, settings: Path) -> None:
    names = example("override_caller")
    with testing.Idp() as provider, pytest.MonkeyPatch.context() as patch:
        for name, value in provider.env().items():
            patch.setenv(name, value)
        with TestClient(example()["app"]) as client:
            names["test_expired_tokens_are_refused"](provider, client)
    names["test_the_dashboard_is_for_admins"]()
