"""The interceptor for servers of ``grpc``."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import grpc

from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Requirement, Server, Token
from portcullis_auth.grpc.behavior import BlockingBehavior
from portcullis_auth.grpc.denials import abort, end_of
from portcullis_auth.grpc.guard import Guard
from portcullis_auth.grpc.handlers import Handler, rebuild, text_of


class BlockingTokenInterceptor(grpc.ServerInterceptor):
    """Decides about the calls of a server of ``grpc``, on the threads of its pool.

    Everything is as with :class:`TokenInterceptor`, but for two things: a call with one request
    message is decided about after that was read, and a stream ends at the first message, in either
    direction, after its token has ended.
    """

    def __init__(
        self,
        server: Server,
        requirements: Mapping[str, Requirement] | None = None,
        *,
        default: Requirement | None = None,
        public: Iterable[str] = (),
    ) -> None:
        self._guard = Guard(server, requirements, default=default, public=public)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The handler of a call, guarded. gRPC calls it."""
        handler = continuation(handler_call_details)
        method = text_of(handler_call_details.method)
        if handler is None or self._guard.is_public(method):
            return handler

        def decide(context: Any) -> Token:  # noqa: ANN401
            try:
                return self._guard.decide_blocking(method, context.invocation_metadata())
            except Denied as denied:
                return abort(context, end_of(denied))

        # The pool decides: this thread is the only one that accepts calls.
        return rebuild(handler, BlockingBehavior(self._guard.server, handler, decide))
