"""FastAPI's answers to the rows of `request-bodies.json`, which come on the standard input.

The models are those of `conformance/tests/it/e2e/validation/models.rs`. The application is called
as its server would call it, by ASGI: no port, no network.
"""

import asyncio
import datetime
import enum
import json
import sys
import uuid
from typing import Annotated, Literal

from fastapi import FastAPI
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

app = FastAPI()


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Speed(enum.Enum):
    slow = "slow"
    fast = "fast"


class Item(Closed):
    sku: Annotated[StrictStr, Field(min_length=2)]
    # Not strict: a fraction is told from other types, as it is by us.
    pieces: Annotated[int, Field(ge=1, le=255)]


class Order(Closed):
    article: Annotated[StrictStr, Field(min_length=1, max_length=12)]
    quantity: Annotated[StrictInt, Field(ge=1, le=100)]
    price: Annotated[StrictFloat, Field(ge=0.5)]
    gift: StrictBool
    currency: Annotated[StrictStr, Field(pattern="^[A-Z]{3}$")] | None = None
    items: Annotated[list[Item], Field(max_length=3)] = []
    speed: Speed | None = None
    labels: dict[StrictStr, StrictStr] = {}
    reference: uuid.UUID | None = None
    due: datetime.datetime | None = None
    day: datetime.date | None = None


class Card(Closed):
    kind: Literal["card"]
    number: Annotated[StrictStr, Field(min_length=4)]
    month: Annotated[StrictInt, Field(ge=1, le=12)]


class Transfer(Closed):
    kind: Literal["transfer"]
    iban: StrictStr


class Payment(Closed):
    by: Annotated[Card | Transfer, Field(discriminator="kind")]


@app.post("/orders")
def orders(_: Order) -> str:
    return "read"


@app.post("/payments")
def payments(_: Payment) -> str:
    return "read"


@app.post("/batches")
def batches(_: Annotated[list[Item], Field(min_length=1)]) -> str:
    return "read"


@app.post("/prices")
def prices(_: dict[StrictStr, StrictFloat]) -> str:
    return "read"


async def answer(path: str, body: bytes) -> dict:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    sent = []

    async def receive() -> dict:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except ValueError:
        # It cannot write its own answer, which would quote a number that JSON does not have.
        return {"status": 500, "errors": []}
    text = b"".join(message.get("body", b"") for message in sent[1:])
    document = json.loads(text)
    errors = document["detail"] if sent[0]["status"] == 422 else []
    return {"status": sent[0]["status"], "errors": [[it["type"], *it["loc"]] for it in errors]}


async def main() -> None:
    rows = json.load(sys.stdin)["vectors"]
    answers = [await answer(row["path"], row["body"].encode()) for row in rows]
    json.dump(answers, sys.stdout)


asyncio.run(main())
