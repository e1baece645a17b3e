"""The protection of a FastAPI application."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from fastapi import Depends, FastAPI, HTTPException
from fastapi.openapi.models import OAuth2
from pydantic import TypeAdapter, ValidationError

from portcullis_auth import requirements
from portcullis_auth._errors import Denied
from portcullis_auth._portcullis import Requirement, Server, Token
from portcullis_auth.fastapi import denial, document, streams
from portcullis_auth.fastapi.guards import Guard, OptionalGuard, RequiredToken
from portcullis_auth.fastapi.schemes import OAuth2Scheme

if TYPE_CHECKING:
    from portcullis_auth.testing import Signer

T = TypeVar("T")

RETRY_SECONDS = 30
"""The pause before an issuer that could not be reached is asked again where people sign in."""


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
        oauth2 = OAuth2Scheme(scopes)
        if authorization_endpoint and token_endpoint:
            oauth2.set_endpoints(authorization_endpoint, token_endpoint)
        super().__init__(server or Server.from_env(), oauth2)
        self.optional = OptionalGuard(self.server, oauth2)
        """The guard that gives ``None`` to a request without any credential."""

    def require(
        self,
        *all_of: Requirement,
        **words: Unpack[requirements.Words],
    ) -> Any:  # noqa: ANN401
        """A dependency that demands all of these: see ``requirements.combine``. It needs no
        ``Depends`` around it. Its scopes are in the documentation."""
        scopes = list(dict.fromkeys(requirements.texts(words.get("scope", ()))))
        words["scope"] = scopes
        demand = requirements.combine(*all_of, **words)
        guard = Guard(self.server, self.oauth2, demand, scopes)
        self.oauth2.add_scopes(scopes)
        return RequiredToken(guard, scopes)

    def claims(self, model: type[T]) -> Any:  # noqa: ANN401
        """A dependency that gives the claims of a valid token as a Pydantic model, or as anything
        else that Pydantic can read. A token without them gets 403."""
        adapter: TypeAdapter[T] = TypeAdapter(model)

        async def read_claims(token: Token = Depends(self)) -> T:  # noqa: B008
            try:
                return adapter.validate_python(token.claims)
            except ValidationError:
                # The fault that Pydantic names quotes the token.
                detail = "the access token lacks a claim that this operation needs"
                raise HTTPException(403, detail) from None

        return Depends(read_claims)

    def until_end(self, token: Token, items: AsyncIterable[T]) -> AsyncIterator[T]:
        """The items of a stream, such as server-sent events, until the token ends: it expires, it
        is revoked, or its key is gone."""
        return streams.until_end(self.server, token, items)

    async def discover(self) -> bool:
        """Asks the issuer where people sign in, so that the documentation can. Of several issuers,
        the first that says so counts. Whether any did."""
        found = await asyncio.to_thread(self.server.endpoints)
        for endpoints in found.values():
            match endpoints:
                case {"authorization_endpoint": authorization, "token_endpoint": token}:
                    self.oauth2.set_endpoints(authorization, token)
                    return True
                case _:
                    pass
        return False

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncGenerator[None]:
        """The lifespan of an application whose keys are there at its first request, and whose
        documentation can sign in: ``FastAPI(lifespan=auth.lifespan)``. An issuer that cannot be
        reached stops nothing, and is asked again every half minute."""
        self.server.start()
        discovery = asyncio.create_task(self._discover_in_time())
        yield
        discovery.cancel()

    async def _discover_in_time(self) -> None:
        # Nothing announces that an issuer is back.
        while not await self.discover():  # noqa: ASYNC110
            await asyncio.sleep(RETRY_SECONDS)

    def override(
        self,
        app: FastAPI,
        subject: str | None = "alice",
        **order: Any,  # noqa: ANN401
    ) -> AbstractContextManager["Signer"]:
        """Lets the requests of a test come from this caller, without any provider: see
        ``testing.override_caller``."""
        # Applications need no test kit.
        from portcullis_auth.testing import override_caller

        return override_caller(app, self, subject, **order)

    def install(self, app: FastAPI) -> None:
        """Puts the code of a denial into the body of its response, also of one that a handler gets
        from the server; completes the documentation by the responses of guards; and has it sign in
        with PKCE."""
        app.add_exception_handler(denial.Denial, denial.respond)
        app.add_exception_handler(Denied, denial.respond)
        app.add_exception_handler(denial.WebSocketDenial, denial.refuse)
        init = app.swagger_ui_init_oauth or {}
        app.swagger_ui_init_oauth = {"usePkceWithAuthorizationCodeGrant": True, **init}
        make = app.openapi
        described: OAuth2 | None = None

        def openapi() -> dict[str, Any]:
            nonlocal described
            # Made again once the endpoints are known.
            if app.openapi_schema is None or described is not self.oauth2.model:
                app.openapi_schema = None
                app.openapi_schema = document.describe(app, make())
                described = self.oauth2.model
            return app.openapi_schema

        app.openapi = openapi  # type: ignore[method-assign]
