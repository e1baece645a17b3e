"""Handlers that are no coroutines, with their token."""

import contextvars
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import grpc

from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Server, Token
from portcullis_auth.grpc.denials import CallEnd, abort, conclude, end_of
from portcullis_auth.grpc.handlers import Handler, behavior_of
from portcullis_auth.grpc.tokens import TOKEN


class BlockingBehavior:
    """The behavior of a handler that is not a coroutine, with its token."""

    def __init__(self, server: Server, handler: Handler, decide: Callable[[Any], Token]) -> None:
        self._server = server
        self._handler = handler
        self._behavior = behavior_of(handler)
        self._decide = decide

    def __call__(self, request: Any, context: Any) -> Any:  # noqa: ANN401
        """Runs it. gRPC calls it, on a thread where waiting is allowed."""
        token = self._decide(context)
        recheck = _Recheck(self._server, token)
        if self._handler.request_streaming:
            request = _Requests(request, recheck)
        # A thread of the pool serves other calls later: nothing may stay there.
        variables = contextvars.copy_context()
        variables.run(TOKEN.set, token)
        behavior = partial(variables.run, self._behavior, request, context)
        if self._handler.response_streaming:
            return _responses(behavior, recheck, context, variables)
        return _response(behavior, recheck, context)


class _TokenEnded(Exception):
    """Leaves a handler whose token has ended."""


class _Recheck:
    """Notices the end of a token."""

    def __init__(self, server: Server, token: Token) -> None:
        self._server = server
        self._token = token
        self.end: CallEnd | None = None
        """How the call has to end, once the token has."""
        expires = token.expires
        # One that was accepted within the leeway for clocks is good for the rest of the leeway.
        self._expires = expires if expires is not None and expires > time.time() else None

    def __call__(self) -> None:
        """Raises ``_TokenEnded``."""
        self.end = self.end or self._find_end()
        if self.end is not None:
            raise _TokenEnded

    def _find_end(self) -> CallEnd | None:
        if self._expires is not None and self._expires <= time.time():
            return CallEnd(grpc.StatusCode.UNAUTHENTICATED, "the access token expired")
        try:
            self._server.recheck(self._token)
        except Denied as denied:
            return end_of(denied)
        return None


class _Requests:
    """The messages of a client, until the token ends. Not a generator: threads may share it."""

    def __init__(self, requests: Iterator[Any], recheck: _Recheck) -> None:
        self._requests = requests
        self._recheck = recheck

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:  # noqa: ANN401
        try:
            return next(self._requests)
        finally:
            # After the last message too: the handler is about to act on all of them.
            self._recheck()


def _response(behavior: Callable[[], Any], recheck: _Recheck, context: Any) -> Any:  # noqa: ANN401
    """The response of a handler, unless the token ended while it read its messages."""
    response = None
    try:
        response = behavior()
    except Exception:
        if recheck.end is None:
            raise
    # A handler may have caught the exception.
    if recheck.end is not None:
        abort(context, recheck.end)
    return response


def _responses(
    behavior: Callable[[], Any],
    recheck: _Recheck,
    context: Any,  # noqa: ANN401
    variables: contextvars.Context,
) -> Iterator[Any]:
    """The messages of a handler, until the token ends."""
    end = object()
    try:
        iterator = iter(behavior())
        while (response := variables.run(partial(next, iterator, end))) is not end:
            recheck()
            yield response
    except Exception:
        if recheck.end is None:
            raise
    if recheck.end is not None:
        # `abort` would be too early: a server of `grpc.aio` may still send the message before.
        conclude(context, recheck.end)
