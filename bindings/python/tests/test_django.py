"""An application of Django, guarded by routes and by decorators."""

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import pytest
import uvicorn
from django.conf import settings
from django.core import checks
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path, re_path
from django.utils.decorators import method_decorator
from django.views import View

from conftest import AUDIENCE, Idp
from portcullis_auth import ConfigError, Server, _portcullis
from portcullis_auth.django import (
    TokenMiddleware,
    TokenRequiredMixin,
    configured_server,
    require,
    token_required,
)
from portcullis_auth.requirements import role, scope

MIDDLEWARE = "portcullis_auth.django.TokenMiddleware"

if not settings.configured:
    settings.configure(
        SECRET_KEY="x" * 50,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["portcullis_auth.django.PortcullisConfig", "rest_framework"],
        # REST framework's own default: a class of django.contrib.auth, for its anonymous user.
        REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
        USE_TZ=True,
    )
    django.setup()

SETTINGS = """
[[issuer]]
url = "{issuer}"
audience = "{audience}"

[[route]]
path = "/public/**"
access = "public"

[[route]]
path = "/guests"
access = "optional"

[[route]]
path = "/admin/**"
require = {{ role = "Clerk" }}

[[route]]
path = "/mount/private"
require = {{ role = "Clerk" }}
"""


def show(request: HttpRequest, **_: object) -> JsonResponse:
    token = getattr(request, "token", "unset")
    shown = token.name if isinstance(token, _portcullis.Token) else token
    return JsonResponse({"name": shown, "path": request.path_info, "headers": [*request.headers]})


async def show_async(request: HttpRequest) -> JsonResponse:
    return show(request)


@method_decorator(require(role="Admin"), name="dispatch")
class Decorated(View):
    def get(self, request: HttpRequest) -> JsonResponse:
        return show(request)


@method_decorator(require(role="Admin"), name="dispatch")
class DecoratedAsync(View):
    async def get(self, request: HttpRequest) -> JsonResponse:
        return show(request)


class Mixed(TokenRequiredMixin, View):
    requirement = scope("orders:read") & role("Admin")

    def get(self, request: HttpRequest) -> JsonResponse:
        return show(request)


class MixedAsync(TokenRequiredMixin, View):
    requirement = scope("orders:read") & role("Admin")

    async def get(self, request: HttpRequest) -> JsonResponse:
        return show(request)


urlpatterns = [
    path("token", token_required(show)),
    path("token-async", token_required(show_async)),
    path("orders", require(scope="orders:read")(show)),
    path("orders-async", require(scope="orders:read")(show_async)),
    path("class", Decorated.as_view()),
    path("class-async", DecoratedAsync.as_view()),
    path("mixin", Mixed.as_view()),
    path("mixin-async", MixedAsync.as_view()),
    path("async/plain", show_async),
    re_path(r"^.*$", show),
]


@pytest.fixture
def routes(idp: Idp, tmp_path) -> Iterator[None]:
    file = tmp_path / "portcullis.toml"
    file.write_text(SETTINGS.format(issuer=idp.issuer, audience=AUDIENCE))
    with override_settings(PORTCULLIS_FILE=file, MIDDLEWARE=[MIDDLEWARE], ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def views(routes: None) -> Iterator[None]:
    with override_settings(MIDDLEWARE=[]):
        yield


class Loop:
    """The asynchronous half of Django, by the interface of the other one."""

    def get(self, path: str, **arguments):
        return asyncio.run(AsyncClient().get(path, **arguments))


@pytest.fixture(params=[Client, Loop])
def client(request):
    return request.param()


def test_a_good_token_reaches_the_view(idp: Idp, routes: None, client) -> None:
    for path_ in ("/x", "/async/plain"):
        for _ in range(2):
            response = client.get(path_, headers=idp.bearer())
            assert (response.status_code, response.json()["name"]) == (200, "Alice Adams")


def test_a_resource_describes_itself(idp: Idp, client) -> None:
    orders = "https://api.example/orders"
    server = Server.from_toml(f"""
[[issuer]]
url = "{idp.issuer}"
audience = "{orders}"
[[resource]]
url = "{orders}"
""")
    with override_settings(PORTCULLIS_SERVER=server, MIDDLEWARE=[MIDDLEWARE]):
        response = client.get("/.well-known/oauth-protected-resource/orders")
        assert (response.status_code, response.json()["resource"]) == (200, orders)


def test_a_denial_is_a_problem_document(idp: Idp, routes: None, client) -> None:
    response = client.get("/x")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"]) == (401, "credential.missing")
    assert problem["request_id"] == response["X-Request-Id"]


@pytest.mark.parametrize("flaw", ["expired", "wrong-key", "unsigned", "hmac"])
def test_a_bad_token_is_401_on_optional_routes_too(
    idp: Idp, routes: None, client, flaw: str
) -> None:
    for path_ in ("/x", "/guests"):
        response = client.get(path_, headers=idp.bearer(flaw=flaw))
        assert response.status_code == 401
        assert 'error="invalid_token"' in response["WWW-Authenticate"]


def test_routes_decide(idp: Idp, routes: None, client) -> None:
    clerk = idp.bearer("bob", roles="Clerk")
    assert client.get("/public/x").json()["name"] is None
    assert client.get("/guests").json()["name"] is None
    assert client.get("/guests", headers=clerk).json()["name"] == "Bob Brown"
    assert client.get("/admin/x", headers=clerk).status_code == 200
    response = client.get("/admin/x", headers=idp.bearer())
    assert (response.status_code, response.json()["code"]) == (403, "policy.role")
    assert 'error_description="the caller lacks a role"' in response["WWW-Authenticate"]


def test_an_outage_is_503(idp: Idp, routes: None, client) -> None:
    idp.fault(metadata="500")
    response = client.get("/x", headers=idp.bearer())
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "WWW-Authenticate" not in response


def test_headers_of_a_gateway_never_reach_the_view(idp: Idp, routes: None, client) -> None:
    remember = "test_django.remember_headers"
    with override_settings(MIDDLEWARE=[remember, MIDDLEWARE]):
        headers = {"X-Auth-Subject": "root", "X-Auth-Roles": "Admin", "X-Other": "y"}
        for path_ in ("/x", "/public/x"):
            seen = client.get(path_, headers={**headers, **idp.bearer()}).json()["headers"]
            assert "X-Other" in seen
            assert not [name for name in seen if name.startswith("X-Auth")]


def remember_headers(get_response):
    """Middleware that makes Django keep a copy of the headers."""
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction

    def respond(request):
        assert request.headers
        return get_response(request)

    respond.async_capable = True
    return markcoroutinefunction(respond) if iscoroutinefunction(get_response) else respond


remember_headers.async_capable = True


def move_to_admin(get_response):
    def respond(request):
        request.path_info = "/admin/x"
        return get_response(request)

    return respond


def test_the_path_must_not_change_after_the_decision(idp: Idp, routes: None, client) -> None:
    with (
        override_settings(MIDDLEWARE=[MIDDLEWARE, "test_django.move_to_admin"]),
        pytest.raises(ImproperlyConfigured, match="further down"),
    ):
        client.get("/public/x", headers=idp.bearer())
    with override_settings(MIDDLEWARE=["test_django.move_to_admin", MIDDLEWARE]):
        # A client of Django's keeps its middleware.
        fresh = type(client)()
        assert fresh.get("/public/x", headers=idp.bearer()).status_code == 403


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=["wsgi", "asgi"])
def port(request, routes: None) -> Iterator[int]:
    """A real server: it unescapes paths, and reads headers, as servers do."""
    if request.param == "wsgi":
        with make_server("127.0.0.1", 0, WSGIHandler(), handler_class=QuietHandler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield server.server_port
            server.shutdown()
            thread.join()
        return
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(get_asgi_application(), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def get(port: int, target: str, headers: dict[str, str]) -> int:
    """The status of a response. The target goes out as it is written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", target, skip_host="host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "target",
    [
        "/admin/x",
        "/%61dmin/x",
        "/admin%2Fx",
        "/%61%64min%2fx",
        "/admin",
        "/admin/",
        "/admin/x?a=/public/x",
        "/admin/%e9",
        "/admin/%C3%A9",
    ],
)
def test_every_spelling_of_a_path_meets_its_route(idp: Idp, port: int, target: str) -> None:
    assert get(port, target, idp.bearer()) in (400, 403)
    clerk = idp.bearer("bob", roles="Clerk")
    if "%e9" not in target:
        assert get(port, target, clerk) == 200


@pytest.mark.parametrize(
    "target",
    [
        "/public/../admin/x",
        "/public/%2e%2e/admin/x",
        "/public%2F..%2Fadmin/x",
        "/public//admin/x",
        "/public;/admin/x",
        "/public/%5c../admin/x",
        "/public/%252e%252e/x",
        "/public/x%00",
        "/public/x%0A",
    ],
)
def test_a_path_with_two_readings_is_refused(idp: Idp, port: int, target: str) -> None:
    assert get(port, target, idp.bearer("bob", roles="Clerk")) == 400


def test_a_slash_in_front_changes_nothing(idp: Idp, port: int) -> None:
    # The server of the standard library removes it, so it never gets here.
    assert get(port, "//admin/x", idp.bearer()) in (400, 403)


def test_nothing_in_a_header_moves_a_request_to_another_route(idp: Idp, port: int) -> None:
    for name in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "Script-Name"):
        for value in ("/public/x", "/public"):
            headers = {name: value}
            assert get(port, "/x", headers) == 401
            assert get(port, "/admin/x", {**headers, **idp.bearer()}) == 403
    assert get(port, "/x", {**idp.bearer(), "X-HTTP-Method-Override": "OPTIONS"}) == 200
    assert get(port, "/x", {**idp.bearer(), "host": "a b"}) == 400


def test_two_credentials_are_refused(idp: Idp, port: int) -> None:
    value = idp.bearer()["authorization"]
    headers = {"authorization": value, "Authorization": value}
    assert get(port, "/guests", headers) in (400, 401)
    # The server of the standard library hands on the first of them only.
    both = {"authorization": value}
    assert get(port, "/x?access_token=x", both) == 400


def test_a_prefix_moves_no_view_to_another_route(idp: Idp, routes: None) -> None:
    middleware = TokenMiddleware(show)

    def status_below(prefix: str, path_: str, **token: str) -> int:
        environ = {"SCRIPT_NAME": prefix}
        request = RequestFactory().get(path_, headers=idp.bearer(**token), **environ)
        assert request.path_info == path_
        return middleware(request).status_code

    seen = {}
    for prefix in ("", "/mount", "/x", "/public"):
        seen[prefix] = [
            status_below(prefix, "/mount/private"),
            status_below(prefix, "/mount/private", roles="Clerk"),
            status_below(prefix, "/x"),
        ]
    assert set(map(tuple, seen.values())) == {(403, 200, 200)}, seen


def test_routes_name_the_paths_below_the_prefix_of_an_asgi_server(idp: Idp, routes: None) -> None:
    async def respond(root_path: str, path_: str) -> int:
        sent = []
        scope = {
            "type": "http",
            "method": "GET",
            "path": path_,
            "root_path": root_path,
            "query_string": b"",
            "headers": [
                (b"host", b"a"),
                *((name.encode(), value.encode()) for name, value in idp.bearer().items()),
            ],
        }
        requests = iter([{"type": "http.request"}])

        async def receive():
            try:
                return next(requests)
            except StopIteration:
                return await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        await get_asgi_application()(scope, receive, send)
        return sent[0]["status"]

    for prefix in ("/api", ""):
        assert asyncio.run(respond(prefix, f"{prefix}/mount/private")) == 403
        assert asyncio.run(respond(prefix, f"{prefix}/x")) == 200


def test_hosts_are_those_of_django(idp: Idp, routes: None) -> None:
    client = Client()
    with override_settings(ALLOWED_HOSTS=["api.example"]):
        good = {**idp.bearer(), "host": "api.example"}
        assert client.get("/x", headers=good).status_code == 200
        assert client.get("/x", headers={**good, "host": "evil.example"}).status_code == 400


VIEWS = ["/token", "/orders", "/class", "/mixin"]


@pytest.mark.parametrize("path_", [*VIEWS, *(f"{path_}-async" for path_ in VIEWS)])
def test_decorators_decide_without_middleware(idp: Idp, views: None, client, path_: str) -> None:
    response = client.get(path_)
    assert (response.status_code, response.json()["code"]) == (401, "credential.missing")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    response = client.get(path_, headers=idp.bearer(scope="orders:read"))
    assert (response.status_code, response.json()["name"]) == (200, "Alice Adams")
    assert client.get(path_, headers=idp.bearer(flaw="expired")).status_code == 401
    if "token" not in path_:
        response = client.get(path_, headers=idp.bearer("bob", scope="x"))
        assert response.status_code == 403
        assert "error_description=" in response["WWW-Authenticate"]
    idp.rotate()
    idp.fault(jwks="500")
    response = client.get(path_, headers=idp.bearer(scope="orders:read"))
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


def test_a_decorator_guards_a_public_route(routes: None) -> None:
    guarded = token_required(show)
    request = RequestFactory().get("/public/x")
    assert TokenMiddleware(guarded)(request).status_code == 401


def test_a_requirement_demands_something() -> None:
    with pytest.raises(ValueError, match="expected at least one"):
        require()


def test_the_loop_serves_others_while_keys_are_fetched(idp: Idp, routes: None) -> None:
    async def scenario() -> None:
        client = AsyncClient()
        headers = idp.bearer(scope="orders:read")
        idp.fault(jwks="slow:700")
        began = time.monotonic()
        waiting = [
            asyncio.create_task(client.get(path_, headers=headers))
            for path_ in ("/async/plain", "/orders-async", "/class-async", "/mixin-async")
        ]
        served = 0
        while not all(task.done() for task in waiting):
            assert (await client.get("/public/x")).status_code == 200
            served += 1
        assert [(await task).status_code for task in waiting] == [200] * 4
        assert time.monotonic() - began > 0.6
        assert served > 10

    asyncio.run(scenario())


def test_a_cookie_counts_for_views(idp: Idp, tmp_path) -> None:
    file = tmp_path / "portcullis.toml"
    text = SETTINGS.format(issuer=idp.issuer, audience=AUDIENCE)
    file.write_text(f'token_cookie = "t"\n{text}')
    headers = {"cookie": f"t={idp.token()}", "sec-fetch-site": "same-origin"}
    for middleware in ([], [MIDDLEWARE]):
        with override_settings(PORTCULLIS_FILE=file, MIDDLEWARE=middleware, ROOT_URLCONF=__name__):
            assert Client().get("/token", headers=headers).status_code == 200
            cross = {**headers, "sec-fetch-site": "cross-site"}
            assert Client().post("/token", headers=cross).status_code == 401


def test_settings_come_from_the_environment(monkeypatch, tmp_path, idp: Idp) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OAUTH2_ISSUER", raising=False)
    monkeypatch.setenv("OAUTH2_AUDIENCE", AUDIENCE)
    configured_server.cache_clear()
    with pytest.raises(ConfigError, match="OAUTH2_ISSUER"):
        TokenMiddleware(show)
    errors = [message.id for message in checks.run_checks()]
    assert errors == ["portcullis_auth.E001"]
    monkeypatch.setenv("OAUTH2_ISSUER", idp.issuer)
    request = RequestFactory().get("/public/x")
    # Without routes, each path needs a token.
    assert TokenMiddleware(show)(request).status_code == 401
    assert checks.run_checks() == []
    configured_server.cache_clear()


def test_the_settings_may_have_a_server(idp: Idp, routes: None) -> None:
    with override_settings(PORTCULLIS_SERVER=Server(idp.issuer, "api://other")):
        response = Client().get("/x", headers=idp.bearer())
        assert response.json()["code"] == "token.audience"
    assert Client().get("/x", headers=idp.bearer()).status_code == 200


def test_checks_report_the_settings(idp: Idp, routes: None, tmp_path) -> None:
    assert checks.run_checks() == []
    with override_settings(MIDDLEWARE=[]):
        (warning,) = checks.run_checks()
        assert warning.id == "portcullis_auth.W002"
    file = tmp_path / "bad.toml"
    file.write_text('relm = "x"\n[[issuer]]\nurl = "ftp://idp.example"\n')
    with override_settings(PORTCULLIS_FILE=file):
        (error,) = checks.run_checks()
        assert error.id == "portcullis_auth.E001"
        assert "relm" in error.msg
        assert "issuer[0].url" in error.msg
        with pytest.raises(ConfigError):
            Client().get("/x")
    with override_settings(PORTCULLIS_FILE=tmp_path / "none.toml"):
        (error,) = checks.run_checks()
        assert error.id == "portcullis_auth.E001"


def test_no_response_echoes_a_token(idp: Idp, routes: None, client) -> None:
    marked = "MARK0815"
    foreign = idp.token(claims=f'{{"aud": "{marked}"}}')
    for text in (marked, f"{marked}.{marked}.{marked}", foreign):
        for path_ in ("/x", "/token"):
            response = client.get(path_, headers={"authorization": f"Bearer {text}"})
            whole = response.content.decode() + str(response.headers)
            assert response.status_code == 401
            assert marked not in whole
            assert not any(part in whole for part in text.split("."))
