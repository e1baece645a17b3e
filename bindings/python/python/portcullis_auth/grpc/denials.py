"""The end of a call that is denied."""

from typing import Any, NamedTuple, NoReturn

import grpc

from portcullis_auth._errors import Denied, Outage

CODE_KEY = "portcullis-code"
"""The trailing metadata with the stable code of a denial, such as ``token.expired``."""
_HEADERS = ("www-authenticate", "retry-after", "x-request-id")


def status_of(denied: Denied) -> grpc.StatusCode:
    """The status of a denied call: that of an outage is never the caller's fault."""
    if isinstance(denied, Outage):
        return grpc.StatusCode.UNAVAILABLE
    if denied.status == 403:
        return grpc.StatusCode.PERMISSION_DENIED
    return grpc.StatusCode.UNAUTHENTICATED


def trailing_of(denied: Denied) -> tuple[tuple[str, str], ...]:
    """The trailing metadata of a denied call."""
    headers = {name.lower(): value for name, value in denied.headers.items()}
    kept = [(name, headers[name]) for name in _HEADERS if name in headers]
    return ((CODE_KEY, denied.code), *kept)


class CallEnd(NamedTuple):
    """How a call ends."""

    code: grpc.StatusCode
    details: str
    trailing: tuple[tuple[str, str], ...] = ()


def end_of(denied: Denied) -> CallEnd:
    """How a denied call ends."""
    return CallEnd(status_of(denied), denied.detail, trailing_of(denied))


def abort(context: Any, end: CallEnd) -> NoReturn:  # noqa: ANN401
    """Ends a call at once, from a thread, by the exception of gRPC."""
    # `abort_with_status` would do both, but a server of `grpc.aio` lacks it.
    context.set_trailing_metadata(end.trailing)
    context.abort(end.code, end.details)
    # `abort` raises. If it ever did not, the call must not go on.
    raise RuntimeError("expected the end of the call")


def conclude(context: Any, end: CallEnd) -> None:  # noqa: ANN401
    """Ends a stream of responses so, once its handler returns."""
    context.set_trailing_metadata(end.trailing)
    context.set_code(end.code)
    context.set_details(end.details)
