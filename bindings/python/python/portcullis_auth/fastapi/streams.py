"""Streams that end with their token."""

import asyncio
from asyncio import Future
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, TypeVar

from portcullis_auth._portcullis import Server, Token

T = TypeVar("T")


async def until_end(server: Server, token: Token, items: AsyncIterable[T]) -> AsyncIterator[T]:
    """The items of a stream until the token ends: it expires, it is revoked, or its key is gone."""
    end = server.wait_for_end(token)
    iterator = aiter(items)
    while not isinstance(end, str):
        following = asyncio.ensure_future(_following(iterator))
        either: list[Future[Any]] = [end, following]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not following.done():
                following.cancel()
        # At the end of the token nothing goes out any more, even if it is there already.
        if end.done():
            return
        try:
            yield await following
        except StopAsyncIteration:
            end.cancel()
            return
        except GeneratorExit:
            end.cancel()
            raise


async def _following(iterator: AsyncIterator[T]) -> T:
    return await anext(iterator)
