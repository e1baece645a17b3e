"""WebSockets that end with their token."""

import asyncio

from fastapi import WebSocket, WebSocketDisconnect

from portcullis_auth._asgi_streams import POLICY_VIOLATION, GuardedWebSocket
from portcullis_auth._portcullis import Server, Token
from portcullis_auth._subprotocols import without_token


def end_with_token(websocket: WebSocket, server: Server, token: Token) -> None:
    """Closes a WebSocket when its token ends: it expires, it is revoked, or its key is gone. The
    handler then gets ``WebSocketDisconnect``."""
    scope = websocket.scope
    guarded = _GuardedWebSocket({**scope}, websocket.receive, websocket.send, server, token)
    # The handler chooses among the others, and never sees the token there.
    scope["subprotocols"] = without_token(scope.get("subprotocols", ()))
    websocket.send = guarded.send  # type: ignore[method-assign]
    handler = asyncio.current_task()
    if handler is not None:
        # Servers run each WebSocket in a task of its own: the wait ends with that task.
        handler.add_done_callback(lambda _task: guarded.stop())


class _GuardedWebSocket(GuardedWebSocket):
    def _refuse_more(self) -> None:
        if self._is_over:
            raise WebSocketDisconnect(POLICY_VIOLATION, self._reason)
