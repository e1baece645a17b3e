"""Guards for Django: a middleware that decides by the routes of ``portcullis.toml``, and decorators
for single views.

>>> MIDDLEWARE = [..., "portcullis_auth.django.TokenMiddleware"]
>>> PORTCULLIS_FILE = BASE_DIR / "portcullis.toml"  # without it: OAUTH2_ISSUER, OAUTH2_AUDIENCE
>>>
>>> @require(scope="orders:read")
>>> def orders(request): ...

Both set ``request.token`` and answer a denial by a problem document (RFC 9457). ``request.user``
belongs to the application, and is left alone. Nothing here checks CSRF tokens.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import cache, wraps
from typing import Any, TypeVar, Unpack, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import View

from portcullis_auth import requirements
from portcullis_auth._errors import ConfigError, Denied
from portcullis_auth._portcullis import Admission, Requirement, Server, Token
from portcullis_auth._target import target

__all__ = [
    "PortcullisConfig",
    "Token",
    "TokenMiddleware",
    "TokenRequest",
    "TokenRequiredMixin",
    "configured_server",
    "require",
    "token_required",
]

_View = TypeVar("_View", bound=Callable[..., Any])
_MIDDLEWARE = "portcullis_auth.django.TokenMiddleware"


class TokenRequest(HttpRequest):
    """The type of a request after a decision. It is for annotations: Django makes the requests."""

    token: Token | None
    """The verified token; ``None`` where the route needs none."""


@cache
def configured_server() -> Server:
    """The server of the settings: ``PORTCULLIS_SERVER``, else the file ``PORTCULLIS_FILE``, else
    the environment and ``.env``.

    Raises ``ConfigError`` with all faults.
    """
    server: Server | None = getattr(settings, "PORTCULLIS_SERVER", None)
    if server is not None:
        return server
    path = getattr(settings, "PORTCULLIS_FILE", None)
    return Server.from_env() if path is None else Server.from_file(path)


class TokenMiddleware:
    """Decides about each request by its route, and sets ``request.token``.

    Without routes, each path needs a valid token. Headers that claim what only a gateway may tell
    are removed. It belongs behind middleware that changes the path, the method or the host, and
    before all that needs the token. Raises ``ConfigError`` when Django starts.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        self.get_response = get_response
        # Before Python 3.12, only this one sees the functions that Django has marked.
        self._is_async = iscoroutinefunction(get_response)  # pyright: ignore[reportDeprecated]
        if self._is_async:
            markcoroutinefunction(self)
        # Faults are reported at the start, and not at the first request.
        configured_server()
        # Django would run a hook of the other kind in a thread, for each request.
        self.process_view = _check_target_async if self._is_async else _check_target

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """The response. Django calls it."""
        if (described := _describe(request)) is not None:
            return _ready(described) if self._is_async else described
        if self._is_async:
            return self._respond(request)
        try:
            admission = configured_server().admit_blocking(*_head(request))
        except Denied as denied:
            return problem_response(denied)
        _apply(request, admission)
        return self.get_response(request)

    async def _respond(self, request: HttpRequest) -> HttpResponseBase:
        try:
            answer = configured_server().admit(*_head(request))
            admission = answer if isinstance(answer, Admission) else await answer
        except Denied as denied:
            return problem_response(denied)
        _apply(request, admission)
        return await cast(Awaitable[HttpResponseBase], self.get_response(request))


def token_required(view: _View) -> _View:
    """Lets only callers with a valid token into a view. For a function, sync or async; for a class,
    with Django's ``method_decorator``."""
    return _guard(view, None)


def require(
    *all_of: Requirement,
    **words: Unpack[requirements.Words],
) -> Callable[[_View], _View]:
    """Lets only callers into a view who meet all of these, as :func:`token_required` does.

    The words are those of ``requirements.combine``. Raises ``ValueError`` if nothing is demanded.
    """
    requirement = requirements.combine(*all_of, **words)
    return lambda view: _guard(view, requirement)


class TokenRequiredMixin(View):
    """Lets only callers with a valid token into a view of a class. It comes first among the bases.

    ``requirement`` demands more of them: ``requirement = scope("orders:read") & role("Clerk")``.
    """

    requirement: Requirement | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """The response of the view, or the denial. Django calls it."""
        return _guard(super().dispatch, self.requirement)(request, *args, **kwargs)


class PortcullisConfig(AppConfig):
    """The application for ``INSTALLED_APPS``: ``manage.py check`` reports faults of the settings.
    It is optional; the guards work without it."""

    name = "portcullis_auth.django"
    label = "portcullis_auth"
    verbose_name = "Portcullis"

    def ready(self) -> None:
        """Registers the check. Django calls it."""
        checks.register(check_settings, checks.Tags.security)


def check_settings(**_: object) -> list[checks.CheckMessage]:
    """The faults of the settings (``portcullis_auth.E001``), values that an example left
    (``W001``), and routes that nothing applies (``W002``)."""
    try:
        warnings = configured_server().warnings
    except ConfigError as error:
        hint = "Set PORTCULLIS_FILE, or OAUTH2_ISSUER and OAUTH2_AUDIENCE in the environment."
        return [checks.Error(str(error), hint, id="portcullis_auth.E001")]
    messages: list[checks.CheckMessage] = [
        checks.Warning(warning, id="portcullis_auth.W001") for warning in warnings
    ]
    if _has_idle_routes():
        text = "The settings of Portcullis have routes, but nothing applies them."
        hint = f"Add {_MIDDLEWARE!r} to MIDDLEWARE."
        messages.append(checks.Warning(text, hint, id="portcullis_auth.W002"))
    return messages


def problem_response(denied: Denied) -> HttpResponse:
    """A denial as a problem document (RFC 9457), with its header fields."""
    return HttpResponse(
        denied.problem,
        status=denied.status,
        headers=denied.headers,
        content_type="application/problem+json",
    )


def header_fields(request: HttpRequest) -> dict[str, str]:
    """The header fields as Django has read them. ``Host`` is the host that Django goes by.

    Raises ``DisallowedHost`` for a host that is not in ``ALLOWED_HOSTS``.
    """
    fields = {}
    for key, value in request.META.items():
        name = key.removeprefix("HTTP_")
        if name != key or key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            fields[name.replace("_", "-").lower()] = str(value)
    return {**fields, "host": request.get_host()}


def query_of(request: HttpRequest) -> str:
    """The query as it was sent."""
    return str(request.META.get("QUERY_STRING") or "")


def _guard(view: _View, requirement: Requirement | None) -> _View:
    """The view behind a decision."""
    if iscoroutinefunction(view):  # pyright: ignore[reportDeprecated]

        @wraps(view)
        async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            return await _run_on_loop(view, requirement, request, *args, **kwargs)

        return cast(_View, guarded_async)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if _is_awaited(view):
            return _run_on_loop(view, requirement, request, *args, **kwargs)
        try:
            token = configured_server().decide_blocking(
                header_fields(request), query_of(request), requirement, method=request.method
            )
        except Denied as denied:
            return problem_response(denied)
        _set_token(request, token)
        return view(request, *args, **kwargs)

    return cast(_View, guarded)


async def _run_on_loop(
    view: Callable[..., Any],
    requirement: Requirement | None,
    request: HttpRequest,
    *args: object,
    **kwargs: object,
) -> object:
    try:
        answer = configured_server().decide(
            header_fields(request), query_of(request), requirement, method=request.method
        )
        token = answer if isinstance(answer, Token) else await answer
    except Denied as denied:
        return problem_response(denied)
    _set_token(request, token)
    response: object = view(request, *args, **kwargs)
    return await cast(Awaitable[object], response) if inspect.isawaitable(response) else response


def _is_awaited(view: Callable[..., Any]) -> bool:
    """Whether the caller awaits the result of a function: that of ``dispatch``, if the class has
    async handlers, and of anything that is called on the thread of a loop."""
    bound = inspect.unwrap(view, stop=lambda it: _owner(it) is not None)
    if getattr(_owner(bound), "view_is_async", False):
        return True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _owner(method: Callable[..., Any]) -> object | None:
    """The object of a method. Django's ``method_decorator`` binds methods in a partial."""
    return getattr(getattr(method, "func", method), "__self__", None)


def _head(request: HttpRequest) -> tuple[str, str, dict[str, str], str | None]:
    """The arguments of ``Server.admit``."""
    # A Unix socket has no address.
    client = request.META.get("REMOTE_ADDR") or None
    # Django routes by this alone. The prefix before it counts for nothing: some servers take it
    # from a header, so a client could move a view to another route.
    target_of_view = target(request.path_info, query_of(request))
    return request.method or "", target_of_view, header_fields(request), client


def _describe(request: HttpRequest) -> HttpResponse | None:
    """The metadata of a resource, if the request is for it: it is for everybody."""
    host = request.META.get("HTTP_HOST")
    described = configured_server().describe(request.method or "", request.path_info, host)
    if described is None:
        return None
    status, fields, body = described
    return HttpResponse(body, status=status, headers=dict(fields))


async def _ready(response: HttpResponse) -> HttpResponseBase:
    return response


def _apply(request: HttpRequest, admission: Admission) -> None:
    for name in admission.removed:
        key = name.decode("latin-1").upper().replace("-", "_")
        request.META.pop(f"HTTP_{key}", None)
    # Earlier middleware may have made Django remember the headers.
    vars(request).pop("headers", None)
    _set_token(request, admission.token)
    vars(request)["_portcullis_target"] = (request.method, request.path_info)


def _set_token(request: HttpRequest, token: Token | None) -> None:
    cast(TokenRequest, request).token = token


def _check_target(request: HttpRequest, *_: object) -> None:
    """Makes sure that the view belongs to the path that was decided on."""
    if vars(request).get("_portcullis_target") != (request.method, request.path_info):
        message = "the path or the method was changed after the decision about the request"
        raise ImproperlyConfigured(f"{message}; help: put {_MIDDLEWARE!r} further down")


async def _check_target_async(request: HttpRequest, *_: object) -> None:
    _check_target(request)


def _has_idle_routes() -> bool:
    # One route is there always: the default one.
    return _MIDDLEWARE not in settings.MIDDLEWARE and len(configured_server().routes) > 1


def _forget_server(*, setting: str, **_: object) -> None:
    if setting in ("PORTCULLIS_SERVER", "PORTCULLIS_FILE"):
        configured_server.cache_clear()


# Tests change settings.
setting_changed.connect(_forget_server)
