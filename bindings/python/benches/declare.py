"""The cost of a dependency within FastAPI, by the way of declaring it. No token is verified.

>>> VENV/bin/python benches/declare.py --rounds 25 --calls 2000
"""

import argparse
import asyncio
from collections.abc import Callable
from statistics import median
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Security
from fastapi.openapi.models import OpenIdConnect
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from direct import measure


async def nothing() -> str:
    """A dependency without parameters."""
    return "nobody"


async def by_request(request: Request) -> str:
    """A dependency that reads the request."""
    return request.scope["method"]  # type: ignore[no-any-return]


async def by_connection(connection: HTTPConnection) -> str:
    """The same, also for WebSockets."""
    return connection.scope["method"]  # type: ignore[no-any-return]


async def by_scopes(request: Request, scopes: SecurityScopes) -> str:
    """The same, with the scopes of `Security`."""
    return request.scope["method"] + "".join(scopes.scopes)  # type: ignore[no-any-return]


async def by_header(request: Request, authorization: Annotated[str, Depends(nothing)]) -> str:
    """A dependency with a dependency of its own."""
    return request.scope["method"] + authorization  # type: ignore[no-any-return]


def in_thread() -> str:
    """A dependency that is no coroutine: FastAPI calls it in another thread."""
    return "nobody"


class Plain:
    """An instance as a dependency."""

    async def __call__(self, request: Request) -> str:
        """The method."""
        return request.scope["method"]  # type: ignore[no-any-return]


class Scheme(SecurityBase):
    """An instance that is a security scheme."""

    def __init__(self) -> None:
        self.scheme_name = "openIdConnect"
        self.model = OpenIdConnect(openIdConnectUrl="https://idp.example")

    async def __call__(self, request: Request) -> str:
        """The method."""
        return request.scope["method"]  # type: ignore[no-any-return]


class ScopedScheme(Scheme):
    """A scheme that reads the scopes of `Security`."""

    async def __call__(self, request: Request, scopes: SecurityScopes) -> str:  # type: ignore[override]
        """The method and the scopes."""
        return request.scope["method"] + "".join(scopes.scopes)  # type: ignore[no-any-return]


class SilentScheme(Scheme):
    """A scheme that does nothing."""

    async def __call__(self) -> None:  # type: ignore[override]
        """Nothing."""


silent = SilentScheme()


class DoubleScheme(ScopedScheme):
    """A scheme that depends on a second one, so that the document lists both."""

    async def __call__(  # type: ignore[override]
        self,
        request: Request,
        scopes: SecurityScopes,
        second: Annotated[None, Depends(silent)] = None,
    ) -> str:
        """The method and the scopes."""
        return await self._inner(request, scopes.scopes)

    async def _inner(self, request: Request, scopes: list[str]) -> str:
        return request.scope["method"] + "".join(scopes)  # type: ignore[no-any-return]


double = DoubleScheme()
VARIANTS: dict[str, Any] = {
    "no dependency": None,
    "a function without parameters": Depends(nothing),
    "a function of the request": Depends(by_request),
    "a function of the connection": Depends(by_connection),
    "a function of the request and the scopes": Depends(by_scopes),
    "a function of the request and of another function": Depends(by_header),
    "an instance": Depends(Plain()),
    "an instance of `SecurityBase`": Depends(Scheme()),
    "the same, `use_cache=False`": Depends(Scheme(), use_cache=False),
    "an instance of `SecurityBase`, with the scopes": Depends(ScopedScheme()),
    "the same by `Security`, with one scope": Security(ScopedScheme(), scopes=["a"]),
    "the same, `use_cache=False`, by `Security`": Security(
        ScopedScheme(), scopes=["a"], use_cache=False
    ),
    "the same, and a second scheme as its dependency": Security(double, scopes=["a"]),
    "a function that is no coroutine": Depends(in_thread),
}


def app_for(dependency: Any) -> FastAPI:  # noqa: ANN401
    """An application with one endpoint."""
    app = FastAPI()
    if dependency is None:

        @app.get("/me")
        async def unprotected() -> dict[str, str]:
            return {"subject": "nobody"}

    else:

        @app.get("/me")
        async def me(subject: Annotated[str, dependency]) -> dict[str, str]:
            return {"subject": subject}

    return app


async def run(rounds: int, calls: int, show: Callable[[str], None]) -> None:
    """Measures all variants in turns, and shows a table."""
    apps = {title: app_for(dependency) for title, dependency in VARIANTS.items()}
    figures: dict[str, list[float]] = {title: [] for title in apps}
    for app in apps.values():
        await measure(app, ["x"], 200)
    for _ in range(rounds):
        for title, app in apps.items():
            figures[title].append(await measure(app, ["x"], calls))
    bare = figures["no dependency"]
    show("| declaration | call, µs | over none, µs |\n|---|---|---|")
    for title, own in figures.items():
        more = median(mine - theirs for mine, theirs in zip(own, bare, strict=True))
        show(f"| {title} | {median(own):.1f} | {more:.1f} |")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Compares ways to declare a dependency.")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--calls", type=int, default=2000)
    options = parser.parse_args()
    asyncio.run(run(options.rounds, options.calls, print))


if __name__ == "__main__":
    main()
