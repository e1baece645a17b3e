"""Tokens for calls to other APIs, against real servers and real HTTP clients."""

import asyncio
import io
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import requests

from conftest import claims_of
from portcullis_auth import ConfigError, Denied, Server, Token
from portcullis_auth.client import (
    BearerAuth,
    BoundTokenError,
    ClientCredentials,
    Exchange,
    IssuedToken,
    RequestsAuth,
    TokenRefused,
    TokenSource,
    TokenUnavailable,
    UserSession,
)
from portcullis_auth.testing import Idp


class Api:
    """A protected API. It notes the credentials and bodies of its requests."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.seen: list[tuple[str | None, bytes]] = []
        self.redirect: str | None = None
        self.challenge: str | None = None
        self.rejections = 0
        self.status = 401
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.respond(self)

            do_POST = do_GET

            def log_message(self, *_arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self.thread.start()

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        self.seen.append((request.headers.get("authorization"), body))
        if self.redirect and request.path == "/redirect":
            self._send(request, 307, {"location": self.redirect})
        elif self.rejections:
            self.rejections -= 1
            self._send(request, self.status, {"www-authenticate": self.challenge or ""})
        else:
            self._decide(request)

    def _decide(self, request: BaseHTTPRequestHandler) -> None:
        try:
            token = self.server.decide_blocking(dict(request.headers.items()))
            self._send(request, 200, {"x-caller": token.client or "", "x-sub": token.subject or ""})
        except Denied as denied:
            self._send(request, denied.status, denied.headers)

    def _send(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in {**headers, "content-length": "0"}.items():
            request.send_header(name, value)
        request.end_headers()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


CLIENTS = {
    "orders": {"secret": "s", "scopes": ["stock:read", "a", "b"], "audiences": ["api://stock"]},
    "web": {"redirect_uris": ["http://127.0.0.1/"], "scopes": ["orders:read"]},
}
INVALID = 'Bearer realm="api", error="invalid_token"'


@pytest.fixture(scope="module")
def own_idp() -> Iterator[Idp]:
    with Idp(algorithm="ES256", clients=CLIENTS) as running:
        yield running


@pytest.fixture
def own(own_idp: Idp) -> Iterator[Idp]:
    yield own_idp
    own_idp.clear_faults()


@pytest.fixture
def api(own: Idp) -> Iterator[Api]:
    api = Api(own.server())
    yield api
    api.stop()


@pytest.fixture
def other_api(own: Idp) -> Iterator[Api]:
    api = Api(own.server())
    yield api
    api.stop()


def credentials(own: Idp) -> ClientCredentials:
    return ClientCredentials(own.client("orders", "s"), scope="stock:read")


class Counting:
    """A source that counts what is asked of it."""

    def __init__(self, source: TokenSource) -> None:
        self.source = source
        self.asked = 0
        self.invalidated = 0

    async def token(self) -> IssuedToken:
        self.asked += 1
        return await self.source.token()

    def token_blocking(self) -> IssuedToken:
        self.asked += 1
        return self.source.token_blocking()

    def invalidate(self, token: IssuedToken) -> bool:
        self.invalidated += 1
        return self.source.invalidate(token)


class Caller:
    """One of the HTTP clients, behind one face."""

    def __init__(self, library: str, source: TokenSource, origins: Any) -> None:
        self.library = library
        kind = RequestsAuth if library == "requests" else BearerAuth
        self.auth = kind(source, origins)

    def call(self, method: str, url: str, **options: Any) -> Any:
        if self.library == "requests":
            with requests.Session() as session:
                session.auth = self.auth
                # A proxy of the environment is not for loopback.
                session.trust_env = False
                return session.request(method, url, **options)
        options = {"content" if key == "data" else key: it for key, it in options.items()}
        package = httpx if self.library.startswith("httpx-") else httpx2
        shared = {"auth": self.auth, "follow_redirects": True, "trust_env": False}
        if self.library.endswith("-sync"):
            with package.Client(**shared) as client:
                return client.request(method, url, **options)

        async def call() -> Any:
            async with package.AsyncClient(**shared) as client:
                return await client.request(method, url, **options)

        return asyncio.run(call())


LIBRARIES = ["httpx-sync", "httpx-async", "httpx2-sync", "httpx2-async", "requests"]
every_library = pytest.mark.parametrize("library", LIBRARIES)


@every_library
def test_a_request_gets_a_token(own: Idp, api: Api, library: str) -> None:
    source = Counting(credentials(own))
    caller = Caller(library, source, api.origin)
    for _ in range(2):
        response = caller.call("GET", f"{api.origin}/stock")
        assert (response.status_code, response.headers["x-caller"]) == (200, "orders")
    assert (source.asked, source.invalidated) == (2, 0)
    # One token served both.
    assert len({credential for credential, _body in api.seen}) == 1


@every_library
def test_no_other_origin_gets_a_token(own: Idp, api: Api, other_api: Api, library: str) -> None:
    source = Counting(credentials(own))
    caller = Caller(library, source, [api.origin])
    port = api.http.server_port
    for url in (other_api.origin, f"http://localhost:{port}", f"http://127.0.0.2:{port}"):
        try:
            assert caller.call("GET", f"{url}/stock").status_code == 401
        except (httpx.ConnectError, httpx2.ConnectError, requests.ConnectionError):
            assert "127.0.0.2" in url
    assert source.asked == 0
    assert {credential for credential, _body in api.seen + other_api.seen} == {None}


@every_library
def test_a_redirect_takes_no_token_elsewhere(
    own: Idp, api: Api, other_api: Api, library: str
) -> None:
    source = Counting(credentials(own))
    caller = Caller(library, source, api.origin)
    api.redirect = f"{other_api.origin}/stock"
    # The other API rejects a token that it never saw.
    other_api.rejections, other_api.challenge = 1, INVALID
    assert caller.call("GET", f"{api.origin}/redirect").status_code == 401
    assert other_api.seen == [(None, b"")]
    assert (source.asked, source.invalidated) == (1, 0)
    api.redirect = "/stock"
    assert caller.call("GET", f"{api.origin}/redirect").status_code == 200


@every_library
def test_a_credential_of_the_caller_stays(own: Idp, api: Api, library: str) -> None:
    source = Counting(credentials(own))
    caller = Caller(library, source, api.origin)
    headers = own.bearer("alice")
    response = caller.call("GET", api.origin, headers=headers)
    assert (response.status_code, response.headers["x-caller"]) == (200, "orders") or (
        response.headers["x-sub"] == claims_of(headers["authorization"])["sub"]
    )
    assert api.seen[0][0] == headers["authorization"]
    api.rejections, api.challenge = 1, INVALID
    assert caller.call("GET", api.origin, headers=headers).status_code == 401
    assert (source.asked, source.invalidated) == (0, 0)


@every_library
def test_a_rejected_token_is_replaced_once(own: Idp, api: Api, library: str) -> None:
    source = Counting(credentials(own))
    caller = Caller(library, source, api.origin)
    own.fault(access_token_claims={"aud": "api://somebody-else"})
    source.token_blocking()
    own.clear_faults()
    response = caller.call("POST", api.origin, data=b"four")
    assert response.status_code == 200
    bodies = [body for _credential, body in api.seen]
    assert bodies == [b"four", b"four"]
    assert api.seen[0][0] != api.seen[1][0]
    assert source.invalidated == 1
    # A second rejection is the answer.
    api.rejections, api.challenge = 2, INVALID
    assert caller.call("GET", api.origin).status_code == 401
    assert len(api.seen) == 4


@every_library
@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="api"',
        'Bearer error="insufficient_user_authentication", max_age=60',
        'Bearer error="invalid_token_format"',
        "Bearer error=invalid_token-x",
        None,
    ],
)
def test_other_denials_are_answers(own: Idp, api: Api, library: str, challenge: str | None) -> None:
    source = Counting(credentials(own))
    api.rejections, api.challenge = 1, challenge
    assert Caller(library, source, api.origin).call("GET", api.origin).status_code == 401
    assert (len(api.seen), source.invalidated) == (1, 0)


@every_library
def test_only_a_401_rejects_a_token(own: Idp, api: Api, library: str) -> None:
    source = Counting(credentials(own))
    api.rejections, api.challenge, api.status = 1, INVALID, 403
    assert Caller(library, source, api.origin).call("GET", api.origin).status_code == 403
    assert (len(api.seen), source.invalidated) == (1, 0)


@every_library
def test_a_stream_is_not_sent_again(own: Idp, api: Api, library: str) -> None:
    source = Counting(credentials(own))
    api.rejections, api.challenge = 1, INVALID

    async def stream():
        yield b"four"

    # The server reads as much as the length says.
    headers = {"content-length": "4"}
    if library == "requests":
        body: Any = io.BytesIO(b"four")
    else:
        body = stream() if library.endswith("-async") else iter([b"four"])
    response = Caller(library, source, api.origin).call(
        "POST", api.origin, data=body, headers=headers
    )
    assert response.status_code == 401
    assert [body for _credential, body in api.seen] == [b"four"]
    # The next request has another token all the same.
    assert source.invalidated == 1


@every_library
def test_without_a_token_there_is_no_request(own: Idp, api: Api, library: str) -> None:
    own.fault(token="500")
    with pytest.raises(TokenUnavailable) as caught:
        Caller(library, credentials(own), api.origin).call("GET", api.origin)
    assert caught.value.retry_after > 0
    own.clear_faults()
    wrong = ClientCredentials(own.client("orders", "wrong-secret"))
    with pytest.raises(TokenRefused) as refused:
        Caller(library, wrong, api.origin).call("GET", api.origin)
    assert refused.value.error == "invalid_client"
    assert "wrong-secret" not in str(refused.value)
    assert api.seen == []


class BoundToken:
    """No provider issues one without a key, and Python has none."""

    is_bound = True
    text = "bound"
    authorization = "DPoP bound"


class BoundSource:
    async def token(self) -> Any:
        return BoundToken()

    def token_blocking(self) -> Any:
        return BoundToken()

    def invalidate(self, token: IssuedToken) -> bool:
        return True


@every_library
def test_a_bound_token_is_an_error(api: Api, library: str) -> None:
    with pytest.raises(BoundTokenError, match="bearer"):
        Caller(library, BoundSource(), api.origin).call("GET", api.origin)
    assert api.seen == []


@pytest.mark.parametrize("kind", [BearerAuth, RequestsAuth])
@pytest.mark.parametrize(
    "origins",
    [
        [],
        "",
        "api.example",
        "http://api.example",
        "http://127.0.0.1.example",
        "http://x.localhost",
        "http://127.1",
        "ftp://127.0.0.1",
        "https:///api.example",
        "https:api.example",
        "https://api.example/orders",
        "https://api.example?x",
        "https://user@api.example",
        "https://api.example:port",
        "https://api.example:99999",
        "https://äpi.example",
        "https://api.example\\@evil.example",
        "https://*.example",
        " https://api.example",
        ["https://api.example", "http://evil.example"],
    ],
)
def test_an_origin_is_checked(own: Idp, kind: Any, origins: Any) -> None:
    with pytest.raises(ConfigError, match="origins: expected"):
        kind(credentials(own), origins)


@pytest.mark.parametrize(
    ("origin", "goes", "stays"),
    [
        (
            "https://API.example/",
            ["https://api.example/a", "HTTPS://api.EXAMPLE:443/a?b"],
            [
                "http://api.example/",
                "https://api.example:444/",
                "https://api.example.evil.example/",
                "https://api.example@evil.example/",
                "https://evil.example/api.example",
                "https://evil.example#@api.example/",
                "https://api.example./",
            ],
        ),
        ("http://[::1]:8080", ["http://[::1]:8080/"], ["http://[::2]:8080/", "http://[::1]/"]),
        ("http://localhost", ["http://localhost:80/"], ["https://localhost/"]),
    ],
)
def test_the_origin_is_compared_whole(
    own: Idp, origin: str, goes: list[str], stays: list[str]
) -> None:
    source = credentials(own)
    bearer, other = BearerAuth(source, origin), RequestsAuth(source, origin)

    def attached(url: str) -> list[bool]:
        """By each of the packages; one that refuses the address sends nothing."""
        found = []
        for package in (httpx, httpx2):
            try:
                request = package.Request("GET", url)
            except (httpx.InvalidURL, httpx2.InvalidURL):
                continue
            next(bearer.sync_auth_flow(request))
            # With the host to which httpx would connect.
            found.append("authorization" in request.headers)
            if found[-1]:
                assert request.url.host in origin.lower()
        try:
            prepared = requests.Request("GET", url, auth=other).prepare()
        except requests.exceptions.InvalidURL:
            return found
        return [*found, "authorization" in prepared.headers]

    for url in goes:
        assert attached(url) == [True, True, True], url
    for url in stays:
        assert not any(attached(url)), url


@pytest.mark.parametrize("package", [httpx, httpx2])
def test_the_origin_is_the_one_that_is_connected_to(own: Idp, package: Any) -> None:
    # Parsers disagree about the host of this one: `urllib` finds evil.example, requests too.
    url = "https://evil.example\\@api.example/"
    for origin in ("https://api.example", "https://evil.example"):
        request = package.Request("GET", url)
        next(BearerAuth(credentials(own), origin).sync_auth_flow(request))
        is_host = request.url.raw_host.decode() == origin.removeprefix("https://")
        assert ("authorization" in request.headers) == is_host


def test_an_auth_is_one_of_both_packages(own: Idp) -> None:
    auth = BearerAuth(credentials(own), "https://api.example")
    assert isinstance(auth, BearerAuth)
    assert isinstance(auth, httpx.Auth)
    assert isinstance(auth, httpx2.Auth)
    assert type(auth) is type(BearerAuth(credentials(own), "https://other.example"))
    assert type(auth).__name__ == "BearerAuth"


def test_one_token_is_shared_and_kept(own: Idp) -> None:
    source = credentials(own)

    async def scenario() -> set[str]:
        tokens = await asyncio.gather(*(source.token() for _ in range(20)))
        return {token.text for token in tokens}

    texts = asyncio.run(scenario())
    assert texts == {source.token_blocking().text}
    token = source.token_blocking()
    assert source.invalidate(token)
    assert source.token_blocking().text != token.text
    # Its target is part of the source.
    stock = ClientCredentials(own.client("orders", "s"), scope="a", audience="api://stock")
    issued = stock.token_blocking()
    assert claims_of(issued.text)["aud"] == "api://stock"
    assert stock.invalidate(issued)
    assert stock.token_blocking().text != issued.text


def session(own: Idp, **options: Any) -> UserSession:
    client = own.client("web", None)
    scope = "openid offline_access orders:read"
    return UserSession(client, own.sign_in("alice", scope=scope), **options)


def test_one_refresh_serves_threads_and_loops(own: Idp) -> None:
    saved: list[str] = []
    user = session(own, on_refresh=saved.append)
    own.fault(token="slow:300")
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append(user.token_blocking().text)) for _ in range(5)
    ]
    for thread in threads:
        thread.start()

    async def scenario() -> None:
        tokens = await asyncio.gather(*(user.token() for _ in range(5)))
        texts.extend(token.text for token in tokens)

    asyncio.run(scenario())
    for thread in threads:
        thread.join()
    assert (len(texts), len(set(texts)), len(saved)) == (10, 1, 1)
    assert own.server().decide_blocking({"authorization": f"Bearer {texts[0]}"}).name == (
        "Alice Adams"
    )
    # It is kept.
    assert user.token_blocking().text == texts[0]


def test_refresh_tokens_rotate(own: Idp) -> None:
    saved: list[str] = []
    user = session(own, on_refresh=saved.append)
    first = user.token_blocking()
    assert user.invalidate(first)
    second = user.token_blocking()
    assert second.text != first.text
    assert len(set(saved)) == 2
    # A token that somebody else dropped before is no reason to drop the next one.
    assert user.invalidate(first)
    assert user.token_blocking().text == second.text
    # An API that rejects every token does not have every request refresh.
    assert not user.invalidate(second)
    assert user.token_blocking().text == second.text
    # The last one goes on elsewhere.
    assert UserSession(own.client("web", None), saved[-1]).token_blocking().text != second.text


def test_a_token_is_renewed_before_it_expires(own: Idp) -> None:
    with Idp(algorithm="ES256", lifetime=2) as short:
        user = session(short)
        first = user.token_blocking()
        deadline = time.monotonic() + 10
        while user.token_blocking().text == first.text and time.monotonic() < deadline:
            time.sleep(0.02)
        second = user.token_blocking()
        assert second.text != first.text
        # A tenth of its life before its end. It lives two seconds, rounded down.
        assert second.expires - first.expires in (1, 2)


def test_a_cancelled_caller_does_not_end_the_refresh(own: Idp) -> None:
    saved: list[str] = []
    user = session(own, on_refresh=saved.append)
    own.fault(token="slow:300")

    async def scenario() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(user.token(), 0.05)
        assert saved == []
        assert (await user.token()).text

    asyncio.run(scenario())
    assert len(saved) == 1


def test_a_new_refresh_token_is_saved_before_use(own: Idp) -> None:
    saved: list[str] = []
    is_broken = True

    def save(refresh_token: str) -> None:
        saved.append(refresh_token)
        if is_broken:
            raise OSError("the store is full")

    user = session(own, on_refresh=save)
    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            user.token_blocking()
        with pytest.raises(OSError, match="full"):
            asyncio.run(user.token())
    assert (len(saved), len(set(saved))) == (4, 1)
    is_broken = False
    assert user.token_blocking().text
    assert saved[4] == saved[0] != saved[5]


def test_a_session_that_is_over_stays_over(own: Idp) -> None:
    user = UserSession(own.client("web", None), "no-such-token")
    for _ in range(3):
        with pytest.raises(TokenRefused) as caught:
            user.token_blocking()
        assert caught.value.error == "invalid_grant"
    # The provider is not asked any more, not even when it is down.
    own.fault(token="500")
    with pytest.raises(TokenRefused):
        asyncio.run(user.token())


def test_a_provider_that_is_down_is_left_alone_for_a_while(own: Idp) -> None:
    user = session(own)
    own.fault(token="429")
    with pytest.raises(TokenUnavailable) as caught:
        user.token_blocking()
    assert 0 < caught.value.retry_after <= 60
    own.clear_faults()
    with pytest.raises(TokenUnavailable):
        user.token_blocking()


def caller_of(own: Idp, text: str) -> Token:
    return own.server(issuer={"audience": "api://stock"}).decide_blocking(
        {"authorization": f"Bearer {text}"}
    )


def test_each_caller_has_an_exchanged_token_of_its_own(own: Idp) -> None:
    incoming = own.token("alice")
    client = own.client("orders", "s")
    exchange = Exchange(client, lambda: incoming, audience="api://stock", scope="stock:read")
    for_alice = exchange.token_blocking()
    assert caller_of(own, for_alice.text).name == "Alice Adams"
    assert asyncio.run(exchange.token()).text == for_alice.text
    incoming = own.token("bob")
    for_bob = asyncio.run(exchange.token())
    assert caller_of(own, for_bob.text).name == "Bob Brown"
    assert exchange.token_blocking().text == for_bob.text
    # A rejected token is dropped for this caller only.
    assert not exchange.invalidate(for_alice)
    assert exchange.invalidate(for_bob)
    assert exchange.token_blocking().text != for_bob.text
    with pytest.raises(TokenRefused):
        Exchange(client, "no-such-token", audience="api://stock").token_blocking()


def test_an_exchange_forgets_the_oldest(own: Idp, monkeypatch) -> None:
    monkeypatch.setattr("portcullis_auth.client.exchange.MAX_EXCHANGED", 2)
    incoming = [own.token("alice") for _ in range(3)]
    exchange = Exchange(own.client("orders", "s"), lambda: current, audience="api://stock")

    issued = {}
    for current in incoming:
        issued[current] = exchange.token_blocking().text
    for current in incoming[1:]:
        assert exchange.token_blocking().text == issued[current]
    current = incoming[0]
    assert exchange.token_blocking().text != issued[current]


@every_library
def test_an_exchange_is_a_source(own: Idp, api: Api, library: str) -> None:
    api.server = own.server(issuer={"audience": "api://stock"})
    exchange = Exchange(own.client("orders", "s"), own.token("bob"), audience="api://stock")
    response = Caller(library, exchange, api.origin).call("GET", api.origin)
    assert response.status_code == 200
    assert response.headers["x-sub"] == claims_of(own.token("bob"))["sub"]


def test_a_closed_api_is_an_error_of_the_http_client(own: Idp) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    auth = BearerAuth(credentials(own), f"http://127.0.0.1:{port}")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}", auth=auth, trust_env=False)


PAGE = Path(__file__).parents[3] / "docs" / "python" / "client.md"


def test_the_page_does_what_it_says(monkeypatch) -> None:
    clients = {
        "service": {"secret": "s", "scopes": ["orders:read"], "audiences": ["api://stock"]},
        "web": {"redirect_uris": ["http://127.0.0.1/"]},
    }
    with Idp(algorithm="ES256", clients=clients) as own:
        api = Api(own.server(issuer={"audience": [own.audience, "api://stock"]}))
        environment = {
            "OAUTH2_ISSUER": own.issuer,
            "CLIENT_SECRET": "s",
            "STOCK_API": api.origin,
            "REFRESH_TOKEN": own.sign_in("bob"),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        names: dict[str, Any] = {"__name__": "client"}
        try:
            for block in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
                exec(compile(block, PAGE.name, "exec"), names)
            exchanged = names["call_stock"](own.bearer("alice")["authorization"])
        finally:
            api.stop()
        bob, alice = claims_of(own.token("bob")), claims_of(own.token("alice"))
        for name in ("response", "same"):
            assert names[name].status_code == 200
        assert names["same"].headers["x-caller"] == "service"
        assert names["response"].headers["x-sub"] == bob["sub"]
        assert exchanged.headers["x-sub"] == alice["sub"]
        assert names["stored"]["refresh_token"] != environment["REFRESH_TOKEN"]
        assert names["headers"]["authorization"] == api.seen[0][0]
        assert names["reason"] == "invalid_client"


def test_nothing_of_a_token_is_in_any_text(own: Idp) -> None:
    user = session(own)
    texts = [repr(user), repr(user.token_blocking()), repr(credentials(own).token_blocking())]
    texts.append(repr(BearerAuth(user, "https://api.example")))
    assert not any(user.token_blocking().text[:20] in text for text in texts)
