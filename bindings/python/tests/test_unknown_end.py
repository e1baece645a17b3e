"""The end of a connection when nobody can tell whether its token was revoked."""

import asyncio
from typing import Any, cast

import grpc
import pytest

from portcullis_auth import Server, Token
from portcullis_auth._asgi_streams import GuardedWebSocket, Message
from portcullis_auth._portcullis import UNKNOWN_END
from portcullis_auth.grpc.token_end import until_end


class EndedServer:
    """A server for which every token has ended for this reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def wait_for_end(self, _token: Token) -> str:
        return self.reason


ENDS = [
    (UNKNOWN_END, 1013, grpc.StatusCode.UNAVAILABLE),
    ("the access token was revoked", 1008, grpc.StatusCode.UNAUTHENTICATED),
]
"""The reason, the code of a close frame, the status of a call."""


@pytest.mark.parametrize(("reason", "code", "_status"), ENDS)
def test_a_websocket_is_closed(reason: str, code: int, _status: grpc.StatusCode) -> None:
    sent: list[Message] = []
    closed = asyncio.Event()

    async def receive() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "websocket.close":
            closed.set()

    async def scenario() -> None:
        server = cast("Server", EndedServer(reason))
        token = cast("Token", object())
        socket = GuardedWebSocket({"subprotocols": []}, receive, send, server, token)
        await socket.send({"type": "websocket.accept"})
        await asyncio.wait_for(closed.wait(), 30)

    asyncio.run(scenario())
    assert sent[-1] == {"type": "websocket.close", "code": code, "reason": reason}


class Call:
    """The context of a call, which keeps how it was aborted."""

    aborted: tuple[Any, str] | None = None

    async def abort(self, status: Any, reason: str) -> None:
        self.aborted = (status, reason)
        raise grpc.RpcError


@pytest.mark.parametrize(("reason", "_code", "status"), ENDS)
def test_a_call_is_aborted(reason: str, _code: int, status: grpc.StatusCode) -> None:
    call = Call()

    async def scenario() -> None:
        server = cast("Server", EndedServer(reason))
        with pytest.raises(grpc.RpcError):
            async with until_end(server, cast("Token", object()), call):
                pass

    asyncio.run(scenario())
    assert call.aborted == (status, reason)
