"""Tokens for calls to other APIs: sources that get them, and what puts them into requests.

>>> source = ClientCredentials(Client(issuer, "orders", secret), scope="stock:read")
>>> http = httpx.Client(auth=BearerAuth(source, "https://stock.example"))
>>> session.auth = RequestsAuth(source, "https://stock.example")    # of requests
"""

import asyncio
import hashlib
import ipaddress
import re
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from concurrent.futures import Future
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, Self, cast
from urllib.parse import urlsplit

from portcullis_auth._errors import (
    ConfigError,
    InvalidTokenResponse,
    TokenError,
    TokenRefused,
    TokenUnavailable,
)
from portcullis_auth._portcullis import Client, IssuedToken, TokenResponse

if TYPE_CHECKING:
    import httpx
    import httpx2
    import requests.auth

    # One of the two may be missing: its class is then of no known type, and the other one counts.
    class _HttpxBase(httpx.Auth, httpx2.Auth):  # type: ignore[misc]
        pass

    _RequestsBase = requests.auth.AuthBase
else:
    _HttpxBase = _RequestsBase = object

__all__ = [
    "BearerAuth",
    "BoundTokenError",
    "Client",
    "ClientCredentials",
    "Exchange",
    "InvalidTokenResponse",
    "IssuedToken",
    "RequestsAuth",
    "TokenError",
    "TokenRefused",
    "TokenResponse",
    "TokenSource",
    "TokenUnavailable",
    "UserSession",
]

MARGIN = 30.0
"""A token is not used any more so many seconds before it expires, or a tenth of its life."""
MAX_EXCHANGED = 1000
"""How many tokens an exchange keeps."""


class BoundTokenError(TokenError):
    """A token that is bound to a key: a request with it needs a proof, which cannot be made here.
    Have the provider issue bearer tokens to this client."""


class TokenSource(Protocol):
    """Something that gets access tokens: one of this module, or your own."""

    async def token(self) -> IssuedToken:
        """The token to use now. Raises ``TokenError``."""
        ...

    def token_blocking(self) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
        ...

    def invalidate(self, token: IssuedToken) -> bool:
        """Drops a token that an API rejected. Whether another one can be had now."""
        ...


class ClientCredentials:
    """Tokens for the client itself (RFC 6749, section 4.4). All callers share one; it is renewed
    in the background before it expires."""

    def __init__(
        self,
        client: Client,
        *,
        scope: str | None = None,
        resource: str | None = None,
        audience: str | None = None,
    ) -> None:
        self._client = client
        self._scope = scope
        self._target: dict[str, str | None] = {"resource": resource, "audience": audience}

    async def token(self) -> IssuedToken:
        """The token to use now. Raises ``TokenError``."""
        answer = self._client.token(self._scope, **self._target)
        return answer if isinstance(answer, IssuedToken) else await answer

    def token_blocking(self) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
        return self._client.token_blocking(self._scope, **self._target)

    def invalidate(self, token: IssuedToken) -> bool:
        """Drops a token that an API rejected. Whether another one can be had now: of an API that
        rejects all of them, only some rejections count."""
        return self._client.invalidate(token, self._scope, **self._target)


class UserSession:
    """Tokens in the name of a user, by a refresh token (RFC 6749, section 6).

    One refresh serves all callers, in threads and in event loops, and goes on if a caller gives
    up: a provider that rotates refresh tokens would otherwise end the session. ``on_refresh`` gets
    each new refresh token before any token of that response is used, on a thread of its own, to
    store it. If it raises, the callers get its exception, and the next call gives it the same
    token again.

    A session belongs to one process, and to one object there: two of them would use the same
    refresh token twice, which ends the session at many providers.
    """

    def __init__(
        self,
        client: Client,
        refresh_token: str,
        *,
        scope: str | None = None,
        resource: str | None = None,
        audience: str | None = None,
        on_refresh: Callable[[str], None] | None = None,
    ) -> None:
        self._client = client
        self._refresh_token = refresh_token
        self._scope = scope
        self._target: dict[str, str | None] = {"resource": resource, "audience": audience}
        self._on_refresh = on_refresh
        self._lock = threading.Lock()
        self._kept: _KeptToken | None = None
        self._renewal: Future[IssuedToken] | None = None
        self._unsaved: TokenResponse | None = None
        self._failure = _Failure()
        self._last_invalidation = -MARGIN

    async def token(self) -> IssuedToken:
        """The token to use now.

        Raises ``TokenRefused`` once the session is over, for good, and ``TokenUnavailable`` while
        the provider cannot be reached.
        """
        found = self._find_or_renew()
        return found if isinstance(found, IssuedToken) else await asyncio.wrap_future(found)

    def token_blocking(self) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
        found = self._find_or_renew()
        return found if isinstance(found, IssuedToken) else found.result()

    def invalidate(self, token: IssuedToken) -> bool:
        """Drops a token that an API rejected. Whether another one can be had now: after one
        rejection, the next counts in half a minute."""
        with self._lock:
            if self._kept is None or self._kept.token.text != token.text:
                # Somebody else dropped it before.
                return True
            now = time.monotonic()
            if now - self._last_invalidation < MARGIN:
                return False
            self._last_invalidation = now
            self._kept = None
            return True

    def _find_or_renew(self) -> "IssuedToken | Future[IssuedToken]":
        with self._lock:
            if self._kept is not None and self._kept.is_fresh():
                return self._kept.token
            if self._renewal is None:
                self._failure.check()
                renewal: Future[IssuedToken] = Future()
                # A cancelled caller must not cancel it for the others.
                renewal.set_running_or_notify_cancel()
                # A process that ends waits for it: else the new refresh token would be lost.
                threading.Thread(target=self._run_renewal, args=(renewal,)).start()
                # Without a thread nobody would end it; with one, it ends after this lock.
                self._renewal = renewal
            return self._renewal

    def _run_renewal(self, renewal: "Future[IssuedToken]") -> None:
        try:
            kept = self._renew()
        except BaseException as error:
            with self._lock:
                self._failure = _Failure(error)
                self._renewal = None
            renewal.set_exception(error)
        else:
            with self._lock:
                self._kept = kept
                self._renewal = None
            renewal.set_result(kept.token)

    def _renew(self) -> "_KeptToken":
        if self._unsaved is not None:
            self._save(self._unsaved)
        response = self._client.refresh_blocking(self._refresh_token, self._scope, **self._target)
        self._unsaved = response
        kept = _KeptToken(response.access_token)
        self._save(response)
        return kept

    def _save(self, response: TokenResponse) -> None:
        new = response.refresh_token
        if new is not None and new != self._refresh_token:
            if self._on_refresh is not None:
                self._on_refresh(new)
            self._refresh_token = new
        self._unsaved = None


class Exchange:
    """Tokens for another API in the name of a caller, in exchange for the caller's own token
    (RFC 8693); with ``on_behalf_of``, as Entra ID defines it.

    The subject token is a text, or a function that gives that of the current request. Each subject
    token has an access token of its own, which is kept until shortly before it expires.
    """

    def __init__(
        self,
        client: Client,
        subject_token: str | Callable[[], str],
        *,
        scope: str | None = None,
        resource: str | None = None,
        audience: str | None = None,
        on_behalf_of: bool = False,
    ) -> None:
        self._subject_token = subject_token
        self._client = client
        self._scope = scope
        self._target: dict[str, str | None] = {"resource": resource, "audience": audience}
        self._on_behalf_of = on_behalf_of
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, _KeptToken] = OrderedDict()

    async def token(self) -> IssuedToken:
        """The token to use now. Raises ``TokenError``."""
        subject, kept = self._find()
        if kept is not None:
            return kept
        answer = self._client.exchange(
            subject, self._scope, on_behalf_of=self._on_behalf_of, **self._target
        )
        response = answer if isinstance(answer, TokenResponse) else await answer
        return self._keep(subject, response)

    def token_blocking(self) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
        subject, kept = self._find()
        if kept is not None:
            return kept
        response = self._client.exchange_blocking(
            subject, self._scope, on_behalf_of=self._on_behalf_of, **self._target
        )
        return self._keep(subject, response)

    def invalidate(self, token: IssuedToken) -> bool:
        """Drops a token that an API rejected. Whether it was the current one: then another one can
        be had."""
        key = _digest(self._current())
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.token.text != token.text:
                return False
            del self._kept[key]
            return True

    def _current(self) -> str:
        subject = self._subject_token
        return subject if isinstance(subject, str) else subject()

    def _find(self) -> tuple[str, IssuedToken | None]:
        subject = self._current()
        with self._lock:
            kept = self._kept.get(_digest(subject))
        return subject, kept.token if kept is not None and kept.is_fresh() else None

    def _keep(self, subject: str, response: TokenResponse) -> IssuedToken:
        token = response.access_token
        with self._lock:
            self._kept[_digest(subject)] = _KeptToken(token)
            self._kept.move_to_end(_digest(subject))
            while len(self._kept) > MAX_EXCHANGED:
                self._kept.popitem(last=False)
        return token


class BearerAuth(_HttpxBase):
    """Puts the tokens of a source into the requests of httpx and httpx2, sync and async.

    ``origins`` are the APIs that the tokens are for, such as ``https://api.example``: https, or
    http on loopback. Requests to others stay as they are, also after a redirect; a header
    ``Authorization`` of the request itself stays as well. After a 401 with ``invalid_token`` the
    request is repeated once with a new token, if its body is in memory.

    Raises ``ConfigError`` for an origin that no token may go to. A request raises ``TokenError``
    if there is no token for it.
    """

    # Neither package is imported before this is needed.
    def __new__(cls, source: TokenSource, origins: str | Iterable[str]) -> Self:
        """Makes it an ``Auth`` of each of the two packages that is installed."""
        return cast("Self", object.__new__(_with_httpx_bases(cls)))

    def __init__(self, source: TokenSource, origins: str | Iterable[str]) -> None:
        self._attacher = _TokenAttacher(source, origins)

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:  # noqa: ANN401
        """The flow of a request. httpx calls it."""
        attacher = self._attacher
        if not attacher.applies_to(_origin_of_httpx(request), request.headers):
            yield request
            return
        token = attacher.source.token_blocking()
        attach(request.headers, token)
        response = yield request
        if attacher.drops(token, response) and _is_in_memory(request):
            attach(request.headers, attacher.source.token_blocking())
            yield request

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:  # noqa: ANN401
        """The flow of a request. httpx calls it."""
        attacher = self._attacher
        if not attacher.applies_to(_origin_of_httpx(request), request.headers):
            yield request
            return
        token = await attacher.source.token()
        attach(request.headers, token)
        response = yield request
        if attacher.drops(token, response) and _is_in_memory(request):
            attach(request.headers, await attacher.source.token())
            yield request


class RequestsAuth(_RequestsBase):
    """Puts the tokens of a source into the requests of the package requests. Everything is as with
    :class:`BearerAuth`."""

    def __init__(self, source: TokenSource, origins: str | Iterable[str]) -> None:
        self._attacher = _TokenAttacher(source, origins)

    def __call__(self, request: Any) -> Any:  # noqa: ANN401
        """Attaches a token. requests calls it for each request, and not for redirects."""
        if self._attacher.applies_to(_origin_of_url(request.url), request.headers):
            token = self._attacher.source.token_blocking()
            attach(request.headers, token)
            # The hook is of this request alone, so threads do not share its token.
            request.register_hook("response", partial(self._repeat, token))
        return request

    def _repeat(self, token: IssuedToken, response: Any, **options: Any) -> Any:  # noqa: ANN401
        if not self._attacher.drops(token, response):
            return response
        request = response.request.copy()
        if not isinstance(request.body, bytes | str | None):
            return response
        attach(request.headers, self._attacher.source.token_blocking())
        # Frees the connection before the second attempt needs one.
        _ = response.content
        response.close()
        repeated = response.connection.send(request, **options)
        repeated.history.append(response)
        repeated.request = request
        return repeated


class _TokenAttacher:
    """A source, and the origins that may see its tokens."""

    def __init__(self, source: TokenSource, origins: str | Iterable[str]) -> None:
        self.source = source
        texts = [origins] if isinstance(origins, str) else list(origins)
        # A typing mistake would send every request without a token.
        if not texts:
            raise ConfigError("origins: expected at least one origin, found none")
        self._origins = frozenset(_parse_origin(text) for text in texts)

    def applies_to(self, origin: "_Origin | None", headers: Any) -> bool:  # noqa: ANN401
        """Whether a request gets a token. A credential of the caller is deliberate, so it wins."""
        return origin in self._origins and "authorization" not in headers

    def drops(self, token: IssuedToken, response: Any) -> bool:  # noqa: ANN401
        """Drops the token if the response rejects it. Whether a repetition may succeed."""
        if response.status_code != 401 or not _rejects_token(response.headers):
            return False
        # After a redirect it may be the response of a server that never saw the token.
        sent = response.request.headers.get("authorization")
        return sent == token.authorization and self.source.invalidate(token)


_Origin = tuple[str, str, int]
"""Scheme, host and port."""
_PORTS = {"https": 443, "http": 80}
_INVALID_TOKEN = re.compile(r'\berror\s*=\s*(?:"invalid_token"|invalid_token(?![\w-]))', re.I)


def attach(headers: Any, token: IssuedToken) -> None:  # noqa: ANN401
    """Puts a token into the headers of a request. Raises ``BoundTokenError``."""
    if token.is_bound:
        raise BoundTokenError(
            "expected a bearer token, found one that is bound to a key; help: have the provider "
            "issue bearer tokens to this client"
        )
    headers["authorization"] = token.authorization


def _rejects_token(headers: Any) -> bool:  # noqa: ANN401
    return _INVALID_TOKEN.search(headers.get("www-authenticate") or "") is not None


def _parse_origin(text: str) -> _Origin:
    problem = _find_problem(text)
    if problem:
        help_text = "write the API's origin: `https://`, the host, and the port if it is not 443"
        raise ConfigError(f"origins: {problem}, found {text!r}; help: {help_text}")
    origin = _origin_of_url(text)
    if origin is None:
        raise ConfigError(f"origins: expected an origin, found {text!r}")
    return origin


def _find_problem(text: str) -> str | None:
    """The problem of an origin in the settings, if it has one."""
    origin = _origin_of_url(text)
    # Written exactly: the parser alone would mend some of it.
    if origin is None or not re.fullmatch(r"https?://[A-Za-z0-9._:\[\]-]+/?", text):
        return "expected an origin such as https://api.example, without a path"
    scheme, host, _port = origin
    if scheme == "http" and not _is_loopback(host):
        # A token in clear text is anybody's.
        return "expected https, or http on loopback"
    return None


def _is_loopback(host: str) -> bool:
    # Not `*.localhost`: some resolvers ask the network for those.
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin_of_url(url: str | None) -> _Origin | None:
    try:
        parts = urlsplit(url or "")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port


def _origin_of_httpx(request: Any) -> _Origin | None:  # noqa: ANN401
    # The parts by which httpx connects: another parser might see another host.
    url = request.url
    if url.scheme not in _PORTS:
        return None
    host = url.raw_host.decode("ascii").lower()
    return url.scheme, host, _PORTS[url.scheme] if url.port is None else url.port


def _is_in_memory(request: Any) -> bool:  # noqa: ANN401
    """Whether the body of a request of httpx can be sent again: a stream may be used up."""
    try:
        _ = request.content
    except RuntimeError:  # `RequestNotRead`, of either package
        return False
    return True


_HTTPX_CLASSES: dict[type, type] = {}


def _with_httpx_bases(cls: type) -> type:
    """The class with the `Auth` of each package as a base: both look at the type."""
    if cls not in _HTTPX_CLASSES:
        packages = [name for name in ("httpx", "httpx2") if find_spec(name) is not None]
        bases = tuple(import_module(name).Auth for name in packages)
        # Two threads may both make one: either will do.
        _HTTPX_CLASSES[cls] = type(cls.__name__, (cls, *bases), {"__module__": cls.__module__})
    return _HTTPX_CLASSES[cls]


class _KeptToken:
    """A token, and until when it is used."""

    def __init__(self, token: IssuedToken) -> None:
        now = time.time()
        self.token = token
        self._until = token.expires - min(MARGIN, max(0.0, token.expires - now) / 10)

    def is_fresh(self) -> bool:
        return time.time() < self._until


class _Failure:
    """Why the last refresh failed, so that the provider is not asked about it over and over."""

    def __init__(self, error: BaseException | None = None) -> None:
        self._make: Callable[[], TokenError] | None = None
        self._until: float | None = None
        if isinstance(error, TokenRefused) and error.error == "invalid_grant":
            refused = (str(error), error.error, error.status)
            self._make = lambda: TokenRefused(*refused)
        elif isinstance(error, TokenUnavailable):
            unavailable = (str(error), error.retry_after)
            self._until = time.monotonic() + error.retry_after
            self._make = lambda: TokenUnavailable(*unavailable)

    def check(self) -> None:
        """Raises it while asking again cannot help."""
        if self._make is not None and (self._until is None or time.monotonic() < self._until):
            raise self._make()


def _digest(subject_token: str) -> bytes:
    # The cache needs no copy of the caller's token.
    return hashlib.sha256(subject_token.encode()).digest()
