"""The end of a call whose token ends, in an event loop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from portcullis_auth._portcullis import UNKNOWN_END, Server, Token


@asynccontextmanager
async def until_end(server: Server, token: Token, context: Any) -> AsyncGenerator[None, None]:  # noqa: ANN401
    """Ends the call when its token ends, whatever it waits for then."""
    end = server.wait_for_end(token)
    if isinstance(end, str):
        await _abort_at_end(context, end)
        return
    interruption = _Interruption(end)
    try:
        yield
    except asyncio.CancelledError:
        # The client, or the server's stop, may have cancelled the call as well.
        if not interruption.is_cause():
            raise
        # Without a reason the token cannot be vouched for either.
        reason = "the access token ended" if end.exception() else end.result()
        await _abort_at_end(context, reason)
    finally:
        interruption.disarm()


class _Interruption:
    """Cancels the current task at the end of a token."""

    def __init__(self, end: "asyncio.Future[str]") -> None:
        self._end = end
        self._task = asyncio.current_task()
        self._cancellations = self._task.cancelling() if self._task else 0
        self._is_armed = True
        end.add_done_callback(self._interrupt)

    def is_cause(self) -> bool:
        """Whether the task was cancelled by this, and by nothing else."""
        if self._task is None or self._end.cancelled() or not self._end.done():
            return False
        return self._task.uncancel() <= self._cancellations

    def disarm(self) -> None:
        """Leaves the task alone from now on."""
        self._is_armed = False
        self._end.cancel()

    def _interrupt(self, end: "asyncio.Future[str]") -> None:
        if self._is_armed and self._task is not None and not end.cancelled():
            self._task.cancel()


async def _abort_at_end(context: Any, reason: str) -> None:  # noqa: ANN401
    # Without the store of revocations, the token may still be good.
    outage = reason == UNKNOWN_END
    status = grpc.StatusCode.UNAVAILABLE if outage else grpc.StatusCode.UNAUTHENTICATED
    await context.abort(status, reason)
