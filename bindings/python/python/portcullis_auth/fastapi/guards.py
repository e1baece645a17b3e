"""The dependencies that decide."""

import inspect
from collections.abc import Sequence
from typing import ClassVar

from fastapi import WebSocket, params
from fastapi.openapi.models import OpenIdConnect
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from portcullis_auth import requirements
from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Requirement, Server, Token
from portcullis_auth.fastapi.denial import Denial, WebSocketDenial
from portcullis_auth.fastapi.schemes import OAuth2Scheme, metadata_url
from portcullis_auth.fastapi.websocket import end_with_token


class Guard(SecurityBase):
    """A dependency that gives the token of a caller who meets a requirement. A WebSocket ends with
    its token."""

    is_optional: ClassVar[bool] = False
    """Whether a request without a credential passes."""

    def __init__(
        self,
        server: Server,
        oauth2: OAuth2Scheme,
        requirement: Requirement | None = None,
        scopes: Sequence[str] = (),
    ) -> None:
        self.server = server
        """The server that decides."""
        self.requirement = requirement
        """The demand on every token; ``None`` for any valid one."""
        # Those of the requirement, which `Security` repeats for the documentation.
        self._scopes = frozenset(scopes)
        # By the scopes of `Security`: those of the routes, so there are few.
        self._demands: dict[tuple[str, ...], Requirement | None] = {(): requirement}
        self.scheme_name = "openIdConnect"
        self.model = OpenIdConnect(openIdConnectUrl=metadata_url(server))
        # Not a dependency of this one, as FastAPI would have it: that doubles the cost of a guard.
        self.oauth2 = oauth2
        """The scheme that the documentation signs in by."""

    async def __call__(self, connection: HTTPConnection, security_scopes: SecurityScopes) -> Token:
        """The verified token. FastAPI calls it."""
        return await self._decide(connection, security_scopes.scopes)

    async def _decide(self, connection: HTTPConnection, scopes: list[str]) -> Token:
        scope = connection.scope
        query = scope["query_string"].decode("latin-1")
        requirement = self._demand(tuple(scopes))
        if scope["type"] == "websocket":
            return await self._decide_websocket(connection, query, requirement)
        try:
            answer = self.server.decide(
                scope["headers"], query, requirement, method=scope["method"]
            )
            return answer if isinstance(answer, Token) else await answer
        except Denied as denied:
            # The cause is left out: a traceback in a log should end where the caller's words do.
            raise Denial(denied) from None

    async def _decide_websocket(
        self, connection: HTTPConnection, query: str, requirement: Requirement | None
    ) -> Token:
        try:
            answer = self.server.decide(
                connection.scope["headers"], query, requirement, method="GET", websocket=True
            )
            token = answer if isinstance(answer, Token) else await answer
        except Denied as denied:
            raise WebSocketDenial(denied) from None
        if isinstance(connection, WebSocket):
            end_with_token(connection, self.server, token)
        return token

    def _demand(self, scopes: tuple[str, ...]) -> Requirement | None:
        if scopes not in self._demands:
            demands = [self.requirement] if self.requirement else []
            more = [name for name in dict.fromkeys(scopes) if name not in self._scopes]
            demands += [requirements.scope(name) for name in more]
            # `all_of` would put a single demand into brackets.
            demand = demands[0] if len(demands) == 1 else requirements.all_of(*demands)
            self._demands[scopes] = demand
        return self._demands[scopes]


class OptionalGuard(Guard):
    """A dependency that gives the token, or ``None`` to a request without any credential. A bad
    credential is refused all the same: its sender is no guest."""

    is_optional: ClassVar[bool] = True

    async def __call__(  # type: ignore[override]
        self, connection: HTTPConnection, security_scopes: SecurityScopes
    ) -> Token | None:
        """The verified token, if there is a credential. FastAPI calls it."""
        scope = connection.scope
        is_websocket = scope["type"] == "websocket"
        method = "GET" if is_websocket else scope["method"]
        if not self.server.sees_credential(scope["headers"], method=method, websocket=is_websocket):
            return None
        return await self._decide(connection, security_scopes.scopes)


class RequiredToken(params.Security):
    """The dependency of a guard with a requirement. It may also stand in ``Depends``, as the
    functions of other libraries have to: then it is a dependency on itself."""

    def __init__(self, guard: Guard, scopes: Sequence[str]) -> None:
        super().__init__(dependency=guard, scopes=scopes)
        token = inspect.Parameter(
            "token",
            inspect.Parameter.KEYWORD_ONLY,
            default=params.Security(dependency=guard, scopes=scopes),
            annotation=Token,
        )
        # Instances are frozen in some versions of FastAPI, which reads this signature.
        object.__setattr__(self, "__signature__", inspect.Signature([token]))

    async def __call__(self, *, token: Token) -> Token:
        """The verified token. FastAPI calls it."""
        return token

    # FastAPI looks dependencies up by their hash, and a list of scopes has none.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other
