"""The token of a WebSocket among its subprotocols.

A browser cannot set headers on a WebSocket, so the token may stand there after ``bearer``:
``new WebSocket(url, ["bearer", token, "chat"])``.
"""

from collections.abc import Iterable

BEARER = "bearer"


def without_token(offered: Iterable[str]) -> list[str]:
    """The subprotocols without ``bearer`` and the token behind it."""
    rest = list(offered)
    if BEARER in rest:
        at = rest.index(BEARER)
        del rest[at : at + 2]
    return rest
