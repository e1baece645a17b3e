"""joserfc, with a cached key set."""

from typing import Annotated, cast

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from apps.common import AUDIENCE, ISSUER, bare_app, fetch_key_set

bearer = HTTPBearer()
keys = KeySet.import_key_set(cast("KeySetSerialization", fetch_key_set()))
rules = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    exp={"essential": True},
)


async def caller(credential: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    """The subject of a verified token."""
    try:
        token = jwt.decode(credential.credentials, keys, ["RS256"])
        rules.validate(token.claims)
    except (JoseError, ValueError):
        raise HTTPException(401, headers={"www-authenticate": "Bearer"}) from None
    return str(token.claims["sub"])


def make_app() -> FastAPI:
    """The application."""
    app = bare_app()

    @app.get("/me")
    async def me(subject: Annotated[str, Depends(caller)]) -> dict[str, str]:
        return {"subject": subject}

    return app
