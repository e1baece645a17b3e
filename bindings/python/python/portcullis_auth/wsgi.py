"""Middleware for WSGI: *the gateway's route table* in front of any application.

>>> application = PortcullisMiddleware(application, Server.from_file("portcullis.toml"))

Who may call what stands in the ``[[route]]`` tables; a request that no route matches needs a valid
token. The application finds the caller by :func:`token_of`, or in the same headers that the gateway
sends (``HTTP_X_AUTH_SUBJECT`` ...). Nothing that a client sends under those names arrives.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Admission, Server, Token
from portcullis_auth._receivers import DEFAULT_PATH, MOST_BYTES, TOO_LARGE, Answer, tail
from portcullis_auth._target import path_of, target

__all__ = ["ADMISSION", "PortcullisMiddleware", "ReceiversMiddleware", "token_of"]

ADMISSION = "portcullis.admission"
"""The member of an environment that holds the :class:`Admission`."""


def token_of(environ: WSGIEnvironment) -> Token | None:
    """The token of the caller; ``None`` where the route needs none. Raises ``LookupError`` if no
    middleware has decided: then nobody knows who calls."""
    admission: Admission = environ[ADMISSION]
    return admission.token


class PortcullisMiddleware:
    """An application behind the routes of a server. Without a server, the settings are read from
    the environment and ``.env``: then every request needs a valid token.

    The routes name the paths that the application itself routes by: ``PATH_INFO``, without the
    prefix that it is mounted at.
    """

    def __init__(self, app: WSGIApplication, server: Server | None = None) -> None:
        self.app = app
        self.server = server or Server.from_env()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Decides about a request, and lets it on to the application."""
        described = self.server.describe(
            environ["REQUEST_METHOD"],
            _sent_as(environ) or environ.get("PATH_INFO", ""),
            environ.get("HTTP_HOST"),
        )
        if described is not None:
            # The metadata of a resource is for everybody.
            return respond(described, environ, start_response)
        try:
            admission = self._admit(environ)
        except Denied as denied:
            return refuse(denied, start_response)
        return self.app(admitted(environ, admission), start_response)

    def _admit(self, environ: WSGIEnvironment) -> Admission:
        # Without SCRIPT_NAME: applications do not route by it, and some servers take it from a
        # header, so that a client could move one route under another.
        path = environ.get("PATH_INFO", "")
        return self.server.admit_blocking(
            environ["REQUEST_METHOD"],
            # PEP 3333: its characters stand for bytes.
            target(path.encode("latin-1") or b"/", environ.get("QUERY_STRING", "")),
            dict(headers_of(environ)),
            environ.get("REMOTE_ADDR") or None,
            sent_as=_sent_as(environ),
        )


class ReceiversMiddleware:
    """Receivers of logouts and security events in front of an application: ``POST PATH/logout`` and
    ``POST PATH/events/NAME``, as of ``portcullis_auth.receivers``. All requests for other paths go
    on to the application.

    It stands before what demands tokens, also before ``PortcullisMiddleware``: senders have none.
    """

    def __init__(self, app: WSGIApplication, server: Server, path: str = DEFAULT_PATH) -> None:
        self.app = app
        self.server = server
        self.path = path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a request for a receiver, and lets any other one on to the application."""
        below = tail(environ.get("PATH_INFO", ""), self.path)
        if below is None:
            return self.app(environ, start_response)
        return respond(self._answer(below, environ), environ, start_response)

    def _answer(self, below: str, environ: WSGIEnvironment) -> Answer:
        body = _read(environ)
        if len(body) > MOST_BYTES:
            return TOO_LARGE
        return self.server.answer_receiver_blocking(
            below,
            environ["REQUEST_METHOD"],
            dict(headers_of(environ)),
            body,
            environ.get("REMOTE_ADDR") or None,
        )


def headers_of(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    """The header fields of a request. The server has joined repeated ones by commas, so two
    credentials are one that nobody can read."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-").lower(), value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-").lower(), environ[name]


def admitted(environ: WSGIEnvironment, admission: Admission) -> WSGIEnvironment:
    """The environment as the application may see it."""
    removed = {_variable(name) for name in admission.removed}
    seen = {name: value for name, value in environ.items() if name not in removed}
    for name, value in admission.identity:
        seen[_variable(name)] = value.decode("latin-1")
    seen[ADMISSION] = admission
    return seen


def respond(
    described: Answer, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answers with a status, header fields and a body."""
    status, fields, body = described
    phrase = f"{status} {HTTPStatus(status).phrase}"
    start_response(phrase, [*fields, ("content-length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def refuse(denied: Denied, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers a request that may not go on, with a problem document (RFC 9457)."""
    body = denied.problem or json.dumps({"detail": denied.detail, "code": denied.code}).encode()
    headers = {**denied.headers, "content-type": "application/problem+json"}
    headers["content-length"] = str(len(body))
    status = f"{denied.status} {HTTPStatus(denied.status).phrase}"
    start_response(status, list(headers.items()))
    return [body]


def _read(environ: WSGIEnvironment) -> bytes:
    """The body, or as much of it as shows that it is too large."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        # A server need not mark the end of a body: reading on would wait for ever.
        most = min(int(length), MOST_BYTES + 1)
    else:
        most = MOST_BYTES + 1 if environ.get("wsgi.input_terminated") else 0
    body: bytes = environ["wsgi.input"].read(most) if most else b""
    return body


def _variable(name: bytes) -> str:
    return "HTTP_" + name.decode("latin-1").upper().replace("-", "_")


def _sent_as(environ: WSGIEnvironment) -> str | None:
    """The path on the wire, as gunicorn, Werkzeug, uWSGI and mod_wsgi keep it."""
    raw: str | None = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    return path_of(raw) if raw else None
