"""Guards for FastAPI: dependencies that let a request on only with a token that may.

>>> auth = Portcullis()                      # OAUTH2_ISSUER and OAUTH2_AUDIENCE, or `.env`
>>>
>>> @app.get("/orders")
>>> async def orders(token: Annotated[Token, Security(auth, scopes=["orders:read"])]): ...
>>>
>>> @app.get("/reports", dependencies=[auth.require(role="Auditor")])
>>> def reports(): ...
"""

import asyncio
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response, Security
from fastapi.openapi.models import (
    OAuth2,
    OAuthFlowAuthorizationCode,
    OAuthFlows,
    OpenIdConnect,
)
from fastapi.responses import JSONResponse
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from portcullis_auth import requirements
from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Requirement, Server, Token

__all__ = ["Denial", "Guard", "OptionalGuard", "Portcullis", "Token"]


class Denial(HTTPException):
    """A request that may not go on, as a response. FastAPI answers it by itself; after
    :meth:`Portcullis.install`, with the code in the body too."""

    code: str

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.status, denied.detail, denied.headers)
        self.code = denied.code


class Guard(SecurityBase):
    """A dependency that gives the token of a caller who meets a requirement."""

    def __init__(
        self, server: Server, oauth2: "OAuth2Scheme", requirement: Requirement | None = None
    ) -> None:
        self.server = server
        self.requirement = requirement
        # By the scopes of `Security`: those of the routes, so there are few.
        self._demands: dict[tuple[str, ...], Requirement | None] = {(): requirement}
        self.scheme_name = "openIdConnect"
        self.model = OpenIdConnect(openIdConnectUrl=_metadata_url(server))
        # FastAPI finds the second scheme as a dependency of this one.
        self.__signature__ = _with_scheme(type(self), oauth2)

    async def __call__(
        self, request: Request, security_scopes: SecurityScopes, oauth2: None = None
    ) -> Token:
        """The verified token. FastAPI calls it."""
        return await self._decide(request, security_scopes.scopes)

    async def _decide(self, request: Request, scopes: list[str]) -> Token:
        scope = request.scope
        query = scope["query_string"].decode("latin-1")
        requirement = self._demand(tuple(scopes))
        try:
            answer = self.server.decide(
                scope["headers"], query, requirement, method=scope["method"]
            )
            return answer if isinstance(answer, Token) else await answer
        except Denied as denied:
            # The cause is left out: a traceback in a log should end where the caller's words do.
            raise Denial(denied) from None

    def _demand(self, scopes: tuple[str, ...]) -> Requirement | None:
        if scopes not in self._demands:
            demands = [requirements.scope(scope) for scope in scopes]
            own = [self.requirement] if self.requirement else []
            self._demands[scopes] = requirements.all_of(*own, *demands)
        return self._demands[scopes]


class OptionalGuard(Guard):
    """A dependency that gives the token, or ``None`` to a request without any credential. A bad
    credential is refused all the same: its sender is no guest."""

    async def __call__(  # type: ignore[override]
        self, request: Request, security_scopes: SecurityScopes, oauth2: None = None
    ) -> Token | None:
        """The verified token, if there is a credential. FastAPI calls it."""
        scope = request.scope
        if not self.server.sees_credential(scope["headers"], method=scope["method"]):
            return None
        return await self._decide(request, security_scopes.scopes)


class Portcullis(Guard):
    """The protection of an application, and the guard that any valid token passes.

    Without a server, the settings are read from the environment and ``.env``. The endpoints are
    for the button “Authorize” of the documentation: given here, or asked of the issuer by
    :meth:`discover`. ``scopes`` describes the scopes there.
    """

    def __init__(
        self,
        server: Server | None = None,
        *,
        authorization_endpoint: str | None = None,
        token_endpoint: str | None = None,
        scopes: Mapping[str, str] | None = None,
    ) -> None:
        self._oauth2 = OAuth2Scheme(scopes)
        if authorization_endpoint and token_endpoint:
            self._oauth2.set_endpoints(authorization_endpoint, token_endpoint)
        super().__init__(server or Server.from_env(), self._oauth2)
        self.optional = OptionalGuard(self.server, self._oauth2)

    def require(
        self,
        *all_of: Requirement,
        scope: str | Iterable[str] = (),
        role: str | None = None,
        group: str | None = None,
    ) -> Any:  # noqa: ANN401
        """A dependency that demands all of these. Its scopes are in the documentation."""
        scopes = [scope] if isinstance(scope, str) else list(scope)
        demands = list(all_of)
        demands += [requirements.scope(name) for name in scopes]
        demands += [requirements.role(role)] if role is not None else []
        demands += [requirements.group(group)] if group is not None else []
        guard = Guard(self.server, self._oauth2, requirements.all_of(*demands))
        self._oauth2.add_scopes(scopes)
        return Security(guard, scopes=scopes)

    async def discover(self) -> None:
        """Asks the issuer where people sign in, so that the documentation can. Of several issuers,
        the first that says so counts."""
        found = await asyncio.to_thread(self.server.endpoints)
        for endpoints in found.values():
            match endpoints:
                case {"authorization_endpoint": authorization, "token_endpoint": token}:
                    self._oauth2.set_endpoints(authorization, token)
                    return

    def install(self, app: FastAPI) -> None:
        """Puts the code of a denial into the body of its response, and has the documentation sign
        in with PKCE."""
        app.add_exception_handler(Denial, _respond)
        init = app.swagger_ui_init_oauth or {}
        app.swagger_ui_init_oauth = {"usePkceWithAuthorizationCodeGrant": True, **init}


class OAuth2Scheme(SecurityBase):
    """The scheme that Swagger UI signs in by: the authorization code grant, with PKCE. It checks
    nothing."""

    def __init__(self, scopes: Mapping[str, str] | None) -> None:
        self.scheme_name = "oauth2"
        self.scopes = dict(scopes or {})
        # Without endpoints there is no flow to offer.
        self.model = OAuth2(flows=OAuthFlows())

    async def __call__(self) -> None:
        """Nothing: the guard decides."""

    def set_endpoints(self, authorization: str, token: str) -> None:
        """Offers the flow."""
        flow = OAuthFlowAuthorizationCode(
            authorizationUrl=authorization, tokenUrl=token, scopes=self.scopes
        )
        # Scopes that are added later are in it too.
        self.scopes = flow.scopes
        self.model = OAuth2(flows=OAuthFlows(authorizationCode=flow))

    def add_scopes(self, scopes: Iterable[str]) -> None:
        """Lists scopes that have no description."""
        for scope in scopes:
            self.scopes.setdefault(scope, "")


async def _respond(_request: Request, denial: Exception) -> Response:
    if not isinstance(denial, Denial):
        raise denial
    body = {"detail": denial.detail, "code": denial.code}
    return JSONResponse(body, denial.status_code, denial.headers)


def _metadata_url(server: Server) -> str:
    """Where the first issuer's metadata is (OpenID Connect Discovery 1.0, section 4)."""
    issuers = server.issuers
    return f"{issuers[0].rstrip('/')}/.well-known/openid-configuration" if issuers else ""


def _with_scheme(guard: type[Guard], oauth2: OAuth2Scheme) -> inspect.Signature:
    """The signature of a guard whose last argument depends on the scheme."""
    own = inspect.signature(guard.__call__)
    _self, *parameters, last = own.parameters.values()
    return own.replace(parameters=[*parameters, last.replace(default=Depends(oauth2))])
