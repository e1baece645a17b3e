"""Receivers of logouts and security events, for ASGI."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from portcullis_auth._portcullis import Server

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer = tuple[int, list[tuple[str, str]], bytes]

DEFAULT_PATH = "/.portcullis"

MOST_BYTES = 65_536
"""A token has at most 16 KB by default, and a form may write each of its bytes as three."""

TOO_LARGE: Answer = (413, [("cache-control", "no-store")], b"")


class HasServer(Protocol):
    """What decides by a server, such as ``portcullis_auth.fastapi.Portcullis``."""

    @property
    def server(self) -> Server:
        """The server that decides."""
        ...


def receivers(server: Server | HasServer, path: str = DEFAULT_PATH) -> Application:
    """Where providers send logouts (OpenID Connect Back-Channel Logout 1.0) and security events
    (Shared Signals Framework 1.0, pushed by RFC 8935) to, as an application of ASGI:

    >>> app.mount("/.portcullis", receivers(auth))      # FastAPI, Starlette

    It takes ``POST /logout`` and ``POST /events/NAME`` below the path that it is mounted at, or
    below ``path`` where nothing is mounted. What the settings do not name answers 404.

    What is received ends tokens here, and in every process that shares the store, before its sender
    hears that it was taken. Senders have no access token, and show who they are by a signature: a
    guard must not stand in front. Before the routes of ``PortcullisMiddleware`` stands
    ``portcullis_auth.asgi.ReceiversMiddleware`` instead.

    A body has at most 64 KB. How long it may take is for the server of the application.
    """
    return _Receivers(server_of(server), path)


def server_of(given: Server | HasServer) -> Server:
    """The server itself."""
    return given if isinstance(given, Server) else given.server


class _Receivers:
    """The application that is mounted."""

    def __init__(self, server: Server, path: str) -> None:
        self._server = server
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # The handshake has to have begun before it can be refused.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        if scope["type"] != "http":
            raise ValueError(f"expected http or websocket; found {scope['type']!r}")
        path = route_path(scope)
        await answer(self._server, tail(path, self._path) or path, scope, receive, send)


def route_path(scope: Scope) -> str:
    """The path that the application routes by: the one of the request, less ``root_path``."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    if root_path.endswith("/"):
        # Frameworks differ in which path is left then.
        message = f"expected a root_path without a slash at its end, found {root_path!r}"
        raise ValueError(f"{message}; help: set it so at the server")
    if root_path and (path == root_path or path.startswith(root_path + "/")):
        return path[len(root_path) :] or "/"
    return path


def tail(path: str, prefix: str) -> str | None:
    """The part of a path below the receivers' own, if it is one of theirs."""
    prefix = prefix.rstrip("/")
    return path[len(prefix) :] if path.startswith(prefix + "/") else None


async def answer(server: Server, tail: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Takes the request for the receiver at this path, and answers it."""
    body = await _read(receive)
    if body is None:
        # Nobody is left to answer.
        return
    status, fields, content = await _ask(server, tail, scope, body)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    content = b"" if scope["method"] == "HEAD" else content
    await send({"type": "http.response.body", "body": content})


async def _ask(server: Server, tail: str, scope: Scope, body: bytes) -> Answer:
    if len(body) > MOST_BYTES:
        return TOO_LARGE
    client = scope.get("client")
    answer = server.answer_receiver(
        tail, scope["method"], scope["headers"], body, client[0] if client else None
    )
    return answer if isinstance(answer, tuple) else await answer


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or as much of it as shows that it is too large. ``None`` if the sender left
    before its end: half a body must not count."""
    body = bytearray()
    while len(body) <= MOST_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)
