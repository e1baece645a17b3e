"""The end of a call that is denied."""

from typing import Any, NoReturn

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


def abort(context: Any, denied: Denied) -> NoReturn:  # noqa: ANN401
    """Ends a call from a thread, by the exception of gRPC."""
    # `abort_with_status` would do both, but a server of `grpc.aio` lacks it.
    context.set_trailing_metadata(trailing_of(denied))
    context.abort(status_of(denied), denied.detail)
    # `abort` raises. If it ever did not, the call must not go on.
    raise denied
