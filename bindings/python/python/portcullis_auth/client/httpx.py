"""Tokens for the requests of httpx and httpx2. Neither is imported before one is needed."""

from collections.abc import AsyncGenerator, Generator, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, cast

from portcullis_auth.client.attachment import TokenAttacher, attach
from portcullis_auth.client.origins import PORTS, Origin
from portcullis_auth.client.sources import TokenSource

if TYPE_CHECKING:
    import httpx
    import httpx2

    # One of the two may be missing: its class is then of no known type, and the other one counts.
    class _HttpxBase(httpx.Auth, httpx2.Auth):  # type: ignore[misc]
        pass
else:
    _HttpxBase = object


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
        self._attacher = TokenAttacher(source, origins)

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


def _origin_of_httpx(request: Any) -> Origin | None:  # noqa: ANN401
    # The parts by which httpx connects: another parser might see another host.
    url = request.url
    if url.scheme not in PORTS:
        return None
    host = url.raw_host.decode("ascii").lower()
    return url.scheme, host, PORTS[url.scheme] if url.port is None else url.port


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
