"""An application of FastAPI, guarded."""

import asyncio
import time
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security
from fastapi.testclient import TestClient
from pydantic import BaseModel

from conftest import AUDIENCE, Idp
from portcullis_auth import ConfigError, Server
from portcullis_auth.fastapi import Denial, Portcullis, Token
from portcullis_auth.requirements import application, role


def application_for(auth: Portcullis) -> FastAPI:
    app = FastAPI()

    @app.get("/public")
    def public():
        return "anyone"

    @app.get("/sync")
    def sync(token: Annotated[Token, Depends(auth)]):
        return token.name

    @app.get("/async")
    async def asynchronous(token: Annotated[Token, Depends(auth)]):
        return token.name

    @app.get("/orders")
    async def orders(token: Annotated[Token, Security(auth, scopes=["orders:read"])]):
        return sorted(token.scopes)

    @app.get("/reports", dependencies=[auth.require(role="Admin")])
    def reports():
        return "reports"

    @app.get("/batch")
    def batch(token: Annotated[Token, auth.require(application() | role("Clerk"), scope="batch")]):
        return token.client

    @app.get("/greeting")
    def greeting(token: Annotated[Token | None, Depends(auth.optional)]):
        return f"Hello, {token.name if token else 'guest'}!"

    @app.get("/twice", dependencies=[auth.require(role="Admin")])
    def twice(token: Annotated[Token, Depends(auth)]):
        return token.name

    return app


@pytest.fixture
def auth(server: Server) -> Portcullis:
    return Portcullis(server)


@pytest.fixture
def client(auth: Portcullis) -> Iterator[TestClient]:
    app = application_for(auth)
    auth.install(app)
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("path", ["/sync", "/async", "/twice"])
def test_a_good_token_reaches_the_handler(idp: Idp, client: TestClient, path: str) -> None:
    for _ in range(2):
        response = client.get(path, headers=idp.bearer())
        assert (response.status_code, response.json()) == (200, "Alice Adams")


def test_a_missing_token_is_401_with_a_challenge(client: TestClient) -> None:
    response = client.get("/async")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "detail": "a bearer token is required",
        "code": "credential.missing",
    }
    assert client.get("/public").json() == "anyone"


@pytest.mark.parametrize("flaw", ["expired", "wrong-key", "unsigned", "hmac", "flipped"])
def test_a_bad_token_is_401(idp: Idp, client: TestClient, flaw: str) -> None:
    response = client.get("/async", headers=idp.bearer(flaw=flaw))
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert response.json()["code"].startswith("token.")


def test_scopes_of_security_are_demanded(idp: Idp, client: TestClient) -> None:
    response = client.get("/orders", headers=idp.bearer(scope="orders:read"))
    assert (response.status_code, response.json()) == (200, ["orders:read"])
    response = client.get("/orders", headers=idp.bearer(scope="orders"))
    assert (response.status_code, response.json()["code"]) == (403, "policy.scope")
    challenge = response.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="orders:read"' in challenge


def test_scopes_of_an_outer_security_are_demanded_too(idp: Idp, auth: Portcullis) -> None:
    app = FastAPI()

    def caller(token: Annotated[Token, Security(auth, scopes=["a"])]) -> str:
        return token.name

    @app.get("/")
    def inner(name: Annotated[str, Security(caller, scopes=["b"])]):
        return name

    client = TestClient(app)
    assert client.get("/", headers=idp.bearer(scope="a b")).json() == "Alice Adams"
    for scope in ("a", "b"):
        assert client.get("/", headers=idp.bearer(scope=scope)).status_code == 403


def test_requirements_are_demanded(idp: Idp, client: TestClient) -> None:
    assert client.get("/reports", headers=idp.bearer("alice")).json() == "reports"
    response = client.get("/reports", headers=idp.bearer("bob"))
    assert (response.status_code, response.json()["code"]) == (403, "policy.role")
    assert client.get("/twice", headers=idp.bearer("bob")).status_code == 403
    clerk = idp.bearer("bob", roles="Clerk", scope="batch")
    assert client.get("/batch", headers=clerk).status_code == 200
    assert client.get("/batch", headers=idp.bearer("alice", scope="batch")).status_code == 403
    assert client.get("/batch", headers=idp.bearer("bob", roles="Clerk")).status_code == 403


def test_a_requirement_demands_something(auth: Portcullis) -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        auth.require()


def test_optional_is_for_guests_only(idp: Idp, client: TestClient) -> None:
    assert client.get("/greeting").json() == "Hello, guest!"
    assert client.get("/greeting", headers=idp.bearer()).json() == "Hello, Alice Adams!"
    for value in ("Bearer x", "Bearer", "Basic YTpi"):
        assert client.get("/greeting", headers={"authorization": value}).status_code in (400, 401)


def test_an_outage_is_503(idp: Idp, client: TestClient) -> None:
    idp.fault(metadata="500")
    response = client.get("/async", headers=idp.bearer())
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert "www-authenticate" not in response.headers
    assert response.json()["code"] == "outage.metadata"


def test_without_install_fastapi_answers_by_itself(auth: Portcullis) -> None:
    response = TestClient(application_for(auth)).get("/async")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="api"'
    assert response.json() == {"detail": "a bearer token is required"}


def test_an_application_may_answer_denials_itself(auth: Portcullis) -> None:
    app = application_for(auth)

    @app.exception_handler(Denial)
    async def respond(request: Request, denial: Denial):
        from fastapi.responses import PlainTextResponse

        assert isinstance(denial, HTTPException)
        return PlainTextResponse(denial.code, 418)

    response = TestClient(app).get("/async")
    assert (response.status_code, response.text) == (418, "credential.missing")


def test_a_token_in_the_query_is_no_credential(idp: Idp, client: TestClient) -> None:
    text = idp.token()
    assert client.get("/async", params={"access_token": text}).status_code == 401
    both = client.get("/async", params={"access_token": text}, headers=idp.bearer())
    assert both.json()["code"] == "credential.repeated"


def test_the_loop_serves_others_while_keys_are_fetched(idp: Idp, auth: Portcullis) -> None:
    import httpx2

    app = application_for(auth)

    async def scenario() -> None:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
            headers = idp.bearer()
            idp.fault(jwks="slow:700")
            began = time.monotonic()
            waiting = asyncio.create_task(client.get("/async", headers=headers))
            served = 0
            while not waiting.done():
                assert (await client.get("/greeting")).status_code == 200
                served += 1
            assert (await waiting).json() == "Alice Adams"
            assert time.monotonic() - began > 0.6
            assert served > 10

    asyncio.run(scenario())


def test_the_document_lists_the_guards(idp: Idp, auth: Portcullis) -> None:
    app = application_for(auth)
    plain = TestClient(application_for(auth)).get("/openapi.json").json()
    assert plain["paths"]["/orders"]["get"]["security"] == [{"openIdConnect": ["orders:read"]}]
    assert set(plain["components"]["securitySchemes"]) == {"openIdConnect"}
    auth.install(app)
    document = TestClient(app).get("/openapi.json").json()
    security = {
        path: operations["get"].get("security") for path, operations in document["paths"].items()
    }

    def either(*scopes: str) -> list[dict[str, list[str]]]:
        return [{"openIdConnect": list(scopes)}, {"oauth2": list(scopes)}]

    def unordered(alternatives):
        return sorted(alternatives or [], key=str)

    assert security["/public"] is None
    for path in ("/sync", "/async", "/reports", "/twice"):
        assert unordered(security[path]) == unordered(either()), path
    assert unordered(security["/greeting"]) == unordered([*either(), {}])
    assert unordered(security["/orders"]) == unordered(either("orders:read"))
    assert unordered(security["/batch"]) == unordered(either("batch"))
    assert document["components"]["securitySchemes"] == {
        "openIdConnect": {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{idp.issuer}/.well-known/openid-configuration",
        },
        "oauth2": {"type": "oauth2", "flows": {}},
    }
    # Swagger UI shows them in this order, and signs in by the first.
    assert list(document["components"]["securitySchemes"]) == ["oauth2", "openIdConnect"]


def test_the_document_signs_in_after_discovery(idp: Idp, server: Server) -> None:
    auth = Portcullis(server, scopes={"orders:read": "Read orders"})
    asyncio.run(auth.discover())
    app = application_for(auth)
    auth.install(app)
    client = TestClient(app)
    schemes = client.get("/openapi.json").json()["components"]["securitySchemes"]
    assert schemes["oauth2"]["flows"] == {
        "authorizationCode": {
            "authorizationUrl": f"{idp.issuer}/authorize",
            "tokenUrl": f"{idp.issuer}/token",
            "scopes": {"orders:read": "Read orders", "batch": ""},
        }
    }
    assert '"usePkceWithAuthorizationCodeGrant": true' in client.get("/docs").text


def test_endpoints_can_be_given(server: Server) -> None:
    auth = Portcullis(
        server,
        authorization_endpoint="https://idp.example/a",
        token_endpoint="https://idp.example/t",
    )
    app = application_for(auth)
    auth.install(app)
    schemes = TestClient(app).get("/openapi.json").json()["components"]
    flow = schemes["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]
    assert (flow["authorizationUrl"], flow["tokenUrl"]) == (
        "https://idp.example/a",
        "https://idp.example/t",
    )


def test_settings_come_from_the_environment(monkeypatch, tmp_path, idp: Idp) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OAUTH2_ISSUER", raising=False)
    monkeypatch.setenv("OAUTH2_AUDIENCE", AUDIENCE)
    with pytest.raises(ConfigError, match="OAUTH2_ISSUER"):
        Portcullis()
    monkeypatch.setenv("OAUTH2_ISSUER", idp.issuer)
    client = TestClient(application_for(Portcullis()))
    assert client.get("/sync", headers=idp.bearer()).json() == "Alice Adams"


def test_no_response_echoes_a_token(idp: Idp, client: TestClient) -> None:
    marked = "MARK0815"
    foreign = idp.token(claims=f'{{"aud": "{marked}"}}')
    for text in (marked, f"{marked}.{marked}.{marked}", foreign):
        response = client.get("/async", headers={"authorization": f"Bearer {text}"})
        whole = response.text + str(response.headers)
        assert response.status_code == 401
        assert marked not in whole
        assert not any(part in whole for part in text.split("."))


class Caller(BaseModel):
    sub: str
    roles: list[str]


def test_claims_come_as_a_model(idp: Idp, auth: Portcullis) -> None:
    app = FastAPI()
    auth.install(app)

    @app.get("/")
    def read(caller: Annotated[Caller, auth.claims(Caller)]):
        return caller

    client = TestClient(app)
    assert client.get("/", headers=idp.bearer("alice")).json()["roles"] == ["Admin"]
    response = client.get("/", headers=idp.bearer("alice", claims='{"roles": "MARK0815"}'))
    assert response.status_code == 403
    assert "MARK0815" not in response.text
    assert client.get("/").status_code == 401


def test_the_words_of_requirements_are_arguments(idp: Idp, auth: Portcullis) -> None:
    demands = {
        "/kind": auth.require(kind="application"),
        "/acr": auth.require(acr=["mfa", "hwk"]),
        "/age": auth.require(max_age=60),
        "/claims": auth.require(claims={"plan": "gold", "level": 3}),
        "/scopes": auth.require(scope=["a", "b"]),
    }
    app = FastAPI()
    for path, demand in demands.items():
        app.add_api_route(path, lambda: "in", dependencies=[demand])
    client = TestClient(app)

    def passing(**token: str) -> set[str]:
        headers = idp.bearer(**token)
        return {path for path in demands if client.get(path, headers=headers).status_code == 200}

    assert passing(user="service") == {"/kind"}
    assert passing(user="alice", claims='{"acr": "hwk"}') == {"/acr"}
    assert passing(user="alice", claims=f'{{"auth_time": {int(time.time())}}}') == {"/age"}
    assert passing(user="alice", claims='{"plan": "gold", "level": 3}') == {"/claims"}
    assert passing(user="alice", claims='{"plan": "gold", "level": 2}') == set()
    assert passing(user="alice", scope="a") == set()
    assert passing(user="alice", scope="a b") == {"/scopes"}
    with pytest.raises(ValueError, match=r'expected kind "user" or "application", found .robot'):
        auth.require(kind="robot")
    with pytest.raises(TypeError, match=r"expected one of scope, role, .*; found rolle"):
        auth.require(scope="a", rolle="Admin")


def documented(app: FastAPI) -> dict[tuple[str, str], dict[str, Any]]:
    document = TestClient(app).get("/openapi.json").json()
    return {
        (path, method): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_the_document_and_the_guards_cannot_differ(idp: Idp, auth: Portcullis) -> None:
    """The status of a stranger and of a caller with a bare token, by the document and by a
    request."""
    app = application_for(auth)
    nested = APIRouter(prefix="/nested", dependencies=[auth.require(role="Admin")])

    @nested.post("/{name}")
    def create(name: str):
        return name

    app.include_router(nested)
    auth.install(app)
    client = TestClient(app)
    operations = documented(app)
    assert len(operations) == 9
    for (path, method), operation in operations.items():
        url = path.replace("{name}", "x")
        security = operation.get("security")
        responses = operation["responses"]
        stranger = client.request(method, url).status_code
        assert (stranger == 401) == (security is not None and {} not in security), path
        assert ("401" in responses) == ("503" in responses) == (security is not None), path
        bare = client.request(method, url, headers=idp.bearer("bob")).status_code
        assert (bare == 403) == ("403" in responses), path


def test_the_document_describes_denials(idp: Idp, auth: Portcullis) -> None:
    app = application_for(auth)
    auth.install(app)
    client = TestClient(app)
    document = client.get("/openapi.json").json()
    reports = document["paths"]["/reports"]["get"]["responses"]
    assert reports["403"] == {
        "description": "The caller may not do this",
        "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Denial"}}},
    }
    body = client.get("/reports").json()
    assert set(body) == set(document["components"]["schemas"]["Denial"]["required"])
    assert "Denial" not in TestClient(FastAPI()).get("/openapi.json").text


def test_the_lifespan_fetches_keys_and_endpoints(idp: Idp, server: Server) -> None:
    auth = Portcullis(server)
    app = FastAPI(lifespan=auth.lifespan)
    auth.install(app)
    app.add_api_route("/", lambda: "in", dependencies=[auth.require(role="Admin")])
    with TestClient(app) as client:
        deadline = time.monotonic() + 10
        while "authorizationCode" not in client.get("/openapi.json").text:
            assert time.monotonic() < deadline
        while not server.is_ready():
            assert time.monotonic() < deadline
        # Nothing has to be fetched any more.
        assert isinstance(server.decide(idp.bearer()), Token)


def test_an_unreachable_issuer_stops_no_application(idp: Idp, server: Server) -> None:
    auth = Portcullis(server)
    idp.fault(metadata="500")
    with TestClient(FastAPI(lifespan=auth.lifespan)) as client:
        assert client.get("/openapi.json").status_code == 200


def test_the_document_is_made_again_once_the_endpoints_are_known(idp: Idp, server: Server) -> None:
    auth = Portcullis(server)
    app = application_for(auth)
    auth.install(app)
    client = TestClient(app)
    idp.fault(metadata="500")
    assert not asyncio.run(auth.discover())
    assert "authorizationCode" not in client.get("/openapi.json").text
    idp.clear_faults()
    deadline = time.monotonic() + 20
    while not asyncio.run(auth.discover()):
        assert time.monotonic() < deadline
    assert "authorizationCode" in client.get("/openapi.json").text


def test_a_denial_inside_a_handler_is_a_response_too(idp: Idp, auth: Portcullis) -> None:
    app = FastAPI()
    auth.install(app)

    @app.get("/")
    async def clerks(token: Annotated[Token, Depends(auth)]):
        answer = auth.server.permit(token, role("Clerk"))
        return (answer if isinstance(answer, Token) else await answer).name

    client = TestClient(app)
    response = client.get("/", headers=idp.bearer("bob"))
    assert (response.status_code, response.json()["code"]) == (403, "policy.role")
    assert client.get("/", headers=idp.bearer("bob", roles="Clerk")).status_code == 200


def test_a_caller_can_be_overridden_in_tests() -> None:
    auth = Portcullis(Server("https://idp.example", AUDIENCE))
    app = application_for(auth)
    client = TestClient(app)
    with auth.override(app, "carol", roles=["Admin"]):
        assert client.get("/reports").json() == "reports"
        assert client.get("/batch").status_code == 403
    with auth.override(app):
        assert client.get("/reports").status_code == 403
    assert client.get("/reports").status_code == 401
