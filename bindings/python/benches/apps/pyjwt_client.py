"""PyJWT with its `PyJWKClient`, as its documentation has it."""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from apps.common import AUDIENCE, ISSUER, bare_app, jwks_uri

bearer = HTTPBearer()
# For so many seconds after a fetch, PyJWT refuses tokens of a new key. Its default is 30.
COOLDOWN = float(os.environ.get("PYJWT_COOLDOWN", "30"))
keys = jwt.PyJWKClient(jwks_uri(), cooldown_duration=COOLDOWN)


async def caller(credential: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    """The subject of a verified token."""
    try:
        key = keys.get_signing_key_from_jwt(credential.credentials)
        claims = jwt.decode(
            credential.credentials, key, ["RS256"], audience=AUDIENCE, issuer=ISSUER
        )
    except jwt.PyJWTError:
        raise HTTPException(401, headers={"www-authenticate": "Bearer"}) from None
    return str(claims["sub"])


def make_app() -> FastAPI:
    """The application."""
    app = bare_app()

    @app.get("/me")
    async def me(subject: Annotated[str, Depends(caller)]) -> dict[str, str]:
        return {"subject": subject}

    return app
