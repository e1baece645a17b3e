"""The tools for tests of applications."""

import os
import re
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security, WebSocket
from fastapi.testclient import TestClient

import portcullis_auth
from conftest import claims_of
from portcullis_auth import ConfigError, Outage, Refusal, Server, Token
from portcullis_auth.client import TokenRefused, UserSession
from portcullis_auth.fastapi import Portcullis
from portcullis_auth.requirements import application, group, max_age, role, scope, user
from portcullis_auth.testing import FLAWS, Idp, Signer, override_caller


@pytest.fixture(scope="module")
def own_idp():
    with Idp(algorithm="ES256") as running:
        yield running


@pytest.fixture
def own(own_idp: Idp):
    yield own_idp
    own_idp.clear_faults()


def code_of(server: Server, headers: dict[str, str], requirement=None) -> str:
    try:
        server.decide_blocking(headers, None, requirement)
    except (Refusal, Outage) as denied:
        return denied.code
    return "ok"


def test_a_token_is_made_to_order(own: Idp) -> None:
    token = own.server().decide_blocking(
        own.bearer(
            "alice",
            scope=["orders:read", "orders:write"],
            roles=["Clerk", "Auditor"],
            lifetime=90,
            claims={"tenant": 7, "email": None},
        )
    )
    assert token.name == "Alice Adams"
    assert token.scopes == {"orders:read", "orders:write"}
    assert token.roles is not None
    assert token.roles >= {"Clerk", "Auditor"}
    assert token.claims["tenant"] == 7
    assert "email" not in token.claims
    assert token.claims["exp"] - token.claims["iat"] == 90
    assert claims_of(own.token(audience="api://other"))["aud"] == "api://other"
    assert claims_of(own.token(scope="a b"))["scope"] == "a b"
    assert own.token(format="opaque").count(".") < 2
    assert own.server().decide_blocking(own.bearer("service")).kind == "application"


def test_an_order_that_cannot_be_met_is_an_error(own: Idp) -> None:
    for wrong in ({"user": "zoe"}, {"flaw": "chipped"}, {"format": "xml"}, {"lifetime": -1}):
        with pytest.raises(ValueError, match="expected"):
            own.token(**wrong)
    with pytest.raises(ValueError, match="without spaces"):
        own.token(roles=["Head Clerk"])
    with pytest.raises(ValueError, match="endpoint"):
        own.fault(jkws="500")
    with pytest.raises(ValueError, match="token"):
        own.fault(jwks="500", token="chipped")
    # All faults of an order apply, or none.
    assert own.faults()["jwks"] == "none"


@pytest.mark.parametrize(
    ("flaw", "code"),
    list(
        zip(
            FLAWS,
            [
                "token.expired",
                "token.not_yet_valid",
                "token.signature",
                "token.algorithm",
                "token.algorithm",
                "token.signature",
                "token.audience",
                "token.issuer",
                "token.key_unknown",
            ],
            strict=True,
        )
    ),
)
def test_every_flaw_is_refused(own: Idp, flaw: str, code: str) -> None:
    assert code_of(own.server(), own.bearer(flaw=flaw)) == code


def test_every_flaw_of_the_provider_can_be_ordered(own: Idp) -> None:
    with pytest.raises(ValueError, match="expected one of") as caught:
        own.token(flaw="chipped")
    names = str(caught.value).split("one of ")[1].split(", found")[0]
    assert names.split(", ") == list(FLAWS)


def test_faults_come_and_go(own: Idp) -> None:
    own.fault(jwks="500", clock_off=-3600, access_token_claims={"aud": "x", "sub": None})
    faults = own.faults()
    assert (faults["jwks"], faults["clock_off"]) == ("500", -3600)
    assert faults["access_token_claims"] == {"aud": "x", "sub": None}
    assert code_of(own.server(), own.bearer()) == "outage.keys"
    own.clear_faults()
    assert own.faults()["clock_off"] == 0
    assert code_of(own.server(), own.bearer()) == "ok"


def test_keys_rotate(own: Idp) -> None:
    server, before = own.server(), own.bearer()
    assert code_of(server, before) == "ok"
    own.rotate(overlap=True)
    assert code_of(server, own.bearer()) == "ok"
    assert code_of(own.server(), before) == "ok"
    own.rotate()
    assert code_of(own.server(), before) == "token.key_unknown"


def test_a_server_gets_settings(own: Idp) -> None:
    server = own.server(token_cookie="t", issuer={"audience": ["api://x", own.audience]})
    headers = {"cookie": f"t={own.token()}", "host": "a", "sec-fetch-site": "same-origin"}
    assert server.decide_blocking(headers, method="GET").name == "Alice Adams"
    with pytest.raises(ConfigError, match="tokn_cookie"):
        own.server(tokn_cookie="t")


def test_users_and_clients_have_settings() -> None:
    users = {
        "zoë": {"name": 'Zoë "Z" \\ \x7f\n Zimmer', "roles": ["Clerk"], "claims": {"level": 3}},
        "yan": {"password": "secret"},
    }
    clients = {"batch": {"secret": "s", "scopes": ["batch:run"]}}
    with Idp(users=users, clients=clients, audience="api://own", algorithm="ES256") as own:
        token = own.server().decide_blocking(own.bearer("zoë"))
        assert (token.name, token.roles) == (users["zoë"]["name"], {"Clerk"})
        assert (token.claims["level"], token.audience) == (3, ["api://own"])
        issued = own.client("batch", "s").token_blocking("batch:run")
        assert claims_of(issued.text)["client_id"] == "batch"
        with pytest.raises(ValueError, match="expected the name of a user"):
            own.token("alice")
        issuer = own.issuer
    with pytest.raises(OSError, match="refused"):
        own.token("zoë")
    assert issuer.startswith("http://127.0.0.1:")
    with pytest.raises(ConfigError):
        Idp("no-such-provider")
    with pytest.raises(ConfigError):
        Idp(no_such_setting=True)


@pytest.mark.parametrize(
    "dialect",
    [
        "generic",
        "entra",
        "entra-v1",
        "okta",
        "auth0",
        "auth0-rfc9068",
        "cognito",
        "keycloak",
        "pingone",
        "authentik",
        "adfs",
    ],
)
def test_a_server_understands_the_dialect(dialect: str, monkeypatch, tmp_path) -> None:
    with Idp(dialect) as own:
        headers = own.bearer("alice", scope="orders:read")
        assert code_of(own.server(), headers) == "ok"
        monkeypatch.chdir(tmp_path)
        for name, value in own.env().items():
            monkeypatch.setenv(name, value)
        assert code_of(Server.from_env(), headers) == "ok"
        assert code_of(Server.from_env(), own.bearer(flaw="expired")) == "token.expired"


def test_a_user_signs_in_and_out(own: Idp) -> None:
    refresh_token = own.sign_in("bob", scope="openid offline_access orders:read")
    session = UserSession(own.client("web", None), refresh_token)
    token = own.server().decide_blocking(
        {"authorization": session.token_blocking().authorization}, None, scope("orders:read")
    )
    assert token.name == "Bob Brown"
    own.logout("bob")
    with pytest.raises(TokenRefused):
        UserSession(own.client("web", None), refresh_token).token_blocking()
    with pytest.raises(ValueError, match="client"):
        own.sign_in(client_id="no-such-client")


def test_a_proxy_of_the_environment_is_not_asked(own: Idp, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert own.token()


def test_a_signer_needs_no_provider() -> None:
    signer = Signer()
    server = signer.server()
    order = {"scopes": ["orders:read"], "roles": ["Admin"], "groups": ["staff"]}
    token = server.decide_blocking(signer.bearer("alice", **order, claims={"level": 3}))
    assert (token.subject, token.name, token.kind) == ("alice", "alice", "user")
    assert (token.scopes, token.roles, token.groups) == ({"orders:read"}, {"Admin"}, {"staff"})
    assert (token.issuer, token.audience) == ("https://issuer.test", ["api://test"])
    assert (token.client, token.claims["level"]) == ("test-client", 3)
    assert abs((token.expires or 0) - time.time() - 3600) < 60
    assert server.decide_blocking(signer.bearer(None)).kind == "application"


def test_a_signer_signs_for_its_own_server_only() -> None:
    signer, other = Signer(), Signer()
    server = signer.server()
    # One signature in a hundred or so has a number with a leading zero.
    for _ in range(40):
        assert code_of(server, signer.bearer()) == "ok"
    assert code_of(server, other.bearer()) == "token.key_unknown"
    text = signer.token()
    flipped = text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]
    assert code_of(server, {"authorization": f"Bearer {flipped}"}) == "token.signature"
    assert code_of(server, signer.bearer(lifetime=-3600)) == "token.expired"
    assert code_of(server, signer.bearer(claims={"aud": "x"})) == "token.audience"
    assert code_of(server, signer.bearer(claims={"exp": None})) == "token.claim_missing"
    for requirement in (role("A"), group("A"), scope("A"), application(), max_age(60)):
        assert code_of(server, signer.bearer(), requirement).startswith("policy.")
    recent = signer.bearer(claims={"auth_time": int(time.time())})
    assert code_of(server, recent, max_age(600) & user()) == "ok"
    with pytest.raises(TypeError, match="a list"):
        signer.token(roles="Admin")


def guarded_application() -> tuple[FastAPI, Portcullis]:
    auth = Portcullis(Server("https://issuer.example", "api://orders"))
    app, router, mounted = FastAPI(), APIRouter(), FastAPI()

    @app.get("/me")
    async def me(token: Token = Depends(auth)):  # noqa: B008
        return [token.subject, token.issuer]

    @app.get("/orders")
    def orders(token: Token = Security(auth, scopes=["orders:read"])):  # noqa: B008
        return sorted(token.scopes)

    @app.get("/greeting")
    def greeting(token: Token | None = Depends(auth.optional)):  # noqa: B008
        return token.subject if token else "guest"

    @router.websocket("/feed")
    async def feed(websocket: WebSocket, token: Token = Depends(auth)):  # noqa: B008
        await websocket.accept()
        await websocket.send_text(token.name)
        await websocket.close()

    @router.get("/reports", dependencies=[auth.require(role="Admin")])
    def reports():
        return "reports"

    @mounted.get("/clerks", dependencies=[auth.require(role="Clerk")])
    def clerks():
        return "clerks"

    app.include_router(router, prefix="/in")
    app.mount("/sub", mounted)
    return app, auth


def test_a_caller_needs_no_provider() -> None:
    app, auth = guarded_application()
    client = TestClient(app)
    with override_caller(app, auth, "alice", roles=["Admin"], scopes=["orders:read"]):
        assert client.get("/me").json() == ["alice", "https://issuer.example"]
        assert client.get("/orders").json() == ["orders:read"]
        assert client.get("/greeting").json() == "alice"
        assert client.get("/in/reports").json() == "reports"
        # The guards decide: this caller is no clerk.
        response = client.get("/sub/clerks")
        assert response.status_code == 403
    with override_caller(app, auth, "bob", roles=["Clerk"]):
        assert client.get("/sub/clerks").json() == "clerks"
        with client.websocket_connect("/in/feed") as feed:
            assert feed.receive_text() == "bob"
        response = client.get("/in/reports")
        assert response.status_code == 403
        assert client.get("/orders").status_code == 403
        assert 'scope="orders:read"' in client.get("/orders").headers["www-authenticate"]


def test_a_callers_own_credential_counts() -> None:
    app, auth = guarded_application()
    client = TestClient(app)
    with override_caller(app, auth, "alice") as signer:
        assert client.get("/me", headers=signer.bearer("carol")).json()[0] == "carol"
        offered = ["bearer", signer.token("dora")]
        with client.websocket_connect("/in/feed", subprotocols=offered) as feed:
            assert feed.receive_text() == "dora"
        assert client.get("/me", headers={"authorization": "Bearer x"}).status_code == 401
        expired = signer.bearer("carol", lifetime=-60)
        assert client.get("/me", headers=expired).status_code == 401
    with override_caller(app, auth, None, client="batch"):
        assert client.get("/me").json()[0] == "batch"


def test_a_signer_has_the_settings_that_guards_depend_on() -> None:
    app, auth = guarded_application()
    client = TestClient(app)
    signer = Signer(token_type="JWT", issuer_settings={"profile": "keycloak"})
    claims = {"typ": "Bearer", "azp": "web", "realm_access": {"roles": ["Admin"]}}
    with override_caller(app, auth, "alice", signer=signer, claims=claims) as same:
        assert same is signer
        assert client.get("/in/reports").json() == "reports"
        assert client.get("/me").json()[1] == "https://issuer.test"


def test_the_application_is_as_before_after_the_block() -> None:
    app, auth = guarded_application()
    client, real = TestClient(app), auth.server

    def fail() -> None:
        with override_caller(app, auth, "alice"):
            assert auth.server is not real
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert auth.server is real
    assert client.get("/greeting").json() == "guest"
    for path in ("/me", "/orders", "/in/reports", "/sub/clerks"):
        assert client.get(path).status_code == 401


PLUGIN_TEST = """
import os, pytest
from portcullis_auth import Server

def token_is_good(idp):
    return Server.from_env().decide_blocking(idp.bearer()).name == "Alice Adams"

def test_one(idp, portcullis_env):
    assert os.environ["OAUTH2_ISSUER"] == idp.issuer == portcullis_env["OAUTH2_ISSUER"]
    assert token_is_good(idp)
    idp.fault(jwks="500", clock_off=-7200)

def test_two(idp, portcullis_env):
    assert idp.faults()["clock_off"] == 0
    assert token_is_good(idp)

def test_three():
    assert "OAUTH2_ISSUER" not in os.environ
"""


SHARED_APP_TEST = """
import pytest
from portcullis_auth import Outage, Server

@pytest.fixture
def server(portcullis_env):
    # An application is imported once, and is there for all tests.
    import app
    return app.server

@pytest.mark.parametrize("turn", range(5))
def test_a_new_key(idp, server, turn):
    assert server.decide_blocking(idp.bearer()).name == "Alice Adams"
    idp.rotate()
    assert server.decide_blocking(idp.bearer()).name == "Alice Adams"

@pytest.mark.parametrize("turn", range(5))
def test_an_outage(idp, server, turn):
    idp.rotate()
    idp.fault(jwks="500")
    with pytest.raises(Outage):
        server.decide_blocking(idp.bearer())

def test_after_all(idp, server):
    assert server.decide_blocking(idp.bearer()).name == "Alice Adams"
"""


def run_pytest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The report of a run that has to succeed."""
    for name in ("OAUTH2_ISSUER", "OAUTH2_AUDIENCE", "OAUTH2_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    # An installed package brings the plugin by its entry point.
    options = ["-q", "-W", "error", "-p", "no:cacheprovider"]
    if not entry_points(group="pytest11", name="portcullis_auth"):
        options += ["-p", "portcullis_auth.pytest_plugin"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "."],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(portcullis_auth.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_the_plugin_has_fixtures(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "test_it.py").write_text(PLUGIN_TEST)
    assert "3 passed" in run_pytest(tmp_path, monkeypatch)


PAGE = Path(__file__).parents[3] / "docs" / "python" / "tests.md"


def test_the_files_of_the_page_are_good(tmp_path: Path, monkeypatch) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    for block in blocks:
        (tmp_path / block.split("\n")[0].removeprefix("# ")).write_text(block)
    assert len(list(tmp_path.iterdir())) == len(blocks) == 5
    # Four tests, one of them for each flaw; one; one.
    assert f"{4 + len(FLAWS) + 2} passed" in run_pytest(tmp_path, monkeypatch)


def test_the_plugin_imports_nothing_early() -> None:
    program = (
        "import sys; before = set(sys.modules); import pytest; during = set(sys.modules);"
        "import portcullis_auth.pytest_plugin; print(*sorted(set(sys.modules) - during))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    early = run.stdout.split()
    assert "portcullis_auth.pytest_plugin" in early
    for name in ("fastapi", "starlette", "httpx", "httpx2", "requests", "portcullis_auth.testing"):
        assert name not in early


def test_a_test_leaves_no_server_without_fetches(tmp_path, monkeypatch) -> None:
    (tmp_path / "app.py").write_text(
        "from portcullis_auth import Server\n\nserver = Server.from_env()\n"
    )
    (tmp_path / "test_app.py").write_text(SHARED_APP_TEST)
    assert "11 passed" in run_pytest(tmp_path, monkeypatch)


def test_the_settings_of_the_application_do_not_count(tmp_path, monkeypatch) -> None:
    settings = "OAUTH2_TENANT_ID=acme\nOAUTH2_ROLES_CLAIM=groups\nOAUTH2_PUBLIC_ORIGIN=x\n"
    (tmp_path / ".env").write_text(settings)
    (tmp_path / "test_app.py").write_text(PLUGIN_TEST)
    assert "3 passed" in run_pytest(tmp_path, monkeypatch)


def test_servers_of_a_provider_begin_anew(own: Idp) -> None:
    with Idp(algorithm="ES256") as other:
        mine, another = own.server(), other.server()
        for server, provider in ((mine, own), (another, other)):
            server.decide_blocking(provider.bearer())
            provider.fault(jwks="500")
        own.renew_servers()
        assert code_of(mine, own.bearer()) == "outage.keys"
        assert code_of(another, other.bearer()) == "ok"
        own.clear_faults()
        own.renew_servers()
        assert code_of(mine, own.bearer()) == "ok"
