"""Handlers that are no coroutines, with their token."""

import contextvars
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import grpc

from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Server, Token
from portcullis_auth.grpc.denials import abort
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
        recheck = _Recheck(self._server, token, context)
        if self._handler.request_streaming:
            request = _Requests(request, recheck)
        # A thread of the pool serves other calls later: nothing may stay there.
        variables = contextvars.copy_context()
        variables.run(TOKEN.set, token)
        response = variables.run(self._behavior, request, context)
        if not self._handler.response_streaming:
            return response
        return _responses(response, recheck, variables)


class _Recheck:
    """Ends a call whose token has ended."""

    def __init__(self, server: Server, token: Token, context: Any) -> None:  # noqa: ANN401
        self._server = server
        self._token = token
        self._context = context
        expires = token.expires
        # One that was accepted within the leeway for clocks is good for the rest of the leeway.
        self._end = expires if expires is not None and expires > time.time() else None

    def __call__(self) -> None:
        """Raises the exception of gRPC that ends the call."""
        if self._end is not None and self._end <= time.time():
            self._context.abort(grpc.StatusCode.UNAUTHENTICATED, "the access token expired")
        try:
            self._server.recheck(self._token)
        except Denied as denied:
            abort(self._context, denied)


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


def _responses(
    responses: Iterable[Any], recheck: _Recheck, variables: contextvars.Context
) -> Iterator[Any]:
    """The messages of a handler, until the token ends."""
    iterator = iter(responses)
    end = object()
    while (response := variables.run(partial(next, iterator, end))) is not end:
        recheck()
        yield response
