"""Streams that end with their token."""

import asyncio
from asyncio import Future
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Any, TypeVar

from portcullis_auth._portcullis import Server, Token

T = TypeVar("T")


async def until_end(server: Server, token: Token, items: AsyncIterable[T]) -> AsyncIterator[T]:
    """The items of a stream until the token ends: it expires, it is revoked, or its key is gone."""
    end = server.wait_for_end(token)
    if isinstance(end, str):
        return
    iterator = aiter(items)
    try:
        while True:
            following = asyncio.ensure_future(_following(iterator))
            try:
                await _either(end, following)
                # At its end nothing goes out any more, even if it is there already.
                if end.done():
                    return
                item = await following
            finally:
                await _cancel(following)
            yield item
    except _NoMoreItems:
        return
    finally:
        end.cancel()
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


class _NoMoreItems(Exception):
    """The end of a stream; a task cannot end by ``StopAsyncIteration`` itself."""


async def _following(iterator: AsyncIterator[T]) -> T:
    try:
        return await anext(iterator)
    except StopAsyncIteration:
        raise _NoMoreItems from None


async def _either(*futures: Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def _cancel(task: asyncio.Task[T]) -> None:
    """Cancels a task, and waits until it is over: its generator can be closed only then."""
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
