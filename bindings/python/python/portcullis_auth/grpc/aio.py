"""The interceptor for servers of ``grpc.aio``."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

import grpc
import grpc.aio

from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Requirement, Server, Token
from portcullis_auth.grpc.behavior import BlockingBehavior
from portcullis_auth.grpc.denials import status_of, trailing_of
from portcullis_auth.grpc.guard import Guard
from portcullis_auth.grpc.handlers import Handler, behavior_of, is_async, rebuild, text_of
from portcullis_auth.grpc.token_end import until_end
from portcullis_auth.grpc.tokens import TOKEN


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Decides about the calls of a server of ``grpc.aio``, before their messages are read.

    ``requirements`` are by method, such as ``/orders.Orders/List``. All other methods demand the
    ``default``; without one, a valid token. Those in ``public`` need no token, and get none.

    A denied call ends with ``UNAUTHENTICATED``, ``PERMISSION_DENIED`` or ``UNAVAILABLE``. Its
    trailing metadata has the code (``portcullis-code``), ``www-authenticate`` and ``retry-after``.
    A stream ends with ``UNAUTHENTICATED`` when its token does: when it expires or is revoked, or
    its issuer or its key is gone. A handler that is not a coroutine ends at its next message
    only, in either direction.

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
        self._guard = Guard(server, requirements, default=default, public=public)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The handler of a call, guarded. gRPC calls it."""
        method = text_of(handler_call_details.method)
        if self._guard.is_public(method):
            return await continuation(handler_call_details)
        try:
            token = await self._guard.decide(method, handler_call_details.invocation_metadata)
        except Denied as denied:
            return _denying_handler(denied)
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        behavior = behavior_of(handler)
        if not is_async(behavior):
            return rebuild(
                handler, BlockingBehavior(self._guard.server, handler, lambda _context: token)
            )
        return rebuild(handler, self._guarded(behavior, handler, token))

    def _guarded(self, behavior: Any, handler: Handler, token: Token) -> Any:  # noqa: ANN401
        is_stream = handler.request_streaming or handler.response_streaming

        async def call(request: Any, context: Any) -> Any:  # noqa: ANN401
            # Each call is a task of its own, so nothing of this outlives it.
            TOKEN.set(token)
            if not is_stream:
                return await behavior(request, context)
            async with until_end(self._guard.server, token, context):
                return await _run(behavior, request, context)

        return call


async def _run(behavior: Any, request: Any, context: Any) -> Any:  # noqa: ANN401
    """Runs a behavior in this task: an iterator that gRPC pulls could not be interrupted."""
    if not inspect.isasyncgenfunction(behavior):
        return await behavior(request, context)
    async for response in behavior(request, context):
        await context.write(response)
    return None


def _denying_handler(denied: Denied) -> Handler:
    async def deny(_requests: Any, context: Any) -> None:  # noqa: ANN401
        await context.abort(status_of(denied), denied.detail, trailing_of(denied))

    # Streams in both directions read no message before their handler asks for one.
    return cast("Handler", grpc.stream_stream_rpc_method_handler(deny))
