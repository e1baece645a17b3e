from asyncio import Future
from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

__all__ = [
    "Requirement",
    "Server",
    "Token",
    "_corpus_server",
    "_count_tasks",
    "acr",
    "all_of",
    "any_of",
    "application",
    "claim",
    "group",
    "max_age",
    "not_",
    "role",
    "scope",
    "user",
]

@final
class Token:
    """A verified access token: who calls. Only a server makes one."""

    @property
    def subject(self) -> str | None:
        """``sub``."""
    @property
    def user_id(self) -> str | None:
        """The stable identifier of the caller at this issuer."""
    @property
    def name(self) -> str:
        """A name to show. It is no identifier: people choose it."""
    @property
    def client(self) -> str | None:
        """The client that the token was issued to."""
    @property
    def issuer(self) -> str:
        """The issuer. A subject means something only together with it."""
    @property
    def audience(self) -> list[str]:
        """The audiences of the token."""
    @property
    def tenant(self) -> str | None: ...
    @property
    def kind(self) -> Literal["user", "application"] | None:
        """For whom the token was issued; ``None`` if that is unknown."""
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def roles(self) -> frozenset[str] | None:
        """The roles; ``None`` if they are unknown."""
    @property
    def groups(self) -> frozenset[str] | None:
        """The groups; ``None`` if they are unknown."""
    @property
    def expires(self) -> int | None:
        """``exp``, in seconds since 1970; ``None`` only where an introspection answer has none."""
    @property
    def claims(self) -> dict[str, Any]:
        """All claims, as the issuer wrote them."""
    def has_scope(self, scope: str) -> bool: ...
    def has_role(self, role: str) -> bool:
        """Whether the caller has this role. False if that is unknown."""

@final
class Requirement:
    """What a route demands of a valid token."""

    def __and__(self, other: Requirement, /) -> Requirement: ...
    def __rand__(self, other: Requirement, /) -> Requirement: ...
    def __or__(self, other: Requirement, /) -> Requirement: ...
    def __ror__(self, other: Requirement, /) -> Requirement: ...
    def __invert__(self) -> Requirement: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def scope(name: str) -> Requirement:
    """Demands a scope."""

def role(name: str) -> Requirement:
    """Demands a role."""

def group(name: str) -> Requirement:
    """Demands that the caller is in a group."""

def user() -> Requirement:
    """Demands a token that was issued for a user."""

def application() -> Requirement:
    """Demands a token that was issued for an application in its own name."""

def claim(name: str, value: str | bool | int | float) -> Requirement:
    """Demands that the claim of this name is this value, or an array that holds it."""

def acr(*values: str) -> Requirement:
    """Demands that the user signed in in one of these ways, in order of preference (RFC 9470)."""

def max_age(seconds: int) -> Requirement:
    """Demands that the user signed in no longer ago than this."""

def all_of(*requirements: Requirement) -> Requirement:
    """Demands all of these."""

def any_of(*requirements: Requirement) -> Requirement:
    """Demands at least one of these."""

def not_(requirement: Requirement) -> Requirement:
    """Demands the opposite."""

@final
class Server:
    """A protected resource server: it trusts some issuers and decides about requests.

    It needs no event loop to be made, and may be made before worker processes are forked.
    """

    def __new__(cls, issuer: str, audience: str) -> Server:
        """A server that trusts one issuer and accepts one audience.

        Raises ``ConfigError`` with all faults.
        """
    @staticmethod
    def from_env() -> Server:
        """A server as the environment and ``.env`` describe it: ``OAUTH2_ISSUER`` and
        ``OAUTH2_AUDIENCE`` at least.

        Raises ``ConfigError`` with all faults.
        """
    @staticmethod
    def from_toml(text: str) -> Server:
        """A server as the text of a ``portcullis.toml`` describes it.

        Raises ``ConfigError`` with all faults.
        """
    def decide(
        self,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        query: str | None = None,
        requirement: Requirement | None = None,
        *,
        method: str | None = None,
    ) -> Token | Future[Token]:
        """Decides about a request: the token if that is known at once, else a future of the
        running event loop. Cancelled, the future ends the decision.

        The method counts only where the settings name a cookie. Raises ``Refusal`` or ``Outage``.
        """
    def decide_blocking(
        self,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        query: str | None = None,
        requirement: Requirement | None = None,
        *,
        method: str | None = None,
    ) -> Token:
        """Like ``decide``, but waits. Not for the thread of an event loop."""
    def sees_credential(
        self,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        *,
        method: str | None = None,
    ) -> bool:
        """Whether a request carries any credential, good or bad."""
    def start(self) -> None:
        """Begins to fetch keys, so that the first request finds them."""
    def is_ready(self) -> bool:
        """Whether the server can decide: it has keys of every issuer, among other things. For
        readiness probes."""
    def endpoints(self) -> dict[str, dict[str, str]]:
        """``authorization_endpoint`` and ``token_endpoint`` of each issuer whose metadata can be
        had. Waits for them."""
    @property
    def issuers(self) -> list[str]:
        """The trusted issuers."""
    @property
    def warnings(self) -> list[str]:
        """What can be used, but is hardly meant: values that an example left."""

def _corpus_server(settings: str, key_sets: Mapping[str, str], now: int) -> Server: ...
def _count_tasks() -> int: ...
