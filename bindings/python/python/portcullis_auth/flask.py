"""Guards for Flask: decorators for views, and a check for blueprints.

>>> auth = Portcullis(app)                    # OAUTH2_ISSUER and OAUTH2_AUDIENCE, or `.env`
>>>
>>> @app.get("/orders")
>>> @auth.require(scope="orders:read")
>>> def orders(): ...
>>>
>>> reports.before_request(auth.check)        # a blueprint

A denial is an ``HTTPException`` whose body is a problem document (RFC 9457).
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar, Unpack, cast

from flask import Flask, current_app, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from portcullis_auth import requirements
from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Requirement, Server, Token

__all__ = ["Denial", "Guard", "OptionalGuard", "Portcullis", "Token"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_NAME = "portcullis_auth"


class Denial(HTTPException):
    """A request that may not go on. Flask answers it by itself; an error handler for its status,
    for ``HTTPException`` or for this class replaces the body."""

    denied: Denied
    """The reason: ``denied.code`` is the stable code."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.detail)
        self.code = denied.status
        self.denied = denied

    def get_body(self, environ: Any = None, scope: Any = None) -> str:  # noqa: ANN401
        """The problem document. Flask calls it."""
        return self.denied.problem.decode()

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:  # noqa: ANN401
        """The header fields. Flask calls it."""
        return [("content-type", "application/problem+json"), *self.denied.headers.items()]


class Guard:
    """A decorator that lets only callers into a view who meet a requirement. It stands below the
    decorator of the route."""

    def __init__(self, auth: "Portcullis", requirement: Requirement | None = None) -> None:
        self._auth = auth
        self.requirement = requirement

    def __call__(self, view: Callable[_P, _R]) -> Callable[_P, Any]:
        """The view behind the decision, sync or async.

        Raises ``TypeError`` for a view that has its route already: that route would stay open.
        """
        self._auth.refuse_registered(view)

        @wraps(view)
        def guarded(*args: _P.args, **kwargs: _P.kwargs) -> Any:  # noqa: ANN401
            self._decide()
            return current_app.ensure_sync(view)(*args, **kwargs)

        return guarded

    def check(self) -> None:
        """Decides about the current request, for ``before_request``. Raises :class:`Denial`.

        Flask's own answer to ``OPTIONS`` runs no view, and needs no token: browsers ask without.
        """
        if not _is_answered_by_flask():
            self._decide()

    def _decide(self) -> None:
        query = request.query_string.decode("latin-1")
        try:
            token = self._auth.server.decide_blocking(
                _header_fields(), query, self.requirement, method=request.method
            )
        except Denied as denied:
            raise Denial(denied) from None
        self._auth.keep(token)


class OptionalGuard(Guard):
    """A guard that lets in callers without any credential too. A bad credential is refused all the
    same: its sender is no guest."""

    def _decide(self) -> None:
        if self._auth.server.sees_credential(_header_fields(), method=request.method):
            super()._decide()
        else:
            self._auth.keep(None)


class Portcullis:
    """The protection of an application.

    Without a server, the settings are the file ``PORTCULLIS_FILE`` of ``app.config``, else the
    environment and ``.env``. The routes of the file are for a gateway and for middleware: here, the
    guards decide. Raises ``ConfigError`` with all faults.
    """

    def __init__(self, app: Flask | None = None, server: Server | None = None) -> None:
        self._server = server
        self._apps: list[Flask] = []
        self.token_required = Guard(self)
        """The guard that any valid token passes."""
        self.optional = OptionalGuard(self)
        """The guard for views that have guests too."""
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, server: Server | None = None) -> None:
        """Reads the settings, and protects the application from now on. A server replaces the
        settings, also later: tests have their own. Raises ``ConfigError`` with all faults."""
        servers: dict[Portcullis, Server] = app.extensions.setdefault(_NAME, {})
        is_new = self not in servers
        servers[self] = server or self._server or _configured_server(app)
        if is_new:
            self._apps.append(app)
            # The application may call the server itself.
            app.register_error_handler(Denied, _respond)

    def require(
        self,
        *all_of: Requirement,
        **words: Unpack[requirements.Words],
    ) -> Guard:
        """A guard that demands all of these: a decorator, with a ``check`` for blueprints.

        The words are those of ``requirements.combine``. Raises ``ValueError`` if nothing is
        demanded.
        """
        requirement = requirements.combine(*all_of, **words)
        return Guard(self, requirement)

    def check(self) -> None:
        """Demands a valid token, for ``blueprint.before_request``. Raises :class:`Denial`."""
        self.token_required.check()

    @property
    def token(self) -> Token | None:
        """The token of the current request; ``None`` for a guest of an ``optional`` view.

        Raises ``RuntimeError`` if no guard has decided about this request.
        """
        decision: tuple[object, Token | None] = g.get(_NAME, (None, None))
        decided_request, token = decision
        # One application context may serve several requests, as in tests.
        if decided_request is not _current_request():
            message = "no guard has decided about this request"
            raise RuntimeError(f"{message}; help: put @auth.token_required below the route")
        return token

    @property
    def server(self) -> Server:
        """The server that decides for the current application."""
        servers: dict[Portcullis, Server] = current_app.extensions.get(_NAME, {})
        server = servers.get(self)
        if server is None:
            message = "this application is not protected yet"
            raise RuntimeError(f"{message}; help: call Portcullis.init_app")
        return server

    def keep(self, token: Token | None) -> None:
        """Sets the token of the current request. The guards call it."""
        g.portcullis_auth = (_current_request(), token)

    def refuse_registered(self, view: Callable[..., Any]) -> None:
        """Raises ``TypeError`` if a route leads to this view without a guard."""
        for app in self._apps:
            if any(view is known for known in app.view_functions.values()):
                message = f"the view {getattr(view, '__name__', view)!r} already has its route"
                raise TypeError(f"{message}; help: put the guard below the route's decorator")


def _configured_server(app: Flask) -> Server:
    settings = cast(Mapping[str, Any], app.config)
    path: str | None = settings.get("PORTCULLIS_FILE")
    return Server.from_env() if path is None else Server.from_file(path)


def _respond(denied: Denied) -> Response:
    return Denial(denied).get_response()


def _current_request() -> object:
    """The request itself: the proxy is the same for all."""
    return cast(Any, request)._get_current_object()


def _header_fields() -> dict[str, str]:
    """The header fields. The server has joined repeated ones, so no name is there twice."""
    return dict(request.headers)


def _is_answered_by_flask() -> bool:
    rule = request.url_rule
    has_answer = rule is not None and getattr(rule, "provide_automatic_options", False)
    return has_answer and request.method == "OPTIONS"
