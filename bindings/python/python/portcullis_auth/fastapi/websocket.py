"""WebSockets that end with their token."""

import asyncio
from asyncio import Future
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from starlette.types import Message
from starlette.websockets import WebSocketState

from portcullis_auth._portcullis import Server, Token
from portcullis_auth._subprotocols import BEARER, without_token
from portcullis_auth.fastapi.denial import POLICY_VIOLATION


def end_with_token(websocket: WebSocket, server: Server, token: Token) -> None:
    """Closes a WebSocket when its token ends: it expires, it is revoked, or its key is gone. The
    handler then gets ``WebSocketDisconnect``."""
    GuardedWebSocket(websocket).watch(server.wait_for_end(token))


class GuardedWebSocket:
    """The sending side of a WebSocket, which ends once its token does."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._send = websocket.send
        self._reason = ""
        offered = websocket.scope.get("subprotocols", [])
        self._is_bearer = BEARER in offered
        # The handler chooses among the others, and never sees the token there.
        websocket.scope["subprotocols"] = without_token(offered)
        websocket.send = self.send  # type: ignore[method-assign]

    async def send(self, message: Message) -> None:
        """Sends a message of the handler."""
        if self._reason:
            raise WebSocketDisconnect(POLICY_VIOLATION, self._reason)
        if message["type"] == "websocket.accept" and self._is_bearer:
            # A browser fails the connection if none of its subprotocols is chosen.
            message = {**message, "subprotocol": message.get("subprotocol") or BEARER}
        await self._send(message)

    def watch(self, end: "Future[str] | str") -> None:
        """Closes the WebSocket at the end of its token."""
        if isinstance(end, str):
            self._begin_to_close(end)
            return
        handler = asyncio.current_task()
        if handler is not None:
            # A WebSocket is one task of its server: over, nobody waits for the token any more.
            handler.add_done_callback(lambda _task: end.cancel())
        end.add_done_callback(lambda done: self._close_after(done))

    def _close_after(self, end: "Future[str]") -> None:
        if end.cancelled():
            return
        # Without a reason the token cannot be vouched for either.
        self._begin_to_close("the access token ended" if end.exception() else end.result())

    def _begin_to_close(self, reason: str) -> None:
        task = asyncio.ensure_future(self._close(reason))
        _CLOSING.add(task)
        task.add_done_callback(_CLOSING.discard)

    async def _close(self, reason: str) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            await self._send(
                {"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason}
            )
        self._reason = reason


_CLOSING: set["asyncio.Task[Any]"] = set()
"""The loop keeps weak references to its tasks only."""
