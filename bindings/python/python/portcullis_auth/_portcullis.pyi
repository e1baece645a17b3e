from asyncio import Future
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, final

__all__ = [
    "UNKNOWN_END",
    "_VARIABLES",
    "Admission",
    "Client",
    "IssuedToken",
    "Requirement",
    "Server",
    "Token",
    "TokenResponse",
    "_Idp",
    "_corpus_server",
    "_count_waits",
    "_is_debug_build",
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

_VARIABLES: list[str]
UNKNOWN_END: str
"""The reason of an end where nobody can tell for now whether the token was revoked: it may still be
good."""

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
class Admission:
    """A request that may go on by its route."""

    @property
    def token(self) -> Token | None:
        """The caller's token; ``None`` where the route needs none."""
    @property
    def route(self) -> str:
        """The name of the route."""
    @property
    def request_id(self) -> str:
        """The name of the request in the log."""
    @property
    def removed(self) -> list[bytes]:
        """The names of headers, in small letters, that claim what only a gateway may tell: the
        application must not see them."""
    @property
    def identity(self) -> list[tuple[bytes, bytes]]:
        """The headers that tell who calls, as an upstream of the gateway gets them."""

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
    @staticmethod
    def from_file(path: str | PathLike[str]) -> Server:
        """A server as a ``portcullis.toml`` describes it. The tables of the gateway that need a
        listener or an upstream change nothing here.

        Raises ``ConfigError`` with all faults, shown in their lines.
        """
    def decide(
        self,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        query: str | None = None,
        requirement: Requirement | None = None,
        *,
        method: str | None = None,
        websocket: bool = False,
    ) -> Token | Future[Token]:
        """Decides about a request: the token if that is known at once, else a future of the
        running event loop. Cancelled, the future ends the decision.

        The method counts only where the settings name a cookie. The token of a WebSocket may stand
        among its subprotocols, after ``bearer``. Raises ``Refusal`` or ``Outage``.
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
    def verify(self, token: str, requirement: Requirement | None = None) -> Token | Future[Token]:
        """Decides about a token that came by other means than a request, such as a message of a
        queue or a field of GraphQL: the verified token if that is known at once, else a future of
        the running event loop. Raises ``Refusal`` or ``Outage``."""
    def verify_blocking(self, token: str, requirement: Requirement | None = None) -> Token:
        """Like ``verify``, but waits. Not for the thread of an event loop."""
    def permit(self, token: Token, requirement: Requirement) -> Token | Future[Token]:
        """Decides what the caller of a verified token may do: the token if that is known at once,
        else a future of the running event loop. For a requirement that depends on more than the
        route. Raises ``Refusal`` or ``Outage``."""
    def permit_blocking(self, token: Token, requirement: Requirement) -> Token:
        """Like ``permit``, but waits. Not for the thread of an event loop."""
    def admit(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        client: str | None = None,
        *,
        sent_as: str | None = None,
        websocket: bool = False,
    ) -> Admission | Future[Admission]:
        """Decides about a request by its route, as the gateway does: the admission if that is known
        at once, else a future of the running event loop.

        The target is the path that the application sees, escaped, and the query; ``sent_as`` is
        the path on the wire, where the server keeps it. The client is the address of the other end
        of the connection; ``None`` for a Unix socket. The token of a WebSocket may stand among its
        subprotocols. Raises ``Refusal`` or ``Outage``.
        """
    def admit_blocking(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        client: str | None = None,
        *,
        sent_as: str | None = None,
    ) -> Admission:
        """Like ``admit``, but waits. Not for the thread of an event loop."""
    def describe(
        self, method: str, path: str, host: str | None = None
    ) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """The metadata of a ``[[resource]]`` (RFC 9728), if the request is for such a document:
        status, header fields and body. It is for everybody, so it comes before any decision. The
        path is the one on the wire."""
    def answer_receiver(
        self,
        path: str,
        method: str,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        body: bytes,
        client: str | None = None,
    ) -> (
        tuple[int, list[tuple[str, str]], bytes] | Future[tuple[int, list[tuple[str, str]], bytes]]
    ):
        """Takes what a provider sends: a logout token at ``/logout`` (OpenID Connect Back-Channel
        Logout 1.0), a security event at ``/events/NAME`` (RFC 8935). The path is the part below the
        receivers' own, and the client is the address of the sender.

        The result is status, header fields and body of the answer: at once, or a future of the
        running event loop. 200 or 202 comes only after every revocation is written to the store;
        400 means that the sender need not come again, 503 that it must. Audit records have what
        became of each event, where the settings write them.
        """
    def answer_receiver_blocking(
        self,
        path: str,
        method: str,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        body: bytes,
        client: str | None = None,
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Like ``answer_receiver``, but waits. Not for the thread of an event loop."""
    def wait_for_end(self, token: Token) -> str | Future[str]:
        """Waits until a token is no longer good: until it expires or is revoked, or its issuer or
        its key is gone. The result is the reason, in words for the client. For connections that
        outlive their first request."""
    def recheck(self, token: Token) -> None:
        """Checks a verified token once more, for work that outlives its request where nothing can
        be awaited: whether it expired or was revoked since, or its issuer or its key is gone.
        Raises ``Refusal`` or ``Outage``."""
    def revoke(
        self,
        *,
        token: Token | None = None,
        issuer: str | None = None,
        subject: str | None = None,
        session: str | None = None,
        client: str | None = None,
        key: str | None = None,
    ) -> Future[None] | None:
        """Revokes one token, all tokens of a subject, a session or a client up to now, or all that
        are bound to a key or a certificate, by its thumbprint (``cnf``), in every replica that
        shares the store of the settings: ``None`` if that is done at once, else a future of the
        running event loop.

        Raises ``Outage`` if the store does not accept it; it is in force here all the same.
        """
    def revoke_blocking(
        self,
        *,
        token: Token | None = None,
        issuer: str | None = None,
        subject: str | None = None,
        session: str | None = None,
        client: str | None = None,
        key: str | None = None,
    ) -> None:
        """Like ``revoke``, but waits. Not for the thread of an event loop."""
    def metrics(self) -> str:
        """The figures of this process, in Prometheus' text format."""
    def sees_credential(
        self,
        headers: Sequence[tuple[bytes, bytes]] | Mapping[str, str],
        *,
        method: str | None = None,
        websocket: bool = False,
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
    def realm(self) -> str:
        """The ``realm`` of challenges."""
    @property
    def routes(self) -> list[str]:
        """The names of the routes; the last one is for requests that no other matches."""
    @property
    def warnings(self) -> list[str]:
        """What can be used, but is hardly meant: values that an example left."""

@final
class Client:
    """A client at an identity provider, which gets tokens for calls to other APIs.

    It proves who it is by a secret, by a key that signs its assertions (``private_key``: PKCS #8 in
    PEM), by a file to which the platform writes an assertion, or by a certificate with its key.
    Nothing is fetched before the first token is asked for.
    """

    def __new__(
        cls,
        issuer: str,
        client_id: str,
        client_secret: str | None = None,
        *,
        secret_in_form: bool = False,
        private_key: bytes | None = None,
        key_id: str | None = None,
        assertion_file: str | PathLike[str] | None = None,
        certificate: bytes | None = None,
    ) -> Client:
        """Raises ``ConfigError``."""
    @property
    def issuer(self) -> str:
        """The issuer identifier."""
    @property
    def client_id(self) -> str:
        """The client's id at the provider."""
    def token(
        self,
        scope: str | None = None,
        *,
        resource: str | None = None,
        audience: str | None = None,
    ) -> IssuedToken | Future[IssuedToken]:
        """A token for the client itself, by client credentials (RFC 6749, section 4.4): kept, and
        renewed before it expires. The token if there is one, else a future of the running event
        loop.

        Raises ``TokenError``.
        """
    def token_blocking(
        self,
        scope: str | None = None,
        *,
        resource: str | None = None,
        audience: str | None = None,
    ) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
    def invalidate(
        self,
        token: IssuedToken,
        scope: str | None = None,
        *,
        resource: str | None = None,
        audience: str | None = None,
    ) -> bool:
        """Drops a kept token that an API rejected. Whether another one can be had."""
    def refresh(
        self,
        refresh_token: str,
        scope: str | None = None,
        *,
        resource: str | None = None,
        audience: str | None = None,
    ) -> TokenResponse | Future[TokenResponse]:
        """New tokens for a refresh token (RFC 6749, section 6). Raises ``TokenError``."""
    def refresh_blocking(
        self,
        refresh_token: str,
        scope: str | None = None,
        *,
        resource: str | None = None,
        audience: str | None = None,
    ) -> TokenResponse:
        """Like ``refresh``, but waits."""
    def exchange(
        self,
        subject_token: str,
        scope: str | None = None,
        *,
        resource: str | None = None,
        audience: str | None = None,
        on_behalf_of: bool = False,
    ) -> TokenResponse | Future[TokenResponse]:
        """A token for another API in the name of the caller whose token this is (RFC 8693); with
        ``on_behalf_of``, as Entra ID defines it. Raises ``TokenError``."""
    def exchange_blocking(
        self,
        subject_token: str,
        scope: str | None = None,
        *,
        resource: str | None = None,
        audience: str | None = None,
        on_behalf_of: bool = False,
    ) -> TokenResponse:
        """Like ``exchange``, but waits."""

@final
class IssuedToken:
    """An access token that a provider issued to this client."""

    @property
    def text(self) -> str:
        """The text of the token. The caller has to protect it from here on."""
    @property
    def authorization(self) -> str:
        """The value of the header ``Authorization``."""
    @property
    def is_bound(self) -> bool:
        """Whether it is bound to a key, so that a request needs a proof as well."""
    @property
    def expires(self) -> int:
        """When it expires, in seconds since 1970, by this machine's clock."""

@final
class TokenResponse:
    """The response of a token endpoint (RFC 6749, section 5.1)."""

    @property
    def access_token(self) -> IssuedToken: ...
    @property
    def refresh_token(self) -> str | None:
        """The refresh token to keep, in place of the one before."""
    @property
    def scopes(self) -> frozenset[str]:
        """The granted scopes."""

@final
class _Idp:
    def __new__(cls, settings: str) -> _Idp: ...
    def renew_servers(self) -> None: ...
    @property
    def issuer(self) -> str: ...
    @property
    def audience(self) -> str: ...
    def stop(self) -> None: ...

def _corpus_server(settings: str, key_sets: Mapping[str, str], now: int) -> Server: ...
def _count_waits() -> int: ...
def _is_debug_build() -> bool: ...
