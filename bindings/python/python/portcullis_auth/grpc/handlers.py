"""The handlers of methods, as gRPC has them."""

import inspect
from typing import Any

import grpc

Handler = Any
"""An ``RpcMethodHandler``: its stubs have no types."""


def text_of(method: str | bytes) -> str:
    """The name of a method, also where gRPC gives it as bytes."""
    return method if isinstance(method, str) else method.decode("latin-1")


def is_async(behavior: Any) -> bool:  # noqa: ANN401
    """Whether a behavior runs in the event loop."""
    return inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior)


def _shape(handler: Handler) -> str:
    request = "stream" if handler.request_streaming else "unary"
    return f"{request}_{'stream' if handler.response_streaming else 'unary'}"


def behavior_of(handler: Handler) -> Any:  # noqa: ANN401
    """The function of a handler."""
    return getattr(handler, _shape(handler))


def rebuild(handler: Handler, behavior: Any) -> Handler:  # noqa: ANN401
    """The handler with another behavior."""
    make = getattr(grpc, f"{_shape(handler)}_rpc_method_handler")
    return make(behavior, handler.request_deserializer, handler.response_serializer)
