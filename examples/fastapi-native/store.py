"""Orders in memory. A real store is a database; every call names the owner there too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from guards import Owner


class NewOrder(BaseModel):
    """An order as a caller sends it."""

    model_config = ConfigDict(extra="forbid")

    item: Annotated[str, Field(min_length=2, max_length=40, pattern="^[A-Z0-9-]+$")]
    quantity: Annotated[int, Field(ge=1, le=1000)]


class Order(NewOrder):
    """An order that was made."""

    id: int


class Store:
    """Orders, and the connections that wait for new ones. For one event loop."""

    def __init__(self) -> None:
        self._orders: dict[int, tuple[Owner, Order]] = {}
        self._ids = count(1)
        self._followers: set[tuple[Owner, asyncio.Queue[Order]]] = set()

    def orders_of(self, owner: Owner) -> list[Order]:
        """The orders of this owner, oldest first."""
        return [order for whose, order in self._orders.values() if whose == owner]

    def find(self, order_id: int, owner: Owner | None) -> Order | None:
        """The order of this owner, or of anybody."""
        whose, order = self._orders.get(order_id, (None, None))
        return order if owner in (None, whose) else None

    def add(self, owner: Owner, new: NewOrder) -> Order:
        """Makes an order, and tells the followers of its owner."""
        order = Order(id=next(self._ids), **new.model_dump())
        self._orders[order.id] = (owner, order)
        for whose, queue in self._followers:
            if whose == owner:
                # A follower that does not keep up misses orders. It must not fill the memory.
                with suppress(asyncio.QueueFull):
                    queue.put_nowait(order)
        return order

    def remove(self, order_id: int) -> None:
        """Deletes an order."""
        self._orders.pop(order_id, None)

    async def follow(self, owner: Owner) -> AsyncIterator[Order]:
        """The orders of this owner so far, and then each new one."""
        queue: asyncio.Queue[Order] = asyncio.Queue(maxsize=100)
        follower = (owner, queue)
        self._followers.add(follower)
        try:
            for order in self.orders_of(owner):
                yield order
            while True:
                yield await queue.get()
        finally:
            self._followers.discard(follower)
