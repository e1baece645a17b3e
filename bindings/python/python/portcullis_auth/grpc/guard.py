"""The decision about a call."""

from collections.abc import Iterable, Mapping

from portcullis_auth._portcullis import Requirement, Server, Token

Metadata = Iterable[tuple[str, str | bytes]]
"""The metadata of a call, as gRPC gives it."""


class Guard:
    """The requirement of each method."""

    def __init__(
        self,
        server: Server,
        requirements: Mapping[str, Requirement] | None = None,
        *,
        default: Requirement | None = None,
        public: Iterable[str] = (),
    ) -> None:
        self.server = server
        self._requirements = dict(requirements or {})
        self._default = default
        self._public = frozenset([public] if isinstance(public, str) else public)
        for method in [*self._requirements, *self._public]:
            _check_method(method)
        if both := self._public & self._requirements.keys():
            raise ValueError(f"expected public methods without a requirement, found {min(both)!r}")

    def is_public(self, method: str) -> bool:
        """Whether a method needs no token."""
        return method in self._public

    def requirement(self, method: str) -> Requirement | None:
        """The requirement of a method; ``None`` if a valid token is enough."""
        return self._requirements.get(method, self._default)

    async def decide(self, method: str, metadata: Metadata | None) -> Token:
        """The token of a call that may go on. Raises ``Refusal`` or ``Outage``."""
        requirement = self.requirement(method)
        answer = self.server.decide(_headers(metadata), None, requirement, method="POST")
        return answer if isinstance(answer, Token) else await answer

    def decide_blocking(self, method: str, metadata: Metadata | None) -> Token:
        """Like ``decide``, but waits. Not for the thread of an event loop."""
        requirement = self.requirement(method)
        return self.server.decide_blocking(_headers(metadata), None, requirement, method="POST")


def _check_method(method: str) -> None:
    parts = method.split("/")
    if len(parts) != 3 or parts[0] or not parts[1] or not parts[2]:
        raise ValueError(f"expected a method such as /orders.Orders/List, found {method!r}")


def _headers(metadata: Metadata | None) -> list[tuple[bytes, bytes]]:
    return [(_bytes(name), _bytes(value)) for name, value in metadata or ()]


def _bytes(value: str | bytes) -> bytes:
    # A letter outside of Latin-1 makes a bad token of it, and no exception.
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")
