"""Orders: everybody sees and makes their own, and an Admin may delete any."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import APIRouter, HTTPException, Response, WebSocket, WebSocketDisconnect
from fastapi.sse import EventSourceResponse

from guards import Owner, Reader, Writer, auth, owner_of
from store import NewOrder, Order, Store

router = APIRouter(tags=["orders"])
store = Store()


@router.get("/orders")
async def list_orders(token: Reader) -> list[Order]:
    """The orders of the caller."""
    return store.orders_of(owner_of(token))


@router.post("/orders", status_code=201)
async def make_order(new: NewOrder, token: Writer, response: Response) -> Order:
    """Makes an order for the caller."""
    order = store.add(owner_of(token), new)
    response.headers["location"] = f"/orders/{order.id}"
    return order


@router.get("/orders/{order_id}")
async def read_order(order_id: int, token: Reader) -> Order:
    """One order of the caller."""
    return find(order_id, owner_of(token))


@router.delete("/orders/{order_id}", status_code=204)
async def delete_order(order_id: int, token: Writer) -> None:
    """Deletes an order of the caller, or any order if the caller is an Admin."""
    find(order_id, None if token.has_role("Admin") else owner_of(token))
    store.remove(order_id)


@router.get("/events", response_class=EventSourceResponse)
async def events(token: Reader) -> AsyncIterator[Order]:
    """The orders of the caller so far, and then each new one, until the token ends."""
    async for order in auth.until_end(token, store.follow(owner_of(token))):
        yield order


@router.websocket("/live")
async def live(websocket: WebSocket, token: Reader) -> None:
    """The same over a WebSocket. Its guard closes it when the token ends."""
    await websocket.accept()
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(send_orders(websocket, owner_of(token)))
        # A client says nothing here, so this waits until it goes away.
        async for _ in websocket.iter_text():
            pass
        sending.cancel()


async def send_orders(websocket: WebSocket, owner: Owner) -> None:
    """Sends orders until the connection is closed."""
    with suppress(WebSocketDisconnect):
        async for order in store.follow(owner):
            await websocket.send_json(order.model_dump())


def find(order_id: int, owner: Owner | None) -> Order:
    """An order of this owner, or of anybody."""
    order = store.find(order_id, owner)
    if order is None:
        # The same for an order of somebody else: its number alone tells nothing.
        raise HTTPException(404, "there is no such order")
    return order
