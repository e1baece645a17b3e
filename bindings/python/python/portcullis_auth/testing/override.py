"""Callers of a FastAPI application, without any provider."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from portcullis_auth._portcullis import Server
from portcullis_auth.testing.signer import Signer


@contextmanager
def override_caller(
    app: Any,  # noqa: ANN401
    auth: Any,  # noqa: ANN401
    subject: str | None = "alice",
    *,
    signer: Signer | None = None,
    **order: Any,  # noqa: ANN401
) -> Generator[Signer, None, None]:
    """Lets the requests to a FastAPI application come from this caller, without any provider.

    The guards decide as ever, about a token of this caller: a test without the role gets 403. The
    arguments are those of :meth:`Signer.token`. A request with a credential of its own is decided
    by that; :meth:`Signer.bearer` of the result makes one for another caller. Nothing is fetched.

    The settings of the application's server do not count, but for its first issuer. Give a
    ``signer`` with those that the guards depend on.

    It changes the guards of the application for all threads, until the end of the block.
    """
    real = auth.server
    signer = signer or Signer(issuer=(list(real.issuers) or ["https://issuer.test"])[0])
    stand_in = _CallerServer(signer.server(), signer.bearer(subject, **order))
    guards = [guard for guard in _guards(app, auth) if guard.server is real]
    for guard in guards:
        guard.server = stand_in
    try:
        yield signer
    finally:
        for guard in guards:
            guard.server = real


class _CallerServer:
    """A server that takes a request without a credential for one of this caller."""

    def __init__(self, server: Server, credential: dict[str, str]) -> None:
        self._server = server
        self._credential = credential["authorization"]

    def decide(self, headers: Any, *rest: Any, **options: Any) -> Any:  # noqa: ANN401
        return self._server.decide(self._complete(headers, options), *rest, **options)

    def decide_blocking(self, headers: Any, *rest: Any, **options: Any) -> Any:  # noqa: ANN401
        return self._server.decide_blocking(self._complete(headers, options), *rest, **options)

    def sees_credential(self, _headers: Any, **_options: Any) -> bool:  # noqa: ANN401
        return True

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._server, name)

    def _complete(self, headers: Any, options: Any) -> Any:  # noqa: ANN401
        # Two credentials would be refused.
        if self._server.sees_credential(headers, **options):
            return headers
        pairs: Any = headers
        if isinstance(headers, Mapping):
            pairs = cast("Mapping[str, str]", headers).items()
        return [*pairs, (b"authorization", self._credential.encode())]


def _guards(app: Any, auth: Any) -> list[Any]:  # noqa: ANN401
    """The guards of an application, each once. One that is not found keeps its server, and lets
    nobody in."""
    found = {id(auth): auth}
    if (optional := getattr(auth, "optional", None)) is not None:
        found[id(optional)] = optional
    for dependant in _dependants(app):
        for call in _calls(dependant):
            if hasattr(call, "server"):
                found[id(call)] = call
    return list(found.values())


def _dependants(app: Any) -> Iterator[Any]:  # noqa: ANN401
    from fastapi import routing

    # Newer versions keep included routers as they are, and have this to see through them.
    contexts = getattr(routing, "iter_route_contexts", iter)
    for route in contexts(getattr(app, "routes", [])):
        if (dependant := getattr(route, "dependant", None)) is not None:
            yield dependant
        elif (mounted := getattr(route, "app", None)) is not None:
            yield from _dependants(mounted)


def _calls(dependant: Any) -> Iterator[Any]:  # noqa: ANN401
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from _calls(dependency)
