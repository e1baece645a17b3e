"""Interceptors for gRPC: a call goes on only with a token that may.

>>> tokens = TokenInterceptor(server, {"/orders.Orders/List": scope("orders:read")})
>>> grpc.aio.server(interceptors=[tokens])
>>>
>>> async def List(self, request, context):
...     token = current_token()
"""

import asyncio
import contextvars
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NoReturn

import grpc
import grpc.aio

from portcullis_auth._errors import Denied, Outage
from portcullis_auth._portcullis import Requirement, Server, Token

__all__ = ["BlockingTokenInterceptor", "TokenInterceptor", "current_token", "optional_token"]

_Handler = Any
_Metadata = Iterable[tuple[str, str | bytes]]

CODE_KEY = "portcullis-code"
"""The trailing metadata with the stable code of a denial, such as ``token.expired``."""
_HEADERS = ("www-authenticate", "retry-after", "x-request-id")

_TOKEN: ContextVar[Token | None] = ContextVar("portcullis_token", default=None)


def current_token() -> Token:
    """The token of the current call. Raises ``LookupError`` outside of a guarded call, and in a
    public one."""
    token = _TOKEN.get()
    if token is None:
        raise LookupError("expected a guarded call: there is no token here")
    return token


def optional_token() -> Token | None:
    """The token of the current call; ``None`` in a public one."""
    return _TOKEN.get()


class _Guard:
    """The requirement of each method."""

    def __init__(
        self,
        server: Server,
        requirements: Mapping[str, Requirement] | None = None,
        *,
        default: Requirement | None = None,
        public: Iterable[str] = (),
    ) -> None:
        self.server = server
        self._requirements = dict(requirements or {})
        self._default = default
        self._public = frozenset([public] if isinstance(public, str) else public)
        for method in [*self._requirements, *self._public]:
            _check_method(method)
        if both := self._public & self._requirements.keys():
            raise ValueError(f"expected public methods without a requirement, found {min(both)!r}")

    def is_public(self, method: str) -> bool:
        return method in self._public

    def requirement(self, method: str) -> Requirement | None:
        return self._requirements.get(method, self._default)

    async def decide(self, method: str, metadata: _Metadata | None) -> Token:
        requirement = self.requirement(method)
        answer = self.server.decide(_headers(metadata), None, requirement, method="POST")
        return answer if isinstance(answer, Token) else await answer

    def decide_blocking(self, method: str, metadata: _Metadata | None) -> Token:
        requirement = self.requirement(method)
        return self.server.decide_blocking(_headers(metadata), None, requirement, method="POST")


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Decides about the calls of a server of ``grpc.aio``, before their messages are read.

    ``requirements`` are by method, such as ``/orders.Orders/List``. All other methods demand the
    ``default``; without one, a valid token. Those in ``public`` need no token, and get none.

    A denied call ends with ``UNAUTHENTICATED``, ``PERMISSION_DENIED`` or ``UNAVAILABLE``. Its
    trailing metadata has the code (``portcullis-code``), ``www-authenticate`` and ``retry-after``.
    A stream ends with ``UNAUTHENTICATED`` when its token does: when it expires or is revoked, or
    its issuer or its key is gone. A handler that is not a coroutine learns of that at its next
    message only.

    Raises ``ValueError`` for a method whose name is not one.
    """

    def __init__(
        self,
        server: Server,
        requirements: Mapping[str, Requirement] | None = None,
        *,
        default: Requirement | None = None,
        public: Iterable[str] = (),
    ) -> None:
        self._guard = _Guard(server, requirements, default=default, public=public)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """The handler of a call, guarded. gRPC calls it."""
        method = _text(handler_call_details.method)
        if self._guard.is_public(method):
            return await continuation(handler_call_details)
        try:
            token = await self._guard.decide(method, handler_call_details.invocation_metadata)
        except Denied as denied:
            return _denying_handler(denied)
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        behavior = _behavior(handler)
        if not _is_async(behavior):
            return _rebuild(handler, _Blocking(behavior, handler, lambda _context: token))
        return _rebuild(handler, self._guarded(behavior, handler, token))

    def _guarded(self, behavior: Any, handler: _Handler, token: Token) -> Any:  # noqa: ANN401
        is_stream = handler.request_streaming or handler.response_streaming

        async def call(request: Any, context: Any) -> Any:  # noqa: ANN401
            # Each call is a task of its own, so nothing of this outlives it.
            _TOKEN.set(token)
            if not is_stream:
                return await behavior(request, context)
            async with _until_end(self._guard.server, token, context):
                return await _run(behavior, request, context)

        return call


class BlockingTokenInterceptor(grpc.ServerInterceptor):
    """Decides about the calls of a server of ``grpc``, on the threads of its pool.

    Everything is as with :class:`TokenInterceptor`, but for two things: a call with one request
    message is decided about after that was read, and a stream of responses ends at the first
    message after its token has expired. A revocation does not end it.
    """

    def __init__(
        self,
        server: Server,
        requirements: Mapping[str, Requirement] | None = None,
        *,
        default: Requirement | None = None,
        public: Iterable[str] = (),
    ) -> None:
        self._guard = _Guard(server, requirements, default=default, public=public)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], _Handler],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """The handler of a call, guarded. gRPC calls it."""
        handler = continuation(handler_call_details)
        method = _text(handler_call_details.method)
        if handler is None or self._guard.is_public(method):
            return handler

        def decide(context: Any) -> Token:  # noqa: ANN401
            try:
                return self._guard.decide_blocking(method, context.invocation_metadata())
            except Denied as denied:
                return _abort(context, denied)

        # The pool decides: this thread is the only one that accepts calls.
        return _rebuild(handler, _Blocking(_behavior(handler), handler, decide))


class _Blocking:
    """The behavior of a handler that is not a coroutine, with its token."""

    def __init__(
        self,
        behavior: Any,  # noqa: ANN401
        handler: _Handler,
        decide: Callable[[Any], Token],
    ) -> None:
        self._behavior = behavior
        self._is_stream = handler.response_streaming
        self._decide = decide

    def __call__(self, request: Any, context: Any) -> Any:  # noqa: ANN401
        token = self._decide(context)
        # A thread of the pool serves other calls later: nothing may stay there.
        variables = contextvars.copy_context()
        variables.run(_TOKEN.set, token)
        response = variables.run(self._behavior, request, context)
        if not self._is_stream:
            return response
        return _responses(response, token, context, variables)


def _responses(
    responses: Iterable[Any],
    token: Token,
    context: Any,  # noqa: ANN401
    variables: contextvars.Context,
) -> Iterator[Any]:
    """The messages of a stream, until the token expires."""
    iterator = iter(responses)
    end = object()
    while (response := variables.run(partial(next, iterator, end))) is not end:
        if token.expires is not None and token.expires <= time.time():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "the access token expired")
        yield response


@asynccontextmanager
async def _until_end(server: Server, token: Token, context: Any) -> AsyncIterator[None]:  # noqa: ANN401
    """Ends the call when its token ends, whatever it waits for then."""
    end = server.wait_for_end(token)
    if isinstance(end, str):
        await _abort_at_end(context, end)
        return
    interruption = _Interruption(end)
    try:
        yield
    except asyncio.CancelledError:
        # The client, or the server's stop, may have cancelled the call as well.
        if not interruption.is_cause():
            raise
        # Without a reason the token cannot be vouched for either.
        reason = "the access token ended" if end.exception() else end.result()
        await _abort_at_end(context, reason)
    finally:
        interruption.disarm()


class _Interruption:
    """Cancels the current task at the end of a token."""

    def __init__(self, end: "asyncio.Future[str]") -> None:
        self._end = end
        self._task = asyncio.current_task()
        self._cancellations = self._task.cancelling() if self._task else 0
        self._is_armed = True
        end.add_done_callback(self._interrupt)

    def is_cause(self) -> bool:
        """Whether the task was cancelled by this, and by nothing else."""
        if self._task is None or self._end.cancelled() or not self._end.done():
            return False
        return self._task.uncancel() <= self._cancellations

    def disarm(self) -> None:
        """Leaves the task alone from now on."""
        self._is_armed = False
        self._end.cancel()

    def _interrupt(self, end: "asyncio.Future[str]") -> None:
        if self._is_armed and self._task is not None and not end.cancelled():
            self._task.cancel()


async def _abort_at_end(context: Any, reason: str) -> None:  # noqa: ANN401
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, reason)


async def _run(behavior: Any, request: Any, context: Any) -> Any:  # noqa: ANN401
    """Runs a behavior in this task: an iterator that gRPC pulls could not be interrupted."""
    if not inspect.isasyncgenfunction(behavior):
        return await behavior(request, context)
    async for response in behavior(request, context):
        await context.write(response)
    return None


def _check_method(method: str) -> None:
    parts = method.split("/")
    if len(parts) != 3 or parts[0] or not parts[1] or not parts[2]:
        raise ValueError(f"expected a method such as /orders.Orders/List, found {method!r}")


def _headers(metadata: _Metadata | None) -> list[tuple[bytes, bytes]]:
    return [(_bytes(name), _bytes(value)) for name, value in metadata or ()]


def _bytes(value: str | bytes) -> bytes:
    # A letter outside of Latin-1 makes a bad token of it, and no exception.
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


def _text(method: str | bytes) -> str:
    return method if isinstance(method, str) else method.decode("latin-1")


def _status(denied: Denied) -> grpc.StatusCode:
    if isinstance(denied, Outage):
        return grpc.StatusCode.UNAVAILABLE
    if denied.status == 403:
        return grpc.StatusCode.PERMISSION_DENIED
    return grpc.StatusCode.UNAUTHENTICATED


def _trailing(denied: Denied) -> tuple[tuple[str, str], ...]:
    headers = {name.lower(): value for name, value in denied.headers.items()}
    kept = [(name, headers[name]) for name in _HEADERS if name in headers]
    return ((CODE_KEY, denied.code), *kept)


def _abort(context: Any, denied: Denied) -> NoReturn:  # noqa: ANN401
    context.abort_with_status(_Status(denied))
    # `abort` raises. If it ever did not, the call must not go on.
    raise denied


class _Status(grpc.Status):
    """The end of a denied call."""

    def __init__(self, denied: Denied) -> None:
        self.code = _status(denied)
        self.details = denied.detail
        self.trailing_metadata = _trailing(denied)


def _denying_handler(denied: Denied) -> _Handler:
    async def deny(_requests: Any, context: Any) -> None:  # noqa: ANN401
        await context.abort(_status(denied), denied.detail, _trailing(denied))

    # Streams in both directions read no message before their handler asks for one.
    return grpc.stream_stream_rpc_method_handler(deny)


def _is_async(behavior: Any) -> bool:  # noqa: ANN401
    return inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior)


def _shape(handler: _Handler) -> str:
    request = "stream" if handler.request_streaming else "unary"
    return f"{request}_{'stream' if handler.response_streaming else 'unary'}"


def _behavior(handler: _Handler) -> Any:  # noqa: ANN401
    return getattr(handler, _shape(handler))


def _rebuild(handler: _Handler, behavior: Any) -> _Handler:  # noqa: ANN401
    """The handler with another behavior."""
    make = getattr(grpc, f"{_shape(handler)}_rpc_method_handler")
    return make(behavior, handler.request_deserializer, handler.response_serializer)
