"""Connections of ASGI that end with their token: WebSockets, and server-sent events."""

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from portcullis_auth._portcullis import UNKNOWN_END, Server, Token
from portcullis_auth._subprotocols import BEARER

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

POLICY_VIOLATION = 1008
"""The code of a close frame (RFC 6455, section 7.4.1)."""

TRY_AGAIN_LATER = 1013
"""The same where the token may be good, but nobody can tell for now (IANA's registry)."""


class _Guarded:
    """A connection, and the end of its token."""

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Receive,
        send: Send,
        server: Server,
        token: Token | None,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._server = server
        self._token = token
        self._end: Future[str] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._is_over = False
        self._reason = ""

    def stop(self) -> None:
        """Stops the wait for the end of the token, once the application has finished."""
        if self._end is not None:
            self._end.cancel()

    def _watch(self) -> None:
        """Closes the connection once the token ends."""
        if self._token is None or self._end is not None:
            return
        end = self._server.wait_for_end(self._token)
        if isinstance(end, str):
            self._begin_to_close(end)
            return
        self._end = end
        end.add_done_callback(self._close_after)

    def _close_after(self, end: "Future[str]") -> None:
        if not end.cancelled():
            # A wait that failed cannot vouch for the token, so the connection ends as well.
            self._begin_to_close("the access token ended" if end.exception() else end.result())

    def _begin_to_close(self, reason: str) -> None:
        self._reason = reason
        # The loop itself keeps only a weak reference to it.
        self._closing = asyncio.ensure_future(self._close())

    async def _close(self) -> None:
        raise NotImplementedError

    def _refuse_more(self) -> None:
        # Frameworks treat it like a client that left, and stop without a traceback.
        if self._is_over:
            raise OSError("the access token of this connection ended")


class GuardedWebSocket(_Guarded):
    """A WebSocket."""

    _is_open = False

    async def receive(self) -> Message:
        """The next message of the client."""
        return await self._receive()

    async def send(self, message: Message) -> None:
        """Sends a message of the application."""
        self._refuse_more()
        if message["type"] == "websocket.accept":
            self._is_open = True
            if BEARER in self._scope.get("subprotocols", ()) and not message.get("subprotocol"):
                # A browser fails the connection if none of its subprotocols is chosen.
                message = {**message, "subprotocol": BEARER}
        if message["type"] == "websocket.close":
            self._is_open = False
        await self._send(message)
        if self._is_open:
            self._watch()

    async def _close(self) -> None:
        self._is_over = True
        if self._is_open:
            code = TRY_AGAIN_LATER if self._reason == UNKNOWN_END else POLICY_VIOLATION
            await self._send({"type": "websocket.close", "code": code, "reason": self._reason})


class GuardedHttp(_Guarded):
    """A request and its response, which ends with the token where it is a stream of events. Any
    other response is over soon, so it is left to itself."""

    _is_stream = False

    async def receive(self) -> Message:
        """The next part of the request, or its end."""
        if self._end is None or self._is_over:
            return {"type": "http.disconnect"} if self._is_over else await self._receive()
        following = asyncio.ensure_future(self._receive())
        either: list[Future[Any]] = [following, self._end]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not following.done():
                following.cancel()
        return {"type": "http.disconnect"} if self._is_over else await following

    async def send(self, message: Message) -> None:
        """Sends a part of the response."""
        self._refuse_more()
        if message["type"] == "http.response.start":
            self._is_stream = _is_event_stream(message.get("headers", ()))
        await self._send(message)
        if self._is_stream:
            self._watch()

    async def _close(self) -> None:
        self._is_over = True
        # The client of a stream of events connects again by itself, and is refused then.
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_event_stream(headers: Any) -> bool:  # noqa: ANN401
    for name, value in headers:
        if name.lower() == b"content-type":
            return bool(value.lower().startswith(b"text/event-stream"))
    return False
