"""Middleware for ASGI: *the gateway's route table* in front of any application.

>>> app = PortcullisMiddleware(app, Server.from_file("portcullis.toml"))

Who may call what stands in the ``[[route]]`` tables; a request that no route matches needs a valid
token. The application finds the caller by :func:`token_of`, or in the same headers that the gateway
sends (``x-auth-subject`` ...). Nothing that a client sends under those names arrives.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from portcullis_auth._asgi_streams import GuardedHttp, GuardedWebSocket
from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Admission, Server, Token
from portcullis_auth._receivers import DEFAULT_PATH, answer, route_path, tail
from portcullis_auth._subprotocols import without_token
from portcullis_auth._target import target

__all__ = ["ADMISSION", "PortcullisMiddleware", "ReceiversMiddleware", "token_of"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ADMISSION = "portcullis.admission"
"""The member of a scope that holds the :class:`Admission`."""


def token_of(scope: Scope) -> Token | None:
    """The token of the caller; ``None`` where the route needs none. Raises ``LookupError`` if no
    middleware has decided: then nobody knows who calls."""
    admission: Admission = scope[ADMISSION]
    return admission.token


class PortcullisMiddleware:
    """An application behind the routes of a server. Without a server, the settings are read from
    the environment and ``.env``: then every request needs a valid token.

    The routes name the paths that the application itself routes by: without its ``root_path``.
    """

    def __init__(self, app: Application, server: Server | None = None) -> None:
        if getattr(app, "root_path", ""):
            # The application would cut off its prefix later, and route by another path.
            message = "expected an application without root_path: use its add_middleware"
            raise ValueError(message)
        self.app = app
        self.server = server or Server.from_env()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decides about a request, and lets it on to the application."""
        if scope["type"] not in ("http", "websocket"):
            # A lifespan is not a request. Any other type cannot be decided on.
            if scope["type"] != "lifespan":
                message = f"expected http, websocket or lifespan; found {scope['type']!r}"
                raise ValueError(message)
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http" and await self._describe(scope, send):
            return
        try:
            admission = await self._admit(scope)
        except Denied as denied:
            await refuse(denied, scope, receive, send)
            return
        guarded = GuardedWebSocket if scope["type"] == "websocket" else GuardedHttp
        connection = guarded(scope, receive, send, self.server, admission.token)
        try:
            await self.app(admitted(scope, admission), connection.receive, connection.send)
        finally:
            connection.stop()

    async def _describe(self, scope: Scope, send: Send) -> bool:
        """Answers a request for the metadata of a resource, which is for everybody."""
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        described = self.server.describe(scope["method"], path, hosts[0] if hosts else None)
        if described is None:
            return False
        status, fields, body = described
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": body})
        return True

    async def _admit(self, scope: Scope) -> Admission:
        client = scope.get("client")
        raw_path = scope.get("raw_path")
        answer = self.server.admit(
            scope.get("method", "GET"),
            target(route_path(scope), scope["query_string"].decode("latin-1")),
            scope["headers"],
            client[0] if client else None,
            sent_as=raw_path.decode("latin-1") if raw_path else None,
            websocket=scope["type"] == "websocket",
        )
        return answer if isinstance(answer, Admission) else await answer


class ReceiversMiddleware:
    """Receivers of logouts and security events in front of an application: see
    ``portcullis_auth.receivers``. All requests for other paths go on to the application.

    It stands before what demands tokens, so it is added last:

    >>> app.add_middleware(PortcullisMiddleware, server=server)
    >>> app.add_middleware(ReceiversMiddleware, server=server)
    """

    def __init__(self, app: Application, server: Server, path: str = DEFAULT_PATH) -> None:
        self.app = app
        self.server = server
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request for a receiver, and lets any other one on to the application."""
        if scope["type"] == "http":
            below = tail(route_path(scope), self.path)
            if below is not None:
                await answer(self.server, below, scope, receive, send)
                return
        await self.app(scope, receive, send)


def admitted(scope: Scope, admission: Admission) -> Scope:
    """The scope as the application may see it."""
    removed = set(admission.removed)
    headers = [header for header in scope["headers"] if header[0].lower() not in removed]
    scope = {**scope, "headers": [*headers, *admission.identity], ADMISSION: admission}
    if "subprotocols" in scope:
        scope["subprotocols"] = without_token(scope["subprotocols"])
    return scope


async def refuse(denied: Denied, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a request that may not go on, with a problem document (RFC 9457)."""
    kind = "http"
    if scope["type"] == "websocket":
        # The handshake has to have begun before it can be refused.
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            # The server answers 403.
            await send({"type": "websocket.close", "code": 1008, "reason": denied.detail})
            return
        kind = "websocket.http"
    headers = {**denied.headers, "content-type": "application/problem+json"}
    body = denied.problem or json.dumps({"detail": denied.detail, "code": denied.code}).encode()
    headers["content-length"] = str(len(body))
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": f"{kind}.response.start", "status": denied.status, "headers": fields})
    await send({"type": f"{kind}.response.body", "body": body})
